// What does this program touch? Four short answers, by the filter.

const most = 7;

/**
 * places are a few directories that stand for many files. Those that hold most give
 * way to what is in them, or give up the largest part, as long as there is room.
 */
function places(counts) {
  const inside = (i) => {
    const kids = [];
    for (let k = i + 1; k < files.end[i]; k = files.end[k]) if (counts[k] > 0) kids.push(k);
    return kids;
  };
  const all = new Map(); // row: how many files it still stands for
  for (let i = 0; i < counts.length; i = files.end[i]) if (counts[i] > 0) all.set(i, counts[i]);
  const done = new Set();
  for (;;) {
    let best = -1;
    for (const [i, n] of all) if (!done.has(i) && (best < 0 || n > all.get(best))) best = i;
    if (best < 0) break;
    const kids = inside(best).filter((k) => !all.has(k));
    const sum = kids.reduce((n, k) => n + counts[k], 0);
    const largest = kids.reduce((a, k) => (a < 0 || counts[k] > counts[a] ? k : a), -1);
    if (kids.length && sum === all.get(best) && all.size - 1 + kids.length <= most) {
      all.delete(best);
      for (const k of kids) all.set(k, counts[k]);
    } else if (all.size < most && largest >= 0 && counts[largest] > 1 && counts[largest] * 4 >= all.get(best)) {
      all.set(best, all.get(best) - counts[largest]);
      all.set(largest, counts[largest]);
    } else {
      done.add(best);
    }
  }
  return [...all].sort((a, b) => b[1] - a[1]);
}

/** under counts the visible files below each row that one of the classes was done with. */
function under(bits) {
  const counts = new Float64Array(files.name.length);
  const union = new Uint16Array(files.name.length);
  let vain = 0;
  for (let i = counts.length - 1; i >= 0; i--) {
    const facts = files.of[files.facts[i]];
    if (shown.match[i] && facts.classes & bits) {
      if (inVain(facts)) {
        vain++;
      } else {
        counts[i] += files.within[i] ?? 1;
        union[i] |= facts.classes;
      }
    }
    const up = files.parent[i];
    if (up >= 0) {
      counts[up] += counts[i];
      union[up] |= union[i];
    }
  }
  return { counts, union, vain };
}

function card(title, tally, rows, nothing) {
  const list = el("ul", "", ...rows.slice(0, most).map((row) => el("li", "", row)));
  if (rows.length > most) list.append(el("li", "dim more", `and ${number(rows.length - most)} more`));
  return el("div", "card", el("h2", "", title, el("span", "tally", tally)), rows.length ? list : el("p", "dim", nothing));
}

function line(text, n, act, extra = "") {
  const cut = text.lastIndexOf("/", text.length - 3);
  const path = el("span", "ends", cut > 0 ? name(text.slice(0, cut)) : "", name(cut > 0 ? text.slice(cut) : text, "last"));
  const b = el("button", "line", path, extra, el("span", "n", n === null ? "" : number(n)));
  b.type = "button";
  b.title = text;
  b.addEventListener("click", act);
  return b;
}

/** look filters by a text as it is. */
function look(text) {
  const box = byId("search");
  box.value = /[\s]/.test(text) && !text.includes('"') ? `"${text}"` : text;
  search(box.value);
  changed();
}

function fileCard(title, bits, nothing, inside) {
  if (!files) return card(title, "", [], "Files were not watched.");
  const { counts, union, vain } = under(bits);
  let sum = 0;
  for (let i = 0; i < counts.length; i = files.end[i]) sum += counts[i];
  const rows = places(counts).map(([i, n]) => {
    const path = files.path[i] + (files.end[i] > i + 1 ? (n < counts[i] ? "/…" : "/") : "");
    return line(path, n, () => revealFile(i), inside ? letters(union[i] & bits) : "");
  });
  const tally = [sum ? plural(sum, "file", "files") : "", vain ? `${number(vain)} tried in vain` : ""].filter(Boolean).join(", ");
  return card(title, tally, rows, nothing);
}

function programCard() {
  const runs = new Map();
  for (const x of data.programs) {
    const n = x.count - total(x.errors);
    if (n > 0 && seen.program(x)) runs.set(x.path, (runs.get(x.path) ?? 0) + n);
  }
  const sorted = [...runs].sort((a, b) => b[1] - a[1]);
  const sum = sorted.reduce((all, [, n]) => all + n, 0);
  return card("Runs", sum ? plural(sorted.length, "program", "programs") : "", sorted.map(([path, n]) => line(path, n, () => look(path))), data.head.gated ? "Programs were not watched." : "No program.");
}

function socketCard() {
  if (!data.sockets) return card("Talks to", "", [], "Sockets were not watched.");
  const all = new Map();
  for (const x of data.sockets) {
    if (!seen.socket(x)) continue;
    const key = `${x.op} ${x.address || x.kind}`;
    all.set(key, { x, n: (all.get(key)?.n ?? 0) + x.count });
  }
  const rank = (x) => ["connect", "send", "bind", "listen", "accept"].indexOf(x.op);
  const sorted = [...all.values()].sort((a, b) => rank(a.x) - rank(b.x) || b.n - a.n);
  const rows = sorted.map(({ x, n }) => line(x.address || x.kind, n, () => look(x.address || x.kind), el("span", "op", x.op)));
  return card("Talks to", rows.length ? plural(rows.length, "address", "addresses") : "", rows, "Nobody.");
}

function drawGlance() {
  byId("glance").replaceChildren(
    fileCard("Changes", changing, "Nothing.", true),
    fileCard("Reads", bitOf.read, "Nothing.", false),
    programCard(),
    socketCard(),
  );
}
