/**
 * An account, for those who want one: the form in the drawer, and what it asks of the server. Main
 * thread.
 *
 * Without an account nothing is asked and no cookie set: the first request comes with the form.
 */

import { ask, Refused } from "./ask.js";
import { element, part } from "./elements.js";
import { remember, remembered } from "./remember.js";
import { forgetAccountBirths, reconcile, savedBirths } from "./saved.js";

const HAS_ACCOUNT = "account";
const STAYS = " What is saved here stays here.";

export class Account {
  /**
   * @param {Document} page
   * @param {{changed: () => void}} on The list of saved births is another.
   */
  constructor(page, on) {
    this.on = on;
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
      this.session(await ask("POST", `/api/auth/${how}`, credentials));
      this.form.reset();
      await this.sync();
    });
  }

  /** Whoever was logged in here may still be. */
  async resume() {
    this.session(await ask("GET", "/api/auth/session"));
    if (this.user) await this.sync();
    else this.said.textContent = "You have been logged out.";
  }

  async leave() {
    this.session(await ask("POST", "/api/auth/logout", {}));
    forgetAccountBirths();
    this.on.changed();
    this.said.textContent = "Logged out. The skies of the account are off this device.";
  }

  async sync() {
    await reconcile(askOrGone);
    this.on.changed();
    const n = savedBirths().length;
    this.said.textContent = n === 1 ? "One sky is saved with it." : `${n} skies are saved with it.`;
  }

  /** @param {{user: {email: string} | null}} told */
  session({ user }) {
    this.user = user;
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
        this.refused.textContent = `${error.message}${error.code === "NO_ANSWER" ? STAYS : ""}`;
      }
    });
    await this.busy;
  }
}

/**
 * Ask; what is to be deleted and is gone already is as good.
 *
 * @param {string} method
 * @param {string} path
 * @param {object} [body]
 */
async function askOrGone(method, path, body) {
  try {
    return await ask(method, path, body);
  } catch (error) {
    const isGone = error instanceof Refused && error.code === "NOT_FOUND";
    if (!isGone || method !== "DELETE") throw error;
    return null;
  }
}
