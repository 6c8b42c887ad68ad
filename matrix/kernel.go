package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// bootable is what a row boots.
type bootable struct {
	pkg   string // with its version, as the table shows it
	image string // file
}

// fetchKernel downloads the package of a row and takes the kernel out of it.
func fetchKernel(ctx context.Context, r row, cache string) (bootable, error) {
	a, err := newApt(ctx, cache, r.suite, r.security, r.arch.deb)
	if err != nil {
		return bootable{}, err
	}
	name, err := a.newest(ctx, r.image)
	if err != nil {
		return bootable{}, err
	}
	files, err := a.fetch(ctx, false, name)
	if err != nil {
		return bootable{}, err
	}
	version, err := exec.CommandContext(ctx, "dpkg-deb", "-f", files[0], "Version").Output()
	if err != nil {
		return bootable{}, fmt.Errorf("reading %q: %w", files[0], err)
	}
	k := bootable{pkg: name + " " + string(version[:len(version)-1]), image: filepath.Join(a.dir, name+".vmlinuz")}
	out, err := os.Create(k.image)
	if err != nil {
		return bootable{}, fmt.Errorf("unpacking the kernel: %w", err)
	}
	defer out.Close()
	found := false
	err = eachFile(ctx, files[0], func(f packagedFile) error {
		// boot/vmlinuz-VERSION, or usr/lib/modules/VERSION/vmlinuz.
		if base := filepath.Base(f.name); found || !f.mode.IsRegular() || base != "vmlinuz" && filepath.Dir(f.name) != "boot" || len(base) < 7 || base[:7] != "vmlinuz" {
			return nil
		}
		found = true
		_, err := out.Write(f.content)
		return err
	})
	if err == nil && !found {
		err = fmt.Errorf("%q has no kernel", files[0])
	}
	return k, err
}
