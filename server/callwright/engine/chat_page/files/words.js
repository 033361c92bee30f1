// @ts-check
// Messages about the end of a conversation, for the person who held it.

/**
 * @typedef {object} End
 * @property {boolean} mine the person ended it here
 * @property {boolean} begun the agent had taken it up
 * @property {{message: string, error_type?: string, details?: {names?: string[]}} | null} error what the server found wrong
 * @property {number} code of the WebSocket's close
 * @property {string} reason of the same
 */

const CUT_OFF = 1006; // no close frame came: the network or the server is gone
const STOPPED = [1001, 1012];
const KEPT = "What was said until then is kept. Starting again begins a new conversation.";

/** @type {Record<string, [title: string, advice: string]>} */
const TROUBLES = {
  override_error: ["The agent does not accept what this page asks for", "Tell whoever runs the agent."],
  value_error: ["The agent could not go on", "Tell whoever runs the agent."],
  invalid_message: ["The server could not accept what was sent", KEPT],
  transport_receive_timeout: ["The connection is too slow", "Try again."],
  llm_error: ["The agent's language model does not answer", `Try again in a moment. ${KEPT}`],
  unknown: ["The server was stopped", KEPT],
  unknown_websocket_crash: ["Something went wrong on the server", KEPT],
};

/**
 * @param {End} end
 * @returns {{title: string, text: string}}
 */
export function inWords({ mine, begun, error, code, reason }) {
  if (mine) return { title: "You ended the conversation", text: "You can close this page." };
  if (error) {
    const [title, advice] = TROUBLES[error.error_type ?? ""] ?? [
      begun ? "The conversation broke off" : "The conversation could not start",
      "",
    ];
    return { title, text: `${error.message} ${advice}`.trim() };
  }
  if (code === CUT_OFF && !begun)
    return { title: "The server cannot be reached", text: "Check that you are online, and that it runs. Then try again." };
  if (code === CUT_OFF) return { title: "The connection was lost", text: KEPT };
  if (STOPPED.includes(code)) return { title: "The server was stopped", text: KEPT };
  return { title: "The conversation has ended", text: reason };
}
