# Programs that only look, at much.
. "$DATA/lib.sh"

find /usr -type f 2>&1 | head -n 3000
try ls -lR /etc /usr/lib/python3 /usr/share/doc/coreutils 2>&1
find /usr/share /etc -xdev -printf '%p %m %U %G %n %s %l\n' 2>/dev/null | sort | sha256sum
grep -rl root /etc 2>&1 | sort || :
find /usr/bin -perm -4000 | sort
du -s --apparent-size /usr/share/doc
file=$(realpath /usr/bin/awk); [ -x "$file" ] && echo "$file"
stat -L -c '%F %a' /dev/stdin /dev/null /dev/tty /dev/fd /proc/self/exe /proc/self/cwd /dev/shm
readlink /proc/self/exe /proc/self/cwd /proc/self/root | sed "s,$PWD,PWD,"
ls -d /proc/self/task/* | wc -l
test "$(cat /proc/self/comm)" = cat && echo itself
cat /proc/self/cmdline | tr '\0' ' '; echo
sh -c 'readlink /proc/$$/cwd /proc/$PPID/cwd' | sed "s,$PWD,PWD,"
sh -c 'test "$(cut -d" " -f4 /proc/self/stat)" = $$ && echo child'
awk '/^(Uid|Gid|Groups|Umask):/' /proc/self/status
cat /proc/self/mounts | sha256sum
ls /sys/class/net | wc -l
