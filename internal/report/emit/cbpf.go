package emit

import (
	"io"

	"github.com/turnstile-project/turnstile/internal/profile"
)

var cbpf = Format{
	Name:       "cbpf",
	For:        "the filter itself, struct sock_filter as seccomp(2) takes them: bwrap --seccomp FD",
	CheckedBy:  "the kernel, through bwrap; a simulation of every call",
	Enforces:   true,
	Sections:   profile.Syscalls,
	Vocabulary: profile.Numbers,
	Runtime:    "bwrap",
	Write: func(w io.Writer, in *Input) error {
		filter, err := rawFilter(in.Profile)
		if err != nil {
			return err
		}
		_, err = w.Write(filter)
		return err
	},
}
