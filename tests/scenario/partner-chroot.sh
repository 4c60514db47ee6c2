#!/bin/sh
# A partner as most of them run it: a login that sees nothing but its chroot
# and can do nothing but SFTP (ChrootDirectory, internal-sftp), owns one folder
# of it, and none above.
. "$SRCDIR/tests/scenario/lib.sh"
. "$SRCDIR/tests/scenario/running.sh"
. "$SRCDIR/tests/servers/servers.sh"
. "$SRCDIR/tests/scenario/partners.sh"

[ "$(id -u)" -eq 0 ] || skip 'sshd takes a chroot only when root starts it'
start_sshd srv --chroot
files=$PWD/srv/files
user=$(cat srv/user)
pinned="host_key: \"$(pin_of srv)\""
key='key: {file: ../srv/ed25519}'

# What the partner's own people leave there is theirs to take away again.
deliver()
{
	mkdir -p "$files/outbound/$(dirname "$1")"
	cat >"$files/outbound/$1"
	old "$files/outbound/$1"
	chown -R "$user" "$files/outbound"
}

# Everything below its folder, in one line.
there()
{
	(cd "$files/outbound" && find . -type f | LC_ALL=C sort | tr '\n' ' ')
}

seq 1 300000 | deliver large.csv
echo 1 | deliver 2026/a.csv
echo 2 | deliver half.csv.part
ln -s /etc/passwd "$files/outbound/passwd.csv"
ln -s / "$files/outbound/all"
sum=$(sha256sum <"$files/outbound/large.csv")
"$LANDFALL" init lake --quiet
sed -i '/^sources:/,$d' lake/landfall.yaml
{
	echo 'sources:'
	partner acme "$port" "$key" "$pinned" 'path: /outbound' -- \
		'format: csv' 'after: {move: processed}' \
		'receipt: {folder: /outbound/receipts}'
} >>lake/landfall.yaml
expect 'it can be reached' check lake
"$LANDFALL" plan -c lake/landfall.yaml --json >plan.out
expect_same 'plan: two would land, three are left' '2 3' \
	"$(grep -c '"would":"landed"' plan.out) $(grep -c \
		'"would":"ignored"' plan.out)"
expect 'a pass' run lake
expect_same 'what was there has landed' '2026/a.csv large.csv ' \
	"$(sed -n 's/.*"name":"\([^"]*\)","disposition":"landed".*/\1/p' out |
		LC_ALL=C sort | tr '\n' ' ')"
expect_same 'the bytes are those of the partner' "$sum" \
	"$("$LANDFALL" cat -c lake/landfall.yaml large.csv | sha256sum)"
expect_same 'then it was moved, and there is a receipt for each' \
	'./half.csv.part ./processed/2026/a.csv ./processed/large.csv ./receipts/2026%2Fa.csv.receipt.json ./receipts/large.csv.receipt.json ' \
	"$(there)"
expect 'the ledger agrees with a receipt' python3 \
	"$SRCDIR/contrib/readers/receipt.py" \
	"$files/outbound/receipts/large.csv.receipt.json" \
	--vkey "$(cat lake/zone/_ledger/vkey)"
expect 'a pass again' run lake
expect_same 'nothing is new' 0 "$(grep -c '"disposition":' out || :)"

# ---- the login folder is the root, which is nobody's to write to ----
lake root
partner acme "$port" "$key" "$pinned" -- 'match: ["a.csv"]' \
	'after: {move: done}' >>root/landfall.yaml
echo 3 | deliver a.csv
expect_status 'a folder for what is done cannot be made: the pass says so' 2 \
	run root
expect 'and it has landed' grep -q '"disposition":"landed"' out

expect 'which folder, and why' grep -q \
	'"trouble":"move [^:]*: the folder done .*made: permission denied' out
expect_same 'it stays where it is' ./a.csv "$(cd "$files/outbound" &&
	find . -maxdepth 1 -name a.csv)"

# ---- the daemon ----
sed -n '/^  acme:/,$p' root/landfall.yaml | sed 's/acme/root/' \
	>>lake/landfall.yaml
sed -i 's/^    after: .*/&\n    schedule: {every: 1s}/' lake/landfall.yaml
start_daemon
echo 4 | deliver b.csv
for _ in $(seq 400); do
	[ ! -s "$files/outbound/receipts/b.csv.receipt.json" ] || break
	sleep 0.05
done
expect 'what comes later lands, and is moved' \
	test -f "$files/outbound/processed/b.csv"
expect 'and gets its receipt' \
	test -s "$files/outbound/receipts/b.csv.receipt.json"
expect 'what cannot leave is in the log' test "$(logged \
	'event=after-failed.*root: .*folder done is not there' 1)" -ge 1
stop_daemon 'at the end'
