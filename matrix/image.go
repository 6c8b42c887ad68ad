package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/u-root/u-root/pkg/cpio"
	"golang.org/x/sys/unix"

	"github.com/turnstile-project/turnstile/matrix/plan"
)

// fetchPrograms downloads the packages with what the tests need in a machine.
func fetchPrograms(ctx context.Context, a *arch, cache string) ([]string, error) {
	apt, err := newApt(ctx, cache, userland, false, a.deb)
	if err != nil {
		return nil, err
	}
	return apt.fetch(ctx, true, userPrograms...)
}

// image is an initial RAM disk: its files by name.
type image map[string]cpio.Record

// writeImage packs programs, tests and the plan for process 1.
func writeImage(ctx context.Context, file string, b *build, debs []string, tests string) error {
	img := image{}
	for _, dir := range []string{"bin", "sbin", "lib", "lib64"} {
		img.link(dir, "usr/"+dir)
	}
	for _, deb := range debs {
		if err := eachFile(ctx, deb, img.add); err != nil {
			return err
		}
	}
	img.file("etc/passwd", []byte("root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"), 0o644)
	img.file("etc/group", []byte("root:x:0:\nnogroup:x:65534:\n"), 0o644)
	img.file("etc/hosts", []byte("127.0.0.1 localhost\n::1 localhost\n"), 0o644)

	var p plan.Plan
	for _, s := range suites {
		binary := "tests/" + filepath.Base(b.tests[s.pkg])
		if err := img.copy(binary, b.tests[s.pkg]); err != nil {
			return err
		}
		if err := img.tree(path.Join("src", s.pkg, "testdata"), filepath.Join(s.pkg, "testdata")); err != nil {
			return err
		}
		p.Suites = append(p.Suites, plan.Suite{Package: s.pkg, Binary: "/" + binary, Skip: s.skip, Run: tests})
	}
	for _, target := range b.targets {
		if err := img.copy("targets/"+filepath.Base(target), target); err != nil {
			return err
		}
	}
	if err := img.copy("init", b.init); err != nil {
		return err
	}
	text, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("writing the plan: %w", err)
	}
	img.file(plan.File[1:], text, 0o644)
	return img.write(file)
}

// merged is where a file of a package is on a system with merged /usr.
func merged(name string) string {
	switch dir, _, _ := strings.Cut(name, "/"); dir {
	case "bin", "sbin", "lib", "lib64":
		return "usr/" + name
	}
	return name
}

// add puts a file of a package into the image.
func (img image) add(f packagedFile) error {
	name := merged(f.name)
	switch {
	case f.name == "" || strings.HasPrefix(name, "usr/share/doc/") || strings.HasPrefix(name, "usr/share/locale/") || strings.HasPrefix(name, "usr/share/man/"):
	case f.mode.IsDir():
		img[name] = cpio.Directory(name, uint64(f.mode.Perm()))
	case f.mode&fs.ModeSymlink != 0:
		img.link(name, f.link)
	case f.mode.IsRegular():
		img.file(name, f.content, unixMode(f.mode))
	}
	return nil
}

// unixMode has the permissions with set-user-ID and its kin.
func unixMode(m fs.FileMode) uint64 {
	mode := uint64(m.Perm())
	if m&fs.ModeSetuid != 0 {
		mode |= unix.S_ISUID
	}
	if m&fs.ModeSetgid != 0 {
		mode |= unix.S_ISGID
	}
	return mode
}

func (img image) file(name string, content []byte, mode uint64) {
	img[name] = cpio.StaticFile(name, string(content), mode)
}

func (img image) link(name, text string) {
	img[name] = cpio.StaticRecord([]byte(text), cpio.Info{
		Name: name, Mode: unix.S_IFLNK | 0o777, FileSize: uint64(len(text)),
	})
}

func (img image) copy(name, from string) error {
	content, err := os.ReadFile(from)
	if err != nil {
		return fmt.Errorf("packing: %w", err)
	}
	img.file(name, content, 0o755)
	return nil
}

// tree packs a directory, if there is one.
func (img image) tree(name, from string) error {
	img[name] = cpio.Directory(name, 0o755)
	err := fs.WalkDir(os.DirFS(from), ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		return img.copy(path.Join(name, p), filepath.Join(from, p))
	})
	if os.IsNotExist(err) {
		return nil
	}
	return err
}

// write writes the image, directories before what is in them.
func (img image) write(file string) error {
	for _, name := range img.names() {
		for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
			if _, ok := img[dir]; !ok {
				img[dir] = cpio.Directory(dir, 0o755)
			}
		}
	}
	out, err := os.Create(file)
	if err != nil {
		return fmt.Errorf("packing: %w", err)
	}
	defer out.Close()
	w := cpio.Newc.Writer(out)
	for _, name := range img.names() {
		if err := w.WriteRecord(img[name]); err != nil {
			return fmt.Errorf("packing %q: %w", name, err)
		}
	}
	if err := cpio.WriteTrailer(w); err != nil {
		return fmt.Errorf("packing: %w", err)
	}
	return out.Close()
}

func (img image) names() []string {
	names := make([]string, 0, len(img))
	for name := range img {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
