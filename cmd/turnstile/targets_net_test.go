package main

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"
)

// One program does one thing of each kind with sockets, and the sockets section has
// that and no more. An address that nobody named is not in it.
func TestSockets(t *testing.T) {
	needObserve(t)
	program := target(t, "sockets")
	for _, mode := range [][]string{{"-q", "--net"}, {"-q", "--files", "--net", "--errors", "--args"}, {"-q", "--all"}} {
		t.Run(strings.Join(mode, " "), func(t *testing.T) {
			port4, port6, dir := listener(t, "127.0.0.1"), listener(t, "::1"), shortDir(t)
			prepare(t, dir, "a/", "b/")
			r := watched(t, append(mode, "--", program, dir, port4, port6)...)
			demandExit(t, r, 0)
			demandComplete(t, r)
			var own, client, own6 string
			if _, err := fmt.Sscan(r.stdout, &own, &client, &own6); err != nil {
				t.Fatal(err)
			}
			at := func(port string) string { return net.JoinHostPort("127.0.0.1", port) }
			at6 := func(port string) string { return net.JoinHostPort("::1", port) }
			got := socketLines(r.doc)
			for i := range got {
				// To dissolve an association has no address; what else of
				// the struct is told does not matter.
				if rest, ok := strings.CutPrefix(got[i], "connect unspec dgram "); ok {
					got[i] = "connect unspec dgram " + rest[strings.Index(rest, "count"):]
				}
			}
			demandLines(t, got, []string{
				`connect inet stream tcp ` + at(port4) + ` count 4 errors{EINPROGRESS 1, EISCONN 1}`,
				`connect inet stream tcp ` + at("1") + ` count 1 errors{ECONNREFUSED 1}`,
				`connect inet6 stream tcp ` + at6(port6) + ` count 1`,
				`connect inet6 stream tcp [::ffff:127.0.0.1]:` + port4 + ` count 1`,
				// No socket, so nobody knows its type.
				`connect inet  ` + at(port4) + ` count 2 errors{EBADF 1, ENOTSOCK 1}`,
				// Too short to be an address.
				`connect inet stream tcp raw ` + portBytes(t, port4) + ` count 1 errors{EINVAL 1}`,
				// A pointer to nowhere.
				`connect inet stream tcp count 1 errors{EFAULT 1}`,
				`connect inet dgram udp ` + at("14") + ` count 1`,
				`connect unspec dgram count 1`,

				`bind inet stream tcp ` + at("0") + ` count 1`,
				`bind inet stream tcp ` + at(port4) + ` count 1 errors{EADDRINUSE 1}`,
				`listen inet stream tcp ` + at(own) + ` count 1`,
				`accept inet stream tcp count 1 errors{EAGAIN 1}`,
				`connect inet stream tcp ` + at(own) + ` count 1`,
				`accept inet stream tcp ` + at(client) + ` count 1`,
				`bind inet6 stream tcp ` + at6("0") + ` count 1`,
				`listen inet6 stream tcp ` + at6(own6) + ` count 1`,

				`send inet dgram udp ` + at("11") + ` count 3`,
				`send inet dgram udp ` + at("12") + ` count 3`,
				`send inet dgram udp ` + at("13") + ` count 1`,
				`send inet6 dgram udp ` + at6("15") + ` count 1`,
				`send inet stream tcp ` + at(port4) + ` count 1`, // MSG_FASTOPEN

				`bind unix stream ` + dir + `/stream count 1`,
				`listen unix stream ` + dir + `/stream count 1`,
				`connect unix stream ` + dir + `/stream count 2`,
				`accept unix stream count 1`,
				`connect unix stream ` + dir + `/nobody count 1 errors{ENOENT 1}`,
				// The same name in two directories is two sockets.
				`connect unix stream ` + dir + `/a/relative count 1 errors{ENOENT 1}`,
				`connect unix stream ` + dir + `/b/relative count 1 errors{ENOENT 1}`,
				`bind unix dgram ` + dir + `/dgram count 1`,
				`send unix dgram ` + dir + `/dgram count 1`,
				`bind unix dgram @turnstile-test count 1`,
				`send unix dgram @turnstile-test count 1`,
				`connect unix seqpacket @Turnstile-test count 1 errors{ECONNREFUSED 1}`,
				`bind unix dgram count 1`, // the kernel chooses a name

				`bind netlink raw raw 00000000000010000000 count 1`,
			})
			if r.doc.Files == nil {
				return
			}
			// What has a path is a file, too.
			var files []string
			for _, line := range fileLines(r.doc, dir) {
				if strings.Contains(line, "bind") || strings.Contains(line, "connect") || strings.Contains(line, "send") {
					files = append(files, line)
				}
			}
			demandLines(t, files, []string{
				`./stream asked create,connect,bind ops{bind 1, connect 2}`,
				`./nobody asked connect ops{connect 1} errors{ENOENT 1}`,
				`./a/relative joined connect ops{connect 1} errors{ENOENT 1} asked ["relative"]`,
				`./b/relative joined connect ops{connect 1} errors{ENOENT 1} asked ["relative"]`,
				`./dgram asked create,connect,bind ops{bind 1, send 1}`,
			})
		})
	}
}

// shortDir is a directory whose path leaves room in a socket address.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "") //nolint:usetesting // the names of tests are long
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// portBytes are the two bytes of a port in a socket address, in hexadecimal.
func portBytes(t *testing.T, port string) string {
	t.Helper()
	n, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%04x", n)
}
