# calls PART...: each call that names files by itself, on files of each kind.
. "$DATA/lib.sh"

/usr/bin/python3 "$DATA/calls.py" "$@"
