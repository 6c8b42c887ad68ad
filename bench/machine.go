package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/turnstile-project/turnstile/internal/kernel"
)

// describeMachine is a list of what a reader compares first.
func describeMachine() (string, error) {
	release, _, err := kernel.Release()
	if err != nil {
		return "", err
	}
	mitigations, err := mitigations()
	if err != nil {
		return "", err
	}
	var list strings.Builder
	item := func(name, value string) { fmt.Fprintf(&list, "- %s: %s\n", name, value) }
	item("Date", time.Now().UTC().Format(time.DateOnly))
	item("CPU", fmt.Sprintf("%s, %d vCPUs, %s", cpuModel(), runtime.NumCPU(), runtime.GOARCH))
	item("Kernel", release)
	item("BPF JIT", fmt.Sprintf("enabled %s, hardened %s", setting("net/core/bpf_jit_enable"), setting("net/core/bpf_jit_harden")))
	item("Go", runtime.Version())
	for _, m := range mitigations {
		item(m[0], m[1])
	}
	return list.String(), nil
}

// cpuModel is what x86 kernels tell; others may not.
func cpuModel() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "unknown model"
	}
	for line := range strings.Lines(string(text)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown model"
}

// mitigations are those of CPU defects that apply here. They decide what a system
// call, an indirect call and a return cost, and with that what a tracer costs.
func mitigations() ([][2]string, error) {
	const dir = "/sys/devices/system/cpu/vulnerabilities"
	files, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("listing %q: %w", dir, err)
	}
	var out [][2]string
	for _, f := range files {
		text, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			return nil, fmt.Errorf("reading mitigation %q: %w", f.Name(), err)
		}
		if state := strings.TrimSpace(string(text)); state != "Not affected" {
			out = append(out, [2]string{f.Name(), state})
		}
	}
	return out, nil
}

// setting reads a sysctl.
func setting(name string) string {
	text, err := os.ReadFile("/proc/sys/" + name)
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(text))
}
