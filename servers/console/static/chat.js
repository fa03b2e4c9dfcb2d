// The chat page: conversations, the one that is open, and the form for the next request.

import { api } from "./api.js";
import { Composer } from "./composer.js";
import { h, icon, show } from "./dom.js";
import { ExchangeView } from "./exchange.js";

const EXAMPLES = ["What is in this picture?", "How many people are there?", "Read the text in this image.", "If there is a cat, what colour is it?"];

export class ChatPage {
  constructor(state) {
    this.state = state;
    this.views = [];
    this.log = h("div", { class: "log" });
    this.list = h("ul", { class: "conversations" });
    this.side = h("aside", { class: "side", "aria-label": "Conversations", id: "conversations" },
      h("a", { class: "new", href: "#/chat", onclick: () => this.openSide(false) }, icon("plus"), "New conversation"), this.list);
    this.toggle = h("button", { type: "button", class: "quiet toggle", "aria-expanded": "false", "aria-controls": "conversations",
      onclick: () => this.openSide(this.toggle.getAttribute("aria-expanded") !== "true") }, icon("threads"), "Conversations");
    this.place = h("div", { class: "place" });
    this.element = h("div", { class: "chat" }, this.side, h("section", { class: "talk", "aria-label": "Conversation" }, this.toggle, this.log, this.place));
    this.dropping();
  }

  openSide(open) {
    this.toggle.setAttribute("aria-expanded", String(open));
    this.side.classList.toggle("open", open);
  }

  dropping() {
    const holds = (event) => event.dataTransfer && [...event.dataTransfer.types].includes("Files");
    this.element.addEventListener("dragover", (event) => {
      if (!holds(event)) return;
      event.preventDefault();
      this.element.classList.add("dropping");
    });
    this.element.addEventListener("dragleave", (event) => {
      if (!this.element.contains(event.relatedTarget)) this.element.classList.remove("dropping");
    });
    this.element.addEventListener("drop", (event) => {
      if (!holds(event)) return;
      event.preventDefault();
      this.element.classList.remove("dropping");
      this.composer?.add([...event.dataTransfer.files]);
    });
  }

  /** Open a conversation, or begin one, perhaps with a text to send. */
  async open(id, text) {
    this.id = id || null;
    await Promise.all([this.prepare(), this.refreshList(), id ? this.load(id) : this.welcome()]);
    if (text) this.composer.fill(text);
  }

  async prepare() {
    if (this.composer) return;
    let cameras = [];
    let trouble = "";
    try {
      cameras = await api.get("/cameras");
    } catch (error) {
      trouble = error.message;
    }
    this.cameras = cameras;
    this.composer = new Composer({
      cameras,
      limits: this.state,
      onSend: (request) => this.send(request),
      onStop: () => this.views.filter((view) => view.running).forEach((view) => view.stop()),
    });
    this.composer.error.textContent = trouble;
    show(this.place, this.composer.element);
    this.composer.setRunning(this.running);
    this.composer.text.focus({ preventScroll: true });
  }

  get running() {
    return this.views.some((view) => view.running);
  }

  close() {
    for (const view of this.views) view.close?.();
    this.views = [];
  }

  welcome() {
    this.close();
    this.composer?.setRunning(false);
    show(this.log, h("div", { class: "welcome" },
      h("h1", {}, "What would you like to know?"),
      h("p", { class: "muted" }, "Attach an image and ask in your own words. Each step runs where it is cheapest, and you see what it cost."),
      h("ul", { class: "examples" }, EXAMPLES.map((text) => h("li", {}, h("button", { type: "button", onclick: () => this.composer?.fill(text) }, text))))));
  }

  async load(id) {
    this.close();
    show(this.log, h("p", { class: "progress" }, h("span", { class: "pulse" }), h("span", {}, "Opening the conversation")));
    try {
      const found = await api.get(`/conversations/${encodeURIComponent(id)}`);
      if (this.id !== id) return;
      show(this.log);
      for (const exchange of found.exchanges) this.add(exchange);
      this.composer?.setRunning(this.running);
      this.scroll(true);
    } catch (error) {
      show(this.log, h("div", { class: "notice", role: "alert" }, h("p", {}, error.message), h("a", { href: "#/chat" }, "New conversation")));
    }
  }

  add(exchange) {
    const view = new ExchangeView(exchange, {
      onDone: () => {
        this.composer?.setRunning(this.running);
        this.refreshList();
        this.scroll();
      },
      onAgain: ({ text, images }) => this.composer.fill(text, images),
      onChange: () => this.scroll(),
    });
    this.views.push(view);
    this.log.append(view.element);
  }

  /** Keep the end in view, unless the person has scrolled away from it. */
  scroll(always = false) {
    const page = document.scrollingElement;
    if (always || page.scrollHeight - page.scrollTop - page.clientHeight < 320) {
      requestAnimationFrame(() => page.scrollTo({ top: page.scrollHeight }));
    }
  }

  async send({ text, images }) {
    const { conversation, exchange } = await api.post("/requests", { conversation: this.id, text, images });
    if (!this.id) {
      show(this.log);
      this.id = conversation;
      history.replaceState(null, "", `#/chat/${conversation}`);
    }
    this.add(exchange);
    this.scroll(true);
    this.refreshList();
  }

  async refreshList() {
    let all = [];
    try {
      all = await api.get("/conversations");
    } catch {
      return; // what needs the server says so itself
    }
    show(this.list, all.map(({ id, title, running }) => h("li", { class: id === this.id ? "current" : "" },
      h("a", { href: `#/chat/${id}`, "aria-current": id === this.id ? "page" : undefined, onclick: () => this.openSide(false) },
        running && h("span", { class: "pulse" }), h("span", { class: "title" }, title)),
      h("button", { type: "button", class: "tool", "aria-label": `Delete “${title}”`, onclick: () => this.remove(id) }, icon("bin")))));
  }

  async remove(id) {
    await api.remove(`/conversations/${id}`);
    if (id === this.id) location.hash = "#/chat";
    else await this.refreshList();
  }
}
