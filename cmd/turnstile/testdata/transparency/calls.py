"""Each call that names files, on files of each kind, one result a line.

Results are what a program sees: a value, an error, and what a descriptor is."""

import ctypes
import errno
import fcntl
import os
import re
import resource
import signal
import socket
import stat
import struct
import sys
import threading

libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
ROOT = os.geteuid() == 0
AT_FDCWD, AT_EMPTY_PATH, AT_NOFOLLOW, AT_FOLLOW = -100, 0x1000, 0x100, 0x400

# Numbers of x86-64 and arm64 for what Python has no function for; None where the
# processor does not have it.
ARM = os.uname().machine == "aarch64"
NR = {
    "openat2": 437, "faccessat2": 439, "fchmodat2": 452, "setxattrat": 463, "getxattrat": 464, "removexattrat": 466,
    "open": None if ARM else 2, "creat": None if ARM else 85, "openat": 56 if ARM else 257, "renameat2": 276 if ARM else 316,
    "mknodat": 33 if ARM else 259, "linkat": 37 if ARM else 265, "unlinkat": 35 if ARM else 263, "symlinkat": 36 if ARM else 266,
    "mkdirat": 34 if ARM else 258, "fchownat": 54 if ARM else 260, "fchmodat": 53 if ARM else 268, "utimensat": 88 if ARM else 280,
    "readlinkat": 78 if ARM else 267, "newfstatat": 79 if ARM else 262, "statx": 291 if ARM else 332, "truncate": 45 if ARM else 76,
    "chdir": 49 if ARM else 80, "statfs": 43 if ARM else 137, "inotify_add_watch": 27 if ARM else 254, "utime": None if ARM else 132,
    "utimes": None if ARM else 235, "futimesat": None if ARM else 261, "rename": None if ARM else 82, "access": None if ARM else 21,
    "execve": 221 if ARM else 59, "chroot": 51 if ARM else 161, "name_to_handle_at": 264 if ARM else 303, "acct": 89 if ARM else 163,
    "setxattr": 5 if ARM else 188, "unlink": None if ARM else 87, "rmdir": None if ARM else 84, "mkdir": None if ARM else 83,
    "readlink": None if ARM else 89, "symlink": None if ARM else 88, "link": None if ARM else 86, "chmod": None if ARM else 90,
}
if ARM:
    os.O_DIRECTORY, os.O_NOFOLLOW, os.O_DIRECT = 0o40000, 0o100000, 0o200000


def raw(name, *args):
    """A system call by itself: no library is in between."""
    if NR[name] is None:
        return "not on this processor"
    args = [ctypes.c_char_p(a) if isinstance(a, bytes) else ctypes.c_long(a) if isinstance(a, int) else a for a in args]
    n = libc.syscall(ctypes.c_long(NR[name]), *args)
    if n < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return n


def say(label, call, *args, **kw):
    """Print the result of a call."""
    try:
        result = call(*args, **kw)
    except OSError as e:
        result = errno.errorcode.get(e.errno, e.errno)
    except ValueError as e:
        result = f"ValueError {e}"
    print(label, "=", result)


def describe(fd):
    """What a descriptor is, and close it."""
    try:
        st = os.fstat(fd)
        flags = fcntl.fcntl(fd, fcntl.F_GETFL)
        kind = stat.S_IFMT(st.st_mode)
        text = f"fd {fd} {kind:o} mode {st.st_mode & 0o7777:o} {st.st_uid}:{st.st_gid} flags {flags:o} cloexec {fcntl.fcntl(fd, fcntl.F_GETFD)}"
        if kind == stat.S_IFREG:
            text += f" size {st.st_size}"
        name = os.readlink(f"/proc/self/fd/{fd}")
        # The number of a file without a name, and of this process.
        name = re.sub(r"#\d+", "#N", name.replace(os.getcwd(), "CWD")).replace(f"/{os.getpid()}", "/PID")
        return text + " " + name + f" at {os.lseek(fd, 0, 1) if kind in (stat.S_IFREG, stat.S_IFDIR) else '-'}"
    finally:
        os.close(fd)


def opened(path, flags, mode=0o644, dirfd=AT_FDCWD):
    return describe(raw("openat", dirfd, path, flags, mode))


def ours(path):
    """Whether it may be changed: nobody has no right to change what is not ours, but
    root has. Only what is below the directory of this part is."""
    return not ROOT or os.path.realpath(path).startswith(here.encode() + b"/") and not path.startswith((b"/proc/self/fd", b"/dev"))


def put(name, data=b"12345", mode=0o644):
    with open(name, "wb") as f:
        f.write(data)
    os.chmod(name, mode)


def fill(d):
    """A directory with files of each kind, as the working directory."""
    os.mkdir(d)
    os.chdir(d)
    os.umask(0o022)
    put("file")
    put("closed", mode=0)
    put("readonly", mode=0o444)
    put("program", b"#!/bin/sh\nexit 3\n", 0o755)
    os.link("file", "hard")
    os.mkdir("dir")
    put("dir/inner")
    os.mkdir("dir/sub")
    os.mkdir("shut", 0)
    for name, target in {"soft": "file", "softdir": "dir", "dangling": "missing", "loop": "loop", "up": "..", "absolute": os.getcwd() + "/file",
                         "chain": "soft", "slash": "dir/", "into": "dir/new", "proc": "/proc/self", "fd0": "/proc/self/fd/0"}.items():
        os.symlink(target, name)
    os.mkfifo("fifo")
    s = socket.socket(socket.AF_UNIX)
    s.bind("socket")
    s.close()


PATHS = [b"file", b"closed", b"readonly", b"dir", b"dir/", b"dir/.", b"dir/..", b"./file", b"dir/../file", b"dir//inner", b"file/", b"file/x", b"file/..",
         b"soft", b"soft/", b"softdir", b"softdir/", b"softdir/inner", b"softdir/..", b"dangling", b"dangling/", b"loop", b"loop/x", b"up", b"up/.", b"absolute",
         b"chain", b"slash", b"slash/inner", b"into", b"hard", b"socket", b"missing", b"missing/", b"missing/x", b"missing/..", b"shut", b"shut/x", b"", b".", b"..", b"/",
         b"//", b"/..", b"/dev/null", b"/dev/zero", b"/dev/full", b"/dev/tty", b"/proc/self", b"/proc/self/", b"/proc/self/exe", b"/proc/self/cwd", b"/proc/self/cwd/file",
         b"/proc/self/root/dev/null", b"proc", b"proc/comm", b"fd0", b"/proc/self/comm", b"/proc/thread-self/comm", b"/proc/self/fd", b"/proc/self/fd/99", b"/proc/self/ns/mnt",
         b"/proc/self/environ", b"/proc/version", b"/proc/1/environ", b"/sys/kernel", b"/dev/fd/0", b"/dev/stdin", b"/dev/shm", b"x" * 255, b"x" * 256, b"./" * 2047 + b"f",
         b"./" * 2048 + b"f", b"./" * 2045 + b"file", b"\xff\xfe", b"a\nb", b"/etc/shadow", b"/etc/passwd", b"/root/x"]


