package main

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// party is who is spoken to on all addresses of this machine: at a port of TCP, one of
// UDP, and two abstract names.
type party struct {
	peer
	tcp, udp, name string
}

func newParty(t testing.TB, name string) *party {
	t.Helper()
	p := &party{name: fmt.Sprintf("turnstile-%d-%s", os.Getpid(), name)}
	l, err := net.Listen("tcp", "[::]:0")
	if err != nil {
		t.Fatal(err)
	}
	p.accept(t, l)
	p.tcp = portOf(l.Addr())
	if l, err = net.Listen("unix", "@"+p.name+".stream"); err != nil {
		t.Fatal(err)
	}
	p.accept(t, l)
	packets, err := net.ListenPacket("udp", "[::]:0")
	if err != nil {
		t.Fatal(err)
	}
	p.receive(t, packets)
	p.udp = portOf(packets.LocalAddr())
	if packets, err = net.ListenPacket("unixgram", "@"+p.name+".datagram"); err != nil {
		t.Fatal(err)
	}
	p.receive(t, packets)
	return p
}

func portOf(a net.Addr) string {
	_, port, _ := net.SplitHostPort(a.String())
	return port
}

// rules that are about the party.
func (p *party) rules(verdict string) []string {
	return []string{
		verdict + " connect tcp:127.0.0.0/8:" + p.tcp, verdict + " connect tcp:[::1]:" + p.tcp,
		verdict + " connect udp:127.0.0.0/8:" + p.udp, verdict + " connect udp:[::1]:" + p.udp,
		verdict + " connect unix:@" + p.name + ".*",
	}
}

// An address that is denied is not connected to and gets no message, by none of the calls
// and by none of its spellings. The peer says so.
func TestAttackAddressConnect(t *testing.T) {
	program := attack(t, "addresses")
	asEach(t, nil, func(t *testing.T, a *arena) {
		var control outcome
		var conns, packets int64
		run := func(rules func(secret, public *party) []string) (got outcome, secret, public *party) {
			secret, public = newParty(t, "secret"), newParty(t, "public")
			argv := []string{program, secret.tcp, secret.udp, secret.name, public.tcp, public.udp, public.name}
			if rules == nil {
				got = a.bare(t, argv...)
			} else {
				got = a.gated(t, rules(secret, public), argv...)
			}
			got.demandCode(t, "addresses", 0)
			return got, secret, public
		}
		control, secret, public := run(nil)
		conns, packets = secret.saw()
		publicConns, publicPackets := public.saw()
		// Two messages that are not sent because one before them is denied, and one whose
		// memory would not be copied.
		const missing = 3
		if conns == 0 || publicConns != conns || packets == 0 || publicPackets == 0 {
			t.Errorf("without a gate the peers saw %d and %d connections, %d and %d packets", conns, publicConns, packets, publicPackets)
		}
		want := denies([]string{"secret_"})
		for name, rules := range map[string]func(secret, public *party) []string{
			"denied": func(secret, _ *party) []string { return secret.rules("deny") },
			"not allowed": func(_, public *party) []string {
				return append(public.rules("allow"), "default deny", "allow all /**", "allow bind ip:*")
			},
		} {
			t.Run(name, func(t *testing.T) {
				got, secret, public := run(rules)
				demandResults(t, control, got, func(name, bare string) string {
					switch {
					case bare != "ok" && strings.HasPrefix(name, "secret_"):
						return bare // nothing was to be had
					case name == "mixed_sent":
						return "2"
					case name == "mixed_length_2" || name == "mixed_length_3":
						return "77" // as it was
					case name == "detour_message" || name == "detour_option":
						return "EPERM"
					case name == "pinned":
						return "ENOBUFS"
					}
					return want(name, bare)
				})
				if conns, packets := secret.saw(); conns != 0 || packets != 0 {
					t.Errorf("the peer saw %d connections and %d packets", conns, packets)
				}
				if conns, packets := public.saw(); conns != publicConns || packets != publicPackets-missing {
					t.Errorf("the other peer saw %d connections and %d packets, and %d and %d without a gate", conns, packets, publicConns, publicPackets)
				}
			})
		}
	})
}

