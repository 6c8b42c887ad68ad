package page

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/trace"
)

const (
	tally  = `document.querySelector("#%s .tally").textContent`
	active = `document.activeElement.querySelector(".row.active")`
)

// TestPageOfABuild looks at a real trace, with the keyboard alone.
func TestPageOfABuild(t *testing.T) {
	d := readBuild(t)
	b := open(t, d)
	b.want("title", `document.title`, "make -j2 – Turnstile")
	b.want("processes", fmt.Sprintf(tally, "timeline"), len(d.Processes))
	b.want("files", fmt.Sprintf(tally, "files"), len(d.Files))
	b.want("calls", fmt.Sprintf(tally, "syscalls"), len(d.Syscalls))
	b.want("sockets", fmt.Sprintf(tally, "sockets"), len(d.Sockets))
	b.want("the first process", `document.querySelector("#timeline .rows .row").textContent.startsWith("make")`, true)

	// The filter: a search for a call leaves that call and no file.
	b.press("/")
	b.want("focus after /", `document.activeElement.id`, "search")
	b.keys("mmap")
	b.want("words", `document.getElementById("search").value`, "mmap")
	b.want("calls with mmap", `document.querySelector("#syscalls .rows .name").textContent`, "mmap")
	b.want("files with mmap", `document.querySelector("#files .nothing").hidden`, false)
	b.keys(kb.Escape)
	b.want("files after Escape", fmt.Sprintf(tally, "files"), len(d.Files))
	b.want("words after Escape", `document.getElementById("search").value`, "")

	// The tree: down to a closed directory, into it, and out again.
	b.keys(kb.Enter)
	b.want("focus after Enter", `document.activeElement.closest("section").id`, "files")
	b.run(`document.querySelector('#files [data-do="shut"]').click()`)
	b.keys(kb.Home)
	for range 100 {
		if read[bool](b, active+`.getAttribute("aria-expanded") === "false"`) {
			break
		}
		b.keys(kb.ArrowDown)
	}
	b.keys(kb.ArrowRight)
	b.want("opened by →", active+`.getAttribute("aria-expanded")`, "true")
	b.keys(kb.ArrowRight)
	b.want("level after → again", active+`.getAttribute("aria-level")`, 2)
	b.want("the active row is told", `document.activeElement.getAttribute("aria-activedescendant") === `+active+`.id`, true)
	b.keys(kb.ArrowLeft, kb.ArrowLeft)
	b.want("shut by ←", active+`.getAttribute("aria-expanded")`, "false")
	b.want("level after ←", active+`.getAttribute("aria-level")`, 1)

	// A process filters everything, and what it did is exact.
	b.do(chromedp.Focus(`#timeline .list`))
	b.keys(kb.Home, kb.ArrowDown, kb.Enter)
	chosen := read[string](b, `document.querySelector("#timeline .picked .name").textContent`)
	pid := read[string](b, `document.querySelector("#timeline .picked .pid").textContent`)
	var id, kinds, touched int
	for _, p := range d.Processes {
		if p.Comm == chosen && fmt.Sprint(p.PID) == pid {
			id = p.ID
		}
	}
	for _, c := range d.Syscalls {
		if c.ByProcess[id] > 0 {
			kinds++
		}
	}
	for _, f := range d.Files {
		if slices.Contains(f.Processes, id) {
			touched++
		}
	}
	b.want("calls of "+chosen, fmt.Sprintf(tally, "syscalls"), fmt.Sprintf("%d of %d", kinds, len(d.Syscalls)))
	b.want("files of "+chosen, fmt.Sprintf(tally, "files"), fmt.Sprintf("%d of %d", touched, len(d.Files)))
	b.keys(kb.Escape)

	// A class: what was deleted.
	deleted := 0
	for _, f := range d.Files {
		if f.Classes&event.Delete != 0 {
			deleted++
		}
	}
	b.do(chromedp.Focus(`.chip.c-delete`))
	b.keys(" ")
	b.want("pressed", `document.activeElement.getAttribute("aria-pressed")`, "true")
	b.want("deleted files", fmt.Sprintf(tally, "files"), fmt.Sprintf("%d of %d", deleted, len(d.Files)))
	b.keys(kb.Escape)

	// Sorting: by name, down and up.
	names := `[...document.querySelectorAll("#syscalls .rows .name")].map((e) => e.textContent)`
	sorted := func(sign string) string {
		return `(() => { const n = ` + names + `; return n.length > 5 && n.every((x, i) => i === 0 || n[i-1] ` + sign + ` x); })()`
	}
	b.want("sorted by number at first", sorted("<="), false)
	b.do(chromedp.Focus(`#syscalls .header button`))
	b.keys(kb.Enter)
	b.want("sorted by name", sorted("<="), true)
	b.keys(kb.Enter)
	b.want("sorted down", sorted(">="), true)
	b.want("told", `document.querySelector("#syscalls .header [role=columnheader]").getAttribute("aria-sort")`, "descending")

	// Every control can have the focus, and it can be seen.
	b.want("controls without a name", `[...document.querySelectorAll("button, input")].filter((e) => !(e.textContent.trim() || e.getAttribute("aria-label"))).length`, 0)
	b.want("controls out of the order", `[...document.querySelectorAll("button, input, .list")].filter((e) => e.tabIndex < 0).length`, 0)

	ground := `getComputedStyle(document.body).backgroundColor`
	b.prefer("light")
	light := read[string](b, ground)
	b.prefer("dark")
	dark := read[string](b, ground)
	if light == dark {
		t.Errorf("light and dark are both %s", light)
	}
	b.do(chromedp.Focus(`#theme`))
	b.keys(kb.Enter)
	b.want("light by the button", ground, light)
	b.keys(kb.Enter)
	b.prefer("light")
	b.want("dark by the button", ground, dark)

	// On paper all rows are there.
	b.run(`dispatchEvent(new Event("beforeprint"))`)
	b.want("calls on paper", `document.querySelectorAll("#syscalls .rows .row").length`, len(d.Syscalls))
	b.quiet()
}

