// A list of any length of which only the rows in sight exist. One row is active; the
// list has the focus and points to it (aria-activedescendant), so that it works the
// same for rows that come and go.

const rowHeight = 22; // as in style.css

class List {
  /**
   * box is the element that scrolls. render(i) makes the row of a place; the list adds
   * what all rows have. header, if any, stays on top.
   */
  constructor(box, { render, header = null, act = () => {}, key = () => false, label = () => "" }) {
    Object.assign(this, { box, render, act, key, label, count: 0, active: 0 });
    this.header = header;
    this.rows = el("div", "rows");
    this.rows.setAttribute("role", "rowgroup");
    this.space = el("div", "space", this.rows);
    this.space.setAttribute("role", "presentation");
    this.nothing = el("p", "nothing");
    this.nothing.hidden = true;
    box.replaceChildren(...(header ? [header] : []), this.space, this.nothing);
    box.addEventListener("scroll", () => this.later(), { passive: true });
    box.addEventListener("keydown", (e) => this.keydown(e));
    box.addEventListener("click", (e) => this.click(e));
    box.addEventListener("focus", () => this.draw());
    box.addEventListener("blur", () => this.draw());
    new ResizeObserver(() => this.later()).observe(box);
  }

  /** show sets how many rows there are, and what stands there if there are none. */
  show(count, nothing) {
    this.count = count;
    this.active = Math.max(0, Math.min(this.active, count - 1));
    this.space.style.height = `${count * rowHeight}px`;
    this.nothing.textContent = nothing;
    this.nothing.hidden = count > 0;
    this.box.setAttribute("aria-rowcount", String(count + (this.header ? 1 : 0)));
    this.draw();
  }

  later() {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => {
      this.waiting = false;
      this.draw();
    });
  }

  draw(all = false) {
    const height = this.box.clientHeight;
    const spare = 8;
    const first = all ? 0 : Math.max(0, Math.floor(this.box.scrollTop / rowHeight) - spare);
    const last = all ? Math.min(this.count, 2000) : Math.min(this.count, Math.ceil((this.box.scrollTop + height) / rowHeight) + spare);
    const rows = [];
    for (let i = first; i < last; i++) rows.push(this.row(i));
    if (all && last < this.count) rows.push(el("div", "row more", `and ${number(this.count - last)} more`));
    this.rows.style.transform = `translateY(${first * rowHeight}px)`;
    this.rows.replaceChildren(...rows);
    const active = this.rows.querySelector(".active");
    if (active) this.box.setAttribute("aria-activedescendant", active.id);
    else this.box.removeAttribute("aria-activedescendant");
  }

  row(i) {
    const row = this.render(i);
    row.classList.add("row");
    row.id = `${this.box.parentElement.id}-${i}`;
    row.dataset.row = String(i);
    row.setAttribute("role", "row");
    row.setAttribute("aria-rowindex", String(i + (this.header ? 2 : 1)));
    for (const cell of row.children) cell.setAttribute("role", "gridcell");
    if (i === this.active) row.classList.add("active");
    return row;
  }

  /** go makes a row the active one and brings it into sight. */
  go(i) {
    if (this.count === 0) return;
    this.active = Math.max(0, Math.min(i, this.count - 1));
    const above = this.header ? this.header.offsetHeight : 0;
    const top = this.active * rowHeight;
    const room = this.box.clientHeight - above - rowHeight;
    if (top < this.box.scrollTop) this.box.scrollTop = top;
    else if (top > this.box.scrollTop + room) this.box.scrollTop = top - room;
    this.draw();
  }

  keydown(e) {
    if (e.target !== this.box || e.ctrlKey || e.metaKey || e.altKey) return;
    if (this.key(e, this.active)) {
      e.preventDefault();
      return;
    }
    const page = Math.max(1, Math.floor(this.box.clientHeight / rowHeight) - 2);
    const to = {
      ArrowDown: this.active + 1, ArrowUp: this.active - 1, PageDown: this.active + page, PageUp: this.active - page,
      Home: 0, End: this.count - 1,
    }[e.key];
    if (to !== undefined) this.go(to);
    else if ((e.key === "Enter" || e.key === " ") && this.count) this.act(this.active);
    else if (!/^\p{L}$/u.test(e.key) || !this.letter(e.key.toLowerCase())) return;
    e.preventDefault();
  }

  /** letter goes to the next row that begins with it; not far in a long list. */
  letter(key) {
    for (let k = 1; k <= Math.min(this.count, 5000); k++) {
      const i = (this.active + k) % this.count;
      if (this.label(i).toLowerCase().replace(/^[/"]+/, "").startsWith(key)) {
        this.go(i);
        return true;
      }
    }
    return false;
  }

  click(e) {
    const row = e.target.closest(".row[data-row]");
    if (!row || e.target.closest("button")) return;
    this.active = Number(row.dataset.row);
    if (e.target.closest(".twist")) this.key({ key: "Toggle" }, this.active);
    else this.act(this.active);
    this.draw();
  }
}

/** share is a bar of n of most. */
function share(n, most, className = "") {
  const fill = el("i", className);
  fill.style.width = `${most > 0 ? Math.max(n > 0 ? 2 : 0, (100 * n) / most) : 0}%`;
  const bar = el("span", "share", fill);
  bar.setAttribute("aria-hidden", "true");
  return bar;
}

/** measure is a number with its bar. */
const measure = (n, most, className = "") => [share(n, most, className), el("span", "figure", number(n))];

/** note is a short text with a longer one for the pointer. */
function note(className, text, title) {
  const e = el("span", className, text);
  if (title) e.title = title;
  return e;
}