def opens():
    fill("opens")
    os.chmod(".", 0o755)
    flag_sets = {
        "r": os.O_RDONLY, "w": os.O_WRONLY, "rw": os.O_RDWR, "3": 3, "wtrunc": os.O_WRONLY | os.O_TRUNC, "append": os.O_WRONLY | os.O_APPEND, "rtrunc": os.O_RDONLY | os.O_TRUNC,
        "creat": os.O_WRONLY | os.O_CREAT, "excl": os.O_RDWR | os.O_CREAT | os.O_EXCL, "dir": os.O_RDONLY | os.O_DIRECTORY, "nofollow": os.O_RDONLY | os.O_NOFOLLOW,
        "path": os.O_PATH, "pathnofollow": os.O_PATH | os.O_NOFOLLOW, "pathdir": os.O_PATH | os.O_DIRECTORY, "creatnofollow": os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW,
        "creatdir": os.O_RDONLY | os.O_CREAT | os.O_DIRECTORY, "noatime": os.O_RDONLY | os.O_NOATIME, "cloexec": os.O_RDONLY | os.O_CLOEXEC, "tmpfile": os.O_RDWR | os.O_TMPFILE,
        "tmpfileexcl": os.O_RDWR | os.O_TMPFILE | os.O_EXCL, "tmpfiler": os.O_RDONLY | os.O_TMPFILE, "sync": os.O_WRONLY | os.O_SYNC, "direct": os.O_RDONLY | os.O_DIRECT,
        "excl only": os.O_RDONLY | os.O_EXCL, "creatpath": os.O_PATH | os.O_CREAT, "unknown": os.O_RDONLY | 0x8000000,
    }
    looking = ("r", "dir", "nofollow", "path", "pathnofollow", "pathdir", "noatime", "cloexec", "direct", "excl only", "creatpath", "unknown")
    harmless = (b"", b".", b"dir/..", b"softdir/..", b"/dev/null", b"/dev/zero", b"/dev/full", b"/proc/self/comm", b"/proc/thread-self/comm", b"proc/comm", b"/proc/self/root/dev/null")
    for path in PATHS:
        for name, flags in flag_sets.items():
            if name not in looking and path not in harmless and not ours(path):
                continue
            # What may block is opened so that it does not.
            nonblock = os.O_NONBLOCK if path in (b"fd0", b"/dev/fd/0", b"/dev/stdin", b"/dev/tty") else 0
            say(f"open {path[:30]!r} {name}", opened, path, flags | nonblock, 0o7664)
            for created in (b"missing", b"dir/new", b"f", b"x" * 255, b"\xff\xfe", b"a\nb"):
                try:
                    os.unlink(created)
                except OSError:
                    pass
            for truncated in ("file", "readonly", "closed", "dir/inner"):
                if os.stat(truncated).st_size != 5:
                    os.chmod(truncated, 0o600)
                    put(truncated, mode={"readonly": 0o444, "closed": 0}.get(truncated, 0o644))
    for flags in (os.O_RDONLY, os.O_RDWR, os.O_WRONLY, os.O_PATH, os.O_WRONLY | os.O_CREAT, os.O_WRONLY | os.O_TRUNC):
        say(f"open fifo {flags:o} nonblock", opened, b"fifo", flags | os.O_NONBLOCK)
    for mode in (0, 0o777, 0o7777, 0o1000, 0o2755, 0o4711, 0o170644):
        for mask in (0, 0o22, 0o77, 0o777):
            os.umask(mask)
            say(f"creat mode {mode:o} umask {mask:o}", opened, b"new", os.O_RDWR | os.O_CREAT | os.O_EXCL, mode)
            os.unlink("new")
            say(f"tmpfile mode {mode:o} umask {mask:o}", opened, b".", os.O_RDWR | os.O_TMPFILE, mode)
    os.umask(0o022)
    say("creat()", lambda: describe(raw("creat", b"created", 0o600)) if NR["creat"] else None)
    say("open()", lambda: describe(raw("open", b"file", os.O_RDONLY)) if NR["open"] else None)


def bases():
    fill("bases")
    d = os.open("dir", os.O_RDONLY | os.O_DIRECTORY)
    p = os.open("dir", os.O_PATH)
    f = os.open("file", os.O_RDONLY)
    r, w = os.pipe()
    gone = os.open("gone" if not os.mkdir("gone") else "", os.O_RDONLY)
    os.rmdir("gone")
    shut = os.open("shut", os.O_PATH)
    for name, fd in {"dir": d, "O_PATH": p, "file": f, "pipe": r, "-1": -1, "999": 999, "cwd": AT_FDCWD, "removed": gone, "shut": shut, "high bits": (1 << 32) | d}.items():
        for path in (b"inner", b"sub", b"../file", b".", b"..", b"", b"new", b"/dev/null", b"missing/x", b"../soft", b"../softdir/inner"):
            say(f"openat {name} {path!r}", opened, path, os.O_RDONLY, 0, fd)
            say(f"openat {name} {path!r} path", opened, path, os.O_PATH, 0, fd)
            say(f"stat {name} {path!r}", lambda: stat.filemode(os.stat(path, dir_fd=ctypes.c_int(fd).value).st_mode))
            say(f"access {name} {path!r}", raw, "faccessat2", fd, path, os.R_OK, 0)
        for path in (b"new", b"new/", b"../made", b"", b".", b"inner"):
            say(f"mkdirat {name} {path!r}", raw, "mkdirat", fd, path, 0o755)
            say(f"rmdirat {name} {path!r}", raw, "unlinkat", fd, path, 0x200)
            say(f"mknodat {name} {path!r}", raw, "mknodat", fd, path, stat.S_IFIFO | 0o644, 0)
            say(f"unlinkat {name} {path!r}", raw, "unlinkat", fd, path, 0)
            say(f"symlinkat {name} {path!r}", raw, "symlinkat", b"target", fd, path)
            say(f"readlinkat {name} {path!r}", raw, "readlinkat", fd, path, ctypes.create_string_buffer(100), 100)
            say(f"renameat2 {name} {path!r}", raw, "renameat2", fd, path, fd, b"other", 0)
            say(f"renameat2 back {name} {path!r}", raw, "renameat2", fd, b"other", fd, path, 0)
            say(f"unlinkat {name} {path!r}", raw, "unlinkat", fd, path, 0)
        put("dir/inner")
        for flags in (0, AT_EMPTY_PATH, AT_NOFOLLOW, AT_EMPTY_PATH | AT_NOFOLLOW, 0x800000):
            say(f"fchownat {name} {flags:x}", raw, "fchownat", fd, b"", os.getuid(), -1, flags)
            say(f"fchmodat2 {name} {flags:x}", raw, "fchmodat2", fd, b"", 0o755, flags)
            say(f"utimensat {name} {flags:x}", raw, "utimensat", fd, b"", 0, flags)
            say(f"newfstatat {name} {flags:x}", raw, "newfstatat", fd, b"", ctypes.create_string_buffer(256), flags)
            say(f"linkat {name} {flags:x}", raw, "linkat", fd, b"", AT_FDCWD, b"linked", flags)
            try:
                os.unlink("linked")
            except OSError:
                pass
    os.chmod("dir", 0o755)
    for fd in (d, p, f, r, w, gone, shut):
        os.close(fd)