// A name that is denied is not taken, and a socket that listens without one gets none.
func TestAttackAddressBind(t *testing.T) {
	program := attack(t, "address_bind")
	asEach(t, nil, func(t *testing.T, a *arena) {
		secret, public := freePort(t), freePort(t)
		argv := []string{program, secret, public, fmt.Sprint(os.Getpid(), a.uid)}
		for name, rules := range map[string][]string{
			"by address":  {"deny bind ip:127.0.0.1:" + secret, "deny bind tcp:0.0.0.0:0", "deny bind tcp:[::]:0", "deny bind unix:@secret*", "deny bind unix:@?????"},
			"by port":     {"deny bind ip:*:" + secret, "deny bind tcp:*:0-1023", "deny bind unix:@secret*", "deny bind unix:@0*"},
			"not allowed": {"default deny", "allow all /**", "allow bind ip:*:" + public, "allow bind unix:@public*"},
		} {
			t.Run(name, func(t *testing.T) {
				a.refuse(t, rules, func(name, bare string) string {
					switch {
					case strings.HasPrefix(name, "secret_") && strings.HasSuffix(name, "_listen"):
						return "" // without a name nobody gets so far
					case strings.HasPrefix(name, "unbound_") || name == "autobind":
						return "EACCES"
					}
					return denies([]string{"secret_"})(name, bare)
				}, argv...)
			})
		}
	})
}

// freePort is one that nobody has on any address, for TCP and UDP.
func freePort(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "[::]:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return portOf(l.Addr())
}

// Addresses of all families and lengths, given to sockets of all kinds, have the errors
// that they have without a gate.
func TestAttackAddressOdd(t *testing.T) {
	program := attack(t, "address_odd")
	asEach(t, nil, func(t *testing.T, a *arena) {
		name := fmt.Sprint(a.uid)
		a.same(t, program, name)
		control := a.bare(t, program, name)
		got := a.gated(t, []string{"deny connect ip:10.0.0.0/8", "deny bind ip:10.0.0.0/8"}, program, name)
		if diff := attackDiff(control.stdout, got.stdout); diff != "" {
			t.Errorf("-bare +gated\n%s", diff)
		}
	})
}

// A verdict holds for the address that was judged and for the socket that it was judged
// with, whatever a thread beside the call puts in their places.
func TestAttackFlippedAddress(t *testing.T) {
	program := attack(t, "address_flip")
	for _, way := range []string{"sendto", "sendmsg", "pointer", "sendmmsg", "connect", "descriptor"} {
		t.Run(way, func(t *testing.T) {
			asEach(t, nil, func(t *testing.T, a *arena) {
				a.race(t, []string{"deny connect ip:127.0.0.2"}, program, way, attackTries())
			})
		})
	}
}

// A connection that takes long keeps nobody else waiting, and can be interrupted.
func TestAttackAddressBlocked(t *testing.T) {
	program := attack(t, "address_blocked")
	asEach(t, nil, func(t *testing.T, a *arena) {
		full := fullListener(t)
		argv := []string{program, strconv.Itoa(full), "300"}
		control := a.bare(t, argv...)
		control.demandCode(t, "bare", 0)
		got := a.gated(t, []string{"deny connect tcp:10.0.0.0/8"}, argv...)
		got.demandCode(t, "gated", 0)
		if diff := attackDiff(control.stdout, got.stdout); diff != "" {
			t.Errorf("-bare +gated\n%s", diff)
		}
	})
}

// fullListener is the port of a socket whose queue is full: the kernel drops who comes.
func fullListener(t testing.TB) int {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	at := &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}
	if err := unix.Bind(fd, at); err != nil {
		t.Fatal(err)
	}
	if err := unix.Listen(fd, 0); err != nil {
		t.Fatal(err)
	}
	name, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	at.Port = name.(*unix.SockaddrInet4).Port
	for range 4 {
		c, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { unix.Close(c) })
		_ = unix.Connect(c, at)
	}
	return at.Port
}
