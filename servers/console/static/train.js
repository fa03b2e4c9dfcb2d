// The train page: describe a training, and the trainings of this caller.

import { api } from "./api.js";
import { h, show } from "./dom.js";
import { TrainingView } from "./training.js";
import { percent, toolName } from "./words.js";

const EXAMPLES = [
  "Ten clinics each have photos of handwritten digits; I need a classifier.",
  "Recognise handwritten digits for eight post offices over a slow link.",
  "Tell broken solar cells from sound ones for twelve plants whose cells differ.",
];
const STATES = { working: "at work", waiting: "waits for you", stopped: "stopped", over: "ended" };

export class TrainPage {
  constructor() {
    this.element = h("div", { class: "page" });
    this.list = h("section", { class: "card", "aria-labelledby": "trainings-title", hidden: true });
    this.form = new Form((training) => { location.hash = `#/train/${training.id}`; });
  }

  async open(id) {
    this.close();
    if (id) {
      this.view = new TrainingView(await api.get(`/trainings/${encodeURIComponent(id)}`));
      show(this.element, this.view.element);
      return;
    }
    show(this.element, this.form.element, this.list);
    const [data, trainings] = await Promise.all([api.get("/trainings/data"), api.get("/trainings")]);
    this.form.offer(data);
    this.list.hidden = !trainings.length;
    show(this.list, h("h2", { id: "trainings-title" }, "Trainings"), h("ul", { class: "rows" }, trainings.map((each) => h("li", {},
      h("a", { href: `#/train/${each.id}` }, each.title),
      h("span", { class: "came" }, each.accuracy !== null && h("span", { class: "number" }, percent(each.accuracy)),
        h("span", { class: `badge ${each.state === "over" ? "plain" : ""}` }, each.tool ? toolName(each.tool) : STATES[each.state]))))));
  }

  close() {
    this.view?.close();
    this.view = null;
  }
}

class Form {
  constructor(onBegun) {
    this.onBegun = onBegun;
    this.purpose = h("textarea", { id: "purpose", rows: "3", required: true, maxlength: "8000",
      placeholder: "What is it to recognise, who has the images, and what must hold?" });
    this.data = h("select", { id: "data" });
    this.clients = h("input", { id: "clients", type: "number", min: "1", max: "1000", placeholder: "as described" });
    this.error = h("p", { class: "failed", role: "alert" });
    this.button = h("button", { class: "primary" }, "Propose a training");
    this.element = h("div", { class: "train-new" },
      h("div", { class: "page-head" }, h("h1", {}, "Train a tool"),
        h("p", { class: "muted" }, "Describe it in your own words. You see the data and a proposal before anything is trained; the images stay with their owners.")),
      h("form", { class: "card train-form", onsubmit: (event) => this.submit(event) },
        h("label", { for: "purpose" }, "What is the model for?"), this.purpose,
        h("div", { class: "fields" },
          h("div", {}, h("label", { for: "data" }, "Images"), this.data),
          h("div", {}, h("label", { for: "clients" }, "Owners of the images"), this.clients),
          this.button),
        this.error),
      h("ul", { class: "examples" }, EXAMPLES.map((text) => h("li", {}, h("button", { type: "button", onclick: () => {
        this.purpose.value = text;
        this.purpose.focus();
      } }, text)))));
  }

  offer(data) {
    const chosen = this.data.value;
    show(this.data, h("option", { value: "" }, "those that the description names"),
      ...data.map((each) => h("option", { value: each.source }, each.title)));
    this.data.value = chosen;
  }

  async submit(event) {
    event.preventDefault();
    this.error.textContent = "";
    this.button.disabled = true;
    const wanted = { purpose: this.purpose.value.trim(), source: this.data.value || null, clients: Number(this.clients.value) || null };
    try {
      this.onBegun(await api.post("/trainings", wanted));
    } catch (error) {
      this.error.textContent = error.message;
    } finally {
      this.button.disabled = false;
    }
  }
}
