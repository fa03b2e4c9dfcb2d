// One task in detail: why it ran where it did, what was forecast, and what it really took.

import { h } from "./dom.js";
import { armLabel, armWords, bytes, conditionWords, joules, labelWords, milliseconds, toolName } from "./words.js";

const FIRST = 5;

export function measured(report) {
  return Object.values(report.stages_ms).reduce((sum, ms) => sum + ms, 0);
}

/** Return the details of a task; `onRepeat` runs it again with an arm. */
export function taskDetail({ task, tasks, decision, result, text, repeats, canRepeat }, onRepeat) {
  const report = result?.report;
  const said = result?.error?.message || result?.output?.text || text;
  const parts = [h("h3", {}, toolName(task.tool)), task.span && h("p", { class: "span" }, `“${task.span}”`)];
  if (task.when) parts.push(h("p", { class: "muted" }, `Runs ${conditionWords(task.when, tasks)}.`));
  if (said) parts.push(h("p", { class: result?.error ? "result failed" : "result" }, said));
  if (decision) {
    parts.push(h("h4", {}, "Why there"), h("p", {}, sentence(decision.reason)));
    if (decision.forecasts.length) parts.push(forecastTable(decision, report, repeats, canRepeat, onRepeat));
  }
  if (report) parts.push(h("h4", {}, "What it took"), stages(report), facts(report));
  return parts.filter(Boolean);
}

function sentence(text) {
  const whole = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(whole) ? whole : `${whole}.`;
}

function rows(decision, report, repeats) {
  const took = new Map();
  if (report) took.set(report.arm, { ms: measured(report) });
  for (const each of repeats) {
    const found = each.report ? { ms: measured(each.report), text: each.output.text } : { failed: each.error?.message };
    took.set(each.report?.arm || armLabel(each.arm), { ...found, again: true });
  }
  return decision.forecasts.map((forecast) => {
    const label = armLabel(forecast.arm);
    return { forecast, label, took: took.get(label), chosen: label === armLabel(decision.arm) };
  });
}

function forecastTable(decision, report, repeats, canRepeat, onRepeat) {
  const all = rows(decision, report, repeats);
  const longest = Math.max(1, ...all.flatMap((row) => [row.forecast.latency_ms || 0, row.took?.ms || 0]));
  const body = h("tbody", {}, all.map((row, index) => forecastRow(row, longest, index >= FIRST, canRepeat, onRepeat)));
  const table = h("table", { class: "forecasts" },
    h("thead", {}, h("tr", {}, ["Way to run it", "Forecast", "Measured", "Sent", ""].map((name, index) =>
      h("th", { scope: "col", class: index === 0 || index === 4 ? "" : "number" }, name || h("span", { class: "visually-hidden" }, "Run it"))))),
    body);
  const scroll = h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Ways to run it" }, table);
  if (all.length <= FIRST) return scroll;
  const more = h("button", { type: "button", class: "quiet", onclick: () => {
    for (const row of body.rows) row.hidden = false;
    more.remove();
  } }, `Show all ${all.length} ways`);
  return h("div", {}, scroll, more);
}

function forecastRow({ forecast, took, chosen }, longest, hidden, canRepeat, onRepeat) {
  const bar = (ms, kind) => {
    const element = h("span", { class: `meter ${kind}` });
    element.style.width = `${Math.max(1, (100 * ms) / longest)}%`;
    return element;
  };
  const usable = forecast.latency_ms !== null;
  const ran = took && took.ms !== undefined;
  let action = "";
  if (took) action = took.again ? h("span", { class: "muted" }, took.failed || "ran again") : "";
  else if (usable && canRepeat) {
    action = h("button", { type: "button", class: "small", "aria-label": `Run it again ${armWords(forecast.arm)}`,
      onclick: (event) => onRepeat(forecast.arm, event.currentTarget) }, "Run");
  }
  return h("tr", { class: chosen ? "chosen" : "", hidden: hidden && !took },
    h("th", { scope: "row" }, armWords(forecast.arm), chosen && h("span", { class: "badge" }, "chosen"),
      forecast.arm.codec && h("span", { class: "muted fine codec" }, `with the codec ${forecast.arm.codec}`),
      h("span", { class: "meters", "aria-hidden": "true" }, usable && bar(forecast.latency_ms, "forecast"), ran && bar(took.ms, "real")),
      !usable && h("span", { class: "muted" }, forecast.unusable)),
    h("td", { class: "number" }, milliseconds(forecast.latency_ms)),
    h("td", { class: "number" }, ran ? milliseconds(took.ms) : ""),
    h("td", { class: "number" }, usable ? bytes(forecast.bytes_up) : ""),
    h("td", { class: "action" }, action));
}

function stages(report) {
  const longest = Math.max(...Object.values(report.stages_ms), 0.001);
  return h("dl", { class: "stages" }, Object.entries(report.stages_ms).map(([name, ms]) => {
    const bar = h("span", { class: "meter real", "aria-hidden": "true" });
    bar.style.width = `${Math.max(0.5, (100 * ms) / longest)}%`;
    return h("div", {}, h("dt", {}, name.replaceAll("_", " ")), h("dd", {}, h("span", { class: "track" }, bar), h("span", { class: "number" }, milliseconds(ms))));
  }));
}

function facts(report) {
  const nodes = report.nodes.map((node) => (report.engines[node] ? `${node} (${report.engines[node]})` : node));
  const entries = [
    ["Ran", labelWords(report.arm)],
    ["Nodes", nodes.join(" → ")],
    ["Model", `${report.model}, ${report.precision}`],
    ["Expert", report.approximate ? `${report.expert}, which stands in for a better one` : report.expert],
    ["Sent and received", `${bytes(report.bytes_up)}, ${bytes(report.bytes_down)}`],
    report.energy_j ? ["Energy on the device", joules(report.energy_j)] : null,
    report.cached.length ? ["Known before", report.cached.join(", ")] : null,
    ...report.fallback.map((step) => ["Fallback", `${step.tried} → ${step.used}: ${step.reason}`]),
  ].filter(Boolean);
  return h("dl", { class: "facts" }, entries.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
}
