package main

import (
	"bytes"
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// apt fetches packages of one suite for one processor, with lists and a cache of its
// own: what is installed on this machine does not matter and does not change. apt
// checks the signature of the suite and the hashes of the packages.
type apt struct {
	dir     string
	options []string
}

// newApt prepares a directory below cache and fetches the lists.
func newApt(ctx context.Context, cache, suite string, security bool, architecture string) (*apt, error) {
	a := &apt{dir: filepath.Join(cache, "apt", suite+"-"+architecture)}
	uri, err := mirror(ctx, security)
	if err != nil {
		return nil, err
	}
	for _, dir := range []string{"none", "state/lists/partial", "cache/archives/partial"} {
		if err := os.MkdirAll(filepath.Join(a.dir, dir), 0o755); err != nil {
			return nil, fmt.Errorf("preparing apt: %w", err)
		}
	}
	source := fmt.Sprintf("deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg arch=%s] %s %s main\n", architecture, uri, suite)
	for name, content := range map[string]string{"sources.list": source, "status": ""} {
		if err := os.WriteFile(filepath.Join(a.dir, name), []byte(content), 0o644); err != nil {
			return nil, fmt.Errorf("preparing apt: %w", err)
		}
	}
	for _, option := range []string{
		"Dir::Etc::SourceList=" + filepath.Join(a.dir, "sources.list"),
		"Dir::Etc::SourceParts=" + filepath.Join(a.dir, "none"),
		"Dir::Etc::Preferences=" + filepath.Join(a.dir, "none", "preferences"),
		"Dir::Etc::PreferencesParts=" + filepath.Join(a.dir, "none"),
		"Dir::State=" + filepath.Join(a.dir, "state"),
		"Dir::State::status=" + filepath.Join(a.dir, "status"),
		"Dir::Cache=" + filepath.Join(a.dir, "cache"),
		"APT::Architecture=" + architecture,
		"APT::Architectures=" + architecture,
		"APT::Install-Recommends=false",
		"APT::Sandbox::User=root",
		"Acquire::Languages=none",
	} {
		a.options = append(a.options, "-o", option)
	}
	if _, err := a.run(ctx, "apt-get", "-qq", "update"); err != nil {
		return nil, err
	}
	return a, nil
}

// run runs apt-get or apt-cache in the directory of a, and returns what it prints.
func (a *apt) run(ctx context.Context, program string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, program, slices.Concat(a.options, args)...)
	cmd.Dir = filepath.Join(a.dir, "cache")
	cmd.Env = append(os.Environ(), "LC_ALL=C", "DEBIAN_FRONTEND=noninteractive")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s", program, strings.Join(args, " "), err, stderr.Bytes())
	}
	return string(out), nil
}

// mirror is where this machine gets Debian from: the archive, or the security
// archive beside it.
func mirror(ctx context.Context, security bool) (string, error) {
	out, err := exec.CommandContext(ctx, "apt-get", "indextargets", "--format", "$(LABEL) $(REPO_URI)", "Created-By: Packages", "Origin: Debian").Output()
	if err != nil {
		return "", fmt.Errorf("asking apt for its mirror: %w", err)
	}
	var main string
	for line := range strings.Lines(string(out)) {
		label, uri, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch {
		case label == "Debian-Security" && security:
			return uri, nil
		case label == "Debian" && main == "":
			main = uri
		}
	}
	if main == "" {
		return "", fmt.Errorf("apt knows no mirror of Debian: apt-get update fetches its lists")
	}
	if !security {
		return main, nil
	}
	// No security archive is configured; mirrors have it beside the archive.
	u, err := url.Parse(main)
	if err != nil {
		return "", fmt.Errorf("parsing the address of the mirror: %w", err)
	}
	return u.JoinPath("..", "debian-security").String(), nil
}

// newest is the package of the highest version among those whose name matches.
func (a *apt) newest(ctx context.Context, name *regexp.Regexp) (string, error) {
	out, err := a.run(ctx, "apt-cache", "pkgnames", "linux-")
	if err != nil {
		return "", err
	}
	var found []string
	for n := range strings.FieldsSeq(out) {
		if name.MatchString(n) {
			found = append(found, n)
		}
	}
	if len(found) == 0 {
		return "", fmt.Errorf("no package matches %q", name)
	}
	return slices.MaxFunc(found, func(x, y string) int { return slices.Compare(numbers(x), numbers(y)) }), nil
}

// numbers are those in a name, in order.
func numbers(name string) []int {
	var all []int
	for _, digits := range regexp.MustCompile(`\d+`).FindAllString(name, -1) {
		n, err := strconv.Atoi(digits)
		if err == nil {
			all = append(all, n)
		}
	}
	return all
}

// fetch downloads packages with all that they depend on if closure is set, and
// returns the files.
func (a *apt) fetch(ctx context.Context, closure bool, packages ...string) ([]string, error) {
	if !closure {
		if _, err := a.run(ctx, "apt-get", append([]string{"-qq", "download"}, packages...)...); err != nil {
			return nil, err
		}
		var files []string
		for _, p := range packages {
			file, err := a.file("", p, "")
			if err != nil {
				return nil, err
			}
			files = append(files, file)
		}
		return files, nil
	}
	plan, err := a.run(ctx, "apt-get", append([]string{"-s", "install"}, packages...)...)
	if err != nil {
		return nil, err
	}
	if _, err := a.run(ctx, "apt-get", append([]string{"-qq", "-y", "--download-only", "install"}, packages...)...); err != nil {
		return nil, err
	}
	var files []string
	for _, m := range regexp.MustCompile(`(?m)^Inst (\S+) \((\S+) `).FindAllStringSubmatch(plan, -1) {
		file, err := a.file("archives", m[1], m[2])
		if err != nil {
			return nil, err
		}
		files = append(files, file)
	}
	return files, nil
}

// file is the package file that apt has put into a directory of the cache, the
// latest one if no version is given.
func (a *apt) file(dir, name, version string) (string, error) {
	pattern := name + "_" + strings.ReplaceAll(version, ":", "%3a") + "*.deb"
	found, err := filepath.Glob(filepath.Join(a.dir, "cache", dir, pattern))
	if err != nil || len(found) == 0 {
		return "", fmt.Errorf("apt has not downloaded %q: %w", pattern, err)
	}
	return slices.MaxFunc(found, func(x, y string) int { return slices.Compare(numbers(x), numbers(y)) }), nil
}
