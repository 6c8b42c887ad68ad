# setup PROGRAM BUNDLE ID HOST ROOT: run a bundle, in a mount namespace of its own.
program=$1 bundle=$2 id=$3 host=$4 root=$5

# The machine itself is the root of the container, and stays as it is.
if [ -n "$host" ]; then
	mount --rbind / "$bundle/rootfs"
fi
# crun takes no mixture of both versions of cgroups. It need not limit anything.
options=
case $program in
*crun)
	options=--cgroup-manager=disabled
	mount -t cgroup2 cgroup2 /sys/fs/cgroup
	;;
esac
state=$bundle/state
# A runtime of another Debian needs the libraries that belong to it.
if [ -n "$root" ]; then
	mount --bind "$root" "$root"
	mkdir -p "$root/proc" "$root/sys" "$root/dev" "$root/tmp" "$root/bundle" "$root/mnt"
	for dir in proc sys dev tmp; do mount --rbind "/$dir" "$root/$dir"; done
	mount --rbind "$bundle" "$root/bundle"
	bundle=/bundle state=/bundle/state
	cd "$root"
	pivot_root . mnt
	# Not by chroot(8): it is not there.
fi
exec "$program" --root "$state" $options run --bundle "$bundle" "$id"
