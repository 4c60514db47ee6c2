#!/bin/sh
# What a source says about manners with its partner: over which address, how
# deep, whether links are followed, how fast.
. "$SRCDIR/tests/scenario/lib.sh"
. "$SRCDIR/tests/servers/servers.sh"
. "$SRCDIR/tests/scenario/partners.sh"

start_sshd srv --set 'ListenAddress ::1'
user=$(cat srv/user)
files=$PWD/srv/files

# with NAME LINE...: a zone with one source that has these keys, and a pass.
with()
{
	with=$1
	shift
	lake "$with"
	partner acme "$port" 'key: {file: ../srv/ed25519}' \
		"host_key: \"$(pin_of srv)\"" "$@" >>"$with/landfall.yaml"
}

# landed NAME: the names in its zone.
landed()
{
	"$LANDFALL" ls -c "$1/landfall.yaml" --json |
		sed -n 's/.*"name":"\([^"]*\)".*/\1/p' | sort | tr '\n' ' '
}

# ---- IPv6 ----
mkdir -p "$files/in/one/two" "$files/other"
for at in in in/one in/one/two other; do
	printf 'at\n%s\n' "$at" >"$files/$at/a.csv"
	old "$files/$at/a.csv"
done
with six 'path: in'
sed -i 's/host: .*/host: "::1"/' six/landfall.yaml
expect_status 'over IPv6' 0 run six
expect_same 'all of it landed' 'a.csv one/a.csv one/two/a.csv ' "$(landed six)"

# ---- how deep ----
with deep 'path: in' 'depth: 1'
expect_status 'a pass does not fail for what lies deeper' 3 run deep
expect 'but tells where' grep -q 'one/two' out
expect_same 'the rest has landed' 'a.csv one/a.csv ' "$(landed deep)"
with flat 'path: in' 'recursive: false'
expect_status 'not into folders' 0 run flat
expect_same 'what is in them is not looked at' 'a.csv ' "$(landed flat)"

# ---- links: to a file, a folder, itself, nothing, out of its folder ----
ln -s one/a.csv "$files/in/file"
ln -s one "$files/in/folder"
ln -s .. "$files/in/one/loop"
ln -s self "$files/in/self"
ln -s nothing "$files/in/nothing"
ln -s ../other/a.csv "$files/in/out"
with ignore 'path: in'
expect_status 'links are ignored' 0 run ignore
expect_same 'links: nothing of them landed' 'a.csv one/a.csv one/two/a.csv ' \
	"$(landed ignore)"
with follow 'path: in' 'symlinks: follow' -- 'format: opaque'
expect_status 'links are followed' 0 run follow
# file has the bytes of one/a.csv: whichever comes second is a duplicate.
expect 'links to files are files' grep -q '"landed":4,"duplicate":1,' out
expect 'links to folders, to nothing and to themselves are ignored' \
	grep -q '"ignored":4,' out

# ---- how fast ----
head -c 900000 /dev/zero >"$files/other/large"
old "$files/other/large"
with slow 'path: other' 'max_rate: 300KiB'
before=$(date +%s%N)
expect_status 'at a rate' 0 run slow
took=$((($(date +%s%N) - before) / 1000000))
expect "900 kB at 300 KiB/s take two seconds at least: $took ms" \
	[ "$took" -ge 2000 ]

# ---- one that is down: the wait is for all connections that might be ----
with down 'path: in' 'connections: 8'
sed -i "s/port: .*/port: 1/; s/retry: .*/retry: {attempts: 2, base: 1h, ceiling: 1h}/" \
	down/landfall.yaml
expect_status 'it is not asked again at once' 124 timeout 3 \
	"$LANDFALL" run --once --quiet -c down/landfall.yaml
