package main

import (
	"regexp"
	"strings"
	"time"
)

// row is one kernel.
type row struct {
	name  string
	arch  *arch
	suite string // of Debian
	// security is set for a suite of the security archive.
	security bool
	// image is the package that has the kernel.
	image *regexp.Regexp
}

var rows = []row{
	{name: "5.10", arch: amd64, suite: "bullseye-security", security: true, image: regexp.MustCompile(`^linux-image-5\.10\.0-[0-9]+-cloud-amd64$`)},
	{name: "6.1", arch: amd64, suite: "bookworm", image: regexp.MustCompile(`^linux-image-6\.1\.0-[0-9]+-cloud-amd64$`)},
	{name: "6.12", arch: amd64, suite: "trixie", image: regexp.MustCompile(`^linux-image-6\.12\.[0-9]+\+deb13-cloud-amd64$`)},
	{name: "7", arch: amd64, suite: "sid", image: regexp.MustCompile(`^linux-binary-7\.[0-9.]+\+deb[0-9]+-cloud-amd64$`)},
	{name: "6.12-arm64", arch: arm64, suite: "trixie", image: regexp.MustCompile(`^linux-image-6\.12\.[0-9]+\+deb13-cloud-arm64$`)},
}

func rowNames() string {
	var names []string
	for _, r := range rows {
		names = append(names, r.name)
	}
	return strings.Join(names, ", ")
}

// arch is a processor.
type arch struct {
	deb     string   // Debian's name, and Go's
	cc      []string // C compiler. A gcc for another processor excludes gcc-multilib
	qemu    []string
	console string
	limit   time.Duration // for one machine
}

// KVM is not asked for: the machines that run this are often virtual themselves. One
// CPU, because emulated ones starve each other. Without cmpxchg16b, which QEMU 7.2
// gets wrong: Linux 6.12 ends in a double fault.
var (
	amd64 = &arch{
		deb: "amd64", cc: []string{"gcc"}, console: "ttyS0", limit: 30 * time.Minute,
		qemu: []string{"qemu-system-x86_64", "-accel", "tcg", "-cpu", "max,-cx16"},
	}
	arm64 = &arch{
		deb: "arm64", cc: []string{"clang-19", "--target=aarch64-linux-gnu", "-fuse-ld=lld", "-isystem", "/usr/aarch64-linux-gnu/include"}, console: "ttyAMA0", limit: 40 * time.Minute,
		qemu: []string{"qemu-system-aarch64", "-M", "virt", "-accel", "tcg", "-cpu", "max"},
	}
)

// userland is the suite that the programs in the machines come from, whatever the
// kernel: the tests are to see other kernels and nothing else.
const userland = "bookworm"

// userPrograms are what the tests need beside the target programs.
var userPrograms = []string{
	"bash", "dash", "coreutils", "findutils", "grep", "sed", "mawk", "procps", "util-linux", "mount",
	"libcap2-bin", "strace", "tar", "gzip", "sqlite3", "apparmor",
}
