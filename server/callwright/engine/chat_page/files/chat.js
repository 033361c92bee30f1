// @ts-check
// The script of the chat page: the start form, the conversation, and its end.

import { Line } from "./line.js";
import { Transcript, find, made } from "./transcript.js";
import { inWords } from "./words.js";

/** @typedef {import("./words.js").End} End */
/** @typedef {import("./line.js").Frame} Frame */

const page = find(document, "#page");
const { agent = "", name = "", terms = "", termsKey = "", startChat = "" } = page.dataset;
const token = taken();

const start = find(document, "#start");
const begin = find(document, "#begin");
const beginButton = /** @type {HTMLButtonElement} */ (find(document, "#begin-button"));
const trouble = find(document, "#trouble");
const asked = find(document, "#asked");
const fields = find(document, "#fields");
const talk = find(document, "#talk");
const composer = find(document, "#composer");
const message = /** @type {HTMLTextAreaElement} */ (find(document, "#message"));
const end = find(document, "#end");
const over = find(document, "#over");

const transcript = new Transcript(find(document, "#transcript"), {
  judged: (event_id, score) => line?.send("feedback", { event_id, score }),
  decided: (tool_call_id, is_approved) => line?.send("mcp_tool_approval_result", { tool_call_id, is_approved }),
});

const MOST_TOLD = 5; // later ones may still wait to be read out

/** Calls of client tools, by id. @type {Set<string>} */
const refused = new Set();

/** @type {Line | null} */
let line = null;

/**
 * The token of the link. It is removed from the address, where it would be seen, copied, and kept in the history.
 * @returns {string | null}
 */
function taken() {
  const query = new URLSearchParams(location.search);
  history.replaceState(null, "", location.pathname);
  return query.get("conversation_signature") || query.get("token");
}

// Before the conversation

function ready() {
  if (accepted()) beginButton.textContent = startChat;
  begin.hidden = false;
}

/** Whether this person accepted exactly these terms before, if the agent's owner wants that remembered. */
function accepted() {
  try {
    return terms !== "" && termsKey !== "" && localStorage.getItem(termsKey) === terms;
  } catch {
    return false; // the browser keeps nothing for this page
  }
}

function accept() {
  try {
    if (terms && termsKey) localStorage.setItem(termsKey, terms);
  } catch {
    // without storage the person is asked again the next time
  }
}

/** @returns {Record<string, string>} what the person entered */
function entered() {
  /** @type {NodeListOf<HTMLInputElement>} */
  const inputs = fields.querySelectorAll("input");
  return Object.fromEntries([...inputs].map((input) => [input.name, input.value]));
}

/**
 * Ask for the values of variables that the agent needs to begin.
 * @param {string[]} names
 */
function ask(names) {
  const known = entered();
  for (const [number, variable] of names.filter((each) => !(each in known)).entries()) {
    const field = made("field");
    const input = /** @type {HTMLInputElement} */ (find(field, "input"));
    const label = find(field, "label");
    input.id = `field-${fields.childElementCount}`;
    input.name = variable;
    label.setAttribute("for", input.id);
    label.textContent = variable.replaceAll("_", " ");
    fields.append(field);
    if (number === 0) queueMicrotask(() => input.focus());
  }
  asked.hidden = false;
}

// The conversation

function connect() {
  if (line && !line.over) return;
  accept();
  beginButton.disabled = true;
  trouble.textContent = "";
  state("Connecting…");
  transcript.clear();
  line = new Line(agent, token, entered(), take, ended);
}

function begun() {
  start.hidden = true;
  over.hidden = true;
  talk.hidden = end.hidden = composer.hidden = false;
  state("Connected");
  message.focus();
}

