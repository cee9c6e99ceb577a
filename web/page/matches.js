/**
 * The matches of a birth among all published charts, and how to hear and to be one. Main thread.
 *
 * A birth that is kept on this device asks without an account. Publishing and blocking need one.
 */

import { ask, Refused } from "./ask.js";
import { birthOfSaved } from "./births.js";
import { element, part, write } from "./elements.js";
import { FACETS, matchRow } from "./matchrow.js";
import { know } from "./published.js";
import { remembered } from "./remember.js";
import { savedBirths } from "./saved.js";
import { birthName } from "./sentences.js";

/** @typedef {import("../types.js").Birth} Birth */
/** @typedef {import("./matchrow.js").Match} Match */
/** @typedef {Birth & {id: string, visibility: string}} AccountChart */
/** @typedef {{title: string, birth: Birth, account: AccountChart | null}} Mine */

const PAGE = 10;
const NEEDS_ACCOUNT = "This needs an account, so that it can be taken back: see Status.";
const NO_ACCOUNT = new Set(["AUTH_REQUIRED", "CSRF_FAILED"]);

export class Matches {
  /**
   * @param {Document} page
   * @param {(programme: import("../types.js").Programme) => void} play Called inside the click.
   */
  constructor(page, play) {
    this.play = play;
    this.form = part(page, "#match-form", HTMLFormElement);
    this.whose = part(page, "#match-whose", HTMLSelectElement);
    this.nobody = part(page, "#match-nobody");
    this.facets = part(page, "#match-facets");
    this.publishing = part(page, "#match-publishing");
    this.publish = part(page, "#match-publish", HTMLButtonElement);
    this.said = part(page, "#match-said");
    this.list = part(page, "#match-list");
    this.more = part(page, "#match-more", HTMLButtonElement);
    this.facet = FACETS[0].name;
    /** @type {Mine[]} */
    this.mine = [];
    /** @type {string | null} */
    this.cursor = null;
    /** Of the question asked last: what answers an older one comes too late. */
    this.asked = 0;
    this.chips = FACETS.map(({ name, title }) => {
      const chip = element("button", "chip", title);
      chip.setAttribute("type", "button");
      chip.addEventListener("click", () => this.choose(name));
      return { name, chip };
    });
    this.facets.replaceChildren(...this.chips.map(({ chip }) => chip));
    this.form.addEventListener("submit", (event) => event.preventDefault());
    this.whose.addEventListener("change", () => this.search());
    this.more.addEventListener("click", () => this.next());
    this.publish.addEventListener("click", () => this.turnPublic());
  }

  /** The view is shown: who can ask may have changed. */
  async refresh() {
    const account = await this.ofAccount();
    const births = savedBirths();
    /** @param {Birth} birth */
    const key = ({ datetime, tz, lat, lon }) => JSON.stringify([datetime, tz, lat, lon]);
    const here = new Set(births.map(key));
    this.mine = [
      ...births.map((saved) => {
        const birth = birthOfSaved(saved);
        const kept = account.find((chart) => key(chart) === key(birth)) ?? null;
        return { title: birthName(birth), birth, account: kept };
      }),
      ...account
        .filter((chart) => !here.has(key(chart)))
        .map((chart) => ({ title: chart.name ?? "", birth: birthOf(chart), account: chart })),
    ];
    for (const chart of account) know(chart.id, { ...birthOf(chart), name: chart.name ?? "" });
    const before = Math.max(0, this.whose.selectedIndex);
    this.whose.replaceChildren(...this.mine.map(({ title }, n) => new Option(title, String(n))));
    this.whose.selectedIndex = Math.min(before, this.mine.length - 1);
    const isNobody = this.mine.length === 0;
    this.nobody.hidden = !isNobody;
    this.form.hidden = isNobody;
    await this.search();
  }

  /** @returns {Promise<AccountChart[]>} None without an account. */
  async ofAccount() {
    if (!remembered("account", false)) return [];
    try {
      return (await ask("GET", "/api/charts")).charts;
    } catch {
      return [];
    }
  }

