/**
 * An account, for those who want one: the form in the drawer, and what it asks of the server. Main
 * thread.
 *
 * Without an account nothing is asked and no cookie set: the first request comes with the form.
 */

import { element, part } from "./elements.js";
import { remember, remembered } from "./remember.js";
import { forgetAccountBirths, reconcile, savedBirths } from "./saved.js";

const HAS_ACCOUNT = "account";
const NO_ANSWER = "The server does not answer. What is saved here stays here.";

class Refused extends Error {
  /** @param {string} code @param {string} say */
  constructor(code, say) {
    super(say);
    this.code = code;
  }
}

export class Account {
  /**
   * @param {Document} page
   * @param {{changed: () => void}} on The list of saved births is another.
   */
  constructor(page, on) {
    this.on = on;
    this.token = "";
    /** @type {{email: string} | null} */
    this.user = null;
    /** What was begun before. */
    this.busy = Promise.resolve();
    this.form = part(page, "#account-form", HTMLFormElement);
    this.member = part(page, "#account-member");
    this.whose = part(page, "#account-whose");
    this.said = part(page, "#account-said");
    this.refused = part(page, "#account-refused");
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      const { submitter } = event;
      this.enter(submitter instanceof HTMLButtonElement ? submitter.value : "login");
    });
    part(page, "#log-out").addEventListener("click", () => this.attempt(() => this.leave()));
    this.show();
    if (remembered(HAS_ACCOUNT, false)) this.attempt(() => this.resume());
  }

  /** The births saved here have changed. */
  saved() {
    if (this.user) this.attempt(() => this.sync());
  }

  /** @param {string} how `login` or `register`. */
  async enter(how) {
    const fields = new FormData(this.form);
    const credentials = { email: fields.get("email"), password: fields.get("password") };
    await this.attempt(async () => {
      this.session(await this.ask("POST", `/api/auth/${how}`, credentials));
      this.form.reset();
      await this.sync();
    });
  }

  /** Whoever was logged in here may still be. */
  async resume() {
    this.session(await this.once("GET", "/api/auth/session"));
    if (this.user) await this.sync();
    else this.said.textContent = "You have been logged out.";
  }

  async leave() {
    this.session(await this.ask("POST", "/api/auth/logout", {}));
    forgetAccountBirths();
    this.on.changed();
    this.said.textContent = "Logged out. The skies of the account are off this device.";
  }

  async sync() {
    await reconcile((method, path, body) => this.ask(method, path, body));
    this.on.changed();
    const n = savedBirths().length;
    this.said.textContent = n === 1 ? "One sky is saved with it." : `${n} skies are saved with it.`;
  }

  /** @param {{user: {email: string} | null, csrfToken: string}} told */
  session({ user, csrfToken }) {
    this.user = user;
    this.token = csrfToken;
    remember(HAS_ACCOUNT, user !== null);
    this.show();
  }

  show() {
    this.form.hidden = this.user !== null;
    this.member.hidden = this.user === null;
    this.whose.replaceChildren("Logged in as ", element("b", "", this.user?.email ?? ""), ".");
  }

  /** @param {() => Promise<void>} work One thing after the other; what goes wrong is said. */
  async attempt(work) {
    this.busy = this.busy.then(async () => {
      this.refused.textContent = "";
      this.said.textContent = "";
      try {
        await work();
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        this.refused.textContent = error.message;
      }
    });
    await this.busy;
  }

  /**
   * Ask with the token of this browser; with a fresh one where the old is not good any more.
   *
   * @param {string} method
   * @param {string} path
   * @param {object} [body]
   */
  async ask(method, path, body) {
    if (this.token === "") this.token = (await this.once("GET", "/api/auth/session")).csrfToken;
    try {
      return await this.once(method, path, body);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (error.code === "NOT_FOUND" && method === "DELETE") return null;
      if (error.code !== "CSRF_FAILED") throw error;
      this.token = (await this.once("GET", "/api/auth/session")).csrfToken;
      return this.once(method, path, body);
    }
  }

  /** @param {string} method @param {string} path @param {object} [body] */
  async once(method, path, body) {
    const headers = { "Content-Type": "application/json", "X-CSRF-Token": this.token };
    const sent = body === undefined ? {} : { body: JSON.stringify(body) };
    let response;
    try {
      response = await fetch(path, { method, headers, ...sent });
    } catch {
      throw new Refused("", NO_ANSWER);
    }
    if (response.status === 204) return null;
    const told = await response.json();
    if (response.ok) return told;
    throw new Refused(told.error.code, sayOf(told.error, response.headers.get("Retry-After")));
  }
}

/**
 * @param {{code: string, message: string, details?: {message: string}[]}} error
 * @param {string | null} retryAfter Seconds, as the header has them.
 */
function sayOf({ code, message, details }, retryAfter) {
  const wait = Number(retryAfter) > 0 ? ` Try again in ${retryAfter} s.` : "";
  if (code === "STORE_UNAVAILABLE") return `The server cannot save anything now.${wait}`;
  const [first] = details?.length ? details.map((detail) => detail.message) : [message];
  return `${first[0].toUpperCase()}${first.slice(1)}.${wait}`;
}
