package kernel

import (
	"fmt"
	"regexp"
	"strconv"

	"golang.org/x/sys/unix"
)

// Version is the version of a Linux kernel. A distribution's patch level means
// little: Debian's 5.10.0-32 is 5.10.223 with fixes.
type Version struct {
	Major, Minor, Patch int
}

func (v Version) String() string {
	if v.Patch == 0 {
		return fmt.Sprintf("%d.%d", v.Major, v.Minor)
	}
	return fmt.Sprintf("%d.%d.%d", v.Major, v.Minor, v.Patch)
}

// AtLeast reports whether v is major.minor or newer.
func (v Version) AtLeast(major, minor int) bool {
	return v.Major > major || v.Major == major && v.Minor >= minor
}

// release matches the numbers that a release string begins with. What follows
// is the vendor's and can be anything but more digits of the same number.
var release = regexp.MustCompile(`^([0-9]{1,5})\.([0-9]{1,5})(?:\.([0-9]{1,5}))?(?:[^0-9].*)?$`)

// ParseVersion reads the version from a release string of uname(2), such as
// "6.1", "6.18.44-fc-v669", "5.10.0-32-cloud-amd64" or
// "4.18.0-553.el8_10.x86_64".
func ParseVersion(s string) (Version, error) {
	m := release.FindStringSubmatch(s)
	if m == nil {
		return Version{}, fmt.Errorf("parsing kernel release %q: it does not begin with two numbers", s)
	}
	// The expression allows only short runs of digits, or none.
	number := func(digits string) int {
		n, _ := strconv.Atoi(digits)
		return n
	}
	return Version{number(m[1]), number(m[2]), number(m[3])}, nil
}

// Release returns the release and the machine of the running kernel, like
// "6.18.44-fc-v669" and "x86_64" (uname(2)).
func Release() (release, machine string, err error) {
	var uts unix.Utsname
	if err := unix.Uname(&uts); err != nil {
		return "", "", fmt.Errorf("asking for the kernel release: %w", err)
	}
	return unix.ByteSliceToString(uts.Release[:]), unix.ByteSliceToString(uts.Machine[:]), nil
}

// Running returns the version of the running kernel.
func Running() (Version, error) {
	release, _, err := Release()
	if err != nil {
		return Version{}, err
	}
	return ParseVersion(release)
}
