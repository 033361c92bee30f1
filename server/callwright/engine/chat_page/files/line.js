// @ts-check
// The WebSocket of one conversation. It answers pings, passes on all other frames, and reports its end once.

/** @typedef {import("./words.js").End} End */
/** @typedef {Record<string, any>} Frame */

const NORMAL = 1000;
const TYPING_MS = 1500; // the server takes a person for active for two seconds

export class Line {
  /**
   * @param {string} agent its id
   * @param {string | null} token of a link. Sent as the name of a protocol, because addresses are written into logs.
   * @param {Record<string, string>} variables what the person entered, by the agent's names
   * @param {(frame: Frame) => void} onFrame
   * @param {(end: End) => void} onEnd
   */
  constructor(agent, token, variables, onFrame, onEnd) {
    const url = new URL("../../v1/convai/conversation", location.href);
    url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    url.searchParams.set("agent_id", agent);
    this.onFrame = onFrame;
    this.onEnd = onEnd;
    this.over = false;
    /** @type {End} */
    this.end = { mine: false, begun: false, error: null, code: NORMAL, reason: "" };
    this.typed = -TYPING_MS; // ago, on the clock of the page
    this.socket = new WebSocket(url, token ? ["convai", `bearer.${token}`] : ["convai"]);
    this.socket.onopen = () =>
      this.send("conversation_initiation_client_data", {
        // The conversation is in text only: answers arrive in pieces, and there is no audio.
        conversation_config_override: { text_only: true },
        dynamic_variables: variables,
      });
    this.socket.onmessage = (event) => this.#read(JSON.parse(event.data));
    this.socket.onclose = ({ code, reason }) => this.#ended({ code, reason });
  }

  /**
   * @param {string} type
   * @param {Frame} [content]
   */
  send(type, content = {}) {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify({ type, ...content }));
  }

  /** Report that the person is writing, so that the agent does not take them for silent. */
  typing() {
    if (performance.now() - this.typed < TYPING_MS) return;
    this.typed = performance.now();
    this.send("user_activity");
  }

  /** End the conversation for the person. The end is reported at once, because a lost server would never confirm it. */
  leave() {
    this.socket.close(NORMAL);
    this.#ended({ mine: true });
  }

  /** @param {Frame} frame */
  #read(frame) {
    if (this.over) return;
    if (frame.type === "ping") return this.send("pong", { event_id: frame.ping_event.event_id });
    if (frame.type === "error") this.end.error = frame.error_event;
    if (frame.type === "conversation_initiation_metadata") this.end.begun = true;
    this.onFrame(frame);
  }

  /** @param {Partial<End>} how */
  #ended(how) {
    if (this.over) return;
    this.over = true;
    this.onEnd({ ...this.end, ...how });
  }
}
