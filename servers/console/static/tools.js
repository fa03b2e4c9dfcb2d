// The tools page: what can be requested, what is missing for the rest, and the models behind it.

import { api } from "./api.js";
import { CardDrafting } from "./cards.js";
import { h, show } from "./dom.js";
import { ModelList } from "./models.js";
import { toolName } from "./words.js";

export class ToolsPage {
  constructor() {
    this.found = [];
    this.count = h("p", { class: "muted", role: "status" });
    this.search = h("input", { type: "search", class: "search", placeholder: "Search", "aria-label": "Search the tools", oninput: () => this.list() });
    this.grid = h("ul", { class: "tool-list" });
    this.models = new ModelList(() => this.refresh());
    this.element = h("div", { class: "page" },
      h("div", { class: "page-head" }, h("h1", {}, "Tools and models"),
        h("p", { class: "muted" }, "What a request can be made of. A plan combines them; an expert on a node carries each out.")),
      h("div", { class: "row" }, this.search, this.count), this.grid, this.models.element, new CardDrafting(() => this.refresh()).element);
  }

  async open() {
    await Promise.all([this.refresh(), this.models.open()]);
  }

  async refresh() {
    const found = await api.get("/tools");
    this.found = found.sort((one, other) => other.available - one.available || one.id.localeCompare(other.id));
    this.list();
  }

  close() {
    this.models.close();
  }

  list() {
    const words = this.search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const shown = this.found.filter((tool) => {
      const text = `${tool.id} ${tool.task_type} ${tool.description}`.toLowerCase();
      return words.every((word) => text.includes(word));
    });
    const ready = shown.filter((tool) => tool.available).length;
    this.count.textContent = shown.length ? `${ready} of ${shown.length} ready` : "None matches";
    show(this.grid, ...shown.map(card));
  }
}

function card(tool) {
  const badge = tool.available
    ? h("span", { class: tool.approximate ? "badge plain" : "badge" }, tool.approximate ? "stands in" : "ready")
    : h("span", { class: "badge off" }, "not available");
  const inputs = Object.entries(tool.schema.properties || {});
  const required = new Set(tool.schema.required || []);
  return h("li", { class: "card tool-card" },
    h("div", { class: "node-head" }, h("h2", {}, toolName(tool.id)), badge),
    h("p", {}, tool.description),
    inputs.length > 0 && h("p", { class: "inputs" }, h("span", { class: "muted" }, "Takes "),
      inputs.map(([name, schema]) => h("span", { class: "badge plain", title: schema.description }, required.has(name) ? name : `${name} (optional)`))),
    h("p", { class: "muted fine" }, tool.expert ? `Expert: ${tool.expert}` : "No expert can run it"),
    tool.reason && h("p", { class: "reason fine" }, tool.available ? h("span", { class: "muted" }, `For a better one: ${tool.reason}`) : `Missing: ${tool.reason}`));
}
