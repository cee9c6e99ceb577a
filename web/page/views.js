/**
 * The views of the page: one is shown at a time, and the address says which. Main thread.
 *
 * Views are links, so the browser's own ways back and forward work, and a view can be linked to.
 */

const FIRST = "now";

// Scrolled by hand: in Chromium `scrollIntoView` also moves the place from which Tab goes on, past
// the link that skips to the content.

/**
 * Scroll a strip sideways until a part of it can be seen.
 * @param {Element} strip
 * @param {Element} part
 */
function reveal(strip, part) {
  const [outer, inner] = [strip.getBoundingClientRect(), part.getBoundingClientRect()];
  strip.scrollLeft += Math.min(0, inner.left - outer.left) + Math.max(0, inner.right - outer.right);
}

/**
 * Scroll the page until something begins at its top, below what stands there.
 * @param {Element | null} part
 */
function bringUp(part) {
  if (!part) return;
  const padding = Number.parseFloat(getComputedStyle(document.documentElement).scrollPaddingTop) || 0;
  scrollTo({ top: scrollY + part.getBoundingClientRect().top - padding });
}

export class Views {
  /**
   * @param {Document} page
   * @param {Record<string, () => void>} onShow Called when a view is shown, by name.
   */
  constructor(page, onShow) {
    this.page = page;
    this.onShow = onShow;
    /** @type {HTMLElement[]} */
    this.sections = [...page.querySelectorAll(".view")].map((found) => /** @type {HTMLElement} */ (found));
    this.links = [...page.querySelectorAll("nav a")];
    addEventListener("hashchange", () => this.show(true));
    this.show(false);
  }

  get name() {
    const named = location.hash.slice(1);
    return this.sections.some(({ id }) => id === named) ? named : FIRST;
  }

  /** @param {boolean} takesFocus A reader of the screen is told where it is now. */
  show(takesFocus) {
    const { name } = this;
    for (const section of this.sections) section.hidden = section.id !== name;
    for (const link of this.links) {
      if (link.getAttribute("href") === `#${name}`) {
        link.setAttribute("aria-current", "page");
        if (link.parentElement) reveal(link.parentElement, link);
      } else link.removeAttribute("aria-current");
    }
    this.page.body.dataset.view = name;
    this.onShow[name]?.();
    if (!takesFocus) return;
    const heading = this.page.querySelector(`#${name} h1`);
    if (heading instanceof HTMLElement) heading.focus({ preventScroll: true });
    // On a phone the column lies below the wheel: what was asked for comes into sight.
    if (name !== FIRST) bringUp(this.page.getElementById("column"));
  }

  /** Back to what plays. */
  home() {
    if (this.name === FIRST) return;
    location.hash = `#${FIRST}`;
  }
}
