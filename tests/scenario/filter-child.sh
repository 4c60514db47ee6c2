#!/bin/sh
# Programs of others as filters: what they can do behind their walls, how they
# end, and gpg with a real key pair.
#
# What stands between single quotes is for the program behind the walls.
# shellcheck disable=SC2016
. "$SRCDIR/tests/scenario/lib.sh"
through=$BUILDDIR/tests/unpack/through
[ -x "$through" ] || skip "$through is not built"

printf 'hello world\n' >in
printf 'secret' >word

# says NAME PATTERN ARGUMENT...: what through says has the pattern.
says()
{
	name=$1
	pattern=$2
	shift 2
	said=$("$through" "$@") || said="status $?"
	case $said in
	*"$pattern"*) ok "$name" ;;
	*) fail "$name" "$said" ;;
	esac
}

says 'stdin to stdout' '"end":"ok","size":12' in out cat
expect 'what came out is what went in' cmp in out
says 'its status and words are told' \
	'ended with status 3, and said first|last"' \
	in out sh -c 'echo first >&2; echo last >&2; exit 3'
says 'no such program is not the fault of the file' '"end":"bad-source"' \
	in out no-such-program
says 'a limit of output' 'gave more than 1000 B (max_bytes)' \
	--bytes 1000 in out cat /dev/zero
expect 'no more than that is on disk' test "$(wc -c <out)" -le 1000
says 'a limit of time' 'took longer than 1.0s (max_time)' \
	--wall 1 in out sleep 1000
says 'a limit of CPU time' 'used up its 1 s of CPU time' \
	--cpu 1 in out sh -c 'while :; do :; done'
says 'no room on the disk is not the fault of the file' '"end":"again"' \
	--free 9000000000000000000 in out sleep 1000
says 'a password comes by descriptor 3' '"size":6' \
	--password word in out sh -c 'cat <&3'
expect 'and is whole' cmp word out
LEAK=yes says 'no environment of ours' '"end":"ok"' in out \
	sh -c '[ -z "$LEAK" ] && [ "$LANG" = C.UTF-8 ]'
says 'no descriptor of ours' '"end":"ok"' in out \
	sh -c 'for n in 3 4 5 6 7 8 9; do ! (: <&$n) 2>/dev/null || exit 1; done'

# gone NAME WORD: no process has the word among its arguments.
gone()
{
	if left=$(pgrep -af "$2"); then
		fail "$1" "$left"
	else
		ok "$1"
	fi
}

mark=landfall-left-$$
says 'what it left behind' '"end":"ok"' in out \
	sh -c "setsid sh -c 'sleep 1000; : $mark' & exit 0"
gone 'ends with it' "$mark"

if "$through" in out true | grep -q '"weak":""'; then
	mkdir home other
	echo private >other/file
	says 'it reads no file of others' 'ermission denied' in out \
		cat "$PWD/other/file"
	says 'not what is in /proc' 'ermission denied' in out \
		cat /proc/self/environ
	says 'unless it is named' '"end":"ok"' --read "$PWD/other" in out \
		cat "$PWD/other/file"
	says 'nor writes there' 'cannot create' --read "$PWD/other" in out \
		sh -c ": >$PWD/other/new"
	says 'it writes in its home' '"end":"ok"' --home "$PWD/home" in out \
		sh -c 'echo x >$HOME/y && mkdir $HOME/d && rm $HOME/y'
	says 'it cannot signal us' '"end":"ok"' in out \
		sh -c "! kill -0 $$ 2>/dev/null && ! kill -0 \$PPID 2>/dev/null"
	cat >sockets.py <<-'PY'
	import socket
	for family in (socket.AF_UNIX, socket.AF_INET, socket.AF_INET6,
	               socket.AF_NETLINK):
	    try:
	        socket.socket(family, socket.SOCK_DGRAM)
	        print("made", family)
	    except PermissionError:
	        pass
	PY
	says 'it makes no socket' '"end":"ok","size":0' \
		--read "$PWD/sockets.py" --read "$(python3 -c \
		'import sys; print(sys.base_prefix)')" \
		in out "$(python3 -c 'import sys; print(sys.executable)')" \
		"$PWD/sockets.py"
else
	echo '# no Landlock here: what it can open is not tried'
fi

command -v gpg >/dev/null || {
	echo '# no gpg here'
	exit 0
}

# A path short enough for the agent's sockets.
keys=$(mktemp -d /tmp/lf-gpg.XXXXXX)
cleanup()
{
	for home in "$keys"/*; do
		GNUPGHOME=$home gpgconf --kill gpg-agent 2>/dev/null || :
	done
	rm -rf "$keys"
}
trap 'lib_status=$?
	cleanup
	[ $lib_status -ne 0 ] || [ $lib_failed -eq 0 ] || exit 1' EXIT

# make_key HOME OPTION...
make_key()
{
	mkdir -m 700 "$1"
	home=$1
	shift
	GNUPGHOME=$home gpg --batch -q --pinentry-mode loopback "$@" \
		--quick-gen-key landfall rsa2048 encr never 2>/dev/null
	GNUPGHOME=$home gpg --batch -q --trust-model always -r landfall \
		-o "${home##*/}.gpg" -e big
	GNUPGHOME=$home gpgconf --kill gpg-agent
}
head -c 3000000 /dev/urandom >big
make_key "$keys/open" --passphrase ''
make_key "$keys/shut" --passphrase-file word

gpg="gpg --batch --quiet --decrypt"
# shellcheck disable=SC2086
{
	says 'gpg decrypts' '"size":3000000' --home "$keys/open" open.gpg out \
		$gpg
	expect 'the very bytes' cmp big out
	"$through" --home "$keys/open" open.gpg out1 $gpg >said1 &
	first=$!
	"$through" --home "$keys/open" open.gpg out2 $gpg >said2 || :
	wait $first || :
	expect 'two at once with one key' cmp out1 out2
	expect 'and both are whole' cmp out2 big
	says 'with a password' '"size":3000000' --home "$keys/shut" \
		--password word shut.gpg out gpg --batch --quiet \
		--pinentry-mode loopback --passphrase-fd 3 --decrypt
	printf 'wrong' >wrong
	says 'not with a wrong one' 'ended with status 2' --home "$keys/shut" \
		--password wrong shut.gpg out gpg --batch --quiet \
		--pinentry-mode loopback --passphrase-fd 3 --decrypt
	says 'not with another key' 'No secret key' --home "$keys/shut" \
		open.gpg out $gpg
	head -c 2000000 open.gpg >cut.gpg
	says 'what is cut off is not whole' '"end":"bad-item"' \
		--home "$keys/open" cut.gpg out $gpg
	says 'what is no gpg' '"end":"bad-item"' --home "$keys/open" in out \
		$gpg
}
gone 'no agent is left' "gpg-agent.*$keys"