def openat2s():
    fill("openat2s")
    NO_XDEV, NO_MAGIC, NO_SYM, BENEATH, IN_ROOT, CACHED = 1, 2, 4, 8, 16, 32

    def how(path, flags=0, mode=0, resolve=0, size=24, dirfd=AT_FDCWD, tail=b""):
        b = ctypes.create_string_buffer(struct.pack("QQQ", flags, mode, resolve) + tail, 24 + len(tail))
        fd = raw("openat2", dirfd, path, b, size)
        return describe(fd)

    for path in (b"file", b"soft", b"softdir/inner", b"dir/../file", b"dir/../../openat2s/file", b"..", b"../x", b"/file", b"/dev/null", b"absolute", b"up/file", b"/proc/self/exe",
                 b"/proc/self/fd/0", b"proc/comm", b"/proc/version", b"missing", b"dir/.", b"file/", b""):
        for resolve in (0, NO_XDEV, NO_MAGIC, NO_SYM, BENEATH, IN_ROOT, BENEATH | IN_ROOT, NO_SYM | BENEATH, 64, 1 << 40):
            say(f"openat2 {path!r} resolve {resolve:x}", how, path, resolve=resolve)
    for size in (0, 8, 16, 23, 24, 32, 40, 4096, 5000):
        say(f"openat2 size {size}", how, b"file", size=size, tail=b"\0" * 5000)
    say("openat2 tail", how, b"file", size=32, tail=b"\1" * 8)
    for flags, mode in ((os.O_RDONLY, 0o644), (os.O_CREAT | os.O_WRONLY, 0o644), (os.O_CREAT | os.O_WRONLY, 0o10644), (os.O_PATH | os.O_WRONLY, 0), (os.O_PATH | os.O_CREAT, 0),
                        (1 << 31, 0), (1 << 40, 0), (os.O_TMPFILE | os.O_RDWR, 0o600), (os.O_TMPFILE, 0o600), (0o20000000, 0), (os.O_PATH | os.O_CLOEXEC, 0), (os.O_LARGEFILE, 0)):
        say(f"openat2 flags {flags:o} mode {mode:o}", how, b"." if flags & 0o20000000 else b"file", flags, mode)
    d = os.open("dir", os.O_PATH)
    for resolve in (0, BENEATH, IN_ROOT):
        for path in (b"inner", b"../file", b"/inner", b"..", b"."):
            say(f"openat2 dirfd {path!r} {resolve:x}", how, path, resolve=resolve, dirfd=d)
    os.close(d)
    say("openat2 null how", raw, "openat2", AT_FDCWD, b"file", 0, 24)
    say("openat2 null path", raw, "openat2", AT_FDCWD, 0, ctypes.create_string_buffer(24), 24)


def names():
    """Calls that make, remove and rename names."""
    fill("names")
    for path in PATHS:
        if not ours(path) and path not in (b"", b".", b"..", b"/"):
            continue
        short = path[:30]
        say(f"mkdir {short!r}", raw, "mkdirat", AT_FDCWD, path, 0o7777)
        say(f"  mode {short!r}", lambda: oct(os.lstat(path).st_mode))
        say(f"rmdir {short!r}", lambda: raw("unlinkat", AT_FDCWD, path, 0x200) if path not in (b"dir", b"dir/", b"shut") else None)
        say(f"mknod {short!r}", raw, "mknodat", AT_FDCWD, path, stat.S_IFREG | 0o6666, 0)
        say(f"link to {short!r}", lambda: raw("linkat", AT_FDCWD, b"file", AT_FDCWD, path, 0))
        say(f"symlink {short!r}", raw, "symlinkat", b"t", AT_FDCWD, path)
        say(f"link from {short!r}", raw, "linkat", AT_FDCWD, path, AT_FDCWD, b"linked", 0)
        say(f"  is {short!r}", lambda: stat.filemode(os.lstat("linked").st_mode))
        say(f"  unlink {short!r}", os.unlink, "linked")
        say(f"link follow {short!r}", raw, "linkat", AT_FDCWD, path, AT_FDCWD, b"linked", AT_FOLLOW)
        say(f"  is {short!r}", lambda: stat.filemode(os.lstat("linked").st_mode))
        say(f"  unlink {short!r}", os.unlink, "linked")
        for flags in (0, 1, 2, 3, 4, 8):
            say(f"rename {short!r} {flags}", raw, "renameat2", AT_FDCWD, path, AT_FDCWD, b"renamed", flags)
            say(f"  back {short!r}", raw, "renameat2", AT_FDCWD, b"renamed", AT_FDCWD, path, 0)
            say(f"  left {short!r}", lambda: os.unlink("renamed"))
        say(f"exchange {short!r}", raw, "renameat2", AT_FDCWD, path, AT_FDCWD, b"program", 2)
        say(f"exchange {short!r}", raw, "renameat2", AT_FDCWD, path, AT_FDCWD, b"program", 2)
        say(f"rename onto {short!r}", lambda: raw("renameat2", AT_FDCWD, b"hard", AT_FDCWD, path, 0) if path in (b"dir", b"file", b"missing/x", b"", b".", b"..", b"dir/") else None)
        if not os.path.lexists("hard"):
            os.link("file", "hard")
        if path in (b"missing", b"missing/", b"x" * 255, b"x" * 256, b"\xff\xfe", b"a\nb") or b"./" in path or path == b"into":
            say(f"unlink {short!r}", raw, "unlinkat", AT_FDCWD, path, 0)
        say("  now", lambda: sorted(os.listdir(b"."), key=lambda n: n)[:40])
    for target in (b"", b"x" * 4095, b"x" * 4096, b"//a/../b", b"\xff"):
        say(f"symlink of {target[:5]!r}", raw, "symlinkat", target, AT_FDCWD, b"made")
        say("  reads", lambda: os.readlink(b"made")[:10])
        say("  unlink", os.unlink, "made")
    for kind in (0, stat.S_IFREG, stat.S_IFIFO, stat.S_IFSOCK, stat.S_IFDIR, stat.S_IFLNK, 0o130000):
        say(f"mknod {kind:o}", raw, "mknodat", AT_FDCWD, b"node", kind | 0o644, 0)
        say("  is", lambda: stat.filemode(os.lstat("node").st_mode))
        say("  unlink", os.unlink, "node")
    for kind in (stat.S_IFCHR, stat.S_IFBLK):
        say(f"mknod {kind:o}", raw, "mknodat", AT_FDCWD, b"node", kind | 0o644, os.makedev(1, 3))
        say("  is", lambda: (stat.filemode(os.lstat("node").st_mode), os.lstat("node").st_rdev))
        say("  opens", lambda: opened(b"node", os.O_RDWR) if kind == stat.S_IFCHR else None)
        say("  unlink", os.unlink, "node")
    say("rename dir below itself", os.rename, "dir", "dir/sub/x")
    say("rename dir onto full dir", lambda: (os.mkdir("full"), put("full/x"), os.rename("dir", "full")))
    say("rename dir onto file", os.rename, "dir", "file")
    say("rename file onto dir", os.rename, "file", "dir")
    say("rename to hard link of itself", os.rename, "file", "hard")
    say("rename across", os.rename, "file", "/dev/shm/transparency-no")
    say("rmdir full", os.rmdir, "dir")
    say("rmdir file", os.rmdir, "file")
    say("rmdir link", os.rmdir, "softdir")
    say("rmdir .", os.rmdir, "dir/.")
    say("rmdir ..", os.rmdir, "dir/sub/..")
    say("unlink dir", os.unlink, "dir")
    say("unlink flags", raw, "unlinkat", AT_FDCWD, b"file", 0x1000)
    say("link dir", os.link, "dir", "dir2")
    say("link flags", raw, "linkat", AT_FDCWD, b"file", AT_FDCWD, b"x", 0x1)
    with open("held", "w+") as f:
        f.write("still there")
        f.flush()
        os.unlink("held")
        say("reopen deleted", lambda: open(f"/proc/self/fd/{f.fileno()}").read())
        say("link deleted", raw, "linkat", AT_FDCWD, f"/proc/self/fd/{f.fileno()}".encode(), AT_FDCWD, b"revived", AT_FOLLOW)
        say("truncate deleted", os.truncate, f"/proc/self/fd/{f.fileno()}", 3)
        say("chmod deleted", os.chmod, f"/proc/self/fd/{f.fileno()}", 0o600)
        say("stat deleted", lambda: (os.fstat(f.fileno()).st_size, oct(os.fstat(f.fileno()).st_mode)))
    fd = os.open(".", os.O_TMPFILE | os.O_RDWR, 0o640)
    os.write(fd, b"from a tmpfile")
    say("link tmpfile", raw, "linkat", AT_FDCWD, f"/proc/self/fd/{fd}".encode(), AT_FDCWD, b"tmplinked", AT_FOLLOW)
    say("link tmpfile by fd", raw, "linkat", fd, b"", AT_FDCWD, b"tmplinked2", AT_EMPTY_PATH)
    say("content", lambda: open("tmplinked").read())
    os.close(fd)