/** @param {Frame} frame */
function take(frame) {
  const event = frame[`${frame.type}_event`] ?? frame[frame.type] ?? {};
  switch (frame.type) {
    case "conversation_initiation_metadata":
      return begun();
    case "agent_chat_response_part":
      return part(frame.text_response_part);
    case "agent_response":
      transcript.whole(event.event_id, event.agent_response);
      return tell(`${name}: ${event.agent_response}`);
    case "interruption":
      return transcript.cut(event.event_id);
    case "agent_response_correction":
      return transcript.correct(event.event_id, event.corrected_agent_response);
    case "agent_tool_request":
      tell(`${name} uses the tool ${event.tool_name}.`);
      return transcript.tool({ ...called(event), status: "running" });
    case "agent_tool_response":
      return transcript.tool({ ...called(event), status: outcome(event) });
    case "client_tool_call":
      return refuse(event);
    case "mcp_tool_call":
      return mcp(event);
  }
}

/** @param {{text: string, type: string, event_id: number}} event */
function part({ text, type, event_id }) {
  if (type === "delta") transcript.part(event_id, text);
  state(type === "stop" ? "Connected" : "Writing…");
}

/** @param {Frame} event */
function called({ tool_call_id, tool_name }) {
  return { id: tool_call_id, name: tool_name };
}

/** @param {Frame} event */
function outcome({ tool_call_id, is_error }) {
  if (refused.has(tool_call_id)) return "not done";
  return is_error ? "failed" : "done";
}

/**
 * Answer a client tool call with an error: client tools are functions of an application, and this page has none.
 * @param {Frame} event
 */
function refuse(event) {
  const { tool_call_id, parameters } = event;
  refused.add(tool_call_id);
  const why = "The agent asked for something that this page cannot do.";
  transcript.tool({ ...called(event), status: outcome(event), parameters, why });
  const result = "This chat page has no client tools: nothing was done. Help the person in another way.";
  if (event.expects_response) line?.send("client_tool_result", { tool_call_id, result, is_error: true });
}

/** @param {Frame} event */
function mcp(event) {
  /** @type {Record<string, string>} */
  const words = { awaiting_approval: "waits for you", loading: "running", success: "done", failure: "failed" };
  const asks = event.state === "awaiting_approval";
  const { parameters, error_message: why } = event;
  transcript.tool({ ...called(event), status: words[event.state] ?? event.state, parameters, why, asks });
  if (asks) find(document, "#urgent").textContent = `${name} asks whether it may use the tool ${event.tool_name}.`;
}

function say() {
  const text = message.value.trim();
  if (!text || !line || line.over) return;
  line.send("user_message", { text });
  transcript.user(text);
  message.value = "";
  grow();
}

/** Fit the height of the message field to its text, up to a third of the window. */
function grow() {
  message.style.height = "auto";
  message.style.height = `${Math.min(message.scrollHeight + 2, innerHeight / 3)}px`;
}

// After the conversation

/** @param {End} how */
function ended(how) {
  beginButton.disabled = false;
  const { title, text } = inWords(how);
  if (how.begun) return close(title, text);
  if (how.error?.details?.names) {
    state("AI agent");
    showStart();
    return ask(how.error.details.names);
  }
  state("Not connected");
  showStart();
  trouble.textContent = `${title}. ${text}`;
  beginButton.focus();
}

function showStart() {
  start.hidden = false;
  talk.hidden = end.hidden = true;
}

/**
 * @param {string} title
 * @param {string} text
 */
function close(title, text) {
  transcript.close();
  state("Ended");
  find(over, "h2").textContent = title;
  find(over, "p").textContent = text;
  composer.hidden = end.hidden = true;
  over.hidden = false;
  transcript.showEnd();
  find(over, "h2").focus();
}

// Status texts and announcements

/** @param {string} text */
function state(text) {
  find(document, "#state").textContent = text;
}

/**
 * Announce a text to screen readers. Announcements are whole sentences, not each piece of an answer.
 * @param {string} text
 */
function tell(text) {
  const said = document.createElement("p");
  said.textContent = text;
  const told = find(document, "#told");
  told.append(said);
  if (told.childElementCount > MOST_TOLD) told.firstElementChild?.remove();
}

begin.addEventListener("submit", (event) => {
  event.preventDefault();
  connect();
});
composer.addEventListener("submit", (event) => {
  event.preventDefault();
  say();
});
message.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  say();
});
message.addEventListener("input", () => {
  grow();
  line?.typing();
});
end.addEventListener("click", () => line?.leave());
find(document, "#again").addEventListener("click", connect);
ready();
