package syscalls

import (
	"testing"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/event"
)

func TestClassify(t *testing.T) {
	const (
		dir  = unix.S_IFDIR
		file = unix.S_IFREG
	)
	for _, tt := range []struct {
		name    string
		op      event.Op
		flags   uint64
		targets []event.Target
		want    []event.Class
	}{
		{"read", event.OpOpen, unix.O_RDONLY, []event.Target{{Mode: file}}, []event.Class{event.Read}},
		{"write", event.OpOpen, unix.O_WRONLY, []event.Target{{Mode: file}}, []event.Class{event.Write}},
		{"both", event.OpOpen, unix.O_RDWR, []event.Target{{Mode: file}}, []event.Class{event.Read | event.Write}},
		{"a directory is listed", event.OpOpen, unix.O_RDONLY, []event.Target{{Mode: dir}}, []event.Class{event.List}},
		{"so is what was to be one", event.OpOpen, unix.O_DIRECTORY, []event.Target{{}}, []event.Class{event.List}},
		{"truncating is writing", event.OpOpen, unix.O_TRUNC, []event.Target{{Mode: file}}, []event.Class{event.Read | event.Write}},
		{"a new file", event.OpOpen, unix.O_CREAT | unix.O_WRONLY, []event.Target{{Mode: file, Created: true}}, []event.Class{event.Write | event.Create}},
		{"O_CREAT on an old file", event.OpOpen, unix.O_CREAT | unix.O_WRONLY, []event.Target{{Mode: file}}, []event.Class{event.Write}},
		{"O_PATH", event.OpOpen, unix.O_PATH | unix.O_RDWR, []event.Target{{Mode: file}}, []event.Class{event.Stat}},
		{"O_TMPFILE", event.OpOpen, unix.O_TMPFILE | unix.O_RDWR, []event.Target{{Mode: file}}, []event.Class{event.Create}},
		{"link reads the old name", event.OpLink, 0, []event.Target{{}, {}}, []event.Class{event.Read, event.Create}},
		{"rename may replace", event.OpRename, 0, []event.Target{{}, {}}, []event.Class{event.Delete, event.Create | event.Delete}},
		{"rename may not replace", event.OpRename, unix.RENAME_NOREPLACE, []event.Target{{}, {}}, []event.Class{event.Delete, event.Create}},
		{"exchange", event.OpRename, unix.RENAME_EXCHANGE, []event.Target{{}, {}}, []event.Class{event.Delete | event.Create, event.Delete | event.Create}},
		{"mkdir", event.OpMkdir, 0, []event.Target{{}}, []event.Class{event.Create}},
		{"rmdir", event.OpRmdir, 0, []event.Target{{}}, []event.Class{event.Delete}},
		{"truncate", event.OpTruncate, 0, []event.Target{{}}, []event.Class{event.Write}},
		{"chdir", event.OpChdir, 0, []event.Target{{}}, []event.Class{event.Stat}},
		{"watch", event.OpWatch, 0, []event.Target{{}}, []event.Class{event.List}},
		{"chmod", event.OpChmod, 0, []event.Target{{}}, []event.Class{event.Attr}},
		{"ioctl that sets flags", event.OpSetflags, 0, []event.Target{{}}, []event.Class{event.Attr}},
		{"exec", event.OpExec, 0, []event.Target{{}}, []event.Class{event.Exec}},
		{"send to a path", event.OpSend, 0, []event.Target{{}}, []event.Class{event.Connect}},
		{"bind of a path", event.OpBind, 0, []event.Target{{}}, []event.Class{event.Bind | event.Create}},
		{"mount has no class", event.OpMount, 0, []event.Target{{}}, []event.Class{0}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := event.Access{Op: tt.op, Flags: tt.flags, Targets: tt.targets}
			Classify(&a)
			for i, want := range tt.want {
				if got := a.Targets[i].Class; got != want {
					t.Errorf("target %d: %v, want %v", i, got, want)
				}
			}
		})
	}
}
