# An editor: swap files, backups, and links that are to stay links.
. "$DATA/lib.sh"

ed="vim.tiny -u NONE -i NONE -N -es"
seq 1 100 >plain; chmod 640 plain
cp plain target; ln -s target soft
cp plain one; ln one two
cp plain ro; chmod 444 ro
mkdir backups
for f in plain soft two; do
	$ed -c 'set backup backupdir=backups writebackup' -c '%s/1/one/g' -c '$d' -c 'wq' $f </dev/null
done
try $ed -c '1d' -c 'wq!' ro </dev/null
try $ed -c 'w missing/new' -c 'q!' plain </dev/null
$ed -c 'r plain' -c 'w new' -c 'w >> new' -c 'qa!' </dev/null
$ed -c 'argdo %s/2/two/e | update' -c 'qa' plain new </dev/null
printf '%%s/3/three/g\nx\n' | ex -u NONE -i NONE -s plain || :
[ one -ef two ] && echo "still linked"
[ -L soft ] && echo "still a link"
ls -A | sort
sha256sum plain target one two new
