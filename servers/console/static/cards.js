// A card from a manual: drafted, read and corrected by a person, and then added.

import { api } from "./api.js";
import { announce, h, show } from "./dom.js";

export class CardDrafting {
  /** `onAdded` is called when a card was added. */
  constructor(onAdded) {
    this.onAdded = onAdded;
    this.file = h("input", { type: "file", id: "manual", accept: ".txt,.md,.pdf", onchange: () => this.read() });
    this.said = h("p", { class: "muted", role: "status" });
    this.error = h("p", { class: "failed", role: "alert" });
    this.draft = h("form", { class: "train-form", hidden: true, onsubmit: (event) => this.add(event) });
    this.element = h("section", { class: "card drafting", "aria-labelledby": "drafting-title" },
      h("h2", { id: "drafting-title" }, "A card from a manual"),
      h("p", { class: "muted" }, "Read from a device’s manual, with the sentence behind each fact. It can be requested once you have approved it."),
      h("div", { class: "row" }, h("label", { for: "manual" }, "Manual (.txt, .md or .pdf)"), this.file),
      this.said, this.error, this.draft);
  }

  async read() {
    const [file] = this.file.files;
    if (!file) return;
    this.error.textContent = "";
    this.draft.hidden = true;
    this.said.textContent = `Reading ${file.name}`;
    try {
      const drafted = await api.upload("/cards/drafts", file, "application/octet-stream");
      this.shown(drafted);
      this.said.textContent = "Comparing it with the other cards, which takes up to a minute";
      this.compared(await api.post("/cards/comparisons", drafted.card));
      this.said.textContent = "";
    } catch (error) {
      this.said.textContent = "";
      this.error.textContent = error.message;
    }
    this.file.value = "";
  }

  compared({ passed, demonstrations, lost, advice }) {
    const own = `${demonstrations - lost.length} of ${demonstrations} of its requests lead to it.`;
    show(this.verdict, h("p", { class: passed ? "muted" : "notice failed" }, passed ? `Distinct from the other cards: ${own}` : `Confused with other cards: only ${own}`),
      ...advice.map((each) => h("p", { class: "muted" }, each)));
    this.approve.disabled = false;
  }

  shown({ card, facts, note, manual }) {
    this.card = card;
    this.title = h("input", { id: "card-title", required: true, maxlength: "60", value: card.title });
    this.description = h("textarea", { id: "card-description", rows: "3", required: true, maxlength: "1000" }, card.description);
    this.requests = h("textarea", { id: "card-requests", rows: String(card.demonstrations.length + 1) }, card.demonstrations.map((each) => each.request).join("\n"));
    this.verdict = h("div", {});
    this.approve = h("button", { class: "primary", disabled: true }, "Add the card");
    this.draft.hidden = false;
    show(this.draft,
      h("h3", {}, card.id),
      h("label", { for: "card-title" }, "Title"), this.title,
      h("label", { for: "card-description" }, "What it does"), this.description,
      h("label", { for: "card-requests" }, "Requests that it serves, one a line"), this.requests,
      this.verdict,
      note && h("p", { class: "notice" }, note),
      h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Facts" }, h("table", { class: "choices" },
        h("thead", {}, h("tr", {}, ["Fact", "Value", `${manual} says`].map((name) => h("th", { scope: "col" }, name)))),
        h("tbody", {}, facts.map((fact) => h("tr", {}, h("td", {}, fact.field), h("td", {}, fact.about ? `${fact.about}: ${fact.value}` : fact.value),
          h("td", {}, h("q", {}, fact.quote), h("span", { class: "muted fine codec" }, fact.page ? `page ${fact.page}, line ${fact.line}` : `line ${fact.line}`))))))),
      h("div", { class: "row" }, this.approve,
        h("button", { type: "button", class: "quiet", onclick: () => { this.draft.hidden = true; } }, "Discard")));
  }

  async add(event) {
    event.preventDefault();
    const known = new Map(this.card.demonstrations.map((each) => [each.request, each]));
    const lines = this.requests.value.split("\n").map((line) => line.trim()).filter(Boolean);
    const card = {
      ...this.card,
      title: this.title.value.trim(),
      description: this.description.value.trim(),
      demonstrations: lines.map((request) => known.get(request) || { request, args: {} }),
    };
    this.error.textContent = "";
    try {
      await api.post("/cards", card);
    } catch (error) {
      this.error.textContent = error.message;
      return;
    }
    this.draft.hidden = true;
    this.said.textContent = `The card ${card.id} was added.`;
    announce(this.said.textContent);
    this.onAdded();
  }
}
