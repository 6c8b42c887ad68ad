// The files as a tree. A directory sums up what can be seen below it.

const shown = {
  open: new Set(), // by row
  match: null, // Uint8Array by row: it is to be seen by itself
  files: null, // how many such files are at or below a row
  ops: null,
  errors: null,
  denied: null,
  union: null, // classes
};

/** sumUp applies the filter, and counts for each row what is to be seen below it. */
function sumUp() {
  const n = files.name.length;
  shown.match = new Uint8Array(n);
  shown.files = new Float64Array(n);
  shown.ops = new Float64Array(n);
  shown.errors = new Float64Array(n);
  shown.denied = new Float64Array(n);
  shown.union = new Uint16Array(n);
  for (let i = n - 1; i >= 0; i--) {
    if (seen.file(i)) {
      const facts = files.of[files.facts[i]];
      shown.match[i] = 1;
      shown.files[i] += files.within[i] ?? 1;
      shown.ops[i] += facts.n;
      shown.errors[i] += facts.failed;
      shown.denied[i] += facts.denied;
      shown.union[i] |= facts.classes;
    }
    const up = files.parent[i];
    if (up >= 0 && shown.files[i]) {
      shown.files[up] += shown.files[i];
      shown.ops[up] += shown.ops[i];
      shown.errors[up] += shown.errors[i];
      shown.denied[up] += shown.denied[i];
      shown.union[up] |= shown.union[i];
    }
  }
}

const fileColumns = [
  { id: "name", label: "path", className: "label", value: (i) => files.name[i] },
  { id: "classes", label: "what", value: null },
  { id: "ops", label: "uses", className: "num", number: true, value: (i) => shown.ops[i] },
  { id: "errors", label: "errors", className: "num", number: true, value: (i) => shown.errors[i] },
];
const fileSort = { by: "name", down: false };

/** inside are the children of a row (-1 for the top) that are to be seen, sorted. */
function inside(i) {
  const all = [];
  const end = i < 0 ? files.name.length : files.end[i];
  for (let k = i + 1; k < end; k = files.end[k]) if (shown.files[k] > 0) all.push(k);
  if (fileSort.by === "name" && !fileSort.down) return all; // as they come
  return all.sort(order(fileColumns.find((c) => c.id === fileSort.by), fileSort.down));
}

/** fileRows are the rows that can be seen, by what is open. */
function fileRows() {
  const rows = [];
  const left = [];
  const push = (i) => {
    const all = inside(i);
    let largest = 0;
    for (const k of all) largest = Math.max(largest, shown.ops[k]);
    for (let k = all.length - 1; k >= 0; k--) left.push([all[k], largest]);
  };
  push(-1);
  while (left.length) {
    const [i, largest] = left.pop();
    const folder = files.end[i] > i + 1 && shown.files[i] > shown.match[i] * (files.within[i] ?? 1);
    const open = folder && shown.open.has(i);
    rows.push({ id: i, depth: files.depth[i], open: folder ? open : undefined, largest });
    if (open) push(i);
  }
  return rows;
}

/** openSome opens what is to be seen from the top, small directories first, up to so many rows. */
function openSome(room) {
  shown.open.clear();
  let level = inside(-1);
  let rows = level.length;
  while (level.length && rows < room) {
    const next = [];
    const folders = level.filter((i) => files.end[i] > i + 1).map((i) => [i, inside(i)]);
    for (const [i, all] of folders.sort((a, b) => a[1].length - b[1].length)) {
      if (rows + all.length > room) break;
      rows += all.length;
      shown.open.add(i);
      next.push(...all);
    }
    level = next;
  }
}

