# Archives keep owners, modes, links, holes, devices, ACLs and attributes.
. "$DATA/lib.sh"

mkdir -p tree/sub/empty
echo text >tree/file
seq 1 20000 >tree/sub/numbers
ln tree/file tree/hard
ln -s sub/numbers tree/soft
ln -s nowhere tree/dangling
mkfifo tree/fifo
chmod 4711 tree/sub/numbers
chmod 2770 tree/sub/empty
chmod 0 tree/dangling 2>/dev/null || :
truncate -s 4M tree/holes
printf data | dd of=tree/holes bs=1 seek=2000000 conv=notrunc status=none
touch "tree/$(printf 'name \303\251 \377\n with')"
setfattr -n user.colour -v blue tree/file
setfattr -n user.binary -v 0x0001ff tree/sub
setfacl -m u:1234:rw-,g:4321:r-x tree/file
setfacl -d -m u:1234:rwx tree/sub
if [ "$(id -u)" = 0 ]; then
	chown -R 1001:1002 tree/sub
	chown -h 1003:1004 tree/soft
	mknod tree/null c 1 3
	setfattr -n trusted.note -v secret tree/file
	setcap cap_net_raw+ep tree/sub/numbers 2>/dev/null || :
fi
find tree -exec touch -h -d 2010-11-12T13:14:15.5 {} +

# The archive has names and times of this run otherwise.
all="--sparse-version=0.0 --pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime --xattrs --xattrs-include=* --acls --sparse --numeric-owner --sort=name"
# shellcheck disable=SC2086 # a list of words
tar $all -cf all.tar tree
sha256sum <all.tar
tar -tvf all.tar
mkdir out && tar $all -xpf all.tar -C out
tar -df all.tar -C out
mkdir masked && (umask 077; tar -xf all.tar -C masked --no-same-permissions)
mkdir piped && tar -czf - tree | tar -xzf - -C piped
try tar -xkf all.tar -C out tree/file 2>&1
try tar -xf all.tar -C out --overwrite tree/file
try tar -xf all.tar -C out --unlink-first tree/hard
try tar -xf all.tar -C out --recursive-unlink tree/sub
tar -cf snap.tar --listed-incremental="$SCRATCH/snar" tree
echo more >>tree/file; rm tree/soft
tar -cf snap2.tar --listed-incremental="$SCRATCH/snar" tree; rm snap.tar snap2.tar
tar -cf - --transform=s,tree,other, tree | tar -xf - && mv other renamed
tar --delete -f all.tar tree/sub/numbers && tar -tf all.tar | wc -l
rm all.tar
getfacl -R -n out | sort | uniq -c
getfattr -R -d -m - out | sort | uniq -c
rm -rf masked/tree/sub
show out
