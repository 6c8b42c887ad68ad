# What bwrap is told goes through files that have no name any more: arguments may be
# any bytes, and many.
fail() { printf '%s: %s\n' "$0" "$1" >&2; exit 125; }
unnamed=$(mktemp) || fail 'no place for a temporary file'
exec 3>"$unnamed" 4<"$unnamed" && rm -f "$unnamed" || fail 'cannot open a temporary file'
unnamed=$(mktemp) || fail 'no place for a temporary file'
exec 5>"$unnamed" 6<"$unnamed" && rm -f "$unnamed" || fail 'cannot open a temporary file'

tell() { printf '%s\0' "$@" >&3; }

# first succeeds if it is asked about a path for the first time. No path has two slashes.
known=//
first() {
	case $known in *"//$1//"*) return 1 ;; esac
	known=$known$1//
}

# walk finds what a path leads to, as $real, and makes the directories and symbolic links
# on the way. $within is set below a directory that is shown as a whole.
whole=//
last='' last_real='' last_within='' last_found=yes
walk() {
	if [ "${1%/*}" != "$last" ]; then
		last=${1%/*} real='' within=''
		if follow "$last/."; then last_found=yes; else last_found=''; fi
		last_real=$real last_within=$within
	fi
	real=$last_real within=$last_within
	[ -n "$last_found" ] && follow "${1##*/}"
}

follow() {
	rest=$1 hops=0
	while [ -n "$rest" ]; do
		case $rest in
		*/*) name=${rest%%/*} rest=${rest#*/} ;;
		*) name=$rest rest='' ;;
		esac
		case $name in
		'' | .) continue ;;
		..)
			real=${real%/*}
			continue
			;;
		esac
		if [ -L "$real/$name" ]; then
			hops=$((hops + 1))
			[ "$hops" -lt 40 ] && to=$(readlink "$real/$name" && echo .) || return 1
			to=${to%"$newline".}
			[ -n "$within" ] || ! first "$real/$name" || tell --symlink "$to" "$real/$name"
			rest=$to${rest:+/$rest}
			case $to in /*) real='' within='' ;; esac
			continue
		fi
		real=$real/$name
		case $whole in *"//$real//"*) within=yes ;; esac
		if [ -n "$rest" ]; then
			[ -d "$real" ] || return 1
			[ -n "$within" ] || made
		fi
	done
}
newline='
'

made() { ! first "$real" || tell --perms 0755 --dir "$real"; }

# given are the places of which bwrap makes its own.
given() {
	case $real in /proc | /proc/* | /dev | /dev/* | '') ;; *) return 1 ;; esac
}

# show has paths as they are, but what is in a directory only if it is told too.
show() { every --ro-bind "$@"; }
change() { every --bind "$@"; }
every() {
	how=$1
	shift
	for path; do
		if ! walk "$path" || given; then
			continue
		elif [ -d "$real" ]; then
			[ -n "$within" ] || made
		elif [ -e "$real" ] && [ "$within$how" != yes--ro-bind ]; then
			! first "$real" || tell "$how" "$real" "$real"
		fi
	done
}

# also has another name of a file, if it is one.
also() { ! [ "$1" -ef "$2" ] || show "$1"; }

# tree and room have a directory with all in it, as it is or to be written to.
tree() { below --ro-bind "$@"; }
room() { below --bind "$@"; }
below() {
	how=$1
	shift
	for path; do
		if walk "$path" && ! given && [ -e "$real" ] && first "$real/."; then
			tell "$how" "$real" "$real"
			whole=$whole$real//
		fi
	done
}

# passing is a directory for files that are not kept.
passing() {
	if walk "$1" && ! given && [ -d "$real" ]; then
		tell --perms 1777 --tmpfs "$real"
		known=$known$real//
	fi
}

device() { [ ! -e "$1" ] || tell --dev-bind "$1" "$1"; }
