// The network page: nodes and links as they are now, and how the latest tasks were run.

import { api } from "./api.js";
import { announce, h, show, svg } from "./dom.js";
import { bytes, labelWords, milliseconds, percent, toolName } from "./words.js";

const EVERY_MS = 2000;
const SAMPLES = 60;
const SHOWN = 12;

export class NetworkPage {
  constructor() {
    this.history = new Map();
    this.up = new Map();
    this.lines = svg("svg", { class: "wires", "aria-hidden": "true" });
    this.map = h("div", { class: "map" });
    this.runs = h("section", { class: "card", "aria-labelledby": "runs-title" });
    this.trouble = h("p", { class: "failed", role: "alert" });
    this.element = h("div", { class: "page" },
      h("div", { class: "page-head" }, h("h1", {}, "Network"),
        h("p", { class: "muted" }, "The nodes behind this console, the links between them, and where your latest requests ran.")),
      this.trouble, h("div", { class: "network" }, this.lines, this.map), this.runs);
    this.resized = new ResizeObserver(() => this.wire());
    this.resized.observe(this.map);
  }

  async open() {
    await this.refresh();
    this.timer ||= setInterval(() => document.hidden || this.refresh(), EVERY_MS);
  }

  close() {
    clearInterval(this.timer);
    this.resized.disconnect();
  }

  async refresh() {
    if (this.busy) return;
    this.busy = true;
    try {
      const seen = await api.get("/network");
      this.trouble.textContent = "";
      this.render(seen);
    } catch (error) {
      this.trouble.textContent = error.message;
    } finally {
      this.busy = false;
    }
  }

  render({ nodes, links, runs }) {
    this.notice(nodes);
    const focused = document.activeElement?.closest("details")?.dataset.of;
    const opened = new Set([...this.map.querySelectorAll("details[open]")].map((each) => each.dataset.of));
    const targets = new Set(links.map((link) => link.to));
    const first = nodes.filter((node) => !targets.has(node.name));
    const second = nodes.filter((node) => targets.has(node.name));
    show(this.map,
      h("div", { class: "column" }, first.map((node) => nodeCard(node, opened))),
      links.length > 0 && h("div", { class: "column middle" }, links.map((link) => this.linkCard(link))),
      second.length > 0 && h("div", { class: "column" }, second.map((node) => nodeCard(node, opened))));
    this.map.classList.toggle("alone", !links.length);
    this.wire();
    if (focused) this.map.querySelector(`details[data-of="${CSS.escape(focused)}"] summary`)?.focus();
    const latest = JSON.stringify(runs);
    if (latest !== this.latest) show(this.runs, ...runTable(runs));
    this.latest = latest;
  }

  notice(nodes) {
    for (const { name, up } of nodes) {
      if (this.up.has(name) && this.up.get(name) !== up) announce(up ? `${name} answers again.` : `${name} is gone.`);
      this.up.set(name, up);
    }
  }

  linkCard(link) {
    const name = `${link.from} ${link.to}`;
    const samples = this.history.get(name) || [];
    samples.push(link.up ? link.rate_kb_per_s : null);
    this.history.set(name, samples.slice(-SAMPLES));
    const rate = link.rate_kb_per_s >= 10_000 ? `${(link.rate_kb_per_s / 1000).toFixed(1)} MB/s` : `${Math.round(link.rate_kb_per_s)} KB/s`;
    return h("div", { class: `link-card ${link.up ? "" : "down"}`, "data-from": link.from, "data-to": link.to },
      h("p", { class: "rate" }, link.up ? rate : "No connection"),
      h("p", { class: "muted" }, link.up ? `${milliseconds(link.rtt_ms)} round trip` : "last contact failed"),
      spark(this.history.get(name)),
      h("p", { class: "muted fine" }, link.samples ? `from ${link.samples} ${link.samples === 1 ? "transfer" : "transfers"}` : "as configured; nothing sent yet"));
  }

  /** Draw the wires from node to link to node, where they are beside each other. */
  wire() {
    const frame = this.map.getBoundingClientRect();
    const cards = new Map([...this.map.querySelectorAll("[data-node]")].map((card) => [card.dataset.node, card]));
    const drawn = [];
    for (const card of this.map.querySelectorAll(".link-card")) {
      const [from, to] = [cards.get(card.dataset.from), cards.get(card.dataset.to)];
      if (!from || !to) continue;
      const kind = card.classList.contains("down") ? "wire down" : "wire";
      drawn.push(path(kind, from, card, frame), path(kind, card, to, frame));
    }
    this.lines.setAttribute("viewBox", `0 0 ${frame.width} ${frame.height}`);
    this.lines.replaceChildren(...drawn);
  }
}

