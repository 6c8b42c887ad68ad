package image

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestScripts(t *testing.T) {
	long := strings.Repeat("x", headSize)
	for text, want := range map[string]Image{
		"#!/bin/sh":                     {Script, "/bin/sh"},
		"#!/bin/sh\n":                   {Script, "/bin/sh"},
		"#! \t /bin/sh -e -u\necho":     {Script, "/bin/sh"},
		"#!/bin/sh\t-e\n":               {Script, "/bin/sh"},
		"#!sh\n":                        {Script, "sh"},
		"#!/bin/sh\x00/bin/other\n":     {Script, "/bin/sh"},
		"#!\n/bin/sh\n":                 {},
		"#! \t \n":                      {},
		"#!":                            {},
		"#":                             {},
		"":                              {},
		"#!/" + long + "\n":             {},
		"#!/" + long:                    {},
		"#!/bin/sh " + long:             {Script, "/bin/sh"},
		" #!/bin/sh\n":                  {},
		"#!/bin/" + long[:240] + "\n x": {Script, "/bin/" + long[:240]},
	} {
		if got, err := Read(strings.NewReader(text)); err != nil || got != want {
			t.Errorf("%.40q: %+v, %v, want %+v", text, got, err, want)
		}
	}
}

// The kernel runs a script by whom is found here, or not at all.
func TestScriptsAsKernel(t *testing.T) {
	dir := t.TempDir()
	marker := filepath.Join(dir, "interpreter")
	out, err := exec.Command("cp", "/bin/echo", marker).CombinedOutput()
	if err != nil {
		t.Fatalf("cp: %v\n%s", err, out)
	}
	for i, line := range []string{"", " ", "\t ", " -a", "\t-a b", "\x00", "\x00 x", strings.Repeat(" ", 300), " " + strings.Repeat("y", 300)} {
		for _, before := range []string{"", " ", " \t"} {
			for _, end := range []string{"", "\n", "\ntrue\n"} {
				text := "#!" + before + marker + line + end
				script := filepath.Join(dir, "script")
				if err := os.WriteFile(script, []byte(text), 0o755); err != nil { //nolint:gosec // it is executed
					t.Fatal(err)
				}
				runs := exec.Command(script).Run() == nil
				image, err := Read(strings.NewReader(text))
				if err != nil || runs != (image == Image{Script, marker}) {
					t.Errorf("%d: %.60q: the kernel runs it: %v; here it is %+v, %v", i, text, runs, image, err)
				}
			}
		}
	}
}

func TestPrograms(t *testing.T) {
	self, err := os.Open("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	defer self.Close()
	if got, err := Read(self); err != nil || got.Kind != Native {
		t.Errorf("this test: %+v, %v", got, err)
	}
	sh, err := os.Open("/bin/sh")
	if err != nil {
		t.Fatal(err)
	}
	defer sh.Close()
	got, err := Read(sh)
	if err != nil || got.Kind != Native || !strings.Contains(got.Interpreter, "/ld-") {
		t.Errorf("sh: %+v, %v", got, err)
	}
	head := make([]byte, headSize)
	if _, err := sh.ReadAt(head, 0); err != nil {
		t.Fatal(err)
	}
	head[4] = 1 // ELFCLASS32
	if got, err := Read(bytes.NewReader(head)); err != nil || got.Kind != Foreign {
		t.Errorf("with 32 bits: %+v, %v", got, err)
	}
	head[18] = 0xff
	if got, err := Read(bytes.NewReader(head)); err != nil || got.Kind != Unknown {
		t.Errorf("of another processor: %+v, %v (%s)", got, err, runtime.GOARCH)
	}
}

func FuzzRead(f *testing.F) {
	sh, err := os.ReadFile("/bin/sh")
	if err != nil {
		f.Skip(err)
	}
	f.Add(sh[:1024])
	f.Add([]byte("#!/bin/sh -e\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		image, err := Read(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		if strings.ContainsAny(image.Interpreter, "\x00") || image.Kind == Unknown && image.Interpreter != "" {
			t.Fatalf("%+v", image)
		}
	})
}
