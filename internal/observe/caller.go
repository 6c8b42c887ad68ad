package observe

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/kernel"
)

// caller is who runs Turnstile, as far as the kernel side must know: whose
// processes it may look at.
type caller struct {
	uid, gid uint32
	caps     uint64
	// restricted is set for a user who has the capabilities for eBPF from
	// the file (setcap) but not those to look into any process: then the
	// rules of ptrace(2) hold, or the binary would be a spy for every local
	// user.
	restricted bool
	// The inodes of the namespaces of this process.
	userNamespace, pidNamespace uint32
}

// Restricted says whether the caller may only look at processes of its own.
func Restricted() bool {
	c, err := currentCaller()
	return err != nil || c.restricted
}

func currentCaller() (caller, error) {
	caps, err := kernel.CurrentCapabilities()
	if err != nil {
		return caller{}, err
	}
	userNS, err := namespaceInode("user")
	if err != nil {
		return caller{}, err
	}
	pidNS, err := namespaceInode("pid")
	if err != nil {
		return caller{}, err
	}
	return caller{
		uid:           uint32(os.Getuid()),
		gid:           uint32(os.Getgid()),
		caps:          uint64(caps.Effective),
		restricted:    os.Getuid() != 0 && !caps.Effective.Has(unix.CAP_SYS_PTRACE),
		userNamespace: userNS,
		pidNamespace:  pidNS,
	}, nil
}

func namespaceInode(kind string) (uint32, error) {
	var st unix.Stat_t
	if err := unix.Stat("/proc/self/ns/"+kind, &st); err != nil {
		return 0, fmt.Errorf("looking up the %s namespace: %w", kind, err)
	}
	return uint32(st.Ino), nil
}
