// Builds elements. Text only ever becomes text: nothing here, or elsewhere, parses markup.

const SVG = "http://www.w3.org/2000/svg";

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.flat(3).filter((each) => each !== null && each !== undefined && each !== false)
    .map((each) => (each instanceof Node ? each : String(each))));
  return element;
}

/** Return an HTML element; strings among the children are text. */
export function h(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

/** Return an SVG element. */
export function svg(name, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, name), attributes, children);
}

const ICONS = {
  check: "M4 10.5 8.2 14.5 16 6",
  cross: "M5.5 5.5l9 9M14.5 5.5l-9 9",
  skip: "M5 10h10",
  plus: "M10 4v12M4 10h12",
  send: "M10 16V4M4.8 9.2 10 4l5.2 5.2",
  stop: "M6 6h8v8H6z",
  image: "M3.5 4.5h13v11h-13zM3.5 13l3.8-3.6 3.2 3 2.4-2 3.6 3.2M12.8 7.9h.01",
  camera: "M3 6.5h3l1.4-2h5.2l1.4 2h3v9H3zM10 13.2a2.6 2.6 0 1 0 0-5.2 2.6 2.6 0 0 0 0 5.2",
  bin: "M4.5 6h11M8 6V4.2h4V6M6 6l.6 10h6.8L14 6M8.7 9v4.3M11.3 9v4.3",
  threads: "M3.5 5.5h13M3.5 10h13M3.5 14.5h8",
};

/** Return an icon, which screen readers pass over. */
export function icon(name) {
  return svg("svg", { class: "icon", viewBox: "0 0 20 20", "aria-hidden": "true" }, svg("path", { d: ICONS[name] }));
}

/** Say something to screen readers, without moving the focus. */
export function announce(text) {
  document.getElementById("status").textContent = text;
}

/** Replace the children of an element. */
export function show(element, ...children) {
  element.replaceChildren(...children.flat().filter(Boolean));
  return element;
}
