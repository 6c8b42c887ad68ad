# go-suite BINARY PACKAGE-DIR [FLAG...]: the tests of a package of Go's own, one result
# a line.
. "$DATA/lib.sh"

binary=$1 dir=$2; shift 2
# In a copy of its directory: two users may do this at a time.
cp -r "$dir" "$SCRATCH/src"
cd "$SCRATCH/src"
code=0
"$binary" -test.v "$@" >"$SCRATCH/log" 2>&1 || code=$?
echo "exit status $code"
grep -E '^ *--- [A-Z]+: ' "$SCRATCH/log" | sed -E 's/ \([0-9.]+s\)$//' | sort
grep -E 'EINTR|interrupted system call' "$SCRATCH/log" || :
exit $code