def changes():
    """Calls that change files: modes, owners, times, sizes, attributes."""
    fill("changes")
    me = os.getuid(), os.getgid()
    for path in PATHS:
        if not ours(path) and path != b"":
            continue
        short = path[:30]
        say(f"chmod {short!r}", raw, "fchmodat", AT_FDCWD, path, 0o6755)
        say(f"  mode {short!r}", lambda: oct(os.stat(path).st_mode))
        for flags in (0, AT_NOFOLLOW, AT_EMPTY_PATH, 1):
            say(f"fchmodat2 {short!r} {flags:x}", raw, "fchmodat2", AT_FDCWD, path, 0o700 if flags else 0o755, flags)
            say(f"fchownat {short!r} {flags:x}", raw, "fchownat", AT_FDCWD, path, *me, flags)
        say(f"  mode {short!r}", lambda: oct(os.stat(path).st_mode))
        say(f"fchownat other {short!r}", raw, "fchownat", AT_FDCWD, path, 1234, 5678, AT_NOFOLLOW)
        say(f"  owner {short!r}", lambda: (os.lstat(path).st_uid, os.lstat(path).st_gid))
        say(f"fchownat none {short!r}", raw, "fchownat", AT_FDCWD, path, -1, -1, 0)
        times = struct.pack("qqqq", 1000, 5, 2000, 999999999)
        for flags in (0, AT_NOFOLLOW, AT_EMPTY_PATH, 1):
            say(f"utimensat {short!r} {flags:x}", raw, "utimensat", AT_FDCWD, path, ctypes.create_string_buffer(times), flags)
        say(f"  times {short!r}", lambda: os.lstat(path).st_mtime_ns if os.lstat(path).st_mtime < 1.6e9 else "new")
        say(f"setxattr {short!r}", os.setxattr, path, "user.a", b"v")
        say(f"setxattr create {short!r}", os.setxattr, path, "user.a", b"v", os.XATTR_CREATE)
        say(f"setxattr replace {short!r}", os.setxattr, path, "user.b", b"v", os.XATTR_REPLACE)
        say(f"setxattr link {short!r}", os.setxattr, path, "user.a", b"w", follow_symlinks=False)
        say(f"setxattr trusted {short!r}", os.setxattr, path, "trusted.a", b"w", follow_symlinks=False)
        say(f"listxattr {short!r}", lambda: sorted(os.listxattr(path)))
        say(f"getxattr {short!r}", os.getxattr, path, "user.a")
        say(f"removexattr {short!r}", os.removexattr, path, "user.a")
        say(f"removexattr again {short!r}", os.removexattr, path, "user.a")
        say(f"removexattr trusted {short!r}", os.removexattr, path, "trusted.a", follow_symlinks=False)
        say(f"truncate {short!r}", raw, "truncate", path, 3)
        say(f"truncate -1 {short!r}", raw, "truncate", path, -1)
        say(f"  size {short!r}", lambda: os.stat(path).st_size if stat.S_ISREG(os.stat(path).st_mode) and not path.startswith(b"/proc") else None)
        if ROOT:
            for name in ("file", "closed", "readonly", "dir", "shut", "socket", "soft", "softdir"):
                os.chown(name, *me, follow_symlinks=False)
        os.chmod("dir", 0o755)
        os.chmod("shut", 0)
        os.chmod("closed", 0)
        os.chmod("readonly", 0o444)
    put("times")
    NOW, OMIT = (1 << 30) - 1, (1 << 30) - 2
    for a, b in ((NOW, NOW), (OMIT, OMIT), (OMIT, 7), (7, OMIT), (NOW, OMIT), (-1, 0), (10**9, 0)):
        os.utime("times", ns=(1 << 60, 1 << 60))
        buf = ctypes.create_string_buffer(struct.pack("qqqq", 1, a, 2, b))
        say(f"utimensat {a} {b}", raw, "utimensat", AT_FDCWD, b"times", buf, 0)
        st = os.stat("times")
        say("  times", lambda: (st.st_atime_ns if st.st_atime < 1.6e9 else "new", st.st_mtime_ns if st.st_mtime < 1.6e9 else "new"))
    say("utimensat null", raw, "utimensat", AT_FDCWD, b"times", 0, 0)
    say("utimensat null path", raw, "utimensat", os.open("times", os.O_RDONLY), 0, 0, 0)
    say("utimensat null path cwd", raw, "utimensat", AT_FDCWD, 0, 0, 0)
    say("utimensat bad times", raw, "utimensat", AT_FDCWD, b"times", 8, 0)
    say("utime", raw, "utime", b"times", ctypes.create_string_buffer(struct.pack("qq", 100, 200)))
    say("  times", lambda: (os.stat("times").st_atime_ns, os.stat("times").st_mtime_ns))
    say("utimes", raw, "utimes", b"times", ctypes.create_string_buffer(struct.pack("qqqq", 300, 1, 400, 999999)))
    say("  times", lambda: (os.stat("times").st_atime_ns, os.stat("times").st_mtime_ns))
    say("utimes bad", raw, "utimes", b"times", ctypes.create_string_buffer(struct.pack("qqqq", 300, 1000000, 400, 0)))
    say("futimesat", raw, "futimesat", AT_FDCWD, b"times", ctypes.create_string_buffer(struct.pack("qqqq", 500, 0, 600, 0)))
    say("  times", lambda: (os.stat("times").st_atime_ns, os.stat("times").st_mtime_ns))
    for size in (0, 1, 100, 1000, 5000, 65536, 65537):
        say(f"setxattr size {size}", os.setxattr, "times", "user.big", b"x" * size)
        say("  size", lambda: len(os.getxattr("times", "user.big")))
    small = ctypes.create_string_buffer(3)
    say("getxattr small", lambda: libc.getxattr(b"times", b"user.big", small, 3))
    for name in (b"", b"user", b"user.", b"a" * 255, b"user." + b"a" * 250, b"user." + b"a" * 251, b"\xff.x", b"system.posix_acl_access"):
        say(f"setxattr name {name[:12]!r}", os.setxattr, "times", name, b"v")
    say("setxattr flags", raw, "setxattr", b"times", b"user.x", b"v", 1, 4)
    args = ctypes.create_string_buffer(struct.pack("QII", ctypes.addressof(ctypes.create_string_buffer(b"vv")), 2, 0))
    say("setxattrat", raw, "setxattrat", AT_FDCWD, b"times", 0, b"user.at", args, 16)
    say("removexattrat", raw, "removexattrat", AT_FDCWD, b"times", 0, b"user.at")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    signal.signal(signal.SIGXFSZ, lambda *_: print("SIGXFSZ"))
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    say("truncate beyond the limit", os.truncate, "times", 2000)
    say("truncate within", os.truncate, "times", 900)
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    say("truncate sparse", os.truncate, "times", 1 << 40)
    say("  size", lambda: os.stat("times").st_size)
    os.truncate("times", 3)


