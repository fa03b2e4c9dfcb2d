// One training: its data, proposals to decide on, live curves, and what came of it.

import { api, follow } from "./api.js";
import { CurvesView } from "./curves.js";
import { announce, h, show } from "./dom.js";
import { dataView, proposalView, trialTable } from "./proposal.js";
import { percent, toolName } from "./words.js";

const WHY = {
  person: "You stopped it.",
  unwatched: "It was stopped because no page showed it any more.",
  server: "It was stopped because the server stopped.",
};
const STOP = {
  target: "the accuracy that you named was reached",
  perfect: "every validation image is right",
  gain: "another trial could gain no more than chance",
  patience: "the last trials gained nothing",
  trials: "the number of trials was reached",
  time: "the time is used up",
  privacy: "the privacy budget is spent",
  unchanged: "there was nothing new to propose",
  declined: "you ended it",
  no_candidate: "no proposal passed its checks",
};

export class TrainingView {
  constructor(training) {
    this.path = `/trainings/${training.id}`;
    this.trials = new Map();
    this.proposals = [];
    this.line = h("span", {}, "Reading the description");
    this.pulse = h("span", { class: "pulse" });
    this.actions = h("span", { class: "actions" });
    this.error = h("p", { class: "failed", role: "alert" });
    this.result = h("section", { class: "card result-card", "aria-label": "Result", hidden: true });
    this.data = h("details", { class: "card folding data", open: true, hidden: true });
    this.proposed = h("div", { class: "proposals" });
    this.curves = new CurvesView();
    this.table = h("section", { class: "card", "aria-label": "Trials", hidden: true });
    this.run = h("p", { class: "muted fine" });
    this.element = h("article", { class: "training" },
      h("a", { href: "#/train", class: "back" }, "All trainings"),
      h("h1", {}, training.purpose),
      h("div", { class: "state" }, h("p", { class: "progress" }, this.pulse, this.line), this.actions),
      this.error, this.result, this.data, this.proposed, this.curves.element, this.table, this.run);
    this.working();
    for (const event of training.events) this.take(event, false);
    this.close = training.state === "over" ? () => {} : follow(this.path, training.events.length, {
      onEvent: (event) => this.take(event, true),
      onEnd: () => {},
      onTrouble: (text) => this.say(text),
      onLost: (error) => this.rest(error.message),
    });
  }

  take(event, live) {
    this.live = live;
    const handler = this[`on_${event.event}`];
    if (handler) handler.call(this, event);
  }

  say(text) {
    this.line.textContent = text;
  }

  /** Say that work goes on, and let it be stopped. */
  working(text) {
    if (text) this.say(text);
    this.pulse.hidden = false;
    show(this.actions, this.button("Stop", () => {
      this.say("Stopping");
      return api.remove(this.path);
    }));
  }

  /** Say that nothing goes on, and offer what can be done. */
  rest(text, ...actions) {
    this.say(text);
    this.pulse.hidden = true;
    show(this.actions, ...actions);
    if (this.live) announce(text);
  }

  button(text, act, kind = "small") {
    return h("button", { type: "button", class: kind, onclick: async (event) => {
      const pressed = event.currentTarget;
      this.error.textContent = "";
      pressed.disabled = true;
      try {
        await act();
      } catch (error) {
        this.error.textContent = error.message;
      } finally {
        pressed.disabled = false;
      }
    } }, text);
  }

  on_prepared({ card, read, run }) {
    this.data.hidden = false;
    show(this.data, ...dataView(card, read));
    this.run.textContent = `Run ${run}; ‘edgewright runs show ${run}’ has all of it once it has ended.`;
    this.working("Proposing");
  }

  on_proposed({ number, proposal }) {
    for (const each of this.proposals) each.open = false;
    this.proposal = { number, ...proposal };
    const element = h("details", { class: "card folding proposal", open: true });
    this.proposals.push(element);
    this.proposed.append(element);
    this.shown({});
    this.working("Checking the proposal");
  }

  on_checked({ faults, facts }) {
    this.shown({ faults, facts });
    if (faults.length) this.working("Proposing a repair");
  }

  /** Show the latest proposal, with what is known of it in the meantime. */
  shown(more) {
    Object.assign(this.proposal, more);
    show(this.proposals.at(-1), ...proposalView(this.proposal), this.decision);
  }

