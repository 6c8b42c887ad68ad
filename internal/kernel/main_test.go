package kernel

import (
	"encoding/json"
	"fmt"
	"os"
	"sort"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// probeEnv makes the test binary probe, print the answers as JSON and end. Its
// value names what to do first.
const probeEnv = "TURNSTILE_TEST_PROBE"

// TestMain fails the package if a test leaves a descriptor or a restricted
// thread behind.
func TestMain(m *testing.M) {
	if first := os.Getenv(probeEnv); first != "" {
		os.Exit(probeChild(first))
	}
	before := leftovers()
	code := m.Run()
	if after := leftovers(); after != before {
		fmt.Fprintf(os.Stderr, "left behind by the tests:\nbefore: %s\nafter: %s\n", before, after)
		code = 99
	}
	os.Exit(code)
}

// leftovers lists the open descriptors and the restrictions of each thread.
func leftovers() string {
	// The first descriptor that Go polls opens an epoll instance for good.
	if f, err := os.Open("/proc/self/status"); err == nil {
		f.Close()
	}
	return fmt.Sprintf("descriptors %v, threads %v", openDescriptors(), threadRestrictions())
}

func openDescriptors() []string {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		panic(err)
	}
	var open []string
	for _, e := range entries {
		// The directory's own descriptor is gone by now.
		if target, err := os.Readlink("/proc/self/fd/" + e.Name()); err == nil {
			open = append(open, e.Name()+"="+target)
		}
	}
	sort.Strings(open)
	return open
}

// threadRestrictions returns the different combinations of seccomp mode,
// no_new_privs and effective capabilities among the threads.
func threadRestrictions() []string {
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		panic(err)
	}
	seen := map[string]bool{}
	for _, task := range tasks {
		status, err := os.ReadFile("/proc/self/task/" + task.Name() + "/status")
		if err != nil {
			continue // The thread has ended meanwhile.
		}
		var combination []string
		for line := range strings.Lines(string(status)) {
			for _, field := range []string{"Seccomp:", "Seccomp_filters:", "NoNewPrivs:", "CapEff:"} {
				if strings.HasPrefix(line, field) {
					combination = append(combination, strings.Join(strings.Fields(line), ""))
				}
			}
		}
		seen[strings.Join(combination, " ")] = true
	}
	var all []string
	for c := range seen {
		all = append(all, c)
	}
	sort.Strings(all)
	return all
}

func probeChild(first string) int {
	if first == "securityfs" {
		// In a mount namespace of its own.
		if err := unix.Mount("securityfs", "/sys/kernel/security", "securityfs", 0, ""); err != nil && err != unix.EBUSY {
			fmt.Fprintln(os.Stderr, "mounting securityfs:", err)
			return 1
		}
	}
	if err := json.NewEncoder(os.Stdout).Encode(Probe()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}
