// Rows of a tree in a List, with the keys of a treegrid (WAI-ARIA practices): right
// opens a row and then goes to its first child, left shuts it and then goes to its
// parent.

class Tree {
  /**
   * rows() gives those that can be seen: {id, depth, open, ...} with open undefined for
   * a leaf. toggle(ids, open) opens or shuts some.
   */
  constructor(box, { rows, toggle, render, act, header, label, key = () => false, nothing = () => "" }) {
    Object.assign(this, { rows, toggle, nothing, seen: [] });
    this.list = new List(box, {
      header,
      act: (i) => act(this.seen[i], i),
      label: (i) => label(this.seen[i]),
      key: (e, i) => key(e, this.seen[i]) || this.key(e.key, i, e.shiftKey),
      render: (i) => {
        const row = this.seen[i];
        const e = render(row, twist(row));
        e.setAttribute("aria-level", String(row.depth + 1));
        if (row.open !== undefined) e.setAttribute("aria-expanded", String(row.open));
        return e;
      },
    });
  }

  draw() {
    this.seen = this.rows();
    this.list.show(this.seen.length, this.nothing());
  }

  set(i, open) {
    this.toggle([this.seen[i].id], open);
    this.draw();
  }

  key(key, i, shift) {
    const row = this.seen[i];
    if (!row || shift) return false;
    const folder = row.open !== undefined;
    switch (key) {
      case "Toggle":
        if (folder) this.set(i, !row.open);
        return true;
      case "ArrowRight":
        if (folder && !row.open) this.set(i, true);
        else if (folder) this.list.go(i + 1);
        return true;
      case "ArrowLeft":
        if (row.open) this.set(i, false);
        else {
          let up = i;
          while (up >= 0 && this.seen[up].depth >= row.depth) up--;
          if (up >= 0) this.list.go(up);
        }
        return true;
      default:
        return false;
    }
  }

  /** siblings opens all rows with the same parent. */
  siblings(i) {
    const depth = this.seen[i].depth;
    const ids = [];
    for (let k = i; k >= 0 && this.seen[k].depth >= depth; k--) if (this.seen[k].depth === depth) ids.push(this.seen[k].id);
    for (let k = i + 1; k < this.seen.length && this.seen[k].depth >= depth; k++) if (this.seen[k].depth === depth) ids.push(this.seen[k].id);
    const id = this.seen[i].id;
    this.toggle(ids, true);
    this.draw();
    this.list.go(this.seen.findIndex((row) => row.id === id));
  }
}

/** twist is the sign before a row that can be opened, and how far in it stands. */
function twist(row) {
  const e = el("span", row.open === undefined ? "twist leaf" : row.open ? "twist open" : "twist");
  e.style.marginLeft = `${Math.min(row.depth, 24) * 14}px`;
  e.setAttribute("aria-hidden", "true");
  return e;
}
