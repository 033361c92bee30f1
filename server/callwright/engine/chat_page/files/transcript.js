// @ts-check
// The transcript that the person sees: messages and tool calls. Data of the server is set as text, never as markup.

const MOST_WAITING_MS = 30_000; // an agent may also choose to say nothing

/** @typedef {"like" | "dislike" | null} Score */

/**
 * @template {Element} [T=HTMLElement]
 * @param {ParentNode} within
 * @param {string} selector
 * @returns {T}
 */
export function find(within, selector) {
  const found = within.querySelector(selector);
  if (!found) throw new Error(`The page has no ${selector}`);
  return /** @type {T} */ (/** @type {unknown} */ (found));
}

/**
 * @param {string} id of a template
 * @returns {HTMLElement}
 */
export function made(id) {
  const { content } = /** @type {HTMLTemplateElement} */ (find(document, `template#${id}`));
  return /** @type {HTMLElement} */ (/** @type {Element} */ (content.firstElementChild).cloneNode(true));
}

export class Transcript {
  /**
   * @param {HTMLElement} list
   * @param {object} on what the person does in it
   * @param {(eventId: number, score: Score) => void} on.judged
   * @param {(toolCallId: string, allowed: boolean) => void} on.decided
   */
  constructor(list, on) {
    this.list = list;
    this.on = on;
    /** @type {Map<number, HTMLElement>} what the agent said, by event id */
    this.answers = new Map();
    /** @type {Map<string, HTMLElement>} by the id of the call */
    this.tools = new Map();
    /** @type {HTMLElement | null} */
    this.waiting = null;
  }

  clear() {
    this.list.replaceChildren();
    this.answers.clear();
    this.tools.clear();
    this.waiting = null;
  }

  /** @param {string} text */
  user(text) {
    const item = made("said-by-user");
    find(item, ".text").textContent = text;
    this.#add(item);
    this.wait();
  }

  /** Show that the agent is about to speak. */
  wait() {
    this.stopWaiting();
    const waiting = made("waiting");
    this.#add(waiting);
    this.waiting = waiting;
    setTimeout(() => waiting === this.waiting && this.stopWaiting(), MOST_WAITING_MS);
  }

  stopWaiting() {
    this.waiting?.remove();
    this.waiting = null;
  }

  /**
   * Add a piece to the agent's current answer.
   * @param {number} id
   * @param {string} text
   */
  part(id, text) {
    const words = find(this.#answer(id), ".text");
    this.#keepingUp(() => words.append(text));
  }

  /**
   * Set the whole text of an answer. From now on the person can rate it.
   * @param {number} id
   * @param {string} text
   */
  whole(id, text) {
    const item = this.#answer(id);
    this.#keepingUp(() => {
      find(item, ".text").textContent = text;
      find(item, ".feedback").hidden = false;
    });
  }

  /**
   * Mark an answer as cut: the person interrupted it, or it broke off.
   * @param {number} id
   */
  cut(id) {
    const item = this.answers.get(id);
    if (item) this.#keepingUp(() => (find(item, ".mark").hidden = false));
  }

  /**
   * Set the heard part of an answer that was cut.
   * @param {number} id
   * @param {string} text
   */
  correct(id, text) {
    const item = this.answers.get(id);
    if (item) find(item, ".text").textContent = text;
  }

  /**
   * Show a tool call, or an update of one.
   * @param {object} call
   * @param {string} call.id
   * @param {string} call.name
   * @param {string} call.status in a word
   * @param {Record<string, unknown>} [call.parameters]
   * @param {string} [call.why] it failed; stays when later news do not say
   * @param {boolean} [call.asks] the person, whether it may run
   */
  tool({ id, name, status, parameters, why, asks = false }) {
    const item = this.#tool(id, name);
    this.#keepingUp(() => {
      find(item, ".status").textContent = status;
      if (parameters) find(item, ".what").textContent = JSON.stringify(parameters, null, 2);
      if (why) find(item, ".why").textContent = why;
      find(item, ".why").hidden = !find(item, ".why").textContent;
      find(item, ".approval").hidden = !asks;
      if (asks) find(item, "details").setAttribute("open", "");
    });
  }

  /** Close the transcript: disable its buttons, and remove open approval questions. */
  close() {
    this.stopWaiting();
    for (const button of this.list.querySelectorAll("button")) button.disabled = true;
    for (const asked of this.list.querySelectorAll(".approval")) asked.remove();
  }

  showEnd() {
    this.list.scrollTop = this.list.scrollHeight;
  }

  /** @param {number} id */
  #answer(id) {
    const known = this.answers.get(id);
    if (known) return known;
    this.stopWaiting();
    const item = made("said-by-agent");
    const text = find(item, ".text");
    text.id = `said-${id}`;
    /** @type {NodeListOf<HTMLButtonElement>} */
    const thumbs = item.querySelectorAll(".thumb");
    for (const thumb of thumbs) {
      thumb.setAttribute("aria-describedby", text.id);
      thumb.onclick = () => this.#judge(id, thumbs, thumb);
    }
    this.answers.set(id, item);
    this.#add(item);
    return item;
  }

  /**
   * Send a rating of an answer. A second press of the same button withdraws it.
   * @param {number} id
   * @param {NodeListOf<HTMLButtonElement>} thumbs
   * @param {HTMLButtonElement} pressed
   */
  #judge(id, thumbs, pressed) {
    const score = pressed.getAttribute("aria-pressed") === "true" ? null : /** @type {Score} */ (pressed.dataset.score ?? null);
    for (const thumb of thumbs) thumb.setAttribute("aria-pressed", String(thumb.dataset.score === score));
    this.on.judged(id, score);
  }

  /**
   * @param {string} id
   * @param {string} name
   */
  #tool(id, name) {
    const known = this.tools.get(id);
    if (known) return known;
    const item = made("tool-call");
    find(item, ".name").textContent = name;
    for (const button of item.querySelectorAll("button"))
      button.onclick = () => {
        find(item, ".approval").hidden = true;
        find(item, "details").removeAttribute("open");
        find(item, "summary").focus();
        this.on.decided(id, button.dataset.approves === "yes");
      };
    this.tools.set(id, item);
    this.#add(item);
    return item;
  }

  /** @param {HTMLElement} item */
  #add(item) {
    this.#keepingUp(() => (this.waiting ? this.waiting.before(item) : this.list.append(item)));
  }

  /**
   * Keep the end in view, unless the person reads further up.
   * @param {() => void} change
   */
  #keepingUp(change) {
    const { scrollHeight, scrollTop, clientHeight } = this.list;
    const atEnd = scrollHeight - scrollTop - clientHeight < 80;
    change();
    if (atEnd) this.showEnd();
  }
}