  on_waiting() {
    this.words = h("input", { id: "remark", type: "text", maxlength: "2000", placeholder: "only 4 rounds; use FedProx; forget the slow phones" });
    this.decision = h("div", { class: "decision" },
      h("div", { class: "row" },
        this.button("Train it", () => this.decide("accept"), "primary"),
        this.button("Train it and what follows", () => this.decide("accept-all")),
        this.button(this.trials.size ? "End here" : "Do not train", () => this.decide("ignore"))),
      h("form", { class: "row remark", onsubmit: (event) => event.preventDefault() },
        h("label", { for: "remark" }, "Or say what should change"), this.words,
        this.button("Change it", () => this.decide("response", this.words.value), "small submit")));
    this.words.addEventListener("keydown", (event) => {
      if (event.key === "Enter") this.decision.querySelector(".submit").click();
    });
    this.shown({});
    this.rest("Your decision: nothing is trained before it");
  }

  decide(type, words = "") {
    return api.post(`${this.path}/decisions`, { type, words });
  }

  on_answered({ type, words }) {
    this.decision = null;
    this.shown({ remark: words });
    this.working(type === "response" ? "Proposing again" : type === "ignore" ? "Ending" : "Starting");
  }

  on_trial_started({ number, rounds }) {
    if (!this.trials.has(number)) this.trials.set(number, { number, rounds, points: [], done: 0, candidate: this.proposal.candidate });
    for (const each of [this.data, this.proposals.at(-1)]) each.open = false;
    this.working(`Trial ${number}`);
  }

  on_client({ number, round }) {
    const trial = this.trials.get(number);
    trial.done = trial.round === round ? trial.done + 1 : 1;
    trial.round = round;
    this.say(`Trial ${number}, round ${round} of ${trial.rounds}, ${trial.done} ${trial.done === 1 ? "client" : "clients"} done`);
  }

  on_scored({ number, point }) {
    const trial = this.trials.get(number);
    trial.points.push(point);
    this.say(`Trial ${number}, round ${point.round_number} of ${trial.rounds}: ${percent(point.validation.accuracy)} right`);
    this.curves.update(this.trials);
  }

  on_trial_ended({ result }) {
    const trial = this.trials.get(result.number);
    trial.points = result.curve;
    trial.result = result;
    this.curves.update(this.trials);
    this.table.hidden = false;
    show(this.table, ...trialTable([...this.trials.values()].filter((each) => each.result), this.best));
    this.working("Deciding how to go on");
  }

  on_decided({ stop, best }) {
    this.best = best;
    show(this.table, ...trialTable([...this.trials.values()].filter((each) => each.result), best));
    this.working(stop ? "Scoring the best model on the test images" : "Proposing another trial");
  }

  on_registered({ tool, test, placement, cautions, stop }) {
    this.result.hidden = false;
    this.again = h("span", {});
    const head = tool ? toolName(tool) : test ? "The model is stored, and not in use" : "Nothing was trained";
    show(this.result, h("div", { class: "node-head" }, h("h2", {}, head), this.again),
      test && h("p", { class: "score-line" }, h("strong", {}, percent(test.accuracy)), " of the test images right, ",
        h("strong", {}, percent(Math.min(...test.clients.filter((each) => each !== null)))), " at the client that is served worst"),
      placement && h("p", {}, placement),
      ...cautions.map((each) => h("p", { class: "notice" }, each)),
      h("p", { class: "muted" }, `It ended because ${STOP[stop] || stop}.`));
  }

  on_over({ example }) {
    if (example) show(this.again, h("a", { class: "primary", href: `#/chat//${encodeURIComponent(example)}` }, "Try it"));
    this.rest("Ended");
  }

  on_continued() {
    this.working("Going on after the last finished round");
  }

  on_stopped({ why, resumable }) {
    this.rest(WHY[why], resumable && this.resume());
  }

  on_failed({ message, resumable }) {
    this.decision = null;
    if (this.proposals.length) this.shown({});
    this.rest(`It failed: ${message}`, resumable && this.resume());
  }

  resume() {
    return this.button("Continue", () => api.post(`${this.path}/resume`, {}));
  }
}
