// System calls, programs and sockets.

const nothingOf = (all, none) => () => (all && all.length ? "Nothing matches." : none);

/** tallied shows how many of all rows are to be seen. */
function tallied(table, all) {
  return () => {
    table.draw();
    const n = table.seen.length;
    table.tally.textContent = n === all.length ? number(n) : `${number(n)} of ${number(all.length)}`;
  };
}

const errorCell = (x) => {
  const n = total(x.errors);
  if (!n) return "";
  const more = x.errors.length > 1 ? ` +${x.errors.length - 1}` : "";
  return [el("span", "dim errno", `${x.errors[0][0]}${more}`), note("error", number(n), x.errors.map(([what, k]) => `${what} ${k}: ${data.errnos[what] ?? ""}`).join("\n"))];
};

const callTable = new Table(byId("syscalls"), {
  sort: { by: "count", down: true },
  label: (x) => x.name,
  nothing: nothingOf(data.syscalls, data.head.gated ? "Calls were not counted." : "No call was made."),
  rows: () => {
    const rows = data.syscalls.filter(seen.call);
    for (const x of rows) x.now = countBy(x);
    callTable.largest = rows.reduce((top, x) => Math.max(top, x.now), 0);
    return rows;
  },
  columns: [
    { id: "name", label: "call", className: "label", value: (x) => x.name, cell: (x) => [name(x.name, "mono"), x.abi ? note("tag", x.abi, "Not the ABI of the machine") : ""] },
    { id: "count", label: "calls", className: "num", number: true, value: (x) => x.now, cell: (x) => measure(x.now, callTable.largest) },
    { id: "errors", label: "errors", className: "num errs", number: true, value: (x) => total(x.errors), cell: errorCell },
  ],
  detail: (x) => {
    const by = [];
    for (let i = 0; i < x.by.length; i += 2) by.push([x.by[i], x.by[i + 1]]);
    by.sort((a, b) => b[1] - a[1]);
    const lines = [el("p", "path", name(x.name, "mono"), el("span", "dim", ` ${plural(x.count, "call", "calls")} by ${plural(by.length, "process", "processes")}`))];
    if (x.errors.length) lines.push(fact("errors", ...errorsOf(x.errors), filter.process >= 0 ? el("span", "dim", " of all processes") : ""));
    for (const a of x.args ?? []) lines.push(fact(`argument ${a.index}`, el("span", "mono", a.values.join("  ")), a.more ? " and others" : ""));
    lines.push(fact("by", ...(by.length ? people(by) : ["no process that is known"])));
    return lines;
  },
});

const programTable = new Table(byId("programs"), {
  sort: { by: "order", down: false },
  label: (x) => x.path.split("/").pop(),
  nothing: nothingOf(data.programs, data.head.gated ? "Programs were not watched." : "No program was started."),
  rows: () => data.programs.filter(seen.program),
  columns: [
    { id: "order", label: "#", className: "num index", number: false, value: (x) => x.place, cell: (x) => el("span", "dim", number(x.place)) },
    { id: "path", label: "program", className: "label", value: (x) => x.path, cell: (x) => [name(x.path, total(x.errors) >= x.count ? "mono missed" : "mono"), x.count > 1 ? note("pid", `×${number(x.count)}`) : ""] },
    { id: "command", label: "arguments", className: "label", value: (x) => x.command, cell: (x) => name(x.command.replace(/^\S+ ?/, ""), "mono dim") },
    { id: "errors", label: "errors", className: "num errs", number: true, value: (x) => total(x.errors), cell: errorCell },
  ],
  detail: (x) => {
    const lines = [el("p", "path", name(x.path, "mono"))];
    if (x.interpreter) lines.push(fact("interpreter", name(x.interpreter, "mono")));
    if (x.command) lines.push(fact("command", name(x.command, "mono")));
    if (x.errors.length) lines.push(fact("errors", ...errorsOf(x.errors)));
    if (x.process >= 0) lines.push(fact("in", ...people([[x.process]])));
    return lines;
  },
});
data.programs.forEach((x, i) => (x.place = i + 1));

const socketTable = data.sockets && new Table(byId("sockets"), {
  sort: { by: "op", down: false },
  label: (x) => x.op,
  nothing: nothingOf(data.sockets, "No address was used."),
  rows: () => {
    const rows = data.sockets.filter(seen.socket);
    socketTable.largest = rows.reduce((top, x) => Math.max(top, x.count), 0);
    return rows;
  },
  columns: [
    { id: "op", label: "what", value: (x) => x.op, cell: (x) => el("span", classOfOp(x.op) === bitOf.connect ? "op c-connect" : "op c-bind", x.op) },
    { id: "kind", label: "kind", value: (x) => x.kind, cell: (x) => x.kind },
    { id: "address", label: "address", className: "label", value: (x) => x.address, cell: (x) => (x.address ? name(x.address, "mono") : el("span", "dim", "no address")) },
    { id: "count", label: "times", className: "num", number: true, value: (x) => x.count, cell: (x) => measure(x.count, socketTable.largest) },
    { id: "errors", label: "errors", className: "num errs", number: true, value: (x) => total(x.errors), cell: errorCell },
  ],
  detail: (x) => [
    el("p", "path", name(`${x.op} ${x.kind} ${x.address}`, "mono")),
    ...(x.errors.length ? [fact("errors", ...errorsOf(x.errors))] : []),
    fact("by", ...people(members(data.whos[x.who]).map((i) => [i]))),
  ],
});
