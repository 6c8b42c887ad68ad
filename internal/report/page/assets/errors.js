// Failures by errno: which calls had them, and which files, programs and addresses.

const errorTree = (() => {
  const panel = byId("errors");
  const open = new Set();
  let groups = [];

  /** collect gathers what is to be seen, by errno. */
  function collect() {
    const by = new Map();
    const add = (kind, text, errors, act) => {
      const lower = text.toLowerCase();
      for (const [what, n] of errors) {
        if (!has(`${lower} ${what.toLowerCase()}`)) continue;
        if (!by.has(what)) by.set(what, { what, calls: 0, objects: 0, rows: [] });
        const group = by.get(what);
        if (kind === "call") group.calls += n;
        else group.objects += n;
        group.rows.push({ kind, text, n, act });
      }
    };
    // Which process a failed call was of is not known.
    if (filter.process < 0 && filter.classes === 0) {
      for (const x of data.syscalls) if (x.errors.length && seen.call(x)) add("call", x.name + (x.abi ? ` (${x.abi})` : ""), x.errors, () => callTable.pick(x));
    }
    if (files) for (let i = 0; i < files.name.length; i++) if (shown.match[i] && files.of[files.facts[i]].failed) add("file", files.path[i], files.of[files.facts[i]].errors, () => revealFile(i));
    for (const x of data.programs) if (x.errors.length && seen.program(x)) add("program", x.path, x.errors, () => programTable.pick(x));
    for (const x of data.sockets ?? []) if (x.errors.length && seen.socket(x)) add("socket", `${x.op} ${x.address || x.kind}`, x.errors, () => socketTable.pick(x));
    const kinds = ["call", "program", "socket", "file"];
    groups = [...by.values()].map((g) => ({ ...g, n: g.calls || g.objects })).sort((a, b) => b.n - a.n);
    for (const g of groups) g.rows.sort((a, b) => kinds.indexOf(a.kind) - kinds.indexOf(b.kind) || b.n - a.n);
  }

  const header = el("div", "row header", el("div", "cell label", "error"), el("div", "cell num", "times"));
  header.setAttribute("role", "row");
  for (const cell of header.children) cell.setAttribute("role", "columnheader");

  const view = new Tree(panel.querySelector(".list"), {
    header,
    nothing: () => (!data.head.results ? "The end of calls was not watched (--errors)." : filtered() ? "Nothing matches." : "Nothing failed."),
    label: (row) => row.group?.what ?? row.x.text,
    toggle: (ids, on) => ids.forEach((id) => (on ? open.add(id) : open.delete(id))),
    rows: () => groups.flatMap((g) => [
      { id: g.what, depth: 0, open: open.has(g.what), group: g },
      ...(open.has(g.what) ? g.rows.map((x, i) => ({ id: `${g.what} ${i}`, depth: 1, open: undefined, x, most: g.rows[0].n })) : []),
    ]),
    act: (row, i) => (row.group ? view.key("Toggle", i) : row.x.act()),
    key: (e) => {
      if (e.key !== "*") return false;
      view.siblings(view.list.active);
      return true;
    },
    render: (row, sign) => {
      if (row.group) {
        const g = row.group;
        return el("div", "isfolder", el("div", "cell label", sign, el("b", "errno", g.what), el("span", "dim words", data.errnos[g.what] ?? "")),
          el("div", "cell num", ...measure(g.n, groups[0].n, "failed")));
      }
      const e = el("div", "", el("div", "cell label", sign, el("span", "kind", row.x.kind), name(row.x.text, "mono")), el("div", "cell num", el("span", "figure", number(row.x.n))));
      e.title = row.x.text;
      return e;
    },
  });

  return {
    list: view.list,
    draw: () => {
      collect();
      const n = groups.reduce((sum, g) => sum + g.n, 0);
      panel.querySelector(".tally").textContent = n ? number(n) : "";
      view.draw();
    },
  };
})();
