package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// landlocked runs a command under a file of landlockconfig, as llconfig does: what is not
// there has no rule, and a file has only the rights that files can have.
func landlocked() {
	if err := landlockedExec(os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, "landlocked:", err)
		os.Exit(125)
	}
}

// landlockedFs are the bits of LANDLOCK_ACCESS_FS_* (linux/landlock.h) by name.
var landlockedFs = map[string]uint64{
	"execute": unix.LANDLOCK_ACCESS_FS_EXECUTE, "write_file": unix.LANDLOCK_ACCESS_FS_WRITE_FILE, "read_file": unix.LANDLOCK_ACCESS_FS_READ_FILE, "read_dir": unix.LANDLOCK_ACCESS_FS_READ_DIR,
	"remove_dir": unix.LANDLOCK_ACCESS_FS_REMOVE_DIR, "remove_file": unix.LANDLOCK_ACCESS_FS_REMOVE_FILE, "make_char": unix.LANDLOCK_ACCESS_FS_MAKE_CHAR, "make_dir": unix.LANDLOCK_ACCESS_FS_MAKE_DIR,
	"make_reg": unix.LANDLOCK_ACCESS_FS_MAKE_REG, "make_sock": unix.LANDLOCK_ACCESS_FS_MAKE_SOCK, "make_fifo": unix.LANDLOCK_ACCESS_FS_MAKE_FIFO, "make_block": unix.LANDLOCK_ACCESS_FS_MAKE_BLOCK,
	"make_sym": unix.LANDLOCK_ACCESS_FS_MAKE_SYM, "refer": unix.LANDLOCK_ACCESS_FS_REFER, "truncate": unix.LANDLOCK_ACCESS_FS_TRUNCATE, "ioctl_dev": unix.LANDLOCK_ACCESS_FS_IOCTL_DEV,
}

var landlockedNet = map[string]uint64{"bind_tcp": unix.LANDLOCK_ACCESS_NET_BIND_TCP, "connect_tcp": unix.LANDLOCK_ACCESS_NET_CONNECT_TCP}

var landlockedScope = map[string]uint64{"abstract_unix_socket": unix.LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET, "signal": unix.LANDLOCK_SCOPE_SIGNAL}

func landlockedBits(names []string, bits map[string]uint64) (set uint64) {
	for _, n := range names {
		if bits[n] == 0 {
			panic("no right " + n)
		}
		set |= bits[n]
	}
	return set
}

func landlockedExec(file string, argv []string) error {
	var config struct {
		Variable []struct {
			Name    string
			Literal []string
		}
		Ruleset []struct {
			HandledAccessFs, HandledAccessNet, Scoped []string
		}
		PathBeneath []struct {
			AllowedAccess, Parent []string
		}
		NetPort []struct {
			AllowedAccess []string
			Port          []uint64
		}
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, &config); err != nil {
		return err
	}
	runtime.LockOSThread()
	attr := unix.LandlockRulesetAttr{
		Handled_access_fs:  landlockedBits(config.Ruleset[0].HandledAccessFs, landlockedFs),
		Handled_access_net: landlockedBits(config.Ruleset[0].HandledAccessNet, landlockedNet),
		Scoped:             landlockedBits(config.Ruleset[0].Scoped, landlockedScope),
	}
	fd, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr), 0)
	if errno != 0 {
		return errno
	}
	variables := []string{"$$", "$"}
	for _, v := range config.Variable {
		variables = append(variables, "${"+v.Name+"}", v.Literal[0])
	}
	expand := strings.NewReplacer(variables...)
	for _, rule := range config.PathBeneath {
		for _, path := range rule.Parent {
			if err := landlockedPath(fd, expand.Replace(path), landlockedBits(rule.AllowedAccess, landlockedFs)); err != nil {
				return fmt.Errorf("%q: %w", path, err)
			}
		}
	}
	for _, rule := range config.NetPort {
		for _, port := range rule.Port {
			// struct landlock_net_port_attr, linux/landlock.h
			attr := struct{ allowed, port uint64 }{landlockedBits(rule.AllowedAccess, landlockedNet), port}
			if _, _, errno := unix.Syscall6(unix.SYS_LANDLOCK_ADD_RULE, fd, 2, uintptr(unsafe.Pointer(&attr)), 0, 0, 0); errno != 0 {
				return errno
			}
		}
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	if _, _, errno := unix.Syscall(unix.SYS_LANDLOCK_RESTRICT_SELF, fd, 0, 0); errno != 0 {
		return errno
	}
	return unix.Exec(argv[0], argv, os.Environ())
}

func landlockedPath(ruleset uintptr, path string, rights uint64) error {
	object, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTDIR) {
		return nil
	}
	if err != nil {
		return err
	}
	defer unix.Close(object)
	var stat unix.Stat_t
	if err := unix.Fstat(object, &stat); err != nil {
		return err
	}
	if stat.Mode&unix.S_IFMT != unix.S_IFDIR {
		// ACCESS_FILE, security/landlock/fs.c
		rights &= unix.LANDLOCK_ACCESS_FS_EXECUTE | unix.LANDLOCK_ACCESS_FS_WRITE_FILE | unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_TRUNCATE | unix.LANDLOCK_ACCESS_FS_IOCTL_DEV
	}
	attr := unix.LandlockPathBeneathAttr{Allowed_access: rights, Parent_fd: int32(object)} //nolint:gosec // a descriptor
	if _, _, errno := unix.Syscall6(unix.SYS_LANDLOCK_ADD_RULE, ruleset, unix.LANDLOCK_RULE_PATH_BENEATH, uintptr(unsafe.Pointer(&attr)), 0, 0, 0); errno != 0 {
		return errno
	}
	return nil
}