def looks():
    """Calls that only look."""
    fill("looks")
    for path in PATHS:
        short = path[:30]
        for mode in (0, 4, 2, 1, 7, 8):
            say(f"access {short!r} {mode}", raw, "access", path, mode)
            for flags in (0, 0x200, AT_NOFOLLOW, AT_EMPTY_PATH, 1):
                say(f"faccessat2 {short!r} {mode} {flags:x}", raw, "faccessat2", AT_FDCWD, path, mode, flags)
        for size in (0, 1, 100):
            buf = ctypes.create_string_buffer(101)
            say(f"readlink {short!r} {size}", raw, "readlinkat", AT_FDCWD, path, buf, size)
            if not path.startswith((b"/proc", b"proc", b"fd0", b"/dev/")):
                print("  ", buf.raw[:10].rstrip(b"\0"))
        say(f"stat {short!r}", lambda: stat.filemode(os.stat(path).st_mode))
        say(f"lstat {short!r}", lambda: stat.filemode(os.lstat(path).st_mode))
        say(f"statfs {short!r}", raw, "statfs", path, ctypes.create_string_buffer(256))
        for flags in (0, AT_NOFOLLOW, 0x800, AT_EMPTY_PATH, 0x6000):
            say(f"statx {short!r} {flags:x}", raw, "statx", AT_FDCWD, path, flags, 0x7FF, ctypes.create_string_buffer(256))
        say(f"chdir {short!r}", lambda: (os.chdir(path), os.chdir(here))[0])
        say(f"listxattr {short!r}", lambda: len(os.listxattr(path)) >= 0)
        say(f"inotify {short!r}", watch, path)
        handle = ctypes.create_string_buffer(struct.pack("Ii", 128, 0), 256)
        say(f"handle {short!r}", raw, "name_to_handle_at", AT_FDCWD, path, handle, ctypes.create_string_buffer(8), 0)
    print(os.readlink("/proc/self/exe"), os.readlink("/proc/self/cwd") == here, os.path.samefile("/proc/self/root", "/"))
    print(os.readlink("/proc/self") == str(os.getpid()), open("/proc/self/comm").read(), open("/proc/thread-self/comm").read())


def watch(path):
    fd = libc.inotify_init1(0o4000)
    try:
        return raw("inotify_add_watch", fd, path, 0x100)
    finally:
        os.close(fd)


def pointers():
    """Arguments that cannot be read, or end at the edge of what can."""
    fill("pointers")
    libc.mmap.restype = ctypes.c_void_p
    libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
    page = libc.mmap(None, 8192, 3, 0x22, -1, 0)
    libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
    libc.munmap(page + 4096, 4096)

    def at_end(text):
        ctypes.memmove(page + 4096 - len(text), text, len(text))
        return page + 4096 - len(text)

    for label, ptr in (("null", 0), ("one", 1), ("unmapped", page + 4096), ("kernel", -4096), ("at the edge", at_end(b"file\0")), ):
        say(f"openat {label}", lambda: os.close(raw("openat", AT_FDCWD, ptr, 0)))
        say(f"mkdirat {label}", raw, "mkdirat", AT_FDCWD, ptr, 0o755)
        say(f"unlinkat {label}", raw, "unlinkat", 999, ptr, 0)
        say(f"unlinkat flags {label}", raw, "unlinkat", AT_FDCWD, ptr, 0x10000)
        say(f"symlinkat {label}", raw, "symlinkat", ptr, AT_FDCWD, b"file/x")
        say(f"linkat {label}", raw, "linkat", AT_FDCWD, ptr, AT_FDCWD, b"missing/x", 0)
        say(f"linkat both {label}", raw, "linkat", AT_FDCWD, b"missing", AT_FDCWD, ptr, 0)
        say(f"rename {label}", raw, "renameat2", AT_FDCWD, b"missing", AT_FDCWD, ptr, 0)
        say(f"rename flags {label}", raw, "renameat2", AT_FDCWD, b"missing", AT_FDCWD, ptr, 64)
        say(f"chmod {label}", raw, "fchmodat", AT_FDCWD, ptr, 0o644)
        say(f"chown {label}", raw, "fchownat", AT_FDCWD, ptr, -1, -1, 0)
        say(f"truncate {label}", raw, "truncate", ptr, 5)
        say(f"readlinkat {label}", raw, "readlinkat", AT_FDCWD, b"soft", ptr, 10 if label != "at the edge" else 4)
        say(f"stat {label}", raw, "newfstatat", AT_FDCWD, ptr, ctypes.create_string_buffer(256), 0)
        say(f"setxattr {label}", raw, "setxattr", b"file", ptr, b"v", 1, 0)
        say(f"setxattr value {label}", raw, "setxattr", b"file", b"user.x", ptr, 3, 0)
        say(f"execve {label}", raw, "execve", ptr, 0, 0)
        at_end(b"file\0")
    say("no end", lambda: raw("openat", AT_FDCWD, at_end(b"file"), 0))


