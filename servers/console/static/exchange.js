// A request and everything that happens of it: plan, progress, answer, evidence, cost.

import { api, follow, imageUrl } from "./api.js";
import { announce, h, icon, show } from "./dom.js";
import { evidenceOf } from "./evidence.js";
import { PlanGraph } from "./plan.js";
import { taskDetail } from "./task.js";
import { costLine } from "./words.js";

export class ExchangeView {
  /** `onDone` is called once nothing more happens, `onAgain` when the request is to be sent again. */
  constructor(exchange, { onDone, onAgain, onChange }) {
    this.id = exchange.id;
    this.exchange = exchange;
    this.callbacks = { onDone, onAgain, onChange };
    this.running = !exchange.done;
    this.tasks = new Map();
    this.repeats = [];
    this.progress = h("p", { class: "progress" }, h("span", { class: "pulse" }), h("span", {}, "Reading the request"));
    this.planned = h("div", { class: "planned" });
    this.detail = h("section", { class: "detail", "aria-label": "Details of the step", hidden: true });
    this.answer = h("div", { class: "answer" });
    this.element = h("article", { class: "exchange" }, request(exchange), this.progress, this.planned, this.detail, this.answer);
    for (const event of exchange.events) this.take(event, false);
    if (this.running) this.listen();
    else this.end();
  }

  listen() {
    this.close = follow(`/requests/${this.id}`, this.exchange.events.length, {
      onEvent: (event) => {
        this.take(event, true);
        this.callbacks.onChange();
      },
      onEnd: () => this.end(),
      onTrouble: (text) => this.say(text),
      onLost: (error) => {
        this.fail(error.status === 404
          ? "The server was restarted while it worked on this request, and no longer knows it."
          : error.message);
        this.end();
      },
    });
  }

  end() {
    const was = this.running;
    this.running = false;
    this.progress.remove();
    if (!this.answer.childNodes.length) this.fail("The request ended without an answer.");
    if (was) this.callbacks.onDone();
  }

  stop() {
    return api.remove(`/requests/${this.id}`);
  }

  say(text) {
    this.progress.lastChild.textContent = text;
  }

  take(event, live) {
    const handler = this[`on_${event.event}`];
    if (handler) handler.call(this, event, live);
  }

  on_understood() {
    this.say("Planning");
  }

  on_planned({ plan }) {
    if (this.plan) return;
    this.plan = plan;
    if (!plan.tasks.length) return;
    for (const task of plan.tasks) this.tasks.set(task.id, { task, state: "waiting" });
    this.graph = new PlanGraph(plan, (id) => this.select(id === this.selected ? null : id));
    const steps = plan.tasks.length === 1 ? "1 step" : `${plan.tasks.length} steps`;
    const by = plan.planner === "embedded" ? "the embedded planner" : "the chat model";
    show(this.planned, h("p", { class: "caption" }, `Plan: ${steps}, made by ${by}`), this.graph.element);
    for (const id of this.tasks.keys()) this.update(id, {});
    this.graph.place();
    this.say("Choosing where to run it");
  }

  on_offloaded({ task_id, decision }) {
    this.update(task_id, { decision });
  }

  on_task_started({ task_id }) {
    this.update(task_id, { state: "running" });
    this.say("Working");
  }

  on_training({ step }) {
    this.say(`Training: ${step.event.replaceAll("_", " ")}`);
  }

  on_task_finished({ task_id, status, ms, text }) {
    this.update(task_id, { state: status, ms, text });
  }

  on_answered({ text }, live) {
    this.say("Adding up what it cost");
    show(this.answer, h("p", { class: "text" }, text));
    if (live) announce(text);
  }

  on_reply(reply) {
    this.reply = reply;
    for (const result of reply.results) this.update(result.task_id, { result, state: result.status });
    for (const [id, decision] of Object.entries(reply.decisions)) this.update(id, { decision });
    const cost = costLine(reply, reply.at_ms);
    const first = reply.plan.tasks[0];
    this.more = first && h("button", { type: "button", class: "link", "aria-expanded": "false",
      onclick: () => this.select(this.selected ? null : first.id) }, "Details");
    show(this.answer,
      h("p", { class: "text" }, reply.answer),
      evidenceOf(reply),
      reply.results.length ? h("p", { class: "cost" }, h("span", {}, cost), this.more) : null);
  }

  on_failed({ code, message }, live) {
    for (const [id, known] of this.tasks) if (known.state === "running" || known.state === "waiting") this.update(id, { state: "skipped" });
    this.fail(message, code === "stopped");
    if (live) announce(message);
  }

  on_again(event) {
    this.repeats.push(event);
    if (this.selected === event.task_id) this.select(event.task_id);
  }

  fail(message, calm = false) {
    show(this.answer, h("div", { class: calm ? "notice" : "notice failed", role: "alert" }, h("p", {}, message),
      h("button", { type: "button", class: "small", onclick: () => this.callbacks.onAgain(this.exchange) }, "Ask again")));
  }

  update(id, changes) {
    const known = Object.assign(this.tasks.get(id), changes);
    this.graph.update(known.task, known);
    if (this.selected === id) this.select(id);
  }

  select(id) {
    this.selected = id;
    this.graph.select(id);
    this.more?.setAttribute("aria-expanded", String(Boolean(id)));
    this.detail.hidden = !id;
    if (!id) return;
    const known = this.tasks.get(id);
    const repeats = this.repeats.filter((each) => each.task_id === id);
    const view = { ...known, tasks: this.plan.tasks, repeats, canRepeat: Boolean(this.reply) };
    show(this.detail, taskDetail(view, (arm, button) => this.repeat(id, arm, button)));
  }

  async repeat(id, arm, button) {
    button.disabled = true;
    button.textContent = "Running";
    try {
      this.on_again(await api.post(`/requests/${this.id}/repeats`, { task: id, arm }));
      announce("It ran again.");
    } catch (error) {
      button.replaceWith(h("span", { class: "failed", role: "alert" }, error.message));
    }
  }
}

function request({ text, images }) {
  const shown = images.map((image) => (image.uri.startsWith("store:")
    ? h("img", { src: imageUrl(image.uri), alt: image.name || "Attached image", title: image.name, loading: "lazy" })
    : h("span", { class: "chip" }, icon("camera"), image.name)));
  return h("div", { class: "request" }, shown.length > 0 && h("div", { class: "attached" }, shown), text && h("p", {}, text));
}
