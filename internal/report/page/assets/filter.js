// What of the trace is to be seen. There is one filter for the whole page; whoever
// changes it calls changed, and every part draws itself anew.

const filter = { terms: [], classes: 0, failed: false, denied: false, process: -1, descendants: false };

const parts = [];
/** part registers a function that draws a part of the page by the filter. */
const part = (draw) => parts.push(draw);

let chosenProcesses = null; // Uint8Array by process, null for all
let chosenWhos = null; // the same for sets of processes

function changed() {
  chosenProcesses = null;
  chosenWhos = null;
  if (filter.process >= 0) {
    chosenProcesses = new Uint8Array(processes.count);
    const left = [filter.process];
    while (left.length) {
      const i = left.pop();
      chosenProcesses[i] = 1;
      if (filter.descendants) left.push(...processes.children[i]);
    }
    chosenWhos = data.whos.map((who) => members(who).some((i) => chosenProcesses[i]));
  }
  for (const draw of parts) draw();
}

/** search sets the words to look for, as typed. */
function search(typed) {
  filter.terms = [...typed.toLowerCase().matchAll(/"([^"]+)"|[^\s"]+/g)].map((m) => m[1] ?? m[0]);
}

function choose(process) {
  filter.process = process;
  changed();
}

function clear() {
  Object.assign(filter, { terms: [], classes: 0, failed: false, denied: false, process: -1, descendants: false });
  document.getElementById("search").value = "";
  changed();
}

const filtered = () => filter.terms.length > 0 || filter.classes !== 0 || filter.failed || filter.denied || filter.process >= 0;
const has = (text) => filter.terms.every((term) => text.includes(term));
const ofClass = (bits) => filter.classes === 0 || (filter.classes & bits) !== 0;

/** countBy is how often the chosen processes made a call. */
function countBy(call) {
  if (!chosenProcesses) return call.count;
  let n = 0;
  for (let i = 0; i < call.by.length; i += 2) if (chosenProcesses[call.by[i]]) n += call.by[i + 1];
  return n;
}

const seen = {
  // Calls have no class: those of policies are about files, programs and sockets.
  call: (x) => has(x.text) && (!filter.failed || x.errors.length > 0) && !filter.denied && countBy(x) > 0,
  program: (x) => has(x.text) && (!filter.failed || x.errors.length > 0) && !filter.denied && ofClass(bitOf.exec) &&
    (!chosenProcesses || (x.process >= 0 && chosenProcesses[x.process] === 1)),
  socket: (x) => has(x.text) && (!filter.failed || x.errors.length > 0) && !filter.denied && ofClass(classOfOp(x.op)) &&
    (!chosenWhos || chosenWhos[x.who]),
  file: (i) => {
    const facts = files.of[files.facts[i]];
    return facts !== undefined && ofClass(facts.classes) && (!filter.failed || facts.failed > 0) && (!filter.denied || facts.denied > 0) &&
      (!chosenWhos || chosenWhos[files.who[i]]) &&
      filter.terms.every((term) => files.text(i).includes(term) || facts.text.includes(term));
  },
};

/** classOfOp is the class that a policy has for an operation of a socket. */
const classOfOp = (op) => (op === "connect" || op === "send" ? bitOf.connect : bitOf.bind);
