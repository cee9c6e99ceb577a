/** The numbers behind the picture and the sound, for astrologers and musicians. Main thread. */

import { aspectText, bodyTitle, degreesText, hoursText, signAt, wrapDeg } from "../picture/zodiac.js";
import { element, part } from "./elements.js";
import { keyText } from "./sentences.js";
import { CONTROLS, wishText } from "./wishes.js";

/** @typedef {import("../types.js").Chart} Chart */
/** @typedef {import("../types.js").Palette} Palette */

/** Where a title alone would say something else here. @type {Record<string, string>} */
const TITLES = { tempoNorm: "Tempo, in its genre", stepBias: "Melody by step" };

/**
 * A longitude as astrologers write it: 12°34′ Taurus.
 *
 * @param {number} longitudeDeg
 */
function longitudeText(longitudeDeg) {
  const deg = wrapDeg(longitudeDeg);
  return `${degreesText(deg % 30)} ${signAt(deg).title}`;
}

/** @param {number} deg */
function signedText(deg) {
  return `${deg < 0 ? "−" : "+"}${degreesText(deg)}`;
}

/**
 * @param {Chart} chart
 * @returns {string[][]} One row for each body.
 */
export function bodyRows({ bodies }) {
  return bodies.map((body) => [
    bodyTitle(body.name) + (body.retrograde ? " r" : ""),
    longitudeText(body.longitudeDeg),
    body.house ? String(body.house) : "",
    `${signedText(body.speedDegPerDay)}/d`,
    body.declinationDeg === undefined ? "" : signedText(body.declinationDeg),
    body.dignity ?? "",
  ]);
}

/**
 * @param {Chart} chart
 * @returns {string[][]} One row for each aspect, strongest first.
 */
export function aspectRows({ aspects }) {
  return aspects.map((aspect) => [
    aspectText(aspect),
    degreesText(aspect.orbDeg),
    aspect.exactInHours === null ? "" : aspect.applying ? "applying" : "separating",
    aspect.exactInHours === null || aspect.exactInHours < 0 ? "" : hoursText(aspect.exactInHours),
    `${Math.round(100 * aspect.strength)} %`,
  ]);
}

/**
 * @param {Chart} chart
 * @returns {string[][]} Angles and cusps; none where the time is unknown.
 */
export function houseRows({ angles, cuspsDeg }) {
  const four = angles
    ? [
        ["Ascendant", longitudeText(angles.ascendantDeg)],
        ["Midheaven", longitudeText(angles.midheavenDeg)],
      ]
    : [];
  const cusps = (cuspsDeg ?? []).map((deg, n) => [`House ${n + 1}`, longitudeText(deg)]);
  return [...four, ...cusps];
}

/**
 * @param {Palette} palette
 * @returns {string[][]} What the music is made by.
 */
export function musicRows(palette) {
  /** @type {any} */
  const said = palette;
  const shares = CONTROLS.filter(({ words, name }) => !words && typeof said[name] === "number");
  return [
    ["Key", keyText(palette)],
    ["Tempo", `${palette.tempoBpm.toFixed(2)} bpm`],
    ...(palette.metre ? [["Metre", palette.metre]] : []),
    ...(palette.genre ? [["Genre", palette.genre]] : []),
    ...(palette.lead ? [["Lead", bodyTitle(palette.lead)]] : []),
    ...shares.map((control) => [TITLES[control.name] ?? control.title, wishText(control, said[control.name])]),
  ];
}

/**
 * @param {string} title
 * @param {string[]} heads
 * @param {string[][]} rows
 */
function tableOf(title, heads, rows) {
  const table = element("table", "");
  table.append(element("caption", "label", title));
  if (heads.length > 0) {
    const head = element("tr", "");
    head.append(...heads.map((text) => headOf(text, "col")));
    const top = element("thead", "");
    top.append(head);
    table.append(top);
  }
  const body = element("tbody", "");
  for (const [first, ...others] of rows) {
    const row = element("tr", "");
    row.append(headOf(first, "row"), ...others.map((text) => element("td", "", text)));
    body.append(row);
  }
  table.append(body);
  return table;
}

/** @param {string} text @param {string} scope */
function headOf(text, scope) {
  const head = element("th", "", text);
  head.setAttribute("scope", scope);
  return head;
}

export class Numbers {
  /** @param {Document} page */
  constructor(page) {
    this.dialog = part(page, "#numbers", HTMLDialogElement);
    this.tables = part(page, "#tables");
    /** @type {{title: string, chart: Chart}[]} */
    this.charts = [];
    /** @type {Palette | null} */
    this.palette = null;
    part(page, "#open-numbers").addEventListener("click", () => {
      this.draw();
      this.dialog.showModal();
    });
    this.dialog.addEventListener("click", ({ target }) => {
      if (target === this.dialog) this.dialog.close();
    });
  }

  /**
   * @param {{title: string, chart: Chart}[]} charts
   * @param {Palette} palette
   */
  show(charts, palette) {
    this.charts = charts;
    this.palette = palette;
    if (this.dialog.open) this.draw();
  }

  draw() {
    const { charts, palette } = this;
    const narrow = element("div", "");
    const wide = element("div", "");
    // Where the page is narrow it is moved sideways, by keys as well.
    wide.tabIndex = 0;
    wide.setAttribute("role", "group");
    wide.setAttribute("aria-label", "Bodies and aspects");
    if (palette) narrow.append(tableOf("Music", [], musicRows(palette)));
    for (const { title, chart } of charts.filter((one) => !one.chart.isFree)) {
      const of = (/** @type {string} */ what) => (charts.length > 1 ? `${title}: ${what}` : what);
      const heads = ["Body", "Longitude", "House", "Speed", "Declination", "Dignity"];
      const system = chart.houseSystemUsed ? `houses, ${chart.houseSystemUsed}` : "houses";
      const houses = houseRows(chart);
      wide.append(
        tableOf(of("bodies"), heads, bodyRows(chart)),
        tableOf(of("aspects"), ["Aspect", "Orb", "Motion", "Exact in", "Strength"], aspectRows(chart)),
        ...(chart.notes ?? []).map((note) => element("p", "quiet", note)),
      );
      if (houses.length > 0) narrow.append(tableOf(of(system), [], houses));
    }
    this.tables.replaceChildren(narrow, wide);
  }
}
