// Package syscalls knows the system calls of every ABI: their numbers and
// names, and for those that touch files, programs or sockets what each argument
// is for.
//
// The tables of numbers are generated from golang.org/x/sys (run go generate in
// this directory); the roles of the arguments are written by hand in roles.go,
// once per call and for every source: the eBPF program is told by them what to
// copy, and [Decode] turns what was copied into an [event.Access].
//
// The package reads no memory and makes no system call itself. Start reading at
// [Spec].
package syscalls

//go:generate go run ./gen
