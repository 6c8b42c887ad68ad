# A tree like npm's: wide, deep, many small files; then paths longer than PATH_MAX.
. "$DATA/lib.sh"

pack() { # pack DIR DEPTH: a package with packages below it
	mkdir -p "$1/lib" "$1/node_modules/.bin"
	echo "{\"name\":\"$1\"}" >"$1/package.json"
	for i in 1 2 3 4 5; do echo "module.exports = $i" >"$1/lib/$i.js"; done
	ln -s ../../lib/1.js "$1/node_modules/.bin/run"
	if [ "$2" -gt 0 ]; then
		for name in left right @scope/pad; do
			pack "$1/node_modules/$name" $(($2 - 1))
		done
	fi
}
pack app 4
find app -type f | wc -l
find app -type l | wc -l
du -s --apparent-size -k app/package.json
cp -r app app2
diff -r app app2 && echo same
mv app2/node_modules/left app2/node_modules/moved
rm -rf app2/node_modules/right
find app2 -name '*.js' -newer app/package.json -exec rm {} +
find app2 -type d -empty -delete
find app -print0 | sort -z | xargs -0 stat -c '%n %F' | sha256sum

# 40 directories of 200 bytes each; only relative names reach the lowest.
name=$(printf '%0200d' 0)
i=0
mkdir long; cd long
while [ $i -lt 40 ]; do mkdir "$name"; cd -P "$name" 2>/dev/null || cd "$name"; i=$((i + 1)); done
echo bottom >file
cat file
mkdir sub && ln file sub/hard && ln -s ../file sub/soft && cat sub/soft
mv file renamed && ls
cat "$PWD/renamed" 2>"$SCRATCH/e" || sed "s,.*: ,," "$SCRATCH/e"
/bin/pwd | wc -c
cd "$HOME"
find long -type f | wc -l
find long -depth -name sub -exec true {} \;
tar -cf - long 2>&1 | wc -c
du -s --apparent-size long/"$name" >/dev/null
chmod -R go-rx long
rm -rf long
rm -rf app
ls -lR . | grep -c js || :
