// Calls of the server. It names every error, and says what mends it.

const ROOT = "/console";
const BASE = `${ROOT}/api`;
const RETRY_MS = 3000;

/** An error that the server reported, or that kept it from being reached. */
export class ApiError extends Error {
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

let signIn = null;

/** Set what asks for a key when the server requires one; it resolves once one was accepted. */
export function onKeyRequired(ask) {
  signIn = ask;
}

async function send(method, path, options = {}) {
  let response;
  try {
    response = await fetch((options.base ?? BASE) + path, { method, credentials: "same-origin", ...options });
  } catch {
    throw new ApiError(0, "unreachable", "The server does not answer. Is “edgewright serve” still running?");
  }
  const isJson = response.headers.get("content-type") === "application/json";
  if (response.ok) return isJson ? response.json() : null;
  let problem = {};
  try {
    problem = await response.json();
  } catch { /* something between here and the server answered */ }
  const detail = problem.detail || `The server answered ${response.status}.`;
  throw new ApiError(response.status, problem.code || "unknown", detail);
}

async function call(method, path, options = {}) {
  for (;;) {
    try {
      return await send(method, path, options);
    } catch (error) {
      if (error.status !== 401 || !signIn) throw error;
      await signIn();
    }
  }
}

export const api = {
  get: (path) => call("GET", path),
  remove: (path) => call("DELETE", path),
  put: (path) => call("PUT", path),
  post: (path, body) => call("POST", path, {
    body: JSON.stringify(body),
    headers: { "Content-Type": "application/json" },
  }),
  upload: (path, file, type) => call("POST", `${path}?name=${encodeURIComponent(file.name || "pasted image")}`, {
    body: file,
    headers: { "Content-Type": type },
  }),
  state: () => send("GET", "/state", { base: ROOT }),
  signIn: (key) => send("POST", "/session", { headers: { Authorization: `Bearer ${key}` } }),
};

/** Return the address of a stored image, given its URI. */
export function imageUrl(uri) {
  return `${BASE}/images/${uri.replace("store:", "")}`;
}

/**
 * Follow the events of what has a path. The browser connects again by itself after an interruption,
 * and goes on behind the last event that it received. `onLost` is called once it makes no sense to
 * try again: the server was restarted, say.
 */
export function follow(path, after, { onEvent, onEnd, onTrouble, onLost }) {
  let seen = after;
  let source = null;
  let closed = false;
  const listen = () => {
    source = new EventSource(`${BASE}${path}/events?after=${seen}`);
    source.onmessage = (message) => {
      seen += 1;
      onEvent(JSON.parse(message.data));
    };
    source.addEventListener("end", () => {
      source.close();
      onEnd();
    });
    source.onerror = () => {
      if (source.readyState === EventSource.CLOSED) lost();
      else onTrouble("The connection was interrupted; trying again");
    };
  };
  const lost = async () => {
    if (closed) return;
    try {
      await call("GET", path);
    } catch (error) {
      if (error.status !== 0) {
        onLost(error);
        return;
      }
      onTrouble("The server does not answer; trying again");
      setTimeout(lost, RETRY_MS);
      return;
    }
    listen();
  };
  listen();
  return () => {
    closed = true;
    source.close();
  };
}
