// Processes as bars over time, a child below its parent.

const timeline = (() => {
  const p = processes;
  const panel = byId("timeline");
  const box = panel.querySelector(".list");
  let first = 0;
  let last = Math.max(1, data.head.duration);
  for (let i = 0; i < p.count; i++) last = Math.max(last, p.ended[i] ?? 0, p.started[i]);
  const wholeRun = last;
  let from = 0;
  let to = last;
  const shut = new Set();
  let match = new Uint8Array(p.count); // 1 by itself, 2 for the sake of a descendant

  const axis = el("div", "axis");
  axis.title = "Drag to zoom";
  const header = el("div", "row header", el("div", "cell label", "process"), axis, el("div", "cell num", "took"), el("div", "cell out", "ended"));
  header.setAttribute("role", "row");
  for (const cell of header.children) cell.setAttribute("role", "columnheader");

  const at = (t) => (100 * (t - from)) / (to - from);

  function bar(i) {
    const start = p.started[i];
    const open = p.ended[i] === null;
    const end = open ? wholeRun : p.ended[i];
    const b = el("div", "bars");
    if (end < from || start > to) return b;
    const left = Math.max(0, at(start));
    const right = Math.min(100, at(end));
    const fill = el("i", `bar${p.failed(i) ? " failed" : ""}${open ? " open" : ""}`);
    fill.style.left = `${left}%`;
    fill.style.width = `${Math.max(0.15, right - left)}%`;
    const label = name(p.command[i] || p.exe[i], "bar-text");
    if (left <= 60) {
      label.style.left = `${left}%`;
    } else {
      label.style.right = `${100 - left}%`;
      label.classList.add("before");
    }
    b.append(fill, label);
    return b;
  }

  const tree = new Tree(box, {
    header,
    nothing: () => (p.count ? "No process matches." : "No process was seen."),
    label: (row) => p.label(row.id),
    toggle: (ids, open) => ids.forEach((i) => (open ? shut.delete(i) : shut.add(i))),
    act: (row) => choose(filter.process === row.id ? -1 : row.id),
    rows: () => {
      const rows = [];
      for (let k = 0; k < p.order.length; k++) {
        const i = p.order[k];
        if (!match[i]) continue;
        const folder = p.children[i].some((child) => match[child]);
        rows.push({ id: i, depth: p.depth[k], open: folder ? !shut.has(i) : undefined });
        if (shut.has(i)) k = p.end[k] - 1;
      }
      return rows;
    },
    render: (row, sign) => {
      const i = row.id;
      const e = el("div", `${filter.process === i ? "picked" : ""}${chosenProcesses && !chosenProcesses[i] ? " away" : ""}${match[i] === 2 ? " way" : ""}`,
        el("div", "cell label", sign, name(p.label(i)), el("span", "pid", p.folded[i] ? `×${number(p.folded[i])}` : String(p.pid[i]))),
        bar(i),
        el("div", "cell num", p.ended[i] === null ? "" : duration(p.ended[i] - p.started[i])),
        el("div", `cell out${p.failed(i) ? " bad" : ""}`, p.outcome(i) || "–"));
      e.setAttribute("aria-selected", String(filter.process === i));
      e.title = p.command[i] || p.exe[i];
      return e;
    },
    key: (e, row) => {
      const width = to - from;
      switch (e.key) {
        case "+": case "=": zoom(0.5, row && Math.max(from, Math.min(to, p.started[row.id]))); return true;
        case "-": zoom(2); return true;
        case "0": view(0, wholeRun); return true;
        case "*": if (row) tree.siblings(tree.list.active); return true;
        case "ArrowLeft": if (e.shiftKey) view(from - width / 4, to - width / 4); return e.shiftKey === true;
        case "ArrowRight": if (e.shiftKey) view(from + width / 4, to + width / 4); return e.shiftKey === true;
        default: return false;
      }
    },
  });

  /** view shows a span of time, kept within the run. */
  function view(a, b) {
    const width = Math.min(wholeRun, Math.max(1000, b - a));
    from = Math.max(0, Math.min(a, wholeRun - width));
    to = from + width;
    drawAxis();
    tree.list.draw();
  }

  function zoom(factor, around = (from + to) / 2) {
    const width = (to - from) * factor;
    const ratio = (around - from) / (to - from);
    view(around - width * ratio, around + width * (1 - ratio));
  }

  /** drawAxis draws the marks of the time, and how many processes lived at each moment. */
  function drawAxis() {
    const width = Math.max(200, axis.clientWidth);
    const rough = (to - from) / (width / 90);
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((x) => x * power).find((x) => x >= rough);
    const marks = [life()];
    const room = (46 * (to - from)) / width; // for the last word
    for (let t = Math.ceil(from / step) * step; t <= to - room; t += step) {
      const mark = el("span", "mark", duration(t).replace(/\.0+ /, " ").replace(/(\.\d*[1-9])0+ /, "$1 ").replace(/^0 ns$/, "0"));
      mark.style.left = `${at(t)}%`;
      marks.push(mark);
    }
    axis.replaceChildren(...marks);
  }

  function life() {
    const steps = 160;
    const counts = new Float64Array(steps + 1);
    for (let i = 0; i < p.count; i++) {
      const a = Math.floor((steps * (p.started[i] - from)) / (to - from));
      const b = Math.floor((steps * ((p.ended[i] ?? wholeRun) - from)) / (to - from));
      if (b < 0 || a >= steps) continue;
      counts[Math.max(0, a)] += p.folded[i] || 1;
      counts[Math.min(steps, b + 1)] -= p.folded[i] || 1;
    }
    let top = 1;
    let n = 0;
    for (let k = 0; k < steps; k++) {
      n += counts[k];
      counts[k] = n;
      top = Math.max(top, n);
    }
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", `0 0 ${steps} 1`);
    svg.setAttribute("preserveAspectRatio", "none");
    svg.setAttribute("aria-hidden", "true");
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    let d = "M0 1";
    for (let k = 0; k < steps; k++) d += `L${k} ${1 - counts[k] / top}L${k + 1} ${1 - counts[k] / top}`;
    path.setAttribute("d", `${d}L${steps} 1Z`);
    svg.append(path);
    return svg;
  }

  let grabbed = null;
  const timeAt = (e) => {
    const r = axis.getBoundingClientRect();
    return from + ((to - from) * Math.max(0, Math.min(r.width, e.clientX - r.left))) / r.width;
  };
  axis.addEventListener("pointerdown", (e) => {
    axis.setPointerCapture(e.pointerId);
    const band = el("i", "band");
    axis.append(band);
    grabbed = { t: timeAt(e), band };
  });
  axis.addEventListener("pointermove", (e) => {
    if (!grabbed) return;
    const t = timeAt(e);
    grabbed.band.style.left = `${at(Math.min(t, grabbed.t))}%`;
    grabbed.band.style.width = `${at(Math.max(t, grabbed.t)) - at(Math.min(t, grabbed.t))}%`;
  });
  axis.addEventListener("pointerup", (e) => {
    const { t } = grabbed ?? { t: timeAt(e) };
    grabbed = null;
    const other = timeAt(e);
    if (Math.abs(other - t) > (to - from) / 100) view(Math.min(t, other), Math.max(t, other));
    else drawAxis();
  });
  box.addEventListener("wheel", (e) => {
    if (!e.ctrlKey && !e.metaKey) return;
    e.preventDefault();
    zoom(e.deltaY > 0 ? 1.25 : 0.8, timeAt(e));
  }, { passive: false });
  panel.querySelector(".tools").addEventListener("click", (e) => {
    const what = e.target.dataset.do;
    if (what === "in") zoom(0.5);
    if (what === "out") zoom(2);
    if (what === "fit") view(0, wholeRun);
  });
  new ResizeObserver(drawAxis).observe(axis);

  /** involved are the processes that have a part in what is to be seen, null for all. */
  function involved() {
    if (!filter.terms.length && !filter.classes && !filter.denied) return null;
    const who = new Set();
    const all = new Uint8Array(p.count);
    if (files) for (let i = 0; i < files.name.length; i++) if (shown.match[i]) who.add(files.who[i]);
    for (const x of data.sockets ?? []) if (seen.socket(x)) who.add(x.who);
    for (const k of who) for (const i of members(data.whos[k])) all[i] = 1;
    for (const x of data.programs) if (x.process >= 0 && seen.program(x)) all[x.process] = 1;
    // Calls have no class.
    if (!filter.classes) for (const x of data.syscalls) if (seen.call(x)) for (let k = 0; k < x.by.length; k += 2) all[x.by[k]] = 1;
    if (filter.terms.length && !filter.classes && !filter.denied) for (let i = 0; i < p.count; i++) if (has(p.text[i])) all[i] = 1;
    return all;
  }

  function draw() {
    match = new Uint8Array(p.count);
    const taking = involved();
    let n = 0;
    for (let k = p.order.length - 1; k >= 0; k--) {
      const i = p.order[k];
      if ((!taking || taking[i]) && (!filter.failed || p.failed(i))) {
        match[i] = 1;
        n += p.folded[i] || 1;
      }
      if (match[i] && p.parentOf(i) >= 0) match[p.parentOf(i)] ||= 2;
    }
    panel.querySelector(".tally").textContent = n === p.total ? number(n) : `${number(n)} of ${number(p.total)}`;
    tree.draw();
  }
  drawAxis();
  return { draw, list: tree.list };
})();