// TestPageOfManyFiles looks at 50,000 files, and at names that want to be code.
func TestPageOfManyFiles(t *testing.T) {
	d := everywhere(hostile)
	for i := range 50_000 {
		d.Files = append(d.Files, &trace.File{
			Path: fmt.Sprintf("/home/u/modules/package-%d/dist/file%d.js", i/40, i), How: event.HowFD,
			Classes: event.Read, Ops: trace.Counts{{Name: "open", N: uint64(i%7) + 1}}, Processes: []int{7},
		})
	}
	b := open(t, d)
	all := len(d.Files)
	b.want("files", fmt.Sprintf(tally, "files")+`.replaceAll(",", "")`, all)
	if n := read[int](b, `document.querySelectorAll("#files .row").length`); n > 100 {
		t.Errorf("%d rows of the tree exist; only those in sight should", n)
	}
	b.run(`document.querySelector('#files [data-do="open"]').click()`)
	b.do(chromedp.Focus(`#files .list`))
	b.keys(kb.End)
	b.want("the last row", active+`.querySelector(".name").textContent.startsWith("file") || `+active+`.getAttribute("aria-level") === "1"`, true)
	if n := read[int](b, `document.querySelectorAll("#files .row").length`); n > 100 {
		t.Errorf("%d rows of the open tree exist; only those in sight should", n)
	}
	b.press("/")
	b.keys("file49999.js")
	b.want("found", fmt.Sprintf(tally, "files")+`.replaceAll(",", "")`, fmt.Sprintf("1 of %d", all))
	b.want("the way to it is open", `[...document.querySelectorAll("#files .rows .name")].at(-1).textContent`, "file49999.js")
	b.keys(kb.Escape)

	// All that is hostile is drawn once: the whole of every list, and each detail.
	b.run(`document.getElementById("search").value = "evil"; document.getElementById("search").dispatchEvent(new Event("input"))`)
	b.settle()
	b.run(`dispatchEvent(new Event("beforeprint"))`)
	b.want("hostile files are there", `[...document.querySelectorAll("#files .name")].some((e) => e.textContent.includes("window.owned = 1"))`, true)
	b.run(`for (const row of document.querySelectorAll("#files .rows .row")) row.click()`)
	b.keys(kb.Escape)
	b.run(`dispatchEvent(new Event("beforeprint"));
		for (const row of document.querySelectorAll("#programs .rows .row, #sockets .rows .row, #syscalls .rows .row, #errors .rows .row, #timeline .rows .row")) row.click()`)
	b.settle()
	b.want("code that ran", `typeof window.owned`, "undefined")
	b.want("elements out of names", `document.querySelectorAll("img, a:not(.skip), iframe").length`, 0)
	b.want("scripts", `document.scripts.length`, 2)
	b.want("text that is not printable", `/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\u{e0041}]/u.test(document.body.innerText.replaceAll(/[\n\t]/g, ""))`, false)
	b.quiet()
}

// TestPageReachesNothing shows that the browser holds the page to its policy, and that
// what the other tests listen to tells of it.
func TestPageReachesNothing(t *testing.T) {
	var reached atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		reached.Add(1)
		w.Header().Set("Access-Control-Allow-Origin", "*")
	}))
	defer server.Close()
	b := open(t, sample())
	b.want("fetch", `fetch("`+server.URL+`").then(() => "reached", () => "refused")`, "refused")
	b.run(`document.body.insertAdjacentHTML("beforeend", '<img src="` + server.URL + `" onerror="window.owned = 1"><b style="color: red">x</b>');
		document.body.append(Object.assign(document.createElement("script"), { textContent: "window.owned = 1" }))`)
	b.settle()
	b.want("code that ran", `typeof window.owned`, "undefined")
	b.mu.Lock()
	said := strings.Join(b.said, "\n")
	b.mu.Unlock()
	for _, directive := range []string{"connect-src", "script-src", "style-src", "img-src"} {
		if !strings.Contains(said, directive) && !strings.Contains(said, "default-src") {
			t.Errorf("nothing was said of %s: %q", directive, said)
		}
	}
	if n := reached.Load(); n != 0 {
		t.Errorf("the server was reached %d times", n)
	}
	// The control: a page without the policy reaches it.
	b.do(chromedp.Navigate(server.URL))
	b.want("fetch without the policy", `fetch("`+server.URL+`").then(() => "reached", () => "refused")`, "reached")
}
