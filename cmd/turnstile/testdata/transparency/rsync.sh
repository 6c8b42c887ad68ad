# rsync writes to a temporary name and renames; with all that it can preserve.
. "$DATA/lib.sh"

mkdir -p from/a/b from/c
for i in $(seq 1 50); do seq 1 $((i * 20)) >from/a/$i; done
ln from/a/1 from/c/hard; ln -s a/2 from/soft; mkfifo from/fifo
truncate -s 1M from/holes
setfattr -n user.k -v v from/a/3
setfacl -m u:1234:r from/a/4
chmod 4755 from/a/5; chmod 2775 from/c
# rsync looks at whole seconds: whether two files have the same must not be chance.
find from -exec touch -h -d 2004-04-04 {} +
touch -d 2005-05-05T05:05:05.25 from/a/6 from/c
if [ "$(id -u)" = 0 ]; then chown 1001:1002 from/a/7; chown -h 1003 from/soft; mknod from/null c 1 3; fi
rsync -aHAXS --numeric-ids from/ to/
rsync -aHAXS --numeric-ids --itemize-changes from/ to/
echo changed >>from/a/8; rm from/a/9; chmod 600 from/a/10; touch -d 2006-06-06 from/a/8 from/a/11
rsync -aHAXS --numeric-ids --itemize-changes --delete from/ to/
rsync -a --inplace --no-whole-file from/a/ in-place/
echo more >>from/a/12; touch -d 2007-07-07 from/a/12; rsync -ai --inplace --no-whole-file from/a/ in-place/
rsync -a --link-dest="$PWD/to" from/ linked/
rsync -a --backup --backup-dir="$PWD/old" --delete from/c/ to/a/
show .
