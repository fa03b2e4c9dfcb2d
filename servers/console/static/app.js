// The shell: signing in, and the pages by their address.

import { api, ApiError, onKeyRequired } from "./api.js";
import { ChatPage } from "./chat.js";
import { h, show } from "./dom.js";

const main = document.getElementById("main");
const signOut = document.getElementById("sign-out");
let page = null;
let shown = "";
let asking = null;

/** Ask for a key, once for all calls that wait for it. */
function askForKey() {
  asking ||= new Promise((resolve) => {
    const error = h("p", { class: "failed", role: "alert" });
    const key = h("input", { type: "password", name: "key", id: "key", autocomplete: "current-password", required: true });
    const dialog = h("dialog", { class: "sign-in", "aria-labelledby": "sign-in-title", oncancel: (event) => event.preventDefault() },
      h("form", { onsubmit: async (event) => {
        event.preventDefault();
        try {
          await api.signIn(key.value.trim());
        } catch (problem) {
          error.textContent = problem.message;
          return;
        }
        dialog.remove();
        asking = null;
        resolve();
      } },
      h("h2", { id: "sign-in-title" }, "This server requires a key"),
      h("label", { for: "key" }, "Key"), key, error,
      h("p", { class: "muted" }, "This browser stays signed in for twelve hours, or until the server stops."),
      h("button", { class: "primary" }, "Sign in")));
    document.body.append(dialog);
    dialog.showModal();
  });
  return asking;
}

async function open() {
  const [, name = "chat", id, text] = location.hash.split("/").map(decoded);
  for (const link of document.querySelectorAll(".pages a")) {
    const current = link.getAttribute("href") === `#/${name}`;
    if (current) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  try {
    if (shown !== name) {
      page?.close();
      page = await pages[name]?.() || null;
      shown = name;
      document.title = page ? `${name.charAt(0).toUpperCase()}${name.slice(1)} – Edgewright` : "Edgewright";
      if (page) show(main, page.element);
    }
    if (page) await page.open(id, text);
    else location.hash = "#/chat";
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    shown = "";
    show(main, h("div", { class: "notice failed", role: "alert" }, h("p", {}, error.message),
      h("button", { type: "button", class: "small", onclick: open }, "Try again")));
  }
}

function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return ""; // an address that was cut off
  }
}

const pages = {
  chat: async () => new ChatPage(await begin()),
  network: async () => {
    const [{ NetworkPage }] = await Promise.all([import("./network.js"), begin()]);
    return new NetworkPage();
  },
  train: async () => {
    const [{ TrainPage }] = await Promise.all([import("./train.js"), begin()]);
    return new TrainPage();
  },
  tools: async () => {
    const [{ ToolsPage }] = await Promise.all([import("./tools.js"), begin()]);
    return new ToolsPage();
  },
};

async function begin() {
  const found = await api.state();
  if (found.keys && !found.signed_in) await askForKey();
  signOut.hidden = !found.keys;
  return found;
}

signOut.addEventListener("click", async () => {
  await api.remove("/session");
  location.reload();
});
onKeyRequired(askForKey);
addEventListener("hashchange", open);
open();
