package container

import (
	"github.com/opencontainers/runtime-spec/specs-go"
)

// capabilities are those that Docker gives a container.
var capabilities = []string{
	"CAP_AUDIT_WRITE", "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_MKNOD",
	"CAP_NET_BIND_SERVICE", "CAP_NET_RAW", "CAP_SETFCAP", "CAP_SETGID", "CAP_SETPCAP", "CAP_SETUID", "CAP_SYS_CHROOT",
}

// Process is what a container runs: a command as a user, in its pid namespace and its
// mount namespace. It is on the network of its caller.
func Process(user specs.User, dir string, env []string, argv ...string) *specs.Spec {
	caps := capabilities
	if user.UID != 0 {
		caps = nil
	}
	return &specs.Spec{
		Version: "1.0.2",
		Process: &specs.Process{
			User: user, Args: argv, Env: env, Cwd: dir,
			Capabilities: &specs.LinuxCapabilities{Bounding: caps, Effective: caps, Permitted: caps},
		},
		Mounts: []specs.Mount{
			{Destination: "/proc", Type: "proc", Source: "proc"},
			// Not those of the machine: the runtime makes devices and links in it.
			{Destination: "/dev", Type: "tmpfs", Source: "tmpfs", Options: []string{"nosuid", "strictatime", "mode=755"}},
			{Destination: "/dev/pts", Type: "devpts", Source: "devpts", Options: []string{"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"}},
			{Destination: "/dev/shm", Type: "tmpfs", Source: "tmpfs", Options: []string{"nosuid", "nodev", "noexec", "mode=1777"}},
		},
		Linux: &specs.Linux{
			Namespaces: []specs.LinuxNamespace{
				{Type: specs.PIDNamespace}, {Type: specs.MountNamespace}, {Type: specs.IPCNamespace}, {Type: specs.UTSNamespace},
			},
		},
	}
}

// Bind makes a directory of the machine appear in the container under its own name, to be
// written to.
func Bind(dir string) specs.Mount {
	return specs.Mount{Destination: dir, Source: dir, Type: "bind", Options: []string{"rbind", "rw"}}
}

// Tmpfs is an empty directory.
func Tmpfs(dir string) specs.Mount {
	return specs.Mount{Destination: dir, Source: "tmpfs", Type: "tmpfs", Options: []string{"nosuid", "nodev", "mode=1777"}}
}
