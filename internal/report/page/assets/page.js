// Everything together: who draws, and the keys of the whole page.

// What is drawn first is what others read: the files before the glance and the errors.
part(drawChosen);
if (files) part(fileTree.draw);
part(drawGlance);
part(timeline.draw);
part(tallied(callTable, data.syscalls));
part(tallied(programTable, data.programs));
if (socketTable) part(tallied(socketTable, data.sockets));
part(errorTree.draw);
part(() => {
  document.body.classList.toggle("filtered", filtered());
  byId("status").textContent = filtered()
    ? `${document.querySelector("#files .tally").textContent || 0} files, ${document.querySelector("#syscalls .tally").textContent} calls`
    : "";
});

byId("files").hidden = !files;
byId("sockets").hidden = !data.sockets?.length;

let typing = 0;
byId("search").addEventListener("input", (e) => {
  cancelAnimationFrame(typing);
  typing = requestAnimationFrame(() => {
    search(e.target.value);
    changed();
  });
});

byId("help").addEventListener("click", () => byId("keys").showModal());

document.addEventListener("keydown", (e) => {
  if (e.ctrlKey || e.metaKey || e.altKey || byId("keys").open) return;
  const typingHere = e.target.matches("input");
  if (e.key === "Escape") {
    if (filtered() || typingHere) {
      e.preventDefault();
      if (!filtered()) e.target.blur();
      clear();
    }
  } else if (typingHere) {
    if (e.key === "ArrowDown" || e.key === "Enter") {
      e.preventDefault();
      (fileTree ?? timeline).list.box.focus();
    }
  } else if (e.key === "/") {
    e.preventDefault();
    byId("search").focus();
    byId("search").select();
  } else if (e.key === "?") {
    byId("keys").showModal();
  } else if (e.key === "t" && !e.defaultPrevented) {
    setTheme(theme + 1);
  }
});

// On paper a list cannot scroll: it has all its rows, up to a limit that it tells.
const lists = [timeline, fileTree, callTable, programTable, socketTable, errorTree].filter(Boolean).map((x) => x.list);
addEventListener("beforeprint", () => {
  document.body.classList.add("printing");
  lists.forEach((list) => list.draw(true));
});
addEventListener("afterprint", () => {
  document.body.classList.remove("printing");
  lists.forEach((list) => list.draw());
});

startTheme();
drawHead();
drawChips();
changed();
document.documentElement.dataset.ready = "true";
