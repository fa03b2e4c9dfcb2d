// What was seen, drawn on the image. Pointing at a finding, or focusing it, shows where it is.

import { imageUrl } from "./api.js";
import { h, svg } from "./dom.js";
import { percent } from "./words.js";

const KINDS = ["objects", "faces", "texts", "poses", "labels"];
const LIMBS = [
  [5, 7], [7, 9], [6, 8], [8, 10], [5, 6], [5, 11], [6, 12], [11, 12], [11, 13], [13, 15], [12, 14], [14, 16],
];
const IN_VIEW = 0.3;
const COLOURS = 6;
const MOST = 24;
const GUESSES = 4;

/** Return figures of the images that a reply is about, with what its results saw in them. */
export function evidenceOf(reply) {
  const seen = new Map();
  const made = [];
  const guesses = [];
  const results = new Map(reply.results.map((result) => [result.task_id, result]));
  for (const task of reply.plan.tasks) {
    const output = results.get(task.id)?.output || {};
    const image = Object.values(task.args).find((value) => /^(store|camera):/.test(value));
    if (!output.perceptions && Array.isArray(output.labels)) guesses.push(guessList(output.labels));
    if (image && output.perceptions) seen.set(image, merged(seen.get(image), output.perceptions));
    if (String(output.image || "").startsWith("store:")) made.push(output.image);
  }
  const figures = [...seen].map(([uri, perceptions]) => figure(uri, perceptions)).filter(Boolean);
  return [...guesses, ...figures, ...made.map(madeFigure)];
}

function guessList(labels) {
  return h("ul", { class: "guesses", "aria-label": "What it may be" }, labels.slice(0, GUESSES).map(({ label, score }) => {
    const bar = h("span", { class: "meter real" });
    bar.style.width = `${100 * score}%`;
    return h("li", {}, h("span", { class: "what" }, label), h("span", { class: "track", "aria-hidden": "true" }, bar), h("span", { class: "score" }, percent(score)));
  }));
}

function merged(known, found) {
  if (!known) return found;
  const all = { ...known };
  for (const kind of KINDS) {
    const one = new Map([...(known[kind] || []), ...(found[kind] || [])].map((each) => [JSON.stringify(each), each]));
    all[kind] = [...one.values()];
  }
  return all;
}

function madeFigure(uri) {
  return h("figure", { class: "evidence" }, h("div", { class: "stage" },
    h("img", { src: imageUrl(uri), alt: "Image that was made" })), h("figcaption", {}, "Made for this request"));
}

function findings(perceptions) {
  const found = [];
  const add = (text, score, shape) => found.push({ text, score, shape });
  for (const each of perceptions.objects || []) add(each.label, each.score, { box: each.box });
  for (const each of perceptions.faces || []) {
    const [expression] = Object.entries(each.expressions).sort((one, other) => other[1] - one[1]);
    add(expression ? `face, ${expression[0]}` : "face", each.score, { box: each.box });
  }
  for (const each of perceptions.texts || []) add(`“${each.text}”`, each.score, { polygon: each.polygon });
  for (const each of perceptions.poses || []) add("pose", each.score, { keypoints: each.keypoints });
  for (const each of perceptions.labels || []) add(each.label, each.score, null);
  return found.slice(0, MOST);
}

function figure(uri, perceptions) {
  const found = findings(perceptions);
  if (!found.length) return null;
  const { width, height } = perceptions;
  const unit = Math.max(width, height) / 100;
  const overlay = svg("svg", { class: "overlay", viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" });
  const list = h("ul", { class: "findings", "aria-label": "What was seen" });
  found.forEach((each, index) => {
    const marks = each.shape ? draw(each.shape, unit) : [];
    const group = svg("g", { class: `finding c${index % COLOURS}` }, ...marks);
    const item = h("button", { type: "button", class: `finding-name c${index % COLOURS}` },
      h("span", { class: "swatch" }), h("span", { class: "what" }, each.text), h("span", { class: "score" }, percent(each.score)));
    const light = (on) => () => {
      group.classList.toggle("lit", on);
      item.classList.toggle("lit", on);
      overlay.classList.toggle("dimmed", on && marks.length > 0);
      if (on) overlay.append(group);
    };
    for (const element of [group, item]) {
      element.addEventListener("pointerenter", light(true));
      element.addEventListener("pointerleave", light(false));
    }
    item.addEventListener("focus", light(true));
    item.addEventListener("blur", light(false));
    overlay.append(group);
    list.append(h("li", {}, item));
  });
  return h("figure", { class: "evidence" }, stage(uri, width, height, overlay), list);
}

function stage(uri, width, height, overlay) {
  const element = h("div", { class: "stage" });
  element.style.aspectRatio = `${width} / ${height}`;
  element.style.maxWidth = `calc(min(26rem, 60vh) * ${width / height})`;
  if (uri.startsWith("store:")) {
    element.append(h("img", { src: imageUrl(uri), alt: "The image, with what was seen drawn on it", width, height }));
  } else {
    element.classList.add("absent");
    element.append(h("p", {}, `${uri.replace("camera:", "")} has not left its device`));
  }
  element.append(overlay);
  return element;
}

function draw(shape, unit) {
  if (shape.box) {
    const { x0, y0, x1, y1 } = shape.box;
    return [svg("rect", { x: x0, y: y0, width: x1 - x0, height: y1 - y0, rx: unit * 0.6, "vector-effect": "non-scaling-stroke" })];
  }
  if (shape.polygon) {
    return [svg("polygon", { points: shape.polygon.map((point) => point.join()).join(" "), "vector-effect": "non-scaling-stroke" })];
  }
  const shown = (index) => shape.keypoints[index] && shape.keypoints[index].score >= IN_VIEW;
  const limbs = LIMBS.filter(([one, other]) => shown(one) && shown(other)).map(([one, other]) => {
    const [from, to] = [shape.keypoints[one], shape.keypoints[other]];
    return svg("line", { x1: from.x, y1: from.y, x2: to.x, y2: to.y, "vector-effect": "non-scaling-stroke" });
  });
  const joints = shape.keypoints.filter((point) => point.score >= IN_VIEW)
    .map((point) => svg("circle", { class: "joint", cx: point.x, cy: point.y, r: unit * 0.8 }));
  return [...limbs, ...joints];
}
