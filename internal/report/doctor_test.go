package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/turnstile-project/turnstile/internal/kernel"
	"github.com/turnstile-project/turnstile/internal/testenv"
)

// doctorResults is a machine that answers in every way there is.
func doctorResults() []kernel.Result {
	need := func(job kernel.Job, required bool) []kernel.Need {
		return []kernel.Need{{Job: job, Required: required}}
	}
	return []kernel.Result{
		{
			Feature: kernel.Feature{ID: kernel.KernelRelease, Name: "kernel release", Group: kernel.GroupKernel},
			State:   kernel.Present, Detail: "5.10.0-32-cloud-amd64",
		},
		{
			Feature: kernel.Feature{ID: kernel.KernelArch, Name: "architecture", Group: kernel.GroupKernel},
			State:   kernel.Present, Detail: "x86_64",
		},
		{
			Feature: kernel.Feature{
				ID: kernel.Lockdown, Name: "lockdown below confidentiality", Group: kernel.GroupKernel, Since: "5.4",
				Needs: need(kernel.Watch, true), Without: "No program may read kernel memory.",
			},
			State: kernel.Unknown, Reason: "/sys/kernel/security/lockdown cannot be read (ENOENT)",
			Fix: "sudo mount -t securityfs securityfs /sys/kernel/security",
		},
		{
			Feature: kernel.Feature{ID: kernel.IOUring, Name: "io_uring", Group: kernel.GroupKernel, Since: "5.1", Config: "CONFIG_IO_URING"},
			State:   kernel.Missing, Cause: kernel.CausePolicy, Reason: "kernel.io_uring_disabled is 2 (EPERM)",
			Fix: "sudo sysctl kernel.io_uring_disabled=0",
		},
		{
			Feature: kernel.Feature{
				ID: kernel.PrivilegeBPF, Name: "CAP_BPF", Group: kernel.GroupPrivilege, Since: "5.8",
				Needs: need(kernel.Observe, true), Without: "No BPF program or map can be created.",
			},
			State: kernel.Missing, Cause: kernel.CausePrivilege,
			Reason: "not among the effective capabilities of this process (uid 1000)",
			Fix:    "sudo setcap cap_bpf,cap_perfmon=ep '/opt/a & b/turnstile'",
		},
		{
			Feature: kernel.Feature{
				ID: kernel.PrivilegePerfmon, Name: "CAP_PERFMON", Group: kernel.GroupPrivilege, Since: "5.8",
				Needs: need(kernel.Observe, true), Without: "No BPF program can trace or read kernel memory.",
			},
			State: kernel.Missing, Cause: kernel.CausePrivilege,
			Reason: "not among the effective capabilities of this process (uid 1000)",
			Fix:    "sudo setcap cap_bpf,cap_perfmon=ep '/opt/a & b/turnstile'",
		},
		{
			Feature: kernel.Feature{
				ID: kernel.Loop, Name: "bpf_loop", Group: kernel.GroupBPF, Since: "5.17", Config: "CONFIG_BPF_EVENTS",
				Needs: need(kernel.Observe, false), Without: "Paths with many components are cut, and counted as such.",
			},
			State: kernel.Missing, Cause: kernel.CauseKernel,
			Reason: "the kernel does not know it (EINVAL)", Fix: "boot Linux 5.17 or newer",
		},
		{
			Feature: kernel.Feature{
				ID: kernel.Landlock, Name: "Landlock", Group: kernel.GroupLandlock, Since: "5.13",
				Needs: need(kernel.Enforce, false), Without: "Every call is performed by the supervisor.",
			},
			State: kernel.Present, Detail: "ABI 1",
		},
		{
			Feature: kernel.Feature{
				ID: kernel.Cgroup2, Name: "cgroup version 2", Group: kernel.GroupNamespaces, Since: "4.5",
				Needs: []kernel.Need{{Job: kernel.Observe}, {Job: kernel.Enforce}}, Without: "--cgroup does not work.",
			},
			State: kernel.Present, Detail: "/mnt/\x1b[2Jcgroup",
		},
	}
}

func TestDoctorGolden(t *testing.T) {
	for name, write := range map[string]func(*bytes.Buffer) error{
		"doctor.txt":        func(b *bytes.Buffer) error { return Doctor(b, doctorResults(), DoctorOptions{}) },
		"doctor-colour.txt": func(b *bytes.Buffer) error { return Doctor(b, doctorResults(), DoctorOptions{Colour: true}) },
		"doctor.json":       func(b *bytes.Buffer) error { return DoctorJSON(b, doctorResults()) },
	} {
		t.Run(name, func(t *testing.T) {
			var got bytes.Buffer
			if err := write(&got); err != nil {
				t.Fatal(err)
			}
			testenv.Golden(t, name, got.Bytes())
		})
	}
}

// Whatever this machine answers can be printed, and the two printers agree.
func TestDoctorHere(t *testing.T) {
	results := kernel.Probe()
	var text, object bytes.Buffer
	if err := Doctor(&text, results, DoctorOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := DoctorJSON(&object, results); err != nil {
		t.Fatal(err)
	}
	if strings.ContainsAny(text.String(), "\x1b\t\r") {
		t.Errorf("control characters in:\n%q", text.String())
	}
	var doc doctorDocument
	if err := json.Unmarshal(object.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	if len(doc.Features) != len(results) || len(doc.Jobs) != len(kernel.Jobs()) || doc.Kernel.Release == "" {
		t.Errorf("incomplete: %s", object.Bytes())
	}
	for job, v := range doc.Jobs {
		if works := strings.Contains(text.String(), string(job)+": nothing is missing\n"); works != (v.State == "works") {
			t.Errorf("%s: the JSON says %q, the text does not", job, v.State)
		}
	}
	t.Logf("\n%s", text.String())
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("no space left") }

func TestDoctorReportsWriteErrors(t *testing.T) {
	if Doctor(fullDisk{}, doctorResults(), DoctorOptions{}) == nil || DoctorJSON(fullDisk{}, doctorResults()) == nil {
		t.Error("a write error is lost")
	}
}
