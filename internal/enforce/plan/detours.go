package plan

import (
	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/seccomp"
)

// routes are the options of setsockopt(2), by their levels, with which a packet goes
// somewhere else than its address says: through hops that the sender names
// (include/uapi/linux/in.h and in6.h).
var routes = []struct{ level, option uint64 }{
	{unix.IPPROTO_IP, unix.IP_OPTIONS},
	{unix.IPPROTO_IPV6, unix.IPV6_RTHDR},
	{unix.IPPROTO_IPV6, unix.IPV6_2292PKTOPTIONS},
	{unix.IPPROTO_IPV6, flowLabels},
}

// flowLabels is IPV6_FLOWLABEL_MGR: a label can have options, a routing header among them
// (net/ipv6/ip6_flowlabel.c, fl_create).
const flowLabels = 32

// detours are the rules of the calls that go around rules about addresses.
func detours(o Options) map[string][]seccomp.Rule {
	if o.Addresses == 0 {
		return nil
	}
	all := map[string][]seccomp.Rule{}
	for _, r := range routes {
		rule := when(1, 0xffffffff, r.level, seccomp.Errno(unix.EPERM))
		rule.Conditions = append(rule.Conditions, seccomp.Condition{Arg: 2, Mask: 0xffffffff, Value: r.option})
		all["setsockopt"] = append(all["setsockopt"], rule)
	}
	return all
}

// Detours says whether addresses are judged in a class, so that nothing may lead around
// them.
func (o Options) Detours() bool { return o.Addresses&event.Connect != 0 }