def sockets():
    """Sockets that have names."""
    fill("sockets")
    for path in (b"new", b"file", b"dir", b"dangling", b"missing/x", b"shut/x", b"./dir/../sock2", b"softdir/sock3", b"x" * 107, b"x" * 108, b"dir/", b"into", os.getcwd().encode() + b"/abs"):
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            s = socket.socket(socket.AF_UNIX, kind)
            say(f"bind {path[-20:]!r} {kind}", s.bind, path)
            say("  name", lambda: s.getsockname()[-20:])
            say("  again", s.bind, b"second")
            say("  mode", lambda: stat.filemode(os.lstat(path).st_mode))
            c = socket.socket(socket.AF_UNIX, kind)
            say("  connect before", c.connect, path)
            if kind == socket.SOCK_STREAM:
                say("  listen", s.listen)
            say("  connect", c.connect, path)
            say("  peer", lambda: c.getpeername()[-20:])
            say("  send", c.send, b"hello")
            if kind == socket.SOCK_DGRAM:
                say("  recv", s.recvfrom, 10, socket.MSG_DONTWAIT)
                say("  sendto", socket.socket(socket.AF_UNIX, kind).sendto, b"again", path)
                say("  recv", s.recvfrom, 10, socket.MSG_DONTWAIT)
            else:
                s.settimeout(0)
                try:
                    peer, _ = s.accept()
                    pid, uid, gid = struct.unpack("3i", peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
                    print("  credentials", uid, gid)
                    say("  recv", peer.recv, 10)
                    peer.close()
                except OSError as e:
                    print("  accept", errno.errorcode[e.errno])
            s.close()
            c.close()
            if path in (b"new", b"./dir/../sock2", b"softdir/sock3", b"x" * 107, b"x" * 108) or path.endswith(b"/abs"):
                say("  unlink", os.unlink, path)
    s = socket.socket(socket.AF_UNIX)
    name = b"\0transparency-%d" % os.getpid()
    say("bind abstract", s.bind, name)
    s.listen()
    say("connect abstract", socket.socket(socket.AF_UNIX).connect, name)
    a = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    say("autobind", a.bind, b"")
    say("  name", lambda: len(a.getsockname()))
    t = socket.socket()
    say("bind tcp", t.bind, ("127.0.0.1", 0))
    t.listen()
    c = socket.socket()
    say("connect tcp", c.connect, t.getsockname())
    peer, _ = t.accept()
    c.sendall(b"over tcp")
    print(peer.recv(20))
    say("connect again", c.connect, t.getsockname())
    u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    u.bind(("127.0.0.1", 0))
    v = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    say("sendto udp", v.sendto, b"over udp", u.getsockname())
    print(u.recv(20))
    say("connect udp", v.connect, u.getsockname())
    say("sendmsg udp", v.sendmsg, [b"one", b"two"])
    print(u.recv(20))
    closed = socket.socket()
    closed.bind(("127.0.0.1", 0))
    say("connect refused", socket.socket().connect, closed.getsockname())
    n = socket.socket()
    n.setblocking(False)
    say("connect nonblock", n.connect_ex, t.getsockname())
    say("connect bad family", lambda: libc.connect(c.fileno(), b"\xff\xff" + b"\0" * 14, 16))
    say("bind port 1", socket.socket().bind, ("127.0.0.1", 1))
    r, w = os.pipe()
    say("connect to pipe", lambda: libc.connect(r, b"\1\0x\0", 4) and os.strerror(ctypes.get_errno()))
    x, y = socket.socketpair()
    fds = [os.open("file", os.O_RDONLY)]
    socket.send_fds(x, [b"f"], fds)
    _, got, _, _ = socket.recv_fds(y, 1, 1)
    print("passed", os.read(got[0], 10))


def limits():
    """Descriptors that run out, and which number is next."""
    fill("limits")
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (20, before[1]))
    held = []
    try:
        while True:
            held.append(os.open("file", os.O_RDONLY))
    except OSError as e:
        print("after", len(held) > 5, errno.errorcode[e.errno])
    say("creat at the limit", os.open, "created-at-limit", os.O_WRONLY | os.O_CREAT)
    say("missing at the limit", os.open, "missing", os.O_RDONLY)
    say("mkdir at the limit", os.mkdir, "made-at-limit")
    say("rename at the limit", os.rename, "made-at-limit", "renamed-at-limit")
    say("chmod at the limit", os.chmod, "file", 0o640)
    say("stat at the limit", lambda: os.stat("file").st_size)
    os.close(held.pop(3))
    hole = os.open("dir", os.O_RDONLY)
    print("lowest", sorted(held + [hole]).index(hole))
    for fd in held:
        os.close(fd)
    os.close(hole)
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def blocking():
    """Opens that wait for someone, and signals meanwhile."""
    fill("blocking")

    def other_end():
        with open("fifo", "w") as f:
            f.write("through the fifo")

    t = threading.Thread(target=other_end)
    t.start()
    print(open("fifo").read())
    t.join()

    class Interrupted(Exception):
        pass

    def stop(*_):
        raise Interrupted

    for flags in (os.O_RDONLY, os.O_WRONLY):
        signal.signal(signal.SIGALRM, stop)
        # Again and again: the first may come before the wait.
        signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)
        try:
            os.open("fifo", flags)
            print("opened")
        except Interrupted:
            print("a signal ends the wait")
        signal.setitimer(signal.ITIMER_REAL, 0)
        # With a handler that returns, and SA_RESTART off, a C program sees EINTR.
        signal.signal(signal.SIGALRM, lambda *_: None)
        signal.siginterrupt(signal.SIGALRM, True)
        signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)
        say("interrupted", raw, "openat", AT_FDCWD, b"fifo", flags, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
    pid = os.fork()
    if pid == 0:
        os.open("fifo", os.O_RDONLY)
        os._exit(0)
    while open(f"/proc/{pid}/stat").read().split()[2] != "S":
        os.sched_yield()
    os.kill(pid, signal.SIGKILL)
    print("killed", os.waitpid(pid, 0)[1])
    # A server and a client that wait for each other by name.
    for i in range(20):
        pid = os.fork()
        if pid == 0:
            fd = os.open("fifo", os.O_WRONLY)
            os.write(fd, b"%d " % i)
            os._exit(0)
        fd = os.open("fifo", os.O_RDONLY)
        print(os.read(fd, 10).decode(), end="")
        os.close(fd)
        os.waitpid(pid, 0)
    print()


def threads():
    """Each thread may have a directory, a umask and descriptors of its own."""
    fill("threads")
    out = []

    def alone():
        libc.unshare(0x200)  # CLONE_FS
        os.chdir("dir")
        os.umask(0o077)
        out.append(sorted(os.listdir(".")))
        os.close(os.open("from-thread", os.O_CREAT | os.O_WRONLY, 0o666))
        os.mkdir("dir-from-thread")

    t = threading.Thread(target=alone)
    t.start()
    t.join()
    os.close(os.open("from-main", os.O_CREAT | os.O_WRONLY, 0o666))
    print(out, sorted(os.listdir(".")) == sorted(os.listdir("../threads")), oct(os.stat("from-main").st_mode), oct(os.stat("dir/from-thread").st_mode))

    def many(n):
        for i in range(50):
            name = f"t{n}.{i}"
            fd = os.open(name, os.O_CREAT | os.O_EXCL | os.O_RDWR)
            os.write(fd, name.encode())
            os.rename(name, "r" + name)
            if os.pread(fd, 100, 0) != name.encode():
                out.append(f"{name} has {os.pread(fd, 100, 0)!r}")
            os.close(fd)
            os.unlink("r" + name)

    ts = [threading.Thread(target=many, args=(n,)) for n in range(8)]
    for t in ts:
        t.start()
    for t in ts:
        t.join()
    print(out[1:])
    pid = os.posix_spawn("/bin/sh", ["sh", "-c", "cat; pwd | wc -c >/dev/null; exit 5"], os.environ, file_actions=[(os.POSIX_SPAWN_OPEN, 0, "file", os.O_RDONLY, 0)])
    print("spawned", os.waitpid(pid, 0)[1] >> 8)
    for name in ("program", "file", "missing", "dir", "closed", "soft", "program/"):
        say(f"exec {name}", lambda: os.waitpid(os.posix_spawn(name, [name], os.environ), 0)[1] >> 8)
    with open("program", "r+") as f:
        say("exec while written", lambda: os.waitpid(os.posix_spawn("./program", ["program"], os.environ), 0)[1] >> 8)
        del f


def rights():
    """A root that gives up rights, for good, for a while, or some of them."""
    fill("rights")
    os.chmod(".", 0o777)
    if not ROOT:
        return

    def child(label, drop, after=None):
        sys.stdout.flush()
        pid = os.fork()
        if pid == 0:
            try:
                drop()
                for name in (b"closed", b"file", b"readonly", b"shut/x", b"/etc/shadow"):
                    say(f"{label} read {name!r}", lambda: os.close(raw("openat", AT_FDCWD, name, os.O_RDONLY)))
                    say(f"{label} write {name!r}", lambda: os.close(raw("openat", AT_FDCWD, name, os.O_WRONLY)) if name[:1] != b"/" else None)
                    say(f"{label} access {name!r}", raw, "faccessat2", AT_FDCWD, name, 6, 0)
                    say(f"{label} eaccess {name!r}", raw, "faccessat2", AT_FDCWD, name, 6, 0x200)
                name = label.replace(" ", "-").encode()
                say(f"{label} creat", lambda: describe(raw("openat", AT_FDCWD, name, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o666)))
                say(f"{label} mkdir", raw, "mkdirat", AT_FDCWD, name + b".d", 0o777)
                say(f"{label} mknod", raw, "mknodat", AT_FDCWD, name + b".n", stat.S_IFCHR | 0o666, os.makedev(1, 3))
                say(f"{label} fifo", raw, "mknodat", AT_FDCWD, name + b".f", stat.S_IFIFO | 0o666, 0)
                say(f"{label} symlink", raw, "symlinkat", b"x", AT_FDCWD, name + b".s")
                say(f"{label} link", raw, "linkat", AT_FDCWD, b"closed", AT_FDCWD, name + b".l", 0)
                say(f"{label} link own", raw, "linkat", AT_FDCWD, name, AT_FDCWD, name + b".m", 0)
                say(f"{label} bind", lambda: socket.socket(socket.AF_UNIX).bind(name + b".b"))
                say(f"{label} port", lambda: socket.socket().bind(("127.0.0.1", 7)))
                say(f"{label} chmod", raw, "fchmodat", AT_FDCWD, b"file", 0o644)
                say(f"{label} chmod own", raw, "fchmodat", AT_FDCWD, name, 0o6644)
                say(f"{label} chown", raw, "fchownat", AT_FDCWD, name, 0, 0, 0)
                say(f"{label} utime", raw, "utimensat", AT_FDCWD, b"file", ctypes.create_string_buffer(struct.pack("qqqq", 1, 0, 2, 0)), 0)
                say(f"{label} utime own", raw, "utimensat", AT_FDCWD, name, ctypes.create_string_buffer(struct.pack("qqqq", 1, 0, 2, 0)), 0)
                say(f"{label} touch open", raw, "utimensat", AT_FDCWD, b"readonly", 0, 0)
                say(f"{label} xattr", os.setxattr, name, "user.x", b"v")
                say(f"{label} trusted", os.setxattr, name, "trusted.x", b"v")
                say(f"{label} getxattr", os.getxattr, name, "user.x")
                say(f"{label} listxattr", os.listxattr, name)
                say(f"{label} truncate", os.truncate, "readonly", 4)
                say(f"{label} truncate own", os.truncate, name, 4)
                say(f"{label} rename", os.rename, name, name + b"2")
                say(f"{label} unlink", os.unlink, name + b".f")
                say(f"{label} rmdir", os.rmdir, name + b".d")
                say(f"{label} readlink", os.readlink, name + b".s")
                say(f"{label} stat", lambda: stat.filemode(os.lstat(name + b".s").st_mode))
                say(f"{label} statfs", raw, "statfs", b"file", ctypes.create_string_buffer(256))
                say(f"{label} chdir", os.chdir, "shut")
                say(f"{label} noatime", lambda: os.close(raw("openat", AT_FDCWD, b"file", os.O_RDONLY | os.O_NOATIME)))
                say(f"{label} tmpfile", lambda: describe(raw("openat", AT_FDCWD, b".", os.O_TMPFILE | os.O_RDWR, 0o644)))
                say(f"{label} inotify", watch, b"closed")
                say(f"{label} environ", lambda: len(open("/proc/1/environ").read(1)))
                say(f"{label} own environ", lambda: len(open("/proc/self/environ").read(1)))
                say(f"{label} own maps", lambda: len(open("/proc/self/maps").read(1)))
                say(f"{label} own exe", lambda: os.close(os.open("/proc/self/exe", os.O_RDONLY)))
                say(f"{label} own fd", lambda: len(os.listdir("/proc/self/fd")) > 2)
                say(f"{label} own fdinfo", lambda: len(open("/proc/self/fdinfo/1").read(3)))
                say(f"{label} own comm", lambda: open("/proc/self/comm", "w").write("x"))
                say(f"{label} own oom", lambda: open("/proc/self/oom_score_adj", "w").write("5"))
                say(f"{label} lower oom", lambda: open("/proc/self/oom_score_adj", "w").write("-5"))
                for name in ("/proc/sys/kernel/core_pattern", "/proc/sys/vm/swappiness", "/proc/self/task/../../sys/kernel/hostname", "/proc/self/environ", "/proc/self/uid_map",
                             "/proc/self/mem", "/proc/self/loginuid", "/proc/self/stack", "/proc/1/maps", "/proc/1/root", "/proc/sysrq-trigger", "/proc/kcore", "/dev/kmsg", "/sys/kernel/mm/ksm/run"):
                    for flags in (os.O_RDONLY, os.O_WRONLY):
                        say(f"{label} opens {name} {flags}", lambda: os.close(os.open(name, flags)))
                if after:
                    after()
                    say(f"{label} afterwards", lambda: os.close(raw("openat", AT_FDCWD, b"/etc/shadow", os.O_RDONLY)))
            except BaseException as e:
                print(label, repr(e))
            sys.stdout.flush()
            os._exit(0)
        os.waitpid(pid, 0)

    def caps(keep):
        header = ctypes.create_string_buffer(struct.pack("Ii", 0x20080522, 0))
        low, high = keep & 0xFFFFFFFF, keep >> 32
        data = ctypes.create_string_buffer(struct.pack("6I", low, low, 0, high, high, 0))
        if libc.capset(header, data) != 0:
            raise OSError(ctypes.get_errno(), "capset")

    child("root", lambda: None)
    child("dropped", lambda: (os.setgroups([]), os.setresgid(65534, 65534, 65534), os.setresuid(65534, 65534, 65534)))
    child("other", lambda: (os.setgroups([]), os.setresgid(61234, 61234, 61234), os.setresuid(61234, 61234, 61234)))
    child("effective", lambda: (os.setegid(65534), os.seteuid(65534)), lambda: (os.seteuid(0), os.setegid(0)))
    child("real", lambda: (os.setresgid(65534, 0, 0), os.setresuid(65534, 0, 0)))
    child("fsuid", lambda: (libc.setfsgid(65534), libc.setfsuid(65534)), lambda: libc.setfsuid(0))
    child("group", lambda: (os.setgroups([0, 42]), os.setresgid(65534, 65534, 65534), os.setresuid(65534, 65534, 65534)))
    child("no capability", lambda: caps(0))
    child("only dac read", lambda: caps(1 << 2))
    child("only chown", lambda: caps(1))
    child("only fowner", lambda: caps(1 << 3))
    child("only mknod", lambda: caps(1 << 27))
    child("user with dac", lambda: (libc.prctl(8, 1, 0, 0, 0), os.setresgid(65534, 65534, 65534), os.setresuid(65534, 65534, 65534), caps(1 << 1)))
    child("undumpable", lambda: (os.setresgid(65534, 65534, 65534), os.setresuid(65534, 65534, 65534), libc.prctl(4, 0, 0, 0, 0)))


def locks():
    """What belongs to an open file: offset, locks, mappings."""
    fill("locks")
    import mmap

    a, b = os.open("file", os.O_RDWR), os.open("file", os.O_RDWR)
    fcntl.flock(a, fcntl.LOCK_EX)
    say("flock twice", fcntl.flock, b, fcntl.LOCK_EX | fcntl.LOCK_NB)
    fcntl.flock(a, fcntl.LOCK_UN)
    fcntl.lockf(a, fcntl.LOCK_EX)
    pid = os.fork()
    if pid == 0:
        try:
            fcntl.lockf(os.open("file", os.O_RDWR), fcntl.LOCK_EX | fcntl.LOCK_NB)
            os._exit(0)
        except OSError as e:
            os._exit(e.errno)
    print("lockf in child", errno.errorcode.get(os.waitpid(pid, 0)[1] >> 8))
    lock = fcntl.fcntl(b, 36, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0))
    print("F_OFD_GETLK sees", struct.unpack("hhqqi4x", lock)[0] == fcntl.F_WRLCK)
    os.write(a, b"ab")
    print(os.read(b, 10), os.lseek(a, 0, 1))
    m = mmap.mmap(a, 5)
    m[0:2] = b"MM"
    m.flush()
    print(os.pread(b, 5, 0))
    os.ftruncate(a, 0)
    say("lease", lambda: fcntl.fcntl(os.open("readonly", os.O_RDONLY), fcntl.F_SETLEASE, fcntl.F_RDLCK))
    say("owner", lambda: fcntl.fcntl(a, fcntl.F_GETOWN))
    say("notify", lambda: fcntl.fcntl(os.open("dir", os.O_RDONLY), fcntl.F_NOTIFY, fcntl.DN_CREATE))
    say("write to read-only", os.write, os.open("file", os.O_RDONLY), b"x")
    say("fchmod O_PATH", os.fchmod, os.open("file", os.O_PATH), 0o644)
    d = os.open(".", os.O_RDONLY)
    print(sorted(os.listdir(d))[:5], os.scandir(d) is not None)
    w = libc.inotify_init1(0o4000)
    raw("inotify_add_watch", w, b".", 0xFFF)
    os.close(os.open("seen", os.O_CREAT | os.O_WRONLY, 0o644))
    os.rename("seen", "seen2")
    os.unlink("seen2")
    data, events = os.read(w, 4096), []
    while data:
        _, mask, _, n = struct.unpack("iIII", data[:16])
        events.append((hex(mask), data[16:16 + n].rstrip(b"\0")))
        data = data[16 + n:]
    print(events)


if __name__ == "__main__":
    here = None
    sys.setswitchinterval(0.001)
    for part in sys.argv[1:]:
        print("==", part)
        top = os.getcwd()
        here = os.path.join(top, part)
        globals()[part]()
        os.chdir(top)
