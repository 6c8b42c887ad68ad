package emit

import (
	"fmt"
	"io"
	"text/template"

	"github.com/turnstile-project/turnstile/internal/event"
	"github.com/turnstile-project/turnstile/internal/profile"
)

var seccompH = Format{
	Name:       "seccomp-h",
	For:        "a C header with a function that builds and loads the filter, for libseccomp",
	CheckedBy:  "gcc, libseccomp",
	Enforces:   true,
	Sections:   profile.Syscalls,
	Vocabulary: profile.Numbers,
	Notes:      seccompHNotes,
	Write:      writeSeccompH,
}

// headerABI is an ABI as the header has it.
type headerABI struct {
	Name, Arch string
	Calls      []headerCall
	Values     []headerValue
}

type headerCall struct {
	Nr   int32
	Name string
}

type headerValue struct {
	headerCall
	Index int
	Value uint64
}

func writeSeccompH(w io.Writer, in *Input) error {
	p := in.Profile
	var abis []headerABI
	for _, abi := range p.ABIs {
		h := headerABI{Name: abi.String(), Arch: string(ociArch[abi])}
		for _, c := range p.CallsOf(abi) {
			call := headerCall{headerNumber(c), c.Name}
			if c.Values == nil {
				h.Calls = append(h.Calls, call)
				continue
			}
			for _, v := range c.Values.Of {
				h.Values = append(h.Values, headerValue{call, c.Values.Index, v})
			}
		}
		abis = append(abis, h)
	}
	return headerTemplate.Execute(w, map[string]any{
		"about": about(in, profile.Syscalls, seccompHNotes(in)), "abis": abis, "action": headerAction(p.Default),
	})
}

// headerNumber is the number with the bit of x32, as libseccomp has it.
func headerNumber(c profile.Call) int32 {
	if c.ABI == event.X32 {
		return c.Nr | profile.NumberLimit
	}
	return c.Nr
}

func headerAction(a profile.Action) string {
	if a.Kind == profile.Errno {
		return fmt.Sprintf("SCMP_ACT_ERRNO(%d)", uint(a.Errno))
	}
	return string(ociAction(a.Kind))
}

func seccompHNotes(in *Input) []string {
	notes := byLibseccomp(in.Profile)
	if len(in.Profile.ABIs) > 1 {
		notes = append(notes, "calls of other ABIs than that of the program go by name: one that the libseccomp in use does not know is refused")
	}
	return notes
}

var headerTemplate = template.Must(template.New("seccomp-h").Parse(`// A seccomp filter for libseccomp (link with -lseccomp): call turnstile_seccomp_load().
//
{{range .about}}// {{.}}
{{end}}
#ifndef TURNSTILE_SECCOMP_H
#define TURNSTILE_SECCOMP_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <seccomp.h>

// What happens to all other calls.
#define TURNSTILE_SECCOMP_DEFAULT {{.action}}

// A call that is allowed, by the number that it has in its ABI. The last one has no name.
struct turnstile_call {
	int nr;
	const char *name;
};

// A call that is allowed if the lower 32 bits of an argument have a value.
struct turnstile_value {
	struct turnstile_call call;
	unsigned int index;
	uint64_t value;
};

struct turnstile_abi {
	uint32_t arch;
	const struct turnstile_call *calls;
	const struct turnstile_value *values;
};
{{range .abis}}
static const struct turnstile_call turnstile_calls_{{.Name}}[] = {
{{range .Calls}}	{ {{- .Nr}}, "{{.Name}}"},
{{end}}	{0, NULL},
};

static const struct turnstile_value turnstile_values_{{.Name}}[] = {
{{range .Values}}	{ { {{- .Nr}}, "{{.Name}}"}, {{.Index}}, {{printf "%#x" .Value}}},
{{end}}	{ {0, NULL}, 0, 0},
};
{{end}}
static const struct turnstile_abi turnstile_abis[] = {
{{range .abis}}	{ {{- .Arch}}, turnstile_calls_{{.Name}}, turnstile_values_{{.Name}}},
{{end}}};

#define TURNSTILE_ABIS (sizeof(turnstile_abis) / sizeof(turnstile_abis[0]))

// turnstile_allow adds a rule. Numbers are those of the ABI of the program: in all others
// a call goes by its name, and one that this libseccomp does not know is refused.
static inline int turnstile_allow(scmp_filter_ctx ctx, uint32_t arch, const struct turnstile_call *call,
				  unsigned int n, const struct scmp_arg_cmp *cmp)
{
	int nr = call->nr;

	if (arch != seccomp_arch_native()) {
		if (seccomp_syscall_resolve_name_arch(arch, call->name) == __NR_SCMP_ERROR)
			return 0;
		nr = seccomp_syscall_resolve_name(call->name);
	}
	return seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, nr, n, cmp);
}

// turnstile_add_abi gives a filter for one ABI its rules.
static inline int turnstile_add_abi(scmp_filter_ctx ctx, const struct turnstile_abi *abi)
{
	const struct turnstile_call *c;
	const struct turnstile_value *v;
	int err;

	if (abi->arch != seccomp_arch_native()) {
		err = seccomp_arch_add(ctx, abi->arch);
		if (!err)
			err = seccomp_arch_remove(ctx, seccomp_arch_native());
		if (err)
			return err;
	}
	// All threads of the process get the filter, and other ABIs are no way around it.
	err = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_TSYNC, 1);
	if (!err)
		err = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, TURNSTILE_SECCOMP_DEFAULT);
	for (c = abi->calls; !err && c->name; c++)
		err = turnstile_allow(ctx, abi->arch, c, 0, NULL);
	for (v = abi->values; !err && v->call.name; v++) {
		struct scmp_arg_cmp cmp = {v->index, SCMP_CMP_MASKED_EQ, 0xffffffff, v->value};

		err = turnstile_allow(ctx, abi->arch, &v->call, 1, &cmp);
	}
	return err;
}

// turnstile_seccomp_build makes the filter; seccomp_release() frees it. If that fails it
// returns NULL and *err is a negative errno.
static inline scmp_filter_ctx turnstile_seccomp_build(int *err)
{
	scmp_filter_ctx all = NULL;
	size_t i;

	*err = -ENOTSUP; // there is nothing for this machine
	for (i = 0; i < TURNSTILE_ABIS; i++)
		if (turnstile_abis[i].arch == seccomp_arch_native())
			*err = 0;
	for (i = 0; i < TURNSTILE_ABIS && !*err; i++) {
		scmp_filter_ctx one = seccomp_init(TURNSTILE_SECCOMP_DEFAULT);

		*err = one ? turnstile_add_abi(one, &turnstile_abis[i]) : -ENOMEM;
		if (!*err && all)
			*err = seccomp_merge(all, one); // which frees it
		else if (!*err)
			all = one;
		if (*err && one)
			seccomp_release(one);
	}
	if (*err && all) {
		seccomp_release(all);
		all = NULL;
	}
	return all;
}

// turnstile_seccomp_load puts the filter in force for all threads of the process, for
// good, and sets no_new_privs. It returns 0 or a negative errno.
static inline int turnstile_seccomp_load(void)
{
	int err;
	scmp_filter_ctx ctx = turnstile_seccomp_build(&err);

	if (!ctx)
		return err;
	err = seccomp_load(ctx);
	seccomp_release(ctx);
	return err;
}

#endif
`))
