package plan

import (
	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/internal/policy"
	"github.com/turnstile-project/turnstile/internal/seccomp"
)

// socketTypeMask is SOCK_TYPE_MASK, include/linux/net.h: above it a type has flags.
const socketTypeMask = 0xf

// What the arguments of socket(2) may be so that peers are met by connect, bind and the
// sends, which are gated.
var (
	internetFamilies = []uint64{unix.AF_INET, unix.AF_INET6}
	streamProtocols  = []uint64{0, unix.IPPROTO_TCP, unix.IPPROTO_MPTCP}
	// With those of ping, which need no privilege and send to an address that is judged.
	datagramProtocols = []uint64{0, unix.IPPROTO_UDP, unix.IPPROTO_UDPLITE, unix.IPPROTO_ICMP, unix.IPPROTO_ICMPV6}
	// Addresses and routes for getaddrinfo and ip, sockets for ss, devices for libudev.
	// Others are for firewalls and keys, which could send a packet elsewhere than it was
	// judged to go.
	netlinkProtocols = []uint64{unix.NETLINK_ROUTE, unix.NETLINK_SOCK_DIAG, unix.NETLINK_KOBJECT_UEVENT}
	packetFamilies   = []uint64{unix.AF_PACKET, unix.AF_XDP}
	// Types of sockets that make their own packets: SOCK_PACKET is AF_PACKET.
	packetTypes = []uint64{unix.SOCK_RAW, unix.SOCK_PACKET}
)

// socketRules refuse sockets whose peers are met in other ways than by the calls that are
// gated, or whose addresses no rule can name. They fail as on a kernel without them.
func socketRules(o Options) []seccomp.Rule {
	packets := seccomp.Allow
	if o.closed(policy.DoorRawSockets) {
		packets = seccomp.Errno(unix.EPERM)
	}
	var rules []seccomp.Rule
	for _, family := range packetFamilies {
		rules = append(rules, when(0, anyInt, family, packets))
	}
	for _, family := range internetFamilies {
		for _, kind := range packetTypes {
			rules = append(rules, both(when(0, anyInt, family, packets), when(1, socketTypeMask, kind, packets)))
		}
	}
	if !o.closed(policy.DoorSocketFamilies) {
		return rules
	}
	rules = append(rules, when(0, anyInt, unix.AF_UNIX, seccomp.Allow))
	for _, family := range internetFamilies {
		rules = append(rules, protocolRules(family, unix.SOCK_STREAM, streamProtocols)...)
		rules = append(rules, protocolRules(family, unix.SOCK_DGRAM, datagramProtocols)...)
		rules = append(rules, when(0, anyInt, family, seccomp.Errno(unix.ESOCKTNOSUPPORT)))
	}
	for _, protocol := range netlinkProtocols {
		rules = append(rules, both(when(0, anyInt, unix.AF_NETLINK, seccomp.Allow), when(2, anyInt, protocol, seccomp.Allow)))
	}
	return append(rules,
		when(0, anyInt, unix.AF_NETLINK, seccomp.Errno(unix.EPROTONOSUPPORT)),
		seccomp.Rule{Action: seccomp.Errno(unix.EAFNOSUPPORT)},
	)
}

// protocolRules allow some protocols of a type of a family, and no others.
func protocolRules(family, kind uint64, protocols []uint64) []seccomp.Rule {
	var rules []seccomp.Rule
	of := func(action seccomp.Action) seccomp.Rule {
		return both(when(0, anyInt, family, action), when(1, socketTypeMask, kind, action))
	}
	for _, protocol := range protocols {
		rules = append(rules, both(of(seccomp.Allow), when(2, anyInt, protocol, seccomp.Allow)))
	}
	return append(rules, of(seccomp.Errno(unix.EPROTONOSUPPORT)))
}

// socketPairRules refuse pairs of families that socketRules refuse. The kernel has pairs of
// few others (TIPC).
func socketPairRules(o Options) []seccomp.Rule {
	if !o.closed(policy.DoorSocketFamilies) {
		return nil
	}
	var rules []seccomp.Rule
	for _, family := range append([]uint64{unix.AF_UNIX, unix.AF_NETLINK}, internetFamilies...) {
		rules = append(rules, when(0, anyInt, family, seccomp.Allow))
	}
	return append(rules, seccomp.Rule{Action: seccomp.Errno(unix.EAFNOSUPPORT)})
}
