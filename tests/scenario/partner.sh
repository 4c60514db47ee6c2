#!/bin/sh
# A partner's SFTP server as a source: a real sshd, the whole way to the zone
# and back to the partner's folder; who is trusted, who is let in, and what a
# partner that cannot be reached costs the others.
. "$SRCDIR/tests/scenario/lib.sh"
. "$SRCDIR/tests/servers/servers.sh"
. "$SRCDIR/tests/scenario/partners.sh"

start_sshd srv
sshd=$port
files=$PWD/srv/files
user=$(cat srv/user)
pin=$(pin_of srv)
ecdsa=$(pin_of srv ecdsa)

key='key: {file: ../srv/ed25519}'
pinned="host_key: \"$pin\""

# ---- what is there lands, what is not new does not come twice ----
mkdir -p "$files/in/deep/er" "$files/in/.hidden"
printf 'a,b\n1,2\n' >"$files/in/a.csv"
printf 'a,b\n3,4\n' >"$files/in/deep/er/b c.csv"
printf 'x' >"$files/in/.hidden/x.csv"
printf 'x' >"$files/in/half.csv.part"
: >"$files/in/empty.csv"
seq 1 500000 | sed 's/$/,some text that is no number/' >"$files/in/large.csv"
ln -s a.csv "$files/in/link.csv"
ln -s /etc "$files/in/etc"
printf 'n' >"$files/in/$(printf 'na\nme\377.csv')"
find "$files/in" -type f -exec touch -d '3 days ago' {} +
lake one
partner acme "$sshd" "$key" "$pinned" 'path: in' -- 'format: csv' \
	>>one/landfall.yaml
expect 'check: it can be reached' check one
expect 'check: the key it shows is told' grep -q "host key $pin" check.out
"$LANDFALL" plan -c one/landfall.yaml --json >plan.out
expect_same 'plan: what would land' 5 \
	"$(grep -c '"would":"landed"' plan.out)"
expect 'run: a pass' run one
expect_same 'run: every name has its end' \
	'{"landed":5,"duplicate":0,"new-version":0,"pending":0,"quarantined":0,"ignored":4' \
	"$(sed -n 's/.*"counts":\([^}]*"ignored":[0-9]*\).*/\1/p' out)"
"$LANDFALL" cat -c one/landfall.yaml large.csv >large.out
expect 'run: the bytes are those of the partner' \
	cmp large.out "$files/in/large.csv"
expect_same 'run: names are bytes' 'n' "$("$LANDFALL" cat -c one/landfall.yaml \
	"$(printf 'na\nme\377.csv')")"
expect 'run: the zone is whole' "$LANDFALL" verify --deep -c one/landfall.yaml
"$LANDFALL" why -c one/landfall.yaml 'deep/er/b c.csv' >why.out
expect 'run: why tells its story' grep -q 'landed as acme/' why.out
landed=$(find one/zone/acme -name 'a.*.zst')
expect 'run: the provenance says where from' grep -qa \
	"\"transport\":\"sftp://$user@127.0.0.1:$sshd (127.0.0.1; host key $pin" \
	"$landed"
expect_same 'run: nothing stays in the spool' '' \
	"$(find one/state/spool -type f)"
expect 'again: a pass' run one
expect_same 'again: nothing is new' 9 \
	"$(sed -n 's/.*"unchanged":\([0-9]*\).*/\1/p' out)"
printf 'a,b\n1,9\n' >"$files/in/a.csv"
touch -d '2 days ago' "$files/in/a.csv"
cp "$files/in/deep/er/b c.csv" "$files/in/same.csv"
old "$files/in/same.csv"
expect 'again: a corrected file and a copy' run one
expect_same 'again: one new version, one duplicate' '1 1' \
	"$(sed -n 's/.*"counts":{[^}]*"duplicate":\([0-9]*\),"new-version":\([0-9]*\).*/\1 \2/p' out)"

# ---- two looks by our own clock, whatever the server's says ----
lake young
mkdir -p "$files/young"
partner acme "$sshd" "$key" "$pinned" 'path: young' -- \
	'ready: {stable: 300ms}' >>young/landfall.yaml
printf '1' >"$files/young/a.csv"
touch -d '2 hours ago' "$files/young/a.csv"
"$LANDFALL" plan -c young/landfall.yaml >plan.out
expect 'stable: one look at a young file is not enough' \
	grep -q '^pending .*changed too recently' plan.out
expect 'stable: a pass looks twice' run young
expect 'stable: then it lands' grep -q '"disposition":"landed"' out
expect 'stable: the evidence is two looks' grep -qra \
	'the same in two looks' young/zone/acme

# ---- side files ----
lake side
mkdir -p "$files/side"
partner acme "$sshd" "$key" "$pinned" 'path: side' -- \
	'ready: {any: [{sentinel: "{name}.done"}, {checksum: "{name}.sha256"}]}' \
	>>side/landfall.yaml
for name in "done" sum wrong none; do
	echo "$name" >"$files/side/$name.csv"