  /** @returns {Mine | undefined} Who asks. */
  get asking() {
    return this.mine[this.whose.selectedIndex];
  }

  /** @param {string} facet */
  choose(facet) {
    this.facet = facet;
    this.search();
  }

  /** Ask anew, from the best match on. */
  async search() {
    for (const { name, chip } of this.chips) chip.setAttribute("aria-pressed", String(name === this.facet));
    const { asking } = this;
    this.cursor = null;
    this.more.hidden = true;
    this.list.replaceChildren();
    if (!asking) return;
    const isPublic = asking.account?.visibility === "public";
    write(this.publish, isPublic ? "Publish it no more" : "Publish this chart");
    this.publishing.hidden = false;
    await this.next();
  }

  /** Ask for one more page. */
  async next() {
    const { asking, cursor, facet } = this;
    if (!asking) return;
    this.asked += 1;
    const { asked } = this;
    const isFirst = cursor === null;
    const body = { chart: asking.birth, facet, limit: PAGE, cursor };
    try {
      const found = await ask("POST", "/api/compat/search", body);
      if (asked !== this.asked) return;
      /** @type {Match[]} */
      const matches = found.matches;
      const others = asking.account === null ? matches : matches.filter(isNot(asking.account.id));
      for (const { chartId, name } of others) know(chartId, { name });
      const on = {
        listen: (/** @type {Match} */ match) => this.listen(asking, match),
        block: (/** @type {Match} */ match) => this.block(match),
      };
      this.list.append(...others.map((match) => matchRow(match, on)));
      this.cursor = found.nextCursor;
      this.more.hidden = this.cursor === null;
      if (isFirst) this.say(foundText(found.searched, others.length, found.tookMs));
    } catch (error) {
      if (asked === this.asked) this.refuse(error);
    }
  }

  /** @param {Mine} asking @param {Match} match */
  listen({ birth, account }, { chartId }) {
    const mine = account?.visibility === "public" ? { chartId: account.id } : birth;
    const charts = /** @type {Birth[]} */ ([mine, { chartId }]);
    this.play({ mode: "compatibility", charts });
  }

  /** @param {Match} match */
  async block({ chartId, name }) {
    try {
      await ask("POST", "/api/blocks", { chartId });
      await this.search();
      this.say(`You and the owner of ${name} will not meet again.`);
    } catch (error) {
      this.refuse(error);
    }
  }

  /** Let all find the chart that asks, or nobody any more. */
  async turnPublic() {
    const { asking } = this;
    if (!asking) return;
    const { account, birth } = asking;
    const isPublic = account?.visibility === "public";
    const visibility = isPublic ? "private" : "public";
    try {
      if (account) await ask("PATCH", `/api/charts/${account.id}`, { visibility });
      else await ask("POST", "/api/charts", { ...birth, name: birthName(birth), visibility });
      await this.refresh();
      this.say(isPublic ? "Nobody finds it any more." : "It is published. You can take that back at any time.");
    } catch (error) {
      this.refuse(error);
    }
  }

  /** @param {string} text */
  say(text) {
    write(this.said, text);
  }

  /** @param {unknown} error */
  refuse(error) {
    if (!(error instanceof Refused)) throw error;
    this.say(NO_ACCOUNT.has(error.code) ? NEEDS_ACCOUNT : error.message);
  }
}

/** @param {string} id */
function isNot(id) {
  return (/** @type {Match} */ { chartId }) => chartId !== id;
}

/** @param {AccountChart} chart @returns {Birth} */
function birthOf({ datetime, tz, lat, lon, name }) {
  return { datetime, tz, lat, lon, name };
}

/** @param {number} searched @param {number} found @param {number} tookMs */
function foundText(searched, found, tookMs) {
  if (searched === 0) return "Nobody has published a chart here yet.";
  if (found === 0) return "Nobody is left to meet.";
  const among = searched === 1 ? "the one chart" : `all ${searched.toLocaleString("en-GB")} charts`;
  return `The best of ${among} that are published here, found in ${Math.max(1, Math.round(tookMs))} ms.`;
}
