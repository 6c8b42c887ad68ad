# ACLs and extended attributes, on everything that can have them.
. "$DATA/lib.sh"

mkdir -p d/sub
: >f; : >d/g; ln -s f l; ln -s missing dangling; mkfifo p
for n in 1 2 3; do setfattr -n user.n$n -v "value $n" f; done
setfattr -n user.empty f
setfattr -n user.big -v "$(printf '%02000d' 7)" f
getfattr -d -m - f d l
try setfattr -x user.n2 f
try setfattr -x user.missing f 2>&1
try setfattr -n user.x -v y l
try setfattr -h -n user.x -v y l 2>&1
try setfattr -n user.x -v y dangling 2>&1
try setfattr -n user.x -v y p 2>&1
try setfattr -n user.x -v y d
try setfattr -n trusted.x -v y f 2>&1
try setfattr -n security.x -v y f 2>&1
try setfattr -n bogus.x -v y f 2>&1
try setfattr -n user. -v y f 2>&1
try getfattr -n user.none f 2>&1
try getfattr --absolute-names -n user.x /proc/self/status 2>&1
getfattr -d -e hex f
getfattr -h -d -m - l
cp --preserve=xattr f copied; getfattr -d copied
cp -a d copied-d; getfattr -d copied-d
mv f "$SCRATCH/f"; mv "$SCRATCH/f" f

setfacl -m u:1000:rwx,g:1000:r--,m::rw- f
setfacl -d -m u:1000:rwx,o::--- d
: >d/inherits; mkdir d/dir-inherits; (umask 077; : >d/masked)
mkfifo d/pipe; ln -s f d/link
getfacl -n f d d/inherits d/dir-inherits d/masked d/pipe
setfacl -R -m u:1001:r-X d
setfacl -x u:1000 f
setfacl -k d/sub; setfacl -b d/g
getfacl -R -n . >"$SCRATCH/acls"
chmod g-w f; getfacl -n f
setfacl -b -k f; getfacl -n f
setfacl --restore="$SCRATCH/acls"
getfacl -n f d/g
try setfacl -m u:1000:rwx "$DATA/lib.sh" 2>&1 | sed "s,$DATA,DATA,"
cp -p f g; getfacl -n g
chacl -l . 2>/dev/null || :
try chattr +d f 2>&1
lsattr -d . | cut -c 1-20
lsattr f d/g | cut -c 1-20
try chattr +i g 2>&1
try rm -f g 2>&1
try chattr -i g 2>&1
# Only those that have the right may read by ACL.
if [ "$(id -u)" = 0 ]; then
	: >theirs; chmod 600 theirs; setfacl -m u:65534:r-- theirs
	chmod 755 .
	try setpriv --reuid 65534 --regid 65534 --clear-groups cat theirs 2>&1
	try setpriv --reuid 65533 --regid 65533 --clear-groups cat theirs 2>&1
	try setpriv --reuid 65533 --regid 65533 --clear-groups setfattr -n user.x theirs 2>&1
	try setpriv --reuid 65534 --regid 65534 --clear-groups sh -c 'echo >>theirs' 2>&1 | sed 's,^[^ ]*sh: [0-9]*,SH,'
fi
show .
