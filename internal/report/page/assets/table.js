// A table in a List: columns with headings that sort.

/** heading is a button in the head of a column. */
function heading(column, sort, change) {
  const button = el("button", "", column.label);
  button.type = "button";
  const cell = el("div", `cell ${column.className ?? ""}`, button);
  cell.setAttribute("role", "columnheader");
  const update = () => cell.setAttribute("aria-sort", sort.by !== column.id ? "none" : sort.down ? "descending" : "ascending");
  button.addEventListener("click", () => {
    if (sort.by === column.id) sort.down = !sort.down;
    else Object.assign(sort, { by: column.id, down: column.number === true });
    change();
  });
  update();
  return { cell, update };
}

/** headings are a row of them, and a function that shows by which it is sorted. */
function headings(columns, sort, changed) {
  const all = [];
  const update = () => all.forEach((h) => h.update());
  const row = el("div", "row header");
  row.setAttribute("role", "row");
  for (const column of columns) {
    if (column.value) {
      all.push(heading(column, sort, () => {
        update();
        changed();
      }));
      row.append(all.at(-1).cell);
    } else {
      const cell = el("div", `cell ${column.className ?? ""}`, column.label);
      cell.setAttribute("role", "columnheader");
      row.append(cell);
    }
  }
  return row;
}

/** order compares by a column; what is equal stays in the order of the trace. */
function order(column, down) {
  const sign = down ? -1 : 1;
  return (a, b) => {
    const x = column.value(a);
    const y = column.value(b);
    return sign * (x < y ? -1 : x > y ? 1 : 0);
  };
}

class Table {
  /** rows() gives those to be seen; detail(row) is what is told of one, null for nothing. */
  constructor(panel, { columns, rows, sort, label, detail = null, nothing }) {
    Object.assign(this, { panel, columns, rows, sort, detail, nothing, seen: [], picked: null });
    this.tally = panel.querySelector(".tally");
    this.list = new List(panel.querySelector(".list"), {
      header: headings(columns, sort, () => this.draw()),
      label: (i) => label(this.seen[i]),
      act: (i) => this.pick(this.seen[i]),
      render: (i) => {
        const row = el("div", this.seen[i] === this.picked ? "picked" : "");
        if (detail) row.setAttribute("aria-selected", String(this.seen[i] === this.picked));
        for (const c of columns) row.append(el("div", `cell ${c.className ?? ""}`, ...[c.cell(this.seen[i])].flat()));
        return row;
      },
    });
  }

  draw() {
    const column = this.columns.find((c) => c.id === this.sort.by);
    this.seen = this.rows().sort(order(column, this.sort.down));
    this.list.show(this.seen.length, this.nothing());
    if (this.picked && !this.seen.includes(this.picked)) this.pick(null);
    else this.pick(this.picked);
  }

  pick(row) {
    if (!this.detail) return;
    this.picked = row;
    showDetail(this.panel, row && this.detail(row), () => this.pick(null));
    this.list.draw();
  }
}

/** showDetail puts something below a list, or takes it away. */
function showDetail(panel, content, shut) {
  const box = panel.querySelector(".detail");
  box.hidden = !content;
  if (!content) {
    box.replaceChildren();
    return;
  }
  const button = el("button", "shut", "×");
  button.type = "button";
  button.setAttribute("aria-label", "Close");
  button.addEventListener("click", () => {
    shut();
    panel.querySelector(".list").focus();
  });
  box.replaceChildren(button, ...content);
}

/** fact is a line of a detail: what, and how it is. */
function fact(what, ...how) {
  return el("div", "fact", el("span", "what", what), el("span", "how", ...how));
}

/** people are buttons for processes, with how often if that is known. */
function people(all, most = 40) {
  const buttons = all.slice(0, most).map(([i, n]) => {
    const b = el("button", "who", name(processes.title(i)), n === undefined ? "" : el("span", "n", number(n)));
    b.type = "button";
    b.title = "Show only this process";
    b.addEventListener("click", () => choose(i));
    return b;
  });
  if (all.length > most) buttons.push(el("span", "dim", ` and ${number(all.length - most)} more`));
  return buttons;
}

/** errorsOf are failures by errno. */
function errorsOf(counts) {
  return counts.map(([what, n]) => note("error", `${what} ${number(n)}`, data.errnos[what]));
}
