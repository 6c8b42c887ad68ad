// Package seccomp builds the filters that the kernel runs at every system call
// (seccomp(2)): classic BPF over the ABI, the number and the arguments.
//
// A [Filter] says what happens to which call; [Filter.Program] compiles it, and a
// [Simulator] does what the kernel would do with a program and a call, so that a test
// can ask about every number of every ABI. The package installs nothing and knows
// nothing of what a call means.
//
// Start reading at filter.go, then compile.go.
package seccomp
