// The head of the page: what was run, how it went, how far the trace can be trusted;
// the chips of the filter; light and dark.

const byId = (id) => document.getElementById(id);

function drawHead() {
  const h = data.head;
  byId("command").append(name(h.command));
  const failures = data.syscalls.reduce((sum, x) => sum + total(x.errors), 0);
  const started = new Date(h.started);
  const ended = el("span", h.outcome === "exited with 0" ? "good" : /^(exited|killed)/.test(h.outcome) ? "bad" : "", h.outcome);
  const words = [
    ended,
    el("span", "", "took ", el("b", "", duration(h.duration))),
    started.getTime() > 0 && note("", started.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" }), h.started),
    h.dir && el("span", "", "in ", name(h.dir, "mono")),
    el("span", "", `as uid ${h.uid}`),
    el("span", "", ["on", h.kernel && `Linux ${h.kernel},`, h.arch].filter(Boolean).join(" ")),
    !h.gated && el("span", "", plural(data.syscalls.reduce((sum, x) => sum + x.count, 0), "call", "calls")),
    !h.gated && h.results && el("span", "", plural(failures, "failure", "failures")),
  ].filter(Boolean);
  byId("run").append(...words);

  const state = byId("state");
  if (h.incomplete.length === 0 && h.missing.length === 0) {
    state.append(el("p", "whole", el("b", "", "Nothing was lost."), " Everything that was watched is here."));
  } else {
    const list = el("ul", "", ...h.missing.map((text) => el("li", "", text)));
    const lead = h.incomplete.length
      ? `This trace may lack facts about ${h.incomplete.join(", ")}.`
      : "What to know about this trace:";
    state.append(el("div", h.incomplete.length ? "lost" : "told", el("b", "", lead), list));
  }
  const told = [...h.folded];
  if (!data.files) told.push("files were not watched (--files)");
  if (!data.sockets) told.push("sockets were not watched (--net)");
  if (told.length) state.append(el("p", "told", `${told.join("; ")}.`));
  byId("foot").append(`Made by ${h.maker}${h.tool === h.maker ? "" : `, of what ${h.tool} saw`}. This file holds the whole report and reaches for nothing. What is not printable is escaped as in Go, in quotes.`);
}

/** letters are the classes of a file as ls(1) would show them. */
function letters(bits) {
  const e = el("span", "letters");
  for (const c of classes) {
    const on = (bits & c.bit) !== 0;
    e.append(el("i", on ? `c-${c.word}` : "", on ? c.letter : "·"));
  }
  e.setAttribute("aria-label", classes.filter((c) => bits & c.bit).map((c) => c.word).join(", "));
  e.title = e.getAttribute("aria-label");
  return e;
}

function chip(className, letter, word, pressed, toggle) {
  const count = el("span", "n");
  const b = el("button", `chip ${className}`, el("b", "", letter), word, count);
  b.type = "button";
  b.addEventListener("click", () => {
    toggle();
    changed();
  });
  part(() => b.setAttribute("aria-pressed", String(pressed())));
  return { b, count };
}

function drawChips() {
  const box = byId("classes");
  for (const c of classes) {
    let n = 0;
    if (files) for (const f of files.facts) if (f >= 0 && files.of[f].classes & c.bit) n++;
    for (const x of data.sockets ?? []) if (classOfOp(x.op) === c.bit) n++;
    if (c.word === "exec" && !files) n = data.programs.length;
    if (n === 0) continue;
    const { b, count } = chip(`c-${c.word}`, c.letter, c.word, () => (filter.classes & c.bit) !== 0, () => (filter.classes ^= c.bit));
    count.textContent = number(n);
    b.title = `Only what was… ${c.word}; several together are either`;
    box.append(b);
  }
  if (data.head.results) {
    box.append(chip("c-failed", "!", "failed", () => filter.failed, () => (filter.failed = !filter.failed)).b);
  }
  if (files?.judged) {
    box.append(chip("c-denied", "⊘", "denied", () => filter.denied, () => (filter.denied = !filter.denied)).b);
  }
}

/** drawChosen tells of the process that the page is filtered to. */
function drawChosen() {
  const box = byId("chosen");
  const i = filter.process;
  box.hidden = i < 0;
  if (i < 0) {
    box.replaceChildren();
    return;
  }
  const p = processes;
  const button = (text, pressed, act) => {
    const b = el("button", "", text);
    b.type = "button";
    if (pressed !== null) b.setAttribute("aria-pressed", String(pressed));
    b.addEventListener("click", act);
    return b;
  };
  const parent = p.parentOf(i);
  const facts = [
    el("span", "", `uid ${p.uid[i]}`),
    el("span", "", p.ended[i] === null ? `began at ${duration(p.started[i])}` : `ran ${duration(p.ended[i] - p.started[i])} from ${duration(p.started[i])}`),
    el("span", p.failed(i) ? "bad" : "", p.outcome(i) || "end not seen"),
  ];
  box.replaceChildren(
    el("span", "lead", "Only ", el("b", "", name(p.title(i)))),
    name(p.command[i] || p.exe[i], "mono command"),
    ...facts,
    el("span", "buttons",
      parent >= 0 ? button(`Parent: ${p.title(parent)}`, null, () => choose(parent)) : "",
      p.children[i].length ? button("with its descendants", filter.descendants, () => {
        filter.descendants = !filter.descendants;
        changed();
      }) : "",
      button("All processes", null, () => choose(-1))),
  );
}

/** themes are in the order in which the button goes through them. */
const themes = [["", "as the system", "◐"], ["light", "light", "☀"], ["dark", "dark", "☾"]];
let theme = 0;

function setTheme(n) {
  theme = n % themes.length;
  const [scheme, word, sign] = themes[theme];
  document.documentElement.style.colorScheme = scheme;
  const b = byId("theme");
  b.textContent = sign;
  b.title = `Colours: ${word} (t)`;
  b.setAttribute("aria-label", `Colours: ${word}`);
  try {
    localStorage.setItem("turnstile-theme", scheme);
  } catch {
    // A page that may not keep anything starts as the system is.
  }
}

function startTheme() {
  let kept = "";
  try {
    kept = localStorage.getItem("turnstile-theme") ?? "";
  } catch {
    // As above.
  }
  setTheme(Math.max(0, themes.findIndex(([scheme]) => scheme === kept)));
  byId("theme").addEventListener("click", () => setTheme(theme + 1));
}
