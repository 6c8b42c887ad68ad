package main

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os/exec"
	"path"
)

// packagedFile is one file of a package.
type packagedFile struct {
	name    string // without / or ./ before it
	mode    fs.FileMode
	content []byte // of a regular file
	link    string // text of a symbolic link
}

// eachFile calls f with the files of a package. A hard link comes as a copy.
func eachFile(ctx context.Context, deb string, f func(packagedFile) error) error {
	cmd := exec.CommandContext(ctx, "dpkg-deb", "--fsys-tarfile", deb)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return fmt.Errorf("unpacking %q: %w", deb, err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("unpacking %q: %w", deb, err)
	}
	readErr := readTar(out, f)
	_, _ = io.Copy(io.Discard, out) // so that dpkg-deb can end
	if err := errors.Join(readErr, cmd.Wait()); err != nil {
		return fmt.Errorf("unpacking %q: %w\n%s", deb, err, stderr.Bytes())
	}
	return nil
}

func readTar(r io.Reader, f func(packagedFile) error) error {
	contents := map[string][]byte{}
	for t := tar.NewReader(r); ; {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		file := packagedFile{name: path.Join("/", h.Name)[1:], mode: h.FileInfo().Mode(), link: h.Linkname}
		switch h.Typeflag {
		case tar.TypeReg:
			if file.content, err = io.ReadAll(t); err != nil {
				return err
			}
			contents[file.name] = file.content
		case tar.TypeLink:
			file.content = contents[path.Join("/", h.Linkname)[1:]]
			file.mode, file.link = file.mode.Perm(), ""
		}
		if err := f(file); err != nil {
			return err
		}
	}
}
