// Package birth knows what execve gave this process before the Go runtime
// changed it: the ignored signals, the blocked signals, and which of the
// standard descriptors were closed.
//
// A program that starts another one in its own place has to hand these on, and
// the runtime forgets them. It installs handlers over inherited SIG_IGN for
// every signal but SIGHUP and SIGINT (runtime/signal_unix.go, initsig), so that
// a service whose manager ignores SIGPIPE would start its child with the
// default action; it unblocks the signals that it needs (minitSignalMask); and
// it opens /dev/null in the place of a closed standard descriptor
// (runtime/fds_unix.go, checkfds). All of that happens before any init function
// of Go runs.
//
// The one piece of ours that runs earlier is a function that the runtime calls
// instead of mmap(2) when runtime/cgo is there to supply it
// (runtime/cgo_mmap.go). Without cgo nobody supplies it, so this package does:
// its function looks around, takes itself out again, and does the mmap. The
// package asks and remembers; it changes nothing. Start reading at birth.go.
//
// Nothing promises that the next runtime has the same hook, so the build
// constraints of early*.go and early*.s name the version of Go that this was
// read and tested with. A newer one, like a build with cgo or for another
// architecture, looks late, when the package is initialized: ignored SIGHUP,
// SIGINT and job control signals are still seen then, other ignored signals,
// most blocked ones and closed descriptors are not, and [Early] says false. To
// allow a new version, read its runtime/cgo_mmap.go, move the constraints, and
// run the tests of package launch.
package birth