function path(kind, from, to, frame) {
  const [one, other] = [from.getBoundingClientRect(), to.getBoundingClientRect()];
  if (other.left >= one.right) {
    const [x0, y0] = [one.right - frame.left, one.top + one.height / 2 - frame.top];
    const [x1, y1] = [other.left - frame.left, other.top + other.height / 2 - frame.top];
    const bend = (x1 - x0) / 2;
    return svg("path", { class: kind, d: `M${x0} ${y0} C${x0 + bend} ${y0} ${x1 - bend} ${y1} ${x1} ${y1}` });
  }
  const x = one.left + one.width / 2 - frame.left;
  return svg("path", { class: kind, d: `M${x} ${one.bottom - frame.top} V${other.top - frame.top}` });
}

function nodeCard(node, opened) {
  const busy = Math.max(0, ...node.models.map((model) => model.utilisation));
  const slowdown = Math.max(1, ...node.models.map((model) => model.slowdown));
  const models = node.models.length === 1 ? "1 measured model" : `${node.models.length} measured models`;
  return h("section", { class: `card node-card ${node.up ? "" : "gone"}`, "data-node": node.name, "aria-label": node.name },
    h("div", { class: "node-head" }, h("h2", {}, node.name),
      h("span", { class: node.up ? "badge" : "badge off" }, node.up ? "answers" : "gone")),
    h("p", { class: "muted" }, [node.role === "device" ? "Device" : "Edge server", node.url, slowdown > 1 && `slowed ${slowdown} times`].filter(Boolean).join(" · ")),
    !node.up && h("p", { class: "failed" }, node.error),
    node.up && h("div", { class: "load" }, h("span", { class: "muted" }, "Busy"), gauge(busy), h("span", { class: "number" }, percent(busy))),
    node.models.length > 0 && h("details", { "data-of": node.name, open: opened.has(node.name) }, h("summary", {}, models),
      h("ul", { class: "models" }, node.models.map((model) => h("li", {},
        h("span", {}, model.id, h("span", { class: "muted fine" }, `${model.engine} · ${model.revision.slice(0, 10)}`)),
        h("span", { class: "number" }, milliseconds(model.whole_ms), h("span", { class: "muted fine" }, "an image")))))));
}

function gauge(share) {
  const bar = h("span", { class: "meter real" });
  bar.style.width = `${100 * share}%`;
  return h("span", { class: "track", "aria-hidden": "true" }, bar);
}

function spark(samples) {
  const known = samples.filter((sample) => sample !== null);
  const top = Math.max(1, ...known) * 1.15;
  const points = [];
  samples.forEach((sample, index) => {
    if (sample === null) return;
    const x = 160 * (1 - (samples.length - 1 - index) / (SAMPLES - 1));
    points.push(`${points.length && samples[index - 1] !== null ? "L" : "M"}${x} ${30 - (28 * sample) / top}`);
  });
  return svg("svg", { class: "spark", viewBox: "0 0 160 32", role: "img", "aria-label": "Rate of the last two minutes" },
    svg("path", { class: "ground", d: "M0 30.5H160" }), svg("path", { class: "curve", d: points.join("") }));
}

function runTable(runs) {
  const title = h("h2", { id: "runs-title" }, "Latest tasks");
  if (!runs.length) return [title, h("p", { class: "muted" }, "None yet. What you ask on the chat page appears here, with the arm that was chosen for it.")];
  const head = ["Time", "Task", "Ran", "Measured", "Forecast", "Sent"];
  return [title, h("div", { class: "scroll", tabindex: "0", role: "region", "aria-labelledby": "runs-title" }, h("table", { class: "runs" },
    h("thead", {}, h("tr", {}, head.map((name, index) => h("th", { scope: "col", class: index > 2 ? "number" : "" }, name)))),
    h("tbody", {}, runs.slice(-SHOWN).reverse().map((run) => h("tr", {},
      h("td", { class: "number left" }, new Date(run.at * 1000).toLocaleTimeString()),
      h("td", {}, toolName(run.tool)),
      h("td", {}, labelWords(run.arm), run.fell_back && h("span", { class: "badge off" }, "fallback")),
      h("td", { class: "number" }, milliseconds(run.ms)),
      h("td", { class: "number" }, milliseconds(run.forecast_ms)),
      h("td", { class: "number" }, bytes(run.bytes_up)))))))];
}
