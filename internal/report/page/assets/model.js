// The trace, as Go's newModel left it, and what follows from it. Nothing here changes.

const data = JSON.parse(document.getElementById("data").textContent);
Object.setPrototypeOf(data.errnos, null); // a name of the trace is no property of all objects

/** el makes an element. Strings become text nodes: no data is ever read as HTML. */
function el(tag, className, ...children) {
  const e = document.createElement(tag);
  if (className) e.className = className;
  e.append(...children.filter((c) => c !== null && c !== undefined && c !== ""));
  return e;
}

/** name is an element for a string of the target, whose direction stays its own. */
function name(text, className = "") {
  const e = el("bdi", `name ${className}`, text);
  e.dir = "ltr";
  return e;
}

const whole = new Intl.NumberFormat("en");
const number = (n) => whole.format(n);
const plural = (n, one, many) => `${number(n)} ${n === 1 ? one : many}`;
const total = (counts) => counts.reduce((sum, [, n]) => sum + n, 0);
const countsText = (counts) => counts.map(([what, n]) => `${what} ${number(n)}`).join(", ");

/** duration writes nanoseconds with the digits that matter. */
function duration(ns) {
  const digits = (x) => (x >= 100 ? x.toFixed(0) : x >= 10 ? x.toFixed(1) : x.toFixed(2));
  const a = Math.abs(ns);
  if (a < 1e3) return `${ns.toFixed(0)} ns`;
  if (a < 1e6) return `${digits(ns / 1e3)} µs`;
  if (a < 1e9) return `${digits(ns / 1e6)} ms`;
  if (a < 60e9) return `${digits(ns / 1e9)} s`;
  const minutes = Math.floor(ns / 60e9);
  const seconds = Math.floor((ns % 60e9) / 1e9);
  return minutes < 60 ? `${minutes} min ${seconds} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

// The classes in the order in which a row shows them: what changes something first. A
// letter is part of its word, so that colour is never the only sign.
const classes = [
  ["read", "r"], ["write", "w"], ["create", "c"], ["delete", "d"], ["exec", "x"],
  ["attr", "a"], ["list", "l"], ["stat", "s"], ["connect", "n"], ["bind", "b"],
].map(([word, letter]) => ({ word, letter, bit: 1 << data.classes.indexOf(word) }));
const bitOf = Object.fromEntries(classes.map((c) => [c.word, c.bit]));
/** inVain says of what was done with a file that all of it failed: mostly it was not there. */
const inVain = (facts) => facts.failed >= facts.n && facts.n > 0;
const changing = bitOf.write | bitOf.create | bitOf.delete | bitOf.attr;

/** forest is a tree given as depths: the parent of each row, and where its subtree ends. */
function forest(depth) {
  const parent = new Int32Array(depth.length);
  const end = new Int32Array(depth.length);
  const way = [];
  for (let i = 0; i < depth.length; i++) {
    while (way.length > depth[i]) end[way.pop()] = i;
    parent[i] = way.length ? way[way.length - 1] : -1;
    way.push(i);
  }
  while (way.length) end[way.pop()] = depth.length;
  return { parent, end };
}

const processes = (() => {
  const p = data.processes;
  const count = p.pid.length;
  const children = Array.from({ length: count }, () => []);
  const roots = [];
  p.parent.forEach((parent, i) => (parent < 0 ? roots : children[parent]).push(i));
  const order = [];
  const depth = [];
  const left = roots.map((i) => [i, 0]).reverse();
  while (left.length) {
    const [i, d] = left.pop();
    order.push(i);
    depth.push(d);
    for (const child of children[i].toReversed()) left.push([child, d + 1]);
  }
  const command = new Array(count).fill("");
  for (const x of data.programs) if (x.process >= 0 && x.command && !x.errors.length) command[x.process] = x.command;
  const label = (i) => p.comm[i] || p.exe[i].split("/").pop() || "?";
  const title = (i) => (p.folded[i] ? `${label(i)} ×${number(p.folded[i])}` : `${label(i)} [${p.pid[i]}]`);
  const failed = (i) => p.signal[i] !== "" || (p.status[i] !== null && p.status[i] !== 0);
  const outcome = (i) => p.signal[i] || (p.status[i] === null ? "" : p.status[i] === 0 ? "ok" : `exit ${p.status[i]}`);
  const total = count + p.folded.reduce((sum, n) => sum + (n ? n - 1 : 0), 0);
  const text = Array.from({ length: count }, (_, i) => `${p.comm[i]} ${p.pid[i]} ${p.exe[i]} ${command[i]} ${outcome(i)}`.toLowerCase());
  return { ...p, count, total, children, order, depth, end: forest(depth).end, parentOf: (i) => p.parent[i], command, label, title, failed, outcome, text };
})();

const files = data.files && (() => {
  const f = data.files;
  const { parent, end } = forest(f.depth);
  const path = new Array(f.name.length);
  for (let i = 0; i < path.length; i++) path[i] = parent[i] < 0 ? f.name[i] : `${path[parent[i]]}/${f.name[i]}`;
  for (const x of f.of) {
    x.n = total(x.ops);
    x.failed = total(x.errors);
    x.denied = x.verdicts.reduce((sum, [what, n]) => sum + (what === "deny" || what === "kill" ? n : 0), 0);
    x.text = x.errors.map(([what]) => what.toLowerCase()).join(" ");
  }
  let texts;
  /** text is what the filter looks at. It is made at the first search: most are never searched. */
  const text = (i) => (texts ??= path.map((s) => s.toLowerCase()))[i];
  let count = 0;
  for (let i = 0; i < path.length; i++) if (f.facts[i] >= 0) count += f.within[i] ?? 1;
  return { ...f, parent, end, path, text, count, judged: f.of.some((x) => x.verdicts.length) };
})();

for (const x of data.syscalls) x.text = `${x.name} ${x.abi} ${x.errors.map(([what]) => what).join(" ")}`.toLowerCase();
for (const x of data.programs) x.text = `${x.path} ${x.interpreter ?? ""} ${x.command} ${x.errors.map(([what]) => what).join(" ")}`.toLowerCase();
for (const x of data.sockets ?? []) x.text = `${x.op} ${x.kind} ${x.address} ${x.errors.map(([what]) => what).join(" ")}`.toLowerCase();

/** members are the processes of a who. */
function members(who) {
  const all = [];
  for (let i = 0; i < who.length; i += 2) for (let k = 0; k < who[i + 1]; k++) all.push(who[i] + k);
  return all;
}
