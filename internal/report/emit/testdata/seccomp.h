// A seccomp filter for libseccomp (link with -lseccomp): call turnstile_seccomp_load().
//
// Made by turnstile 1.0 of a trace of: '/opt/My Prog' '* / int x; / *' $'a\nSystemCallFilter=@known' '${HOME} %h %n' $'\x1b]0;title\x07' 'end\' '??/' '/ * / int y;' $'\xff\xfe'
// Other calls: errno EPERM
// INCOMPLETE: the trace may lack facts about syscalls, so this may deny what the program needs.
// Allowed always: exit, exit_group, restart_syscall, rt_sigreturn, sigreturn
// Note: clone3 is allowed as a whole: its flags are in memory, where a filter cannot look
// Note: with all arguments are allowed ioctl: the trace does not have them (observe --args)
// Note: libseccomp allows i386 the same also through socketcall, with all arguments: socket
// Note: calls of other ABIs than that of the program go by name: one that the libseccomp in use does not know is refused

#ifndef TURNSTILE_SECCOMP_H
#define TURNSTILE_SECCOMP_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <seccomp.h>

// What happens to all other calls.
#define TURNSTILE_SECCOMP_DEFAULT SCMP_ACT_ERRNO(1)

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

static const struct turnstile_call turnstile_calls_x86_64[] = {
	{0, "read"},
	{15, "rt_sigreturn"},
	{60, "exit"},
	{219, "restart_syscall"},
	{231, "exit_group"},
	{257, "openat"},
	{435, "clone3"},
	{0, NULL},
};

static const struct turnstile_value turnstile_values_x86_64[] = {
	{ {16, "ioctl"}, 1, 0x5401},
	{ {16, "ioctl"}, 1, 0x80045430},
	{ {41, "socket"}, 0, 0x1},
	{ {41, "socket"}, 0, 0x2},
	{ {0, NULL}, 0, 0},
};

static const struct turnstile_call turnstile_calls_i386[] = {
	{0, "restart_syscall"},
	{1, "exit"},
	{3, "read"},
	{54, "ioctl"},
	{119, "sigreturn"},
	{173, "rt_sigreturn"},
	{192, "mmap2"},
	{252, "exit_group"},
	{0, NULL},
};

static const struct turnstile_value turnstile_values_i386[] = {
	{ {359, "socket"}, 0, 0x10},
	{ {0, NULL}, 0, 0},
};

static const struct turnstile_abi turnstile_abis[] = {
	{SCMP_ARCH_X86_64, turnstile_calls_x86_64, turnstile_values_x86_64},
	{SCMP_ARCH_X86, turnstile_calls_i386, turnstile_values_i386},
};

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
