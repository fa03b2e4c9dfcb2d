// The plan as a graph: tasks in layers, each behind those that it needs, with the conditions.

import { h, icon, svg } from "./dom.js";
import { armWords, conditionWords, milliseconds, toolName } from "./words.js";

const HEIGHT = 76;
const GAP = 14;
const BETWEEN = 56;
const WITH_CONDITION = 88;
const NARROWEST = 168;
const WIDEST = 264;
const INDENT = 26;
const SIGNS = { equals: "", not: "not ", at_least: "≥ ", at_most: "≤ ", contains: "" };
const STATES = {
  waiting: "waits",
  running: "running",
  ok: "done",
  refused: "refused",
  unavailable: "not available",
  error: "failed",
  skipped: "skipped",
};

function sources(task) {
  const checks = task.when ? task.when.checks.map((check) => check.task) : [];
  return [...new Set([...task.depends_on, ...checks])];
}

function layersOf(tasks) {
  const layer = new Map();
  for (const task of tasks) {
    layer.set(task.id, Math.max(-1, ...sources(task).map((id) => layer.get(id))) + 1);
  }
  return layer;
}

/** Draws the tasks of a plan; `onSelect` is called with the id of the one that is pressed. */
export class PlanGraph {
  constructor(plan, onSelect) {
    this.tasks = plan.tasks;
    this.layer = layersOf(plan.tasks);
    this.edges = svg("svg", { class: "edges", "aria-hidden": "true" });
    this.nodes = new Map(plan.tasks.map((task) => [task.id, this.node(task, onSelect)]));
    this.element = h("div", { class: "graph", role: "group", "aria-label": "Plan" },
      this.edges, [...this.nodes.values()]);
    new ResizeObserver(() => this.place()).observe(this.element);
  }

  node(task, onSelect) {
    return h("button", { type: "button", class: "node", "aria-expanded": "false", onclick: () => onSelect(task.id) });
  }

  select(id) {
    for (const [name, node] of this.nodes) node.setAttribute("aria-expanded", String(name === id));
  }

  /** Show how far a task is: `state`, the chosen `arm`, and the milliseconds that it took. */
  update(task, { state, decision, ms }) {
    const node = this.nodes.get(task.id);
    node.dataset.state = state;
    const marks = { ok: "check", skipped: "skip", error: "cross", refused: "cross", unavailable: "cross" };
    const mark = marks[state] ? icon(marks[state]) : h("span", { class: "pulse" });
    let line = STATES[state];
    if (decision && (state === "running" || state === "ok")) line = armWords(decision.arm);
    if (state === "waiting" && task.when) line = conditionWords(task.when, this.tasks);
    node.replaceChildren(
      h("span", { class: "mark" }, mark),
      h("span", { class: "name" }, toolName(task.tool)),
      h("span", { class: "line" }, h("span", { class: "where" }, line), ms ? h("span", { class: "number" }, milliseconds(ms)) : ""),
    );
    node.setAttribute("aria-label", `Step ${this.tasks.indexOf(task) + 1}: ${toolName(task.tool)}, ${STATES[state]}`
      + `${ms ? `, ${milliseconds(ms)}` : ""}. ${line === STATES[state] ? "" : line}`);
  }

  place() {
    const width = this.element.clientWidth;
    if (!width) return;
    const depth = Math.max(...this.layer.values()) + 1;
    const conditional = this.tasks.some((task) => task.when);
    const between = conditional ? WITH_CONDITION : BETWEEN;
    const each = Math.min(WIDEST, (width - between * (depth - 1)) / depth);
    const boxes = each >= NARROWEST ? this.inColumns(each, between) : this.inRows(width);
    let bottom = 0;
    for (const [id, box] of boxes) {
      const { style } = this.nodes.get(id);
      style.left = `${box.x}px`;
      style.top = `${box.y}px`;
      style.width = `${box.width}px`;
      bottom = Math.max(bottom, box.y + HEIGHT);
    }
    this.element.style.height = `${bottom}px`;
    this.edges.setAttribute("viewBox", `0 0 ${width} ${bottom}`);
    this.edges.style.height = `${bottom}px`;
    this.connect(boxes, each >= NARROWEST);
  }

  inColumns(each, between) {
    const columns = [];
    for (const task of this.tasks) (columns[this.layer.get(task.id)] ||= []).push(task.id);
    const tallest = Math.max(...columns.map((column) => column.length));
    const boxes = new Map();
    columns.forEach((column, index) => column.forEach((id, row) => {
      const above = ((tallest - column.length) * (HEIGHT + GAP)) / 2;
      boxes.set(id, { x: index * (each + between), y: above + row * (HEIGHT + GAP), width: each });
    }));
    return boxes;
  }

  inRows(width) {
    return new Map(this.tasks.map((task, row) => {
      const x = Math.min(this.layer.get(task.id), 4) * INDENT;
      return [task.id, { x, y: row * (HEIGHT + GAP), width: width - x }];
    }));
  }

  connect(boxes, columns) {
    const drawn = [];
    for (const task of this.tasks) {
      const checks = new Map((task.when ? task.when.checks : []).map((check) => [check.task, check]));
      for (const id of sources(task)) {
        const from = boxes.get(id);
        const to = boxes.get(task.id);
        const check = checks.get(id);
        drawn.push(svg("path", { class: check ? "edge conditional" : "edge", d: columns ? across(from, to) : down(from, to) }));
        if (check && columns) drawn.push(...label(from, to, SIGNS[check.op] + check.value));
      }
    }
    this.edges.replaceChildren(...drawn);
  }
}

function across(from, to) {
  const [x0, y0] = [from.x + from.width, from.y + HEIGHT / 2];
  const [x1, y1] = [to.x, to.y + HEIGHT / 2];
  const bend = (x1 - x0) / 2;
  return `M${x0} ${y0} C${x0 + bend} ${y0} ${x1 - bend} ${y1} ${x1} ${y1}`;
}

function down(from, to) {
  const x = from.x + INDENT / 2;
  return `M${x} ${from.y + HEIGHT} V${to.y + HEIGHT / 2 - 8} q0 8 8 8 H${to.x}`;
}

function label(from, to, text) {
  const x = (from.x + from.width + to.x) / 2;
  const y = (from.y + to.y + HEIGHT) / 2;
  const short = text.length > 9 ? `${text.slice(0, 8)}…` : text;
  const width = short.length * 7 + 16;
  return [
    svg("rect", { class: "tag", x: x - width / 2, y: y - 11, width, height: 22, rx: 11 }),
    svg("text", { class: "tag-text", x, y: y + 4, "text-anchor": "middle" }, short),
  ];
}
