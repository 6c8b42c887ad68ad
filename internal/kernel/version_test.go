package kernel

import (
	"strings"
	"testing"
)

func TestParseVersion(t *testing.T) {
	for release, want := range map[string]Version{
		"6.18.44-fc-v669":                   {6, 18, 44},
		"5.10.0-32-cloud-amd64":             {5, 10, 0},
		"6.1":                               {6, 1, 0},
		"7.0-rc3":                           {7, 0, 0},
		"6.12~rc1-amd64":                    {6, 12, 0},
		"4.19.0+":                           {4, 19, 0},
		"4.18.0-553.el8_10.x86_64":          {4, 18, 0},
		"4.14.336-253.554.amzn2.x86_64":     {4, 14, 336},
		"6.6.87.2-microsoft-standard-WSL2":  {6, 6, 87},
		"5.15.0-1053-aws":                   {5, 15, 0},
		"5.10.110-android13-4-00003-gabcde": {5, 10, 110},
		"6.8.12-9-pve":                      {6, 8, 12},
		"2.6.32":                            {2, 6, 32},
		"6.1.":                              {6, 1, 0},
	} {
		got, err := ParseVersion(release)
		if err != nil || got != want {
			t.Errorf("ParseVersion(%q) = %v, %v; want %v", release, got, err, want)
		}
	}
	for _, release := range []string{"", "6", "6.", ".6", "-6.1", " 6.1", "linux 6.1", "v6.1", "123456.1", "6.123456", "6x.1"} {
		if got, err := ParseVersion(release); err == nil {
			t.Errorf("ParseVersion(%q) = %v, want an error", release, got)
		}
	}
}

func TestVersionAtLeast(t *testing.T) {
	v := Version{5, 10, 223}
	for _, older := range []Version{{5, 10, 0}, {5, 9, 0}, {4, 20, 0}} {
		if !v.AtLeast(older.Major, older.Minor) {
			t.Errorf("%v is not at least %v", v, older)
		}
	}
	for _, newer := range []Version{{5, 11, 0}, {6, 0, 0}} {
		if v.AtLeast(newer.Major, newer.Minor) {
			t.Errorf("%v is at least %v", v, newer)
		}
	}
}

func TestRunning(t *testing.T) {
	v, err := Running()
	if err != nil {
		t.Fatal(err)
	}
	release, _, err := Release()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(release, v.String()) {
		t.Errorf("Running() = %v, but the release is %q", v, release)
	}
}

func FuzzParseVersion(f *testing.F) {
	f.Add("6.18.44-fc-v669")
	f.Fuzz(func(t *testing.T, release string) {
		v, err := ParseVersion(release)
		if err != nil {
			if v != (Version{}) {
				t.Errorf("ParseVersion(%q) = %v with error %v", release, v, err)
			}
			return
		}
		if v.Major < 0 || v.Minor < 0 || v.Patch < 0 {
			t.Errorf("ParseVersion(%q) = %v", release, v)
		}
		again, err := ParseVersion(v.String())
		if err != nil || again != v {
			t.Errorf("%q gave %v, which gave %v, %v", release, v, again, err)
		}
	})
}
