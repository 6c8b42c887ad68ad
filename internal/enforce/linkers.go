package enforce

import (
	"sync"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/enforce/resolve"
)

// linkers are the dynamic linkers (ld.so(8)) that are known: those at their usual places,
// and those of the programs that were executed. Executed by its name, one maps and runs
// whatever file it is told, and no rule about that file is asked.
type linkers struct {
	mu    sync.Mutex
	files map[fileID]struct{}
}

// fileID tells files apart, whatever their names.
type fileID struct{ dev, ino uint64 }

func idOf(stat *unix.Stat_t) fileID { return fileID{stat.Dev, stat.Ino} }

// usualLinkers are the places that the ABIs of C libraries name.
var usualLinkers = []string{
	"/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux.so.2", "/libx32/ld-linux-x32.so.2",
	"/lib/ld-linux-aarch64.so.1", "/lib/ld-linux-armhf.so.3",
	"/lib/ld-musl-x86_64.so.1", "/lib/ld-musl-aarch64.so.1",
}

func newLinkers() *linkers {
	l := &linkers{files: make(map[fileID]struct{})}
	for _, name := range usualLinkers {
		var stat unix.Stat_t
		if unix.Stat(name, &stat) == nil {
			l.files[idOf(&stat)] = struct{}{}
		}
	}
	return l
}

func (l *linkers) add(o *resolve.Object) {
	l.mu.Lock()
	defer l.mu.Unlock()
	const most = 1000 // a program can name any file
	if len(l.files) < most {
		l.files[idOf(&o.Stat)] = struct{}{}
	}
}

func (l *linkers) has(o *resolve.Object) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, has := l.files[idOf(&o.Stat)]
	return has
}
