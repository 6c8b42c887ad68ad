package main

import (
	"encoding/json"
	"errors"
	"os/exec"
	"syscall"
	"testing"
)

// The exit code of doctor is about observe, for the user who asks.
func TestDoctorExitCode(t *testing.T) {
	binary, dir := setcapped(t)
	if code, state := askDoctor(t, exec.Command(binary, "doctor", "--json")); code != 0 || state != "works" {
		t.Errorf("root: exit code %d, observe %s", code, state)
	}
	nobodyAsks := func() (int, string) {
		cmd := exec.Command(binary, "doctor", "--json")
		cmd.Dir = dir
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		return askDoctor(t, cmd)
	}
	if code, state := nobodyAsks(); code != 0 || state != "works" {
		t.Errorf("with capabilities from the file: exit code %d, observe %s", code, state)
	}
	if out, err := exec.Command("setcap", "-r", binary).CombinedOutput(); err != nil {
		t.Fatalf("setcap: %v\n%s", err, out)
	}
	if code, state := nobodyAsks(); code != 1 || state != "blocked" {
		t.Errorf("without privilege: exit code %d, observe %s", code, state)
	}
}

// askDoctor runs doctor --json. It returns the exit code and the state of observe.
func askDoctor(t *testing.T, cmd *exec.Cmd) (code int, state string) {
	t.Helper()
	out, err := cmd.Output()
	if _, ended := errors.AsType[*exec.ExitError](err); err != nil && !ended {
		t.Fatal(err)
	}
	var answer struct {
		Jobs map[string]struct{ State string }
	}
	if err := json.Unmarshal(out, &answer); err != nil {
		t.Fatalf("%v in %q", err, out)
	}
	return cmd.ProcessState.ExitCode(), answer.Jobs["observe"].State
}
