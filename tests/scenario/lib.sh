# shellcheck shell=sh disable=SC2154
#
# lib.sh - what a scenario says and how. Sourced first:
#
#	. "$SRCDIR/tests/scenario/lib.sh"
#
# contrib/check runs each executable tests/scenario/*.sh and tests/fault/*
# in an empty folder of its own, with
#
#	LANDFALL  the program, absolute path
#	SRCDIR    the source tree, absolute path
#	BUILDDIR  the build tree, absolute path
#	SOAK      "yes" when long runs are asked for, else empty
#
# Each `ok - NAME` and `not ok - NAME` line is one test. A script that says
# neither is one test by its exit status: 0 passed, 77 skipped (the last line
# says why), else failed. A script that reports tests and then ends with
# another status has one more failure. Under `set -e` use expect_* for what may
# fail.
set -eu

lib_failed=0
trap 'lib_status=$?
	[ $lib_status -ne 0 ] || [ $lib_failed -eq 0 ] || exit 1' EXIT

ok()
{
	printf 'ok - %s\n' "$1"
}

# fail NAME [LINE...]: the lines say what was seen.
fail()
{
	lib_failed=1
	lib_name=$1
	shift
	[ $# -eq 0 ] || printf '# %s\n' "$@"
	printf 'not ok - %s\n' "$lib_name"
}

# skip REASON: ends the script.
skip()
{
	printf '%s\n' "$*"
	exit 77
}

# expect NAME COMMAND...: the command succeeds.
expect()
{
	lib_name=$1
	shift
	expect_status "$lib_name" 0 "$@"
}

# expect_status NAME STATUS COMMAND...: it ends with just that status.
expect_status()
{
	lib_name=$1
	lib_wanted=$2
	shift 2
	lib_found=0
	"$@" >lib.out 2>&1 || lib_found=$?
	if [ "$lib_found" -eq "$lib_wanted" ]; then
		ok "$lib_name"
	else
		sed 's/^/# /' lib.out
		fail "$lib_name" "status $lib_found, wanted $lib_wanted: $*"
	fi
}

# expect_same NAME WANTED FOUND: two texts are equal.
expect_same()
{
	if [ "$2" = "$3" ]; then
		ok "$1"
	else
		fail "$1" "wanted: $2" "found:  $3"
	fi
}
