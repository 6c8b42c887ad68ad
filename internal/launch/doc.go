// Package launch starts the target as the right user and then lives its life:
// it passes on signals, takes part in job control, and ends as the target
// ended.
//
// [Start] runs a [Command]; the target gets what a shell would have given it
// had it been started without Turnstile: the same standard descriptors, process
// group, session, signal dispositions, signal mask and limits. [Target.Wait]
// waits for it, and [Exit] ends Turnstile with its status. [InvokingUser] and
// [LookupUser] say who the target runs as, and [User.Do] is how Turnstile
// itself touches files on that user's behalf.
//
// The package never looks at what the target does, waits for no process but
// the target's first, and prints nothing.
//
// Two things of the caller's environment do not reach the target, because the
// Go runtime resets them in the child: an ignored SIGCHLD, and ignored signals
// that stand for faults (SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS,
// SIGSTKFLT) or profiling (SIGPROF). They arrive with the default action. A
// build that does not look before the Go runtime does (see package birth)
// forgets more: ignored signals but for SIGHUP, SIGINT and those of job
// control, blocked signals, and which standard descriptors were closed.
//
// Start reading at command.go, then target.go.
package launch
