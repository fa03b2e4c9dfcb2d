// Live curves of a training: validation accuracy by round, for each trial, and for each client of one.

import { h, show, svg } from "./dom.js";
import { percent } from "./words.js";

const HEIGHT = 230;
const LEFT = 44;
const RIGHT = 12;
const TOP = 12;
const BOTTOM = 26;
const SHOWN_CLIENTS = 12;

export class CurvesView {
  constructor() {
    this.trials = new Map();
    this.all = new Chart("By trial");
    this.clients = new Chart("By client");
    this.element = h("section", { class: "card curves", "aria-label": "Curves", hidden: true },
      h("h2", {}, "Validation images that are right"), h("div", { class: "charts" }, this.all.element, this.clients.element));
    this.resized = new ResizeObserver(() => this.draw());
    this.resized.observe(this.element);
  }

  update(trials) {
    this.trials = trials;
    this.element.hidden = false;
    this.draw();
  }

  /** Draw once for all changes since the last frame. */
  draw() {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = null;
      this.render();
    });
  }

  render() {
    const trials = [...this.trials.values()].filter((trial) => trial.points.length);
    if (!trials.length) return;
    const chosen = trials.find((trial) => trial.number === this.chosen) || trials.at(-1);
    this.all.render(trials.map((trial) => ({
      name: `Trial ${trial.number}`,
      look: trial.number - 1,
      rounds: trial.rounds,
      values: trial.points.map((point) => [point.round_number, point.validation.accuracy]),
      pressed: trial === chosen,
      onChoose: () => {
        this.chosen = trial.number;
        this.render();
      },
    })));
    this.clients.render(...clientSeries(chosen));
  }
}

/** Return the curves of a trial's clients; of many, those that are served worst. */
function clientSeries(trial) {
  const last = trial.points.at(-1).validation.clients;
  const known = last.map((value, client) => ({ value, client })).filter((each) => each.value !== null);
  if (known.length > SHOWN_CLIENTS) known.sort((one, other) => one.value - other.value || one.client - other.client);
  const shown = known.slice(0, SHOWN_CLIENTS);
  const rest = known.length - shown.length;
  const series = shown.map(({ client }) => ({
    name: `Client ${client}`,
    look: client,
    rounds: trial.rounds,
    values: trial.points.filter((point) => point.validation.clients[client] !== null)
      .map((point) => [point.round_number, point.validation.clients[client]]),
  }));
  return [series, rest ? `trial ${trial.number}, the ${shown.length} of ${known.length} that are served worst` : `trial ${trial.number}`];
}

class Chart {
  constructor(title) {
    this.title = h("h3", {}, title);
    this.note = h("span", { class: "muted fine" });
    this.plot = h("div", { class: "plot" });
    this.legend = h("ul", { class: "findings" });
    this.element = h("div", { class: "chart" }, h("div", { class: "chart-head" }, this.title, this.note), this.plot, this.legend);
  }

  render(series, note = "") {
    const width = Math.max(260, this.plot.clientWidth);
    const rounds = Math.max(2, ...series.map((each) => each.rounds));
    const lowest = Math.min(...series.flatMap((each) => each.values.map(([, value]) => value)));
    const floor = Math.min(0.9, Math.floor(lowest * 10) / 10);
    const x = (round) => LEFT + ((width - LEFT - RIGHT) * (round - 1)) / (rounds - 1);
    const y = (value) => TOP + ((HEIGHT - TOP - BOTTOM) * (1 - value)) / (1 - floor);
    const said = series.map((each) => `${each.name}: ${percent(each.values.at(-1)[1])}`).join(", ");
    const lines = series.map((each) => curve(each, x, y));
    this.note.textContent = note;
    const focused = [...this.legend.children].findIndex((each) => each.contains(document.activeElement));
    show(this.plot, svg("svg", { viewBox: `0 0 ${width} ${HEIGHT}`, height: HEIGHT, role: "img", "aria-label": `${this.title.textContent}: ${said}` },
      grid(floor, rounds, width, x, y), lines));
    show(this.legend, ...series.map((each, index) => this.name(each, index, lines)));
    if (focused >= 0) this.legend.children[focused]?.firstChild.focus();
  }

  name(each, index, lines) {
    const light = (on) => {
      this.plot.classList.toggle("dimmed", on);
      lines[index].classList.toggle("lit", on);
    };
    const events = { onmouseenter: () => light(true), onmouseleave: () => light(false), onfocus: () => light(true), onblur: () => light(false) };
    return h("li", {}, h("button", { type: "button", class: `finding-name ${look(each.look)}`, onclick: each.onChoose,
      "aria-pressed": each.pressed === undefined ? undefined : String(each.pressed), ...events },
    h("span", { class: "swatch" }), h("span", {}, each.name), h("span", { class: "score" }, percent(each.values.at(-1)[1]))));
  }
}

function look(index) {
  return `c${index % 6} ${index % 12 < 6 ? "" : "second"}`;
}

function curve(each, x, y) {
  const points = each.values.map(([round, value]) => `${x(round).toFixed(1)} ${y(value).toFixed(1)}`);
  const [round, value] = each.values.at(-1);
  return svg("g", { class: `series ${look(each.look)}` }, svg("path", { d: `M${points.join("L")}` }),
    svg("circle", { cx: x(round), cy: y(value), r: 3.5 }));
}

function grid(floor, rounds, width, x, y) {
  const step = 1 - floor > 0.5 ? 0.2 : 1 - floor > 0.25 ? 0.1 : 0.05;
  const parts = [];
  for (let value = 1; value >= floor - 1e-9; value -= step) {
    parts.push(svg("path", { class: "ground", d: `M${LEFT} ${y(value)}H${width - RIGHT}` }),
      svg("text", { x: LEFT - 8, y: y(value) + 4, "text-anchor": "end" }, percent(value)));
  }
  const every = Math.max(1, Math.ceil((rounds - 1) / 6));
  for (let round = 1; round <= rounds; round += every) {
    parts.push(svg("text", { x: x(round), y: HEIGHT - 6, "text-anchor": "middle" }, round === 1 ? "round 1" : round));
  }
  return svg("g", { class: "grid" }, parts);
}
