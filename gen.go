// Package turnstile is the root of the module: it holds the command that
// compiles the eBPF programs of bpf/ for every architecture. The objects are
// committed, so that building Turnstile needs no clang.
package turnstile

//go:generate go tool bpf2go -cc clang-19 -strip llvm-strip-19 -tags linux -target amd64,arm64 -output-dir internal/observe -go-package observe -type process -type record -type segment -type object -type socket_info -type record_kind -type record_flags -type segment_kind -type plan_flags -type task_state -type scratch_user -type bell bpf bpf/observe.bpf.c -- -O2 -mcpu=v3 -Wall -Wextra -Werror -Wno-unused-parameter -Ibpf