done
: >"$files/side/done.csv.done"
(cd "$files/side" && sha256sum sum.csv >sum.csv.sha256 &&
	sha256sum sum.csv | sed s/sum.csv/wrong.csv/ >wrong.csv.sha256)
expect_status 'side files: a pass' 2 run side
expect_same 'side files: each is what it says' \
	'done.csv landed,sum.csv landed,wrong.csv quarantined,' \
	"$(sed -n 's/.*"name":"\([^"]*\)","disposition":"\([a-z]*\)".*/\1 \2/p' \
		out | LC_ALL=C sort | tr '\n' ',')"
"$LANDFALL" why -c side/landfall.yaml none.csv >why.out
expect 'side files: what has none waits' grep -q 'pending' why.out

# ---- sets ----
lake set
mkdir -p "$files/set"
partner acme "$sshd" "$key" "$pinned" 'path: set' -- \
	'ready: {all: [{manifest: "*.mf"}, {stable: 0s}]}' >>set/landfall.yaml
for name in a b; do
	seq 100 | sed "s/^/$name/" >"$files/set/$name.csv"
done
(cd "$files/set" && echo c >c.csv && sha256sum a.csv b.csv c.csv >one.mf &&
	rm c.csv)
expect 'set: a pass over a part of it' run set
expect_same 'set: nothing of it lands' '' "$(ls -d set/zone/acme 2>/dev/null)"
echo c >"$files/set/c.csv"
expect 'set: a pass over all of it' run set
expect_same 'set: it lands together' 3 \
	"$(grep -c '"disposition":"landed"' out)"

# ---- after ----
lake moves
mkdir -p "$files/moves/sub" "$files/moves/done/sub"
partner acme "$sshd" "$key" "$pinned" 'path: moves' -- 'after: {move: done}' \
	>>moves/landfall.yaml
echo 1 >"$files/moves/a.csv"
echo 2 >"$files/moves/sub/b.csv"
echo 'of before' >"$files/moves/done/a.csv"
find "$files/moves" -type f -exec touch -d '3 days ago' {} +
expect 'after: a pass that moves' run moves
expect_same 'after: moved, and never over another' \
	'./done/a.csv ./done/a.csv.1 ./done/sub/b.csv ' \
	"$(cd "$files/moves" && find . -type f | LC_ALL=C sort | tr '\n' ' ')"
expect_same 'after: what was there is there' 'of before' \
	"$(cat "$files/moves/done/a.csv")"
"$LANDFALL" why -c moves/landfall.yaml a.csv >why.out
expect 'after: why tells it' grep -q 'moved at the source to done/a.csv.1' \
	why.out
lake goes
mkdir -p "$files/goes"
partner acme "$sshd" "$key" "$pinned" 'path: goes' -- 'after: delete' \
	>>goes/landfall.yaml
echo 1 >"$files/goes/a.csv"
echo 2 >"$files/goes/b.tmp"
old "$files/goes/a.csv"
expect 'after: a pass that deletes' run goes
expect_same 'after: what landed went, what was ignored stays' './b.tmp ' \
	"$(cd "$files/goes" && find . -type f | tr '\n' ' ')"

# ---- receipts in a folder at the partner ----
lake receipts
mkdir -p "$files/owed"
partner acme "$sshd" "$key" "$pinned" 'path: owed' -- \
	'receipt: {folder: owed/receipts/new}' >>receipts/landfall.yaml
echo 1 >"$files/owed/a.csv"
echo 2 >"$files/owed/b.csv"
old "$files"/owed/*.csv
expect 'receipts: a pass' run receipts
expect_same 'receipts: each has one, and nothing half' \
	'a.csv.receipt.json b.csv.receipt.json ' \
	"$(cd "$files/owed/receipts/new" && find . -type f | sed 's#./##' |
		LC_ALL=C sort | tr '\n' ' ')"
expect 'receipts: the ledger agrees' python3 \
	"$SRCDIR/contrib/readers/receipt.py" \
	"$files/owed/receipts/new/a.csv.receipt.json" \
	--vkey "$(cat receipts/zone/_ledger/vkey)"
echo 3 >"$files/owed/a.csv"
touch -d '2 days ago' "$files/owed/a.csv"
expect 'receipts: a new version' run receipts
expect_same 'receipts: the newest, the one before, and they are no deliveries' \
	'3 "generation":2 3' \
	"$(find "$files/owed/receipts" -type f | wc -l) $(grep -o \
		'"generation":[0-9]*' \
		"$files/owed/receipts/new/a.csv.receipt.json") $(find \
		receipts/zone/acme -name '*.zst' | wc -l)"
chmod 500 "$files/owed/receipts/new"
echo 4 >"$files/owed/c.csv"
old "$files/owed/c.csv"
if [ "$(id -u)" -ne 0 ]; then
	expect_status 'receipts: a folder that takes none is told' 2 \
		run receipts
fi
chmod 700 "$files/owed/receipts/new"
expect 'receipts: a later pass' run receipts
expect 'receipts: what is owed is given' test -s \
	"$files/owed/receipts/new/c.csv.receipt.json"

# ---- who is trusted ----
wrong=SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
lake trust
partner acme "$sshd" "$key" "host_key: $wrong" 'path: in' \
	>>trust/landfall.yaml
expect_status 'trust: another key stops the source' 3 run trust
expect 'trust: with the key that was expected' grep -q "expected $wrong" err
expect 'trust: and those that were shown' grep -q "shown .*$pin.*expected" err
expect 'trust: nothing landed' test ! -e trust/zone/acme
"$LANDFALL" status -c trust/landfall.yaml >status.out || :
expect 'trust: status has it too' grep -q "$wrong" status.out
expect_status 'trust: check prints what is shown' 3 check trust
expect 'trust: in full' grep -q "$pin" check.out
lake known
partner acme "$sshd" "$key" 'known_hosts: ../srv/known_hosts' 'path: in' \
	>>known/landfall.yaml
expect 'trust: known_hosts has it' check known
ssh-keygen -H -f srv/known_hosts >/dev/null 2>&1
expect 'trust: also where names are hashed' check known
: >srv/none
sed -i 's/known_hosts$/none/' known/landfall.yaml
expect_status 'trust: who is not in it is refused' 3 check known
expect 'trust: and its key is told' grep -q 'not known; it shows SHA256:' \
	check.out
lake other
partner acme "$sshd" "$key" "host_key: \"$ecdsa\"" 'path: in' \
	>>other/landfall.yaml
expect 'trust: a server with several keys is asked for the one we know' check other

# ---- who we are ----
lake auth
partner acme "$sshd" 'key: {file: ../srv/stranger}' "$pinned" 'path: in' \
	>>auth/landfall.yaml
before=$(grep -c 'Connection from' srv/log || :)
expect_status 'auth: a key it does not take' 3 run auth
expect_same 'auth: is not tried twice' $((before + 1)) \
	"$(grep -c 'Connection from' srv/log)"
expect 'auth: and it is said' grep -q 'acme: .*key' err
expect 'auth: with what to give to the partner' grep -q -F \
	"key: refused; the partner must know $(ssh-keygen -l -f srv/stranger.pub |
		cut -d' ' -f2) " err
LANDFALL_TEST_PASS='open sesame'
export LANDFALL_TEST_PASS
for kind in ecdsa rsa rsa-pem ecdsa-pem; do
	sed -i "s#srv/[a-z0-9-]*}#srv/$kind}#" auth/landfall.yaml
	expect "auth: with a key of kind $kind" \
		"$LANDFALL" check --connect -c auth/landfall.yaml
done
sed -i "s#^\( *\)key: .*#\1key: {file: ../srv/ed25519-enc}\n\1passphrase: {env: LANDFALL_TEST_PASS}#" \
	auth/landfall.yaml
expect 'auth: with an encrypted key' check auth
chmod 644 srv/ed25519-enc
expect_status 'auth: a key that others can read is not used' 3 check auth

# ---- a folder that is not there ----
for path in outbund /outbund; do
	from=
	[ $path = /outbund ] || from=', from the folder of the login'
	lake "gone$from"
	partner acme "$sshd" "$key" "$pinned" "path: $path" \
		>>"gone$from/landfall.yaml"
	expect_status "gone: $path" 3 check "gone$from"
	expect "gone: is told once: $path" grep -q \
		"^acme: list $path (sftp.path$from): no such file" check.out
done

# ---- one that is down, beside one that is not ----
lake two
partner dead 1 "$key" "$pinned" 'path: in' >>two/landfall.yaml
partner live "$sshd" "$key" "$pinned" 'path: goes' >>two/landfall.yaml
echo 3 >"$files/goes/c.csv"
old "$files/goes/c.csv"
expect_status 'down: the pass says so' 3 run two
expect 'down: in words' grep -q 'source dead: .*refused' err
expect 'down: the other one lands' grep -q \
	'"source":"live","name":"c.csv","disposition":"landed"' out

# ---- what it takes only one connection from ----
lake alone
mkdir -p "$files/alone"
for i in 1 2 3 4 5 6; do
	seq "$i" 300000 >"$files/alone/$i.csv"
done
old "$files"/alone/*
partner acme "$sshd" "$key" "$pinned" 'path: alone' 'connections: 1' \
	'order: large-first' >>alone/landfall.yaml
before=$(grep -c 'Connection from' srv/log)
expect 'one connection: a pass' run alone
expect_same 'one connection: it was one' $((before + 1)) \
	"$(grep -c 'Connection from' srv/log)"
sed -n 's/.*"name":"\([^"]*\)","disposition":"landed".*/\1/p' out >order
expect_same 'one connection: all of it' 6 "$(wc -l <order)"
expect_same 'one connection: the largest first' '1.csv 2.csv ' \
	"$(head -n 2 order | LC_ALL=C sort | tr '\n' ' ')"