const fileTree = files && (() => {
  const panel = byId("files");
  let picked = -1;
  const how = {
    fd: "the kernel's own name of the object", walk: "resolved by Turnstile", joined: "as asked, behind the directory it starts from",
    asked: "as asked; symbolic links not resolved", unknown: "as asked, from a directory without a path",
  };

  const view = new Tree(panel.querySelector(".list"), {
    header: headings(fileColumns, fileSort, () => view.draw()),
    nothing: () => (files.count ? "No file matches." : "No file was touched."),
    label: (row) => files.name[row.id],
    rows: fileRows,
    toggle: (ids, open) => ids.forEach((i) => (open ? shown.open.add(i) : shown.open.delete(i))),
    act: (row) => {
      if (row.open !== undefined && files.facts[row.id] < 0) view.key("Toggle", view.seen.indexOf(row));
      else pick(picked === row.id ? -1 : row.id);
    },
    key: (e, row) => {
      if (e.key !== "*" || !row) return false;
      view.siblings(view.list.active);
      return true;
    },
    render: (row, sign) => {
      const i = row.id;
      const folder = row.open !== undefined;
      const facts = files.of[files.facts[i]];
      const within = files.within[i] ?? 0;
      const label = el("div", "cell label", sign, name(files.name[i] + (folder || within ? "/" : ""), folder ? "folder" : facts && inVain(facts) ? "missed" : ""));
      if (folder && !row.open) label.append(el("span", "pid", number(shown.files[i])));
      if (within) label.append(note("tag", `${number(within)} files as one`, "Too many to be shown by themselves"));
      if (facts?.folded) label.append(note("tag", "files in it", "It stands for files in it, beyond --max-files"));
      if (shown.denied[i]) label.append(note("tag bad", `⊘ ${number(shown.denied[i])} denied`, facts?.rule));
      const e = el("div", `${picked === i ? "picked" : ""}${folder ? " isfolder" : ""}`, label,
        el("div", "cell", letters(shown.union[i])),
        el("div", "cell num", ...measure(shown.ops[i], row.largest, shown.union[i] & changing ? "changes" : "")),
        el("div", "cell num", shown.errors[i] ? el("span", "error", number(shown.errors[i])) : ""));
      e.setAttribute("aria-selected", String(picked === i));
      e.title = files.path[i];
      return e;
    },
  });

  function pick(i) {
    picked = i;
    showDetail(panel, i < 0 ? null : about(i), () => pick(-1));
    view.list.draw();
  }

  function about(i) {
    const facts = files.of[files.facts[i]];
    const lines = [el("p", "path", name(files.path[i], "mono"))];
    if (!facts) return lines;
    lines.push(fact("class", classes.filter((c) => facts.classes & c.bit).map((c) => c.word).join(", ")));
    lines.push(fact("done", countsText(facts.ops)));
    if (facts.errors.length) lines.push(fact("errors", ...errorsOf(facts.errors)));
    if (facts.verdicts.length) lines.push(fact("verdicts", el("span", facts.denied ? "bad" : "", countsText(facts.verdicts)), facts.rule ? " by " : "", facts.rule ? name(facts.rule, "mono") : ""));
    lines.push(fact("name", how[facts.how] ?? facts.how));
    if (files.asked[i]) lines.push(fact("asked as", ...files.asked[i].map((s) => name(s, "mono asked"))));
    const who = members(data.whos[files.who[i]] ?? []);
    lines.push(fact("by", ...(who.length ? people(who.map((x) => [x])) : ["no process that is known"])));
    return lines;
  }

  let before = "";
  function draw() {
    sumUp();
    // What is open is the reader's, until he looks for something else.
    const now = JSON.stringify([filter.terms, filter.classes, filter.failed, filter.denied, filter.process, filter.descendants]);
    if (now !== before) openSome(filter.terms.length || filter.classes || filter.failed || filter.denied ? 300 : 40);
    before = now;
    let n = 0;
    for (let i = 0; i < files.name.length; i = files.end[i]) n += shown.files[i];
    panel.querySelector(".tally").textContent = n === files.count ? number(n) : `${number(n)} of ${number(files.count)}`;
    view.draw();
    if (picked >= 0) pick(shown.match[picked] ? picked : -1);
  }

  panel.querySelector(".tools").addEventListener("click", (e) => {
    const what = e.target.dataset.do;
    if (what === "open") for (let i = 0; i < files.name.length; i++) if (files.end[i] > i + 1) shown.open.add(i);
    if (what === "shut") shown.open.clear();
    if (what) view.draw();
  });

  /** reveal opens the way to a row and goes there. */
  function reveal(i) {
    for (let up = files.parent[i]; up >= 0; up = files.parent[up]) shown.open.add(up);
    if (files.end[i] > i + 1) shown.open.add(i);
    view.draw();
    const place = view.seen.findIndex((row) => row.id === i);
    panel.scrollIntoView({ block: "nearest" });
    view.list.box.focus({ preventScroll: true });
    view.list.box.scrollTop = Math.max(0, place * rowHeight - 44);
    view.list.go(place);
  }
  return { draw, reveal, list: view.list };
})();

function revealFile(i) {
  fileTree.reveal(i);
}
