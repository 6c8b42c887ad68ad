package main

import (
	"net"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

// peer is who is spoken to at sockets below a directory.
type peer struct {
	conns, packets atomic.Int64
	end            []func() // waits until what was sent before is counted
	close          []func()
}

// newPeer listens at the sockets stream and datagram of a directory, and at those with
// names that are not UTF-8.
func newPeer(t testing.TB, a *arena, dir string) *peer {
	t.Helper()
	p := &peer{}
	for _, behind := range []string{"", "\xff\n"} {
		p.stream(t, a, filepath.Join(dir, "stream"+behind))
		p.datagram(t, a, filepath.Join(dir, "datagram"+behind))
	}
	return p
}

func (p *peer) stream(t testing.TB, a *arena, path string) {
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	chown(t, path, a.uid)
	p.accept(t, l)
}

// accept counts connections.
func (p *peer) accept(t testing.TB, l net.Listener) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			c.Close()
			p.conns.Add(1)
		}
	}()
	// Who connects is accepted in order: when the last one is, all are.
	p.end = append(p.end, func() {
		before := p.conns.Load()
		c, err := net.Dial(l.Addr().Network(), l.Addr().String())
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		eventually(t, "the last connection is accepted", func() bool { return p.conns.Load() > before })
		p.conns.Add(-1)
	})
	p.close = append(p.close, func() {
		l.Close()
		<-done
	})
}

func (p *peer) datagram(t testing.TB, a *arena, path string) {
	l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	chown(t, path, a.uid)
	p.receive(t, l)
}

// receive counts messages.
func (p *peer) receive(t testing.TB, l net.PacketConn) {
	done, last := make(chan struct{}), make(chan struct{}, 1)
	go func() {
		defer close(done)
		for {
			b := make([]byte, 8)
			n, _, err := l.ReadFrom(b)
			if err != nil {
				return
			}
			if string(b[:n]) == "last" {
				last <- struct{}{}
			} else {
				p.packets.Add(1)
			}
		}
	}()
	p.end = append(p.end, func() {
		c, err := net.Dial(l.LocalAddr().Network(), l.LocalAddr().String())
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		if _, err := c.Write([]byte("last")); err != nil {
			t.Error(err)
			return
		}
		<-last
	})
	p.close = append(p.close, func() {
		l.Close()
		<-done
	})
}

// saw says what came to the sockets of the peer, and closes them.
func (p *peer) saw() (conns, packets int64) {
	for _, f := range p.end {
		f()
	}
	p.shut()
	return p.conns.Load(), p.packets.Load()
}

func (p *peer) shut() {
	for _, f := range p.close {
		f()
	}
}

var socketDirectories = []string{"secret/", "public/", "public/file=x"}

// A socket that is denied is not connected to and gets no message, by none of the calls
// and by none of its names. The peer says so.
func TestAttackUnixConnect(t *testing.T) {
	program := attack(t, "unix_paths")
	asEach(t, socketDirectories, func(t *testing.T, a *arena) {
		var secret, public *peer
		a.more = func(t testing.TB, dir string) {
			secret, public = newPeer(t, a, filepath.Join(dir, "secret")), newPeer(t, a, filepath.Join(dir, "public"))
		}
		control := a.bare(t, program, a.dir, "connect")
		control.demandCode(t, "bare", 0)
		bareConns, barePackets := secret.saw()
		publicConns, publicPackets := public.saw()
		if bareConns == 0 || barePackets == 0 || publicConns != bareConns || publicPackets != barePackets {
			t.Errorf("without a gate the peers saw %d and %d connections, %d and %d packets", bareConns, publicConns, barePackets, publicPackets)
		}
		for _, rules := range [][]string{{"deny connect secret/**"}, {"deny connect **/secret/*"}} {
			got := a.gated(t, rules, program, a.dir, "connect")
			got.demandCode(t, "gated", 0)
			if conns, packets := secret.saw(); conns != 0 || packets != 0 {
				t.Errorf("%q: the peer saw %d connections and %d packets", rules, conns, packets)
			}
			if conns, packets := public.saw(); conns != publicConns || packets != publicPackets {
				t.Errorf("%q: the other peer saw %d connections and %d packets, and %d and %d without a gate", rules, conns, packets, publicConns, publicPackets)
			}
			want := denies([]string{"secret_"})
			demandResults(t, control, got, func(name, bare string) string {
				if strings.HasPrefix(name, "secret_") && strings.HasSuffix(name, "_sent") {
					return "" // it says nothing
				}
				return want(name, bare)
			})
		}
	})
}

// demandResults compares what two runs of an attack said.
func demandResults(t testing.TB, control, got outcome, want expectation) {
	t.Helper()
	for name, bare := range control.results() {
		if result, wanted := got.results()[name], want(name, bare); result != wanted {
			t.Errorf("%s: %q, want %q", name, result, wanted)
		}
	}
}

func TestAttackUnixBind(t *testing.T) {
	program := attack(t, "unix_paths")
	asEach(t, socketDirectories, func(t *testing.T, a *arena) {
		control := a.bare(t, program, a.dir, "bind")
		control.demandCode(t, "bare", 0)
		if control.results()["secret_absolute"] != "ok" {
			t.Errorf("without a gate: the attack proves nothing\n%s", control.stdout)
		}
		for _, class := range []string{"bind", "create"} {
			got := a.gated(t, []string{"deny " + class + " secret/**"}, program, a.dir, "bind")
			got.demandCode(t, "gated", 0)
			bare, gated := control.results(), got.results()
			for name, want := range bare {
				result, said := gated[name]
				switch {
				case name == "public_by_fd":
					// Bound by its last name, which getsockname(2) then says.
				case !strings.HasPrefix(name, "secret_"):
					if result != want {
						t.Errorf("%s: %s: %q, want %q", class, name, result, want)
					}
				case said && result == "ok":
					t.Errorf("%s: %s: a name was made", class, name)
				case said && want == "ok" && result != "EACCES":
					t.Errorf("%s: %s: %q, want EACCES", class, name, result)
				}
			}
		}
	})
}

// All else of these calls is as without a gate.
func TestAttackUnixSame(t *testing.T) {
	program := attack(t, "unix_paths")
	asEach(t, socketDirectories, func(t *testing.T, a *arena) {
		a.more = func(t testing.TB, dir string) {
			for _, sub := range []string{"secret", "public"} {
				t.Cleanup(newPeer(t, a, filepath.Join(dir, sub)).shut)
			}
		}
		a.same(t, program, a.dir, "connect")
		a.sameAs(t, without(`\S*_by_fd.*`), program, a.dir, "bind")
	})
}
