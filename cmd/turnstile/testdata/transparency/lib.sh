# What the scripts share. They run with dash -eu in an empty directory that is
# compared afterwards; $SCRATCH is one that is not.
umask 022

# try COMMAND...: run it and say how it ended, also if it fails.
try() {
	status=0
	"$@" || status=$?
	echo "$* = $status"
}

# show DIR...: what can be seen of all files below.
show() {
	find "$@" -printf '%p %y %m %U %G %n ->%l\n' | sort
}

