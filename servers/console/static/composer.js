// The form below a conversation: text, and images by file, drop, paste or from a node's camera.

import { api } from "./api.js";
import { announce, h, icon } from "./dom.js";

export class Composer {
  /** `onSend({text, images})` sends a request; `onStop` stops the one that is running. */
  constructor({ onSend, onStop, cameras, limits }) {
    this.callbacks = { onSend, onStop };
    this.limits = limits;
    this.images = [];
    this.running = false;
    this.text = h("textarea", { rows: "1", "aria-label": "Request", placeholder: "Ask about an image or a sensor", maxlength: "8000",
      oninput: () => this.grow(), onkeydown: (event) => this.key(event), onpaste: (event) => this.paste(event) });
    this.file = h("input", { type: "file", accept: "image/*", multiple: true, class: "visually-hidden", tabindex: "-1", "aria-label": "Image files",
      onchange: () => {
        this.add([...this.file.files]);
        this.file.value = "";
      } });
    this.attached = h("ul", { class: "attachments", "aria-label": "Attached images" });
    this.error = h("p", { class: "failed", role: "alert" });
    this.send = h("button", { class: "send" });
    this.element = h("form", { class: "composer", onsubmit: (event) => this.submit(event) },
      this.attached, this.error, this.text,
      h("div", { class: "tools" },
        h("button", { type: "button", class: "tool", title: "Attach images", "aria-label": "Attach images", onclick: () => this.file.click() }, icon("image")),
        this.file,
        cameras.length > 0 && this.cameraMenu(cameras),
        h("span", { class: "hint" }, "Drop or paste images too"),
        this.send));
    this.refresh();
  }

  cameraMenu(cameras) {
    const list = h("ul", { class: "menu" }, cameras.flatMap((camera) => camera.items).map((name) =>
      h("li", {}, h("button", { type: "button", onclick: () => {
        this.addCamera(name);
        menu.open = false;
        this.text.focus();
      } }, name))));
    const menu = h("details", { class: "camera", onkeydown: (event) => {
      if (event.key === "Escape") {
        menu.open = false;
        menu.firstChild.focus();
      }
    } }, h("summary", { class: "tool", title: "From the camera", "aria-label": "Take an image from the camera" }, icon("camera")), list);
    return menu;
  }

  grow() {
    this.text.style.height = "auto";
    this.text.style.height = `${Math.min(this.text.scrollHeight, 180)}px`;
    this.refresh();
  }

  key(event) {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) this.submit(event);
  }

  paste(event) {
    const files = [...event.clipboardData.files].filter((file) => file.type.startsWith("image/"));
    if (!files.length) return;
    event.preventDefault();
    this.add(files);
  }

  addCamera(name) {
    this.attach({ ref: { uri: `camera:${name}`, name }, name });
  }

  add(files) {
    this.error.textContent = "";
    for (const file of files) {
      if (this.images.length >= this.limits.max_images) {
        this.error.textContent = `A request has at most ${this.limits.max_images} images.`;
        return;
      }
      if (file.size > this.limits.max_image_bytes) {
        this.error.textContent = `${file.name} has more than ${Math.floor(this.limits.max_image_bytes / 1e6)} MB; attach a smaller image.`;
        continue;
      }
      this.upload(file);
    }
  }

  async upload(file) {
    const name = file.name || "pasted image";
    const image = this.attach({ name, preview: URL.createObjectURL(file) });
    try {
      image.ref = await api.upload("/images", file, file.type.startsWith("image/") ? file.type : "application/octet-stream");
      announce(`${name} is attached.`);
    } catch (error) {
      this.detach(image);
      this.error.textContent = `${name}: ${error.message}`;
    }
    image.item.classList.remove("loading");
    this.refresh();
  }

  attach(image) {
    const face = image.preview ? h("img", { src: image.preview, alt: "" }) : icon("camera");
    image.item = h("li", { class: image.ref ? "" : "loading" }, face, h("span", { class: "name" }, image.name),
      h("button", { type: "button", class: "tool", "aria-label": `Remove ${image.name}`, onclick: () => {
        this.detach(image);
        this.text.focus();
      } }, icon("cross")));
    this.images.push(image);
    this.attached.append(image.item);
    this.refresh();
    return image;
  }

  detach(image) {
    this.images = this.images.filter((each) => each !== image);
    image.item.remove();
    if (image.preview) URL.revokeObjectURL(image.preview);
    this.refresh();
  }

  /** Put a request in, to be sent as it is or changed. */
  fill(text, refs = []) {
    this.text.value = text;
    for (const ref of refs) this.attach({ ref, name: ref.name || "image" });
    this.grow();
    this.text.focus();
  }

  setRunning(running) {
    this.running = running;
    this.refresh();
  }

  refresh() {
    const ready = this.images.every((image) => image.ref) && (this.text.value.trim() || this.images.length > 0);
    const label = this.running ? "Stop" : "Send";
    if (this.send.getAttribute("aria-label") !== label) {
      this.send.setAttribute("aria-label", label);
      this.send.title = label;
      this.send.replaceChildren(icon(this.running ? "stop" : "send"));
    }
    this.send.disabled = !this.running && !ready;
  }

  async submit(event) {
    event.preventDefault();
    if (this.running) {
      if (event.type === "submit") this.callbacks.onStop();
      return;
    }
    this.refresh();
    if (this.send.disabled) return;
    const images = this.images.map((image) => image.ref);
    this.error.textContent = "";
    this.setRunning(true);
    try {
      await this.callbacks.onSend({ text: this.text.value.trim(), images });
    } catch (error) {
      this.setRunning(false);
      this.error.textContent = error.message;
      return;
    }
    for (const image of [...this.images]) this.detach(image);
    this.text.value = "";
    this.grow();
  }
}
