# A package is built, looked at, unpacked and installed under a root of its own.
. "$DATA/lib.sh"
export SOURCE_DATE_EPOCH=1000000000

mkdir -p pkg/DEBIAN pkg/usr/share/small/sub pkg/etc
printf 'Package: small\nVersion: 1.0\nArchitecture: all\nMaintainer: T <t@example.com>\nDescription: small\n' >pkg/DEBIAN/control
echo /etc/small.conf >pkg/DEBIAN/conffiles
echo setting=1 >pkg/etc/small.conf
for i in $(seq 1 100); do echo "file $i" >pkg/usr/share/small/$i; done
ln -s ../1 pkg/usr/share/small/sub/link
ln pkg/usr/share/small/2 pkg/usr/share/small/sub/hard
find pkg -exec touch -h -d 2001-01-01 {} +
dpkg-deb --root-owner-group -Zgzip --build pkg small.deb
sha256sum small.deb
dpkg-deb -c small.deb
dpkg-deb -f small.deb Package Version
dpkg -x small.deb out
dpkg-deb -R small.deb raw
diff -r pkg raw && echo same
mkdir -p root/var/lib/dpkg/updates root/var/lib/dpkg/info root/var/log
: >root/var/lib/dpkg/status; : >root/var/lib/dpkg/available
unpriv=; [ "$(id -u)" = 0 ] || unpriv=--force-not-root
# shellcheck disable=SC2086 # nothing, or an option
admin() { dpkg --root="$PWD/root" --log="$SCRATCH/dpkg.log" $unpriv --force-script-chrootless "$@"; }
try admin --install small.deb 2>&1
admin -s small; admin -L small
echo setting=2 >root/etc/small.conf
sed -i 's/1.0/1.1/' pkg/DEBIAN/control; echo setting=3 >pkg/etc/small.conf; rm pkg/usr/share/small/50
dpkg-deb --root-owner-group -Zgzip --build pkg small11.deb
try admin --force-confold --install small11.deb 2>&1
admin -V small || :
try admin --purge small 2>&1
