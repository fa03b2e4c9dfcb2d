// Numbers, arms and conditions in words, as the command line puts them.

export function milliseconds(ms) {
  if (ms === null || ms === undefined) return "–";
  if (ms >= 9950) return `${(ms / 1000).toFixed(1)} s`;
  if (ms >= 995) return `${(ms / 1000).toFixed(2)} s`;
  return ms >= 9.95 ? `${Math.round(ms)} ms` : `${ms.toFixed(1)} ms`;
}

export function bytes(count) {
  if (count < 1000) return `${count} B`;
  if (count < 1e6) return `${(count / 1000).toFixed(count < 1e5 ? 1 : 0)} KB`;
  return `${(count / 1e6).toFixed(1)} MB`;
}

export function joules(energy) {
  return energy < 0.1 ? `${(energy * 1000).toFixed(0)} mJ` : `${energy.toFixed(energy < 10 ? 2 : 1)} J`;
}

export function percent(share) {
  return `${Math.round(share * 100)} %`;
}

/** Return the label of an arm, by which the server compares them. */
export function armLabel(arm) {
  const details = [];
  if (arm.kind === "edge-only") {
    const quality = arm.quality === null ? "" : ` q${arm.quality}`;
    details.push(`${arm.image_codec || "original image"}${quality}`);
  } else if (arm.kind === "co-inference") {
    details.push(`point ${arm.point}`);
    if (arm.codec) details.push(arm.codec);
  }
  if (arm.precision !== "fp32") details.push(arm.precision);
  return details.length ? `${arm.kind} (${details.join(", ")})` : arm.kind;
}

/** Put an arm into words, such as "on the edge server (JPEG 90)". */
export function armWords(arm) {
  const precision = arm.precision === "fp32" ? "" : `, ${arm.precision}`;
  if (arm.kind === "co-inference") return `cut after block ${arm.point}${precision}`;
  if (arm.kind === "device-only") return `on the device${precision}`;
  const sent = [arm.image_codec, arm.quality].filter((part) => part !== null).join(" ");
  return `on the edge server${sent ? ` (${sent.toUpperCase()})` : ""}${precision}`;
}

/** Put the label of an arm, as cost reports have it, into words. */
export function labelWords(label) {
  const [, kind, inside = ""] = /^(\S+)(?: \((.*)\))?$/.exec(label) || [null, label];
  const details = inside.split(", ").filter(Boolean);
  const precision = details.find((each) => each === "int8") || "fp32";
  if (kind === "device-only") return armWords({ kind, precision });
  if (kind === "co-inference") return armWords({ kind, precision, point: details[0].replace("point ", "") });
  if (kind !== "edge-only") return label;
  const sent = details[0] === "original image" ? [null] : details[0].split(" q");
  return armWords({ kind, precision, image_codec: sent[0], quality: sent[1] ?? null });
}

export function toolName(id) {
  const words = id.replaceAll("-", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

const OPERATORS = { equals: "is", not: "is not", at_least: "is at least", at_most: "is at most", contains: "contains" };

/** Put a condition into words, such as "if the answer of step 1 is yes". */
export function conditionWords(when, tasks) {
  const place = (id) => tasks.findIndex((task) => task.id === id) + 1;
  const checks = when.checks.map((check) =>
    `the ${check.field} of step ${place(check.task)} ${OPERATORS[check.op]} ${check.value}`);
  return `if ${checks.join(when.match === "any" ? " or " : " and ")}`;
}

/** Return what a request cost in one line. */
export function costLine(reply, wallMs) {
  const reports = reply.results.map((result) => result.report).filter(Boolean);
  if (!reports.length) return milliseconds(wallMs);
  const places = new Map();
  for (const report of reports) {
    const words = labelWords(report.arm);
    places.set(words, (places.get(words) || 0) + 1);
  }
  const where = places.size === 1
    ? [...places.keys()][0]
    : [...places].map(([words, count]) => `${count} ${words}`).join(", ");
  const sum = (field) => reports.reduce((total, report) => total + report[field], 0);
  const parts = [milliseconds(wallMs), `${bytes(sum("bytes_up"))} sent`, where];
  if (sum("energy_j")) parts.push(joules(sum("energy_j")));
  const steps = reports.flatMap((report) => report.fallback);
  if (steps.length) parts.push(`${steps.length} ${steps.length === 1 ? "fallback" : "fallbacks"}`);
  return parts.join(" · ");
}
