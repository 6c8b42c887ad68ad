// Package enforce holds a command to a policy: a seccomp filter with a listener stops
// its calls, and what they ask for is decided and done here, on objects that are pinned.
//
// The way of a call, top to bottom: worker.go receives it, call.go copies its arguments
// (package memory), package resolve finds and pins the objects, judge.go asks the policy,
// and the file of its effect (open.go, names.go, attributes.go, look.go, sockets.go)
// does what it asks for and gives the answer. A call whose arguments are in memory is
// never let through to the kernel, which would read them again. What could block goes to
// threads of its own (parked.go).
//
// Whatever goes wrong denies the one call. Start reading at gate.go.
package enforce
