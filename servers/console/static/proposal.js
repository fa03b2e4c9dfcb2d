// The data of a training, a proposal with the words behind it, and the trials that ended.

import { h, svg } from "./dom.js";
import { bytes, percent } from "./words.js";

const SHOWN_CLIENTS = 16;
const SHOWN_CLASSES = 12;
const SLOTS = { model: "Model", augmentation: "Augmentation", optimiser: "Optimiser", schedule: "Learning rate" };

function count(number, one, many = `${one}s`) {
  return `${number.toLocaleString("en")} ${number === 1 ? one : many}`;
}

/** Return the data as they were read: counts, what was left out, and each client's classes. */
export function dataView(card, read) {
  const total = card.train + card.validation + card.test;
  const clients = card.clients.slice(0, SHOWN_CLIENTS);
  const largest = Math.max(...card.clients.map((client) => client.samples));
  const more = card.clients.length - clients.length;
  const classes = card.classes.slice(0, SHOWN_CLASSES);
  return [
    h("summary", {}, h("h2", {}, `Data: ${card.name}`),
      h("span", { class: "muted" }, `${count(total, "image")} of ${count(card.classes.length, "class", "classes")}: ${card.train.toLocaleString("en")} to train on at ${count(card.clients.length, "client")}, ${card.validation.toLocaleString("en")} to validate, ${card.test.toLocaleString("en")} for one test at the end`)),
    read.length > 0 && h("ul", { class: "read muted" }, read.map((line) => h("li", {}, line))),
    h("ul", { class: "shares", "aria-label": "Training images of each client" }, clients.map((client, index) => h("li", {},
      h("span", {}, client.attribute || `Client ${index}`), share(client.histogram, largest),
      h("span", { class: "number" }, client.samples.toLocaleString("en"))))),
    h("p", { class: "legend" }, classes.map((name, index) => h("span", {}, swatch(index), name)),
      card.classes.length > classes.length && h("span", { class: "muted" }, `and ${card.classes.length - classes.length} more`)),
    more > 0 && h("p", { class: "muted fine" }, `and ${count(more, "more client")}`),
  ];
}

function share(histogram, largest) {
  let x = 0;
  return svg("svg", { class: "share", viewBox: "0 0 100 4", preserveAspectRatio: "none", "aria-hidden": "true" }, histogram.map((samples, index) => {
    const width = (100 * samples) / largest;
    x += width;
    return svg("rect", { class: kind(index), x: x - width, y: 0, width, height: 4 });
  }));
}

function kind(index) {
  return `c${index % 6} ${index % 12 < 6 ? "" : "second"}`;
}

function swatch(index) {
  return h("span", { class: `swatch ${kind(index)}`, "aria-hidden": "true" });
}

/** Return a proposal; what is to be decided is added by its caller. */
export function proposalView({ number, candidate, choices, coder, questions, note, faults, facts, remark }) {
  const by = { embedded: "the embedded coder", "chat-model": "the chat model", person: "you" }[coder];
  const values = [`${candidate.strategy.name}`, count(candidate.rounds, "round"), `${count(candidate.local_epochs, "local epoch")} a round`,
    `batches of ${candidate.batch_size}`, candidate.compression.name !== "none" && `updates sent as ${candidate.compression.name}`,
    facts && `${count(facts.parameters, "weight")}, ${bytes(facts.weight_bytes)} on the link`];
  return [
    h("summary", {}, h("h2", {}, `Proposal for trial ${number}`), h("span", { class: "muted" }, `by ${by}: ${candidate.rationale}`)),
    choices.length > 0 && h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": `Choices for trial ${number}` }, h("table", { class: "choices" },
      h("thead", {}, h("tr", {}, ["Your words", "Choice", "Because"].map((name) => h("th", { scope: "col" }, name)))),
      h("tbody", {}, choices.map((each) => h("tr", {},
        h("td", {}, each.words ? h("q", {}, each.words) : h("span", { class: "muted" }, "from the data")),
        h("td", {}, each.choice), h("td", { class: "muted" }, each.reason)))))),
    h("p", { class: "muted" }, values.filter(Boolean).join(" · ")),
    note && h("p", { class: "notice" }, note),
    ...questions.map((question) => h("p", { class: "notice" }, question)),
    ...(faults || []).map((fault) => h("p", { class: "notice failed" }, `Refused: ${fault.message}`)),
    remark && h("p", { class: "notice" }, `You said: “${remark}”`),
    h("details", { class: "code" }, h("summary", { class: "muted" }, "The code that is trained"),
      Object.entries(SLOTS).map(([slot, title]) => h("figure", {}, h("figcaption", { class: "muted fine" }, title),
        h("pre", { tabindex: "0" }, h("code", {}, candidate[slot].trim()))))),
  ];
}

/** Return the trials that ended, with what they cost. */
export function trialTable(trials, best) {
  const head = ["Trial", "Strategy", "Rounds", "Validation", "Worst client", "Sent up", "On the link", "Here"];
  const rows = trials.map(({ number, candidate, result }) => {
    const point = result.curve.find((each) => each.round_number === result.best_round);
    const last = result.curve.at(-1);
    const name = h("th", { scope: "row" }, `${number}`, number === best && h("span", { class: "badge" }, "best"));
    if (!point) return h("tr", {}, name, h("td", { colspan: "7", class: "failed" }, result.fault?.message || "no round was finished"));
    const worst = Math.min(...point.validation.clients.filter((each) => each !== null));
    const up = result.curve.reduce((sum, each) => sum + each.bytes_up, 0);
    return h("tr", {}, name, h("td", {}, candidate.strategy.name),
      [result.curve.length, percent(point.validation.accuracy), percent(worst), bytes(up), `${Math.round(last.simulated_s)} s`, `${Math.round(last.wall_s)} s`]
        .map((value) => h("td", { class: "number" }, value)));
  });
  return [h("h2", {}, "Trials"), h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Table of trials" }, h("table", { class: "trials" },
    h("thead", {}, h("tr", {}, head.map((name, index) => h("th", { scope: "col", class: index > 1 ? "number" : "" }, name)))),
    h("tbody", {}, rows)))];
}
