package syscalls

import (
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/testenv"
)

// notPaths are the string arguments of calls that name nothing in a filesystem, as
// "call argument". Each was looked at.
var notPaths = strings.Fields(`
	add_key._type add_key._description request_key._type request_key._description
	request_key._callout_info
	fgetxattr.name fsetxattr.name fremovexattr.name
	getxattr.name lgetxattr.name setxattr.name lsetxattr.name removexattr.name lremovexattr.name
	getxattrat.name setxattrat.name removexattrat.name
	fsconfig._key fsopen._fs_name memfd_create.uname
	mq_open.u_name mq_unlink.u_name mq_timedsend.u_msg_ptr
	pwrite64.buf write.buf
	symlink.oldname symlinkat.oldname
	init_module.uargs finit_module.uargs delete_module.name_user
	mount.dev_name mount.type listxattrat.list sethostname.name setdomainname.name
	getrandom.ubuf getsockopt.optval setsockopt.optval shmat.shmaddr shmdt.shmaddr
	getcwd.buf readlink.buf readlinkat.buf read.buf pread64.buf syslog.buf
	listxattr.list llistxattr.list flistxattr.list
	mq_timedreceive.u_msg_ptr lookup_dcookie.buf`)

// renamed are the calls that the kernel's own list has under another name.
var renamed = map[string]string{
	"newstat": "stat", "newlstat": "lstat", "newfstat": "fstat", "newuname": "uname", "umount": "umount2",
}

// TestEveryStringArgumentHasARole goes through the list of calls of the running
// kernel: each argument that is a string is a path with a role, or is known to
// name no file.
func TestEveryStringArgumentHasARole(t *testing.T) {
	testenv.Root(t)
	formats, err := filepath.Glob("/sys/kernel/tracing/events/syscalls/sys_enter_*/format")
	if err != nil || len(formats) < 300 {
		testenv.Lack(t, "no list of calls below /sys/kernel/tracing (mount -t tracefs none /sys/kernel/tracing)")
	}
	field := regexp.MustCompile(`field:(?:const )?char \* ?(\w+);`)
	anyField := regexp.MustCompile(`field:[^;]*\W(\w+);\s+offset`)
	abi := native()
	for _, file := range formats {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimPrefix(filepath.Base(filepath.Dir(file)), "sys_enter_")
		if n, ok := renamed[name]; ok {
			name = n
		}
		index := -1 // of the argument; the fields before it are of the tracepoint
		for line := range strings.SplitSeq(string(b), "\n") {
			m := anyField.FindStringSubmatch(line)
			if m == nil || strings.HasPrefix(m[1], "common_") || m[1] == "__syscall_nr" {
				continue
			}
			index++
			if !field.MatchString(line) || slices.Contains(notPaths, name+"."+m[1]) {
				continue
			}
			nr, ok := Number(abi, name)
			if !ok {
				t.Errorf("%s has a string and no number in the table", name)
				continue
			}
			spec := Lookup(abi, nr)
			if spec == nil || spec.Args[index] != Path {
				t.Errorf("argument %d (%s) of %s is a string without a role", index, m[1], name)
			}
		}
	}
}

// TestRolesNameCalls: each row is a call of some ABI, so none is misspelt.
func TestRolesNameCalls(t *testing.T) {
	for _, s := range roles {
		found := false
		for _, abi := range event.ABIs() {
			_, ok := Number(abi, s.Name)
			found = found || ok
		}
		if !found {
			t.Errorf("no ABI has a call %q", s.Name)
		}
	}
	for abi, rows := range rolesOf {
		for _, s := range rows {
			if _, ok := Number(abi, s.Name); !ok {
				t.Errorf("%v has no call %q", abi, s.Name)
			}
		}
	}
}

func TestOperands(t *testing.T) {
	for name, want := range map[string][]Operand{
		"open":      {{0, -1, -1}},
		"renameat2": {{1, 0, -1}, {3, 2, -1}},
		"symlinkat": {{2, 1, -1}},
		"fchmod":    {{-1, -1, 0}},
		"link":      {{0, -1, -1}, {1, -1, -1}},
		"execveat":  {{1, 0, -1}},
		"getpid":    nil,
	} {
		nr, ok := Number(event.X8664, name)
		if !ok {
			t.Fatalf("no %s", name)
		}
		var got []Operand
		if s := Lookup(event.X8664, nr); s != nil {
			got = s.Operands
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
}

func TestFanotifyMarkOfI386(t *testing.T) {
	nr, _ := Number(event.I386, "fanotify_mark")
	if got, want := Lookup(event.I386, nr).Operands, []Operand{{5, 4, -1}}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v: the 64-bit mask takes two registers", got, want)
	}
}

func native() event.ABI {
	if runtime.GOARCH == "arm64" {
		return event.ARM64
	}
	return event.X8664
}
