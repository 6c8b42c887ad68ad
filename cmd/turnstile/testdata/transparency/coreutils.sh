# The everyday tools on files of all kinds.
. "$DATA/lib.sh"

mkdir -p a/b/c deep/er/and/deeper
printf 'one\ntwo\nthree\n' >a/one
echo second >a/b/second
: >a/b/c/empty
seq 1 5000 >a/numbers
head -c 300000 /dev/zero >a/zeros

# Modes, the bits above them, and a umask that is not the usual.
chmod 4755 a/one
chmod g+s,o+t a/b
chmod -R u=rwX,go= deep
(umask 077; echo secret >private; mkdir closed; mkfifo pipe-077)
(umask 0; echo open >public; mkdir world; ln -s public sym-000; mkfifo pipe-000)
(umask 0777; : >nothing; mkdir nowhere)
mkdir setgid && chmod 2775 setgid
try chgrp 4321 setgid
mkdir setgid/inherits && : >setgid/file
mkdir sticky && chmod 1777 sticky && : >sticky/mine
stat -c '%A %a %u %g %s %h %F %N' a/one a/b private closed public world sym-000 pipe-077 pipe-000 nothing nowhere setgid/* sticky

# Owners: works as root, EPERM as anyone else.
: >owned; ln -s owned owned-link; ln -s missing dangling
try chown 1234:5678 owned 2>&1
try chown -h 1111:2222 owned-link 2>&1
try chown -h 1:2 dangling 2>&1
try chown 1:2 dangling 2>&1
try chown -R 77:88 deep 2>&1
chmod 4755 owned 2>&1 || true
try chown 99:99 owned 2>&1
stat -c '%n %a %u %g' owned owned-link dangling deep/er
try install -m 2751 a/one installed
try install -d -m 0700 dir1/dir2/dir3
try install -o 42 -g 43 a/one installed-owned 2>&1

# Links.
ln a/one hard
ln -s a/one soft
ln -s "$PWD/a" absolute
ln -sr a/b/second relative
ln -s loop2 loop1; ln -s loop1 loop2
ln -P soft hard-to-soft
ln -L soft hard-through-soft
try ln a nodir 2>&1
try ln -s x a/one 2>&1
ln -sfn a/b/c soft2; ln -sfn a/b soft2
try cat loop1 2>&1
try stat loop1/x 2>&1
readlink soft absolute relative loop1 | sed "s,$PWD,PWD,"
readlink -f soft absolute/one relative | sed "s,$PWD,PWD,"
realpath -m a/../b//c/./d | sed "s,$PWD,PWD,"
try readlink a/one
try readlink -e missing/x

# Copies.
cp a/one copy1
cp -a a copy-a
cp -al a copy-hard
cp -as "$PWD/a" copy-sym
cp --reflink=auto --sparse=always a/zeros copy-sparse
cp -p private copy-p
cp --parents a/b/second deep
cp -T a/one copy1
try cp -n a/numbers copy1
try cp a/one a 2>&1
try cp a copy1 2>&1
cp -a pipe-000 copy-pipe
cp -a loop1 copy-loop
cp --remove-destination a/one soft2-x
cp -b a/numbers copy1
cmp a/numbers copy1

# Moves, also to another file system and back.
mv copy1 moved1
mv -T copy-a moved-a
try mv moved1/ x 2>&1
try mv moved-a moved-a/b 2>&1
try mv -n a/one moved1
mv --backup=numbered a/zeros moved1
mkdir empty1 && mv -T dir1 empty1
other=$(mktemp -d -p /dev/shm) # a file system of its own
mv moved-a "$other/tree"
mv sticky "$other"
(cd "$other" && show tree sticky)
mv "$other/tree" back
try ln hard "$other/x" 2>&1 | sed "s,$other,OTHER,g"
rm -r "$other"

# Times.
touch -d 2001-02-03T04:05:06.123456789 a/one
touch -h -d 2002-03-04 soft
touch -r a/one a/b/second
touch -a -d 1999-01-01 a/numbers
touch -m -d 1998-01-01 a/numbers
try touch -c missing
try touch missing/x 2>&1
try touch dangling && ls -l missing >/dev/null && rm missing
stat -c '%n %.9Y' a/one soft a/b/second
stat -c '%n %.9X %.9Y' a/numbers
find . -newermt 1997-01-01 ! -newermt 2003-01-01 | sort
touch -d 1980-01-01 a/b; : >a/b/new; [ a/b -nt a/numbers ] && echo newer

# Contents: appends, truncation, holes.
echo more >>a/b/second
truncate -s 5 copy-p
truncate -s +1M holes
dd if=a/one of=holes bs=1 seek=500000 conv=notrunc status=none
dd if=/dev/zero of=direct bs=4096 count=4 oflag=sync status=none
fallocate -l 65536 full
fallocate -p -o 4096 -l 8192 full
cp --sparse=always holes holes2; cmp holes holes2
try truncate -s 1 a 2>&1
try truncate -s 1 missing/x 2>&1
sort -o a/numbers -r a/numbers
split -l 1000 a/numbers part.
tee t1 t2 <a/one >/dev/null
echo appended | tee -a t1
(set -C; try eval 'echo x >t1' 2>&1) | sed 's/^.*eval/eval/;s,^[^ ]*coreutils.sh: [0-9]*,SCRIPT,'
sha256sum a/one a/b/second t1 t2 >sums && sha256sum -c sums
sed -i s/one/ONE/ t2
sed -i.bak --follow-symlinks s/two/TWO/ soft
cat </dev/stdin <t2
cat /dev/fd/3 3<t2
cat /proc/self/fd/4 4<t2
echo to 2>err >/dev/stderr
ls /proc/self/fd 5<t2 | grep -c 5
sync t1; sync -f t1

# FIFOs: both ends wait for each other.
mkfifo fifo
cat fifo >from-fifo & echo through >fifo; wait; cat from-fifo
mknod fifo2 p
try mknod null c 1 3 2>&1
[ -c null ] && echo gone >null
try test -s null

# What may be done.
for f in a/one private closed nothing public missing pipe-000 null /etc/shadow /root; do
	for right in -r -w -x -e -s -d -f -p -L -O -G; do
		[ $right $f ] && printf '%s ' $right || :
	done
	echo $f
done
try cat nothing 2>&1
try ls nowhere 2>&1
try sh -c 'cd nowhere' 2>&1
try sh -c 'echo >nothing' 2>&1
try cat a 2>&1
try cat a/one/ 2>&1
try cat a/one/x 2>&1
try cat "" 2>&1
try cat "$(printf '%0300d' 0)" 2>&1
try mkdir a 2>&1
try mkdir missing/x 2>&1
try mkdir a/one/x 2>&1
try rmdir a 2>&1
try rmdir a/one 2>&1
try rm a 2>&1
try rm missing 2>&1
try rm -f missing
try unlink a/b 2>&1
try touch /proc/version 2>&1
try touch /sys/x 2>&1
try mkdir / 2>&1
try rmdir . 2>&1
try rm -r .. 2>&1

# Looking.
du -k --apparent-size a/one a/numbers holes | sort
du -k a/numbers holes full copy-sparse holes2 | sort
stat -f -c '%T %l %s' .
df . >/dev/null
ls -la --time-style=+ a copy-hard | grep -v '^total'
ls -1RF a back
ls -ZL a/one 2>/dev/null || echo no contexts
pathchk a/one
test -ef a/one hard 2>/dev/null || [ a/one -ef hard ] && echo same
comm -12 t1 t2 || :
pwd -P | sed "s,$PWD,PWD,"
(cd -P absolute/b && pwd | sed "s,$OLDPWD,PWD,")

# Leaving.
rmdir -p empty1/dir2/dir3
mkdir -p gone/a/b/c && : >gone/a/b/x && rm -rf gone/a
find back -type f -name 'numbers' -delete
find copy-hard -delete
find deep -depth -exec true {} +
mkdir here && cd here && rmdir ../here && try ls 2>&1 && try touch x 2>&1; cd ..
show .
