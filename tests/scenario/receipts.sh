#!/bin/sh
# Receipts: each delivery that the ledger holds has one, which a stranger can
# check; never before, again after a crash, and never in the way of landing.
. "$SRCDIR/tests/scenario/lib.sh"
. "$SRCDIR/tests/scenario/running.sh"
command -v python3 >/dev/null || skip 'no python3'
checker=$SRCDIR/contrib/readers/receipt.py

# place NAME OPTIONS: a new zone whose source gives receipts in NAME/out.
place()
{
	"$LANDFALL" init "$1" --quiet
	mkdir "$1/out"
	sed -i "s|format: csv|format: csv\n    ready: {stable: 0s}\n    receipt: {path: out}$2|" \
		"$1/landfall.yaml"
}

run()
{
	"$LANDFALL" run --once --quiet -c "$1/landfall.yaml"
}

# key FILE KEY: a value of the one object in a file.
key()
{
	python3 -c 'import json, sys
v = json.load(open(sys.argv[1]))
for k in sys.argv[2].split("."):
    v = v[int(k)] if isinstance(v, list) else v.get(k)
print(v)' "$1" "$2"
}

out()
{
	(cd "$1/out" && find . -mindepth 1 | LC_ALL=C sort | cut -c 3- | paste -sd' ')
}

# ---- what it says ----
place one ""
printf 'a,b\n1,2\n' >one/inbox/x.csv
printf 'a,b\n1,2\n3\n4,5\n6\n"7"8,9\n' >one/inbox/bad.csv
mkdir one/inbox/sub
printf 'a,b\n5,6\n' >"$(printf 'one/inbox/sub/_\303\274 \n%%.csv')"
expect 'a pass' run one
expect_same 'one for each delivery, under a safe name' \
	'bad.csv.receipt.json sub%2F_%C3%BC%20%0A%25.csv.receipt.json x.csv.receipt.json' \
	"$(out one)"
x=one/out/x.csv.receipt.json
expect_same 'source' inbox "$(key $x source)"
expect_same 'name' x.csv "$(key $x name)"
expect_same 'size' 8 "$(key $x size)"
expect_same 'sha256' "$(sha256sum <one/inbox/x.csv | cut -d ' ' -f 1)" \
	"$(key $x bytes_sha256)"
expect_same 'records' 1 "$(key $x records)"
expect_same 'no malformed ones' '0 []' \
	"$(key $x malformed) $(key $x malformed_first)"
expect_same 'disposition' landed "$(key $x disposition)"
expect 'the landing file is there' test -f "one/zone/$(key $x file)"
expect_same 'the ledger says the same' "$(key $x entry)" \
	"$("$LANDFALL" ls -c one/landfall.yaml --json |
		grep '"name":"x.csv"')"
expect_same 'of this many entries' 3 "$(key $x tree_size)"
bad=one/out/bad.csv.receipt.json
expect_same 'malformed records are counted' 3 "$(key $bad malformed)"
expect_same 'with their places' '8 wrong-field-count 2' \
	"$(key $bad malformed_first.0.offset) $(key $bad malformed_first.0.kind) $(key $bad malformed_first.0.length)"
expect_same 'all of them' 'junk-after-quote' "$(key $bad malformed_first.2.kind)"
cp one/inbox/x.csv one/inbox/same.csv
expect 'the same bytes again' run one
expect_same 'a duplicate says so, and where the bytes lie' \
	"duplicate $(key $x file)" "$(key one/out/same.csv.receipt.json disposition) $(key one/out/same.csv.receipt.json file)"

# ---- a stranger checks it, with the key and the file alone ----
vkey=$(cat one/zone/_ledger/vkey)
for f in one/out/*; do
	expect "a stranger believes $(basename "$f")" \
		python3 -B "$checker" "$f" --vkey "$vkey"
done
expect 'the file of the key will do' \
	python3 -B "$checker" $x --vkey one/zone/_ledger/vkey
for no in nowhere/vkey one/zone $x; do
	expect_status "no key is usage: $no" 1 \
		python3 -B "$checker" $x --vkey "$no"
done
expect 'and that it is of this file' \
	python3 -B "$checker" $x --vkey "$vkey" --file one/inbox/x.csv
expect_status 'not of another' 4 \
	python3 -B "$checker" $x --vkey "$vkey" --file one/inbox/bad.csv
sed 's/"size":8/"size":9/' $x >forged
expect_status 'a number that was changed' 4 python3 -B "$checker" forged --vkey "$vkey"
sed 's/\\"size\\":8/\\"size\\":9/;s/"size":8/"size":9/' $x >forged
expect_status 'and in the entry too' 4 python3 -B "$checker" forged --vkey "$vkey"
"$LANDFALL" init two --quiet
expect_status 'another key' 4 \
	python3 -B "$checker" $x --vkey "$(cat two/zone/_ledger/vkey)"

# ---- each once; a name that comes again ----
stat -c '%n %i %Y' one/out/* >before
expect 'a pass without news' run one
expect_same 'writes nothing' "$(cat before)" "$(stat -c '%n %i %Y' one/out/*)"
printf 'a,b\n3,4\n' >one/inbox/x.csv
expect 'a new version' run one
expect_same 'has the name, the older one its own' \
	'new-version 2 landed 1' \
	"$(key $x disposition) $(key $x generation) $(key one/out/x.csv.receipt-*.json disposition) $(key one/out/x.csv.receipt-*.json generation)"
older=$(echo one/out/x.csv.receipt-*.json)
expect 'which can be checked' python3 -B "$checker" "$older" --vkey "$vkey"
rm one/out/x.csv.receipt*
printf 'a,b\n5,6\n7,8\n' >one/inbox/x.csv
expect 'the partner has taken them, and delivers again' run one
expect_same 'what was taken does not come back' '3 x.csv.receipt.json' \
	"$(key $x generation) $(out one | tr ' ' '\n' | grep ^x | paste -sd' ')"

# ---- quarantine, and its release ----
place three '\n    totals: {records: {name: "f_#.csv"}}'
printf 'a\n1\n' >three/inbox/f_9.csv
expect_status 'a quarantine' 2 run three
f=three/out/f_9.csv.receipt.json
expect_same 'has a receipt that says so' quarantined "$(key $f disposition)"
expect_same 'and why' \
	'control total of records: name f_#.csv says 9, the delivery has 1' \
	"$(key $f reason)"
expect 'a release' "$LANDFALL" release -c three/landfall.yaml --quiet \
	--why agreed "$(key $f index)"
expect_same 'has one too, at once' landed "$(key $f disposition)"
expect_same 'and the first is kept' quarantined \
	"$(key three/out/f_9.csv.receipt-0.json disposition)"
printf 'a\n1\n2\n' >by-hand_2.csv
expect 'by hand' "$LANDFALL" land -c three/landfall.yaml --quiet \
	--source inbox by-hand_2.csv --name f_2.csv
expect_same 'as well' landed "$(key three/out/f_2.csv.receipt.json disposition)"
"$LANDFALL" receipt -c three/landfall.yaml 0 >printed
expect_same 'any can be printed' "$(key printed disposition)" quarantined
expect_status 'that is one' 1 "$LANDFALL" receipt -c three/landfall.yaml 99

# ---- an outbox that fails ----
cat >page <<'EOF'
#!/bin/sh
here=${0%/*}
cat >>"$here/paged"
echo >>"$here/paged"
EOF
chmod +x page
place four "\n    alert: {command: [$PWD/page]}"
mv four/out four/gone
expect_status 'check tells of an outbox that is gone' 3 \
	"$LANDFALL" check -c four/landfall.yaml
printf 'a,b\n1,2\n' >four/inbox/x.csv
expect_status 'a pass tells it' 2 run four
run four >said 2>&1 || :
expect 'where, why, how many and what next' grep -q \
	'receipts of inbox: outbox: .*out: No such file or directory; 1 are owed; the next run tries again' \
	said
expect_same 'it has landed' 1 "$(find four/zone/inbox -name '*.zst' | wc -l)"
"$LANDFALL" status -c four/landfall.yaml >said
expect 'status tells it' grep -q \
	'1 receipt owed, the oldest for .*: outbox: .*No such file' said
expect 'as something bad' grep -q '^! inbox' said
"$LANDFALL" status -c four/landfall.yaml --json >said
expect 'to programs too' grep -q '"receipts":{"owed":1,"since":"2' said
expect_same 'and an alert, once' receipts "$(key paged event)"
mv four/gone four/out
expect 'it is back' run four
expect_same 'and so is the receipt' x.csv.receipt.json "$(out four)"
expect_same 'which is told' 'recovered receipts' \
	"$(tail -n 1 paged >last; key last event) $(key last was)"
mkdir four/out/y.csv.receipt.json four/out/z.csv.receipt.json.tmp
for n in w y z; do
	printf 'a,b\n1,%s\n' $n >four/inbox/$n.csv
done
expect_status 'a directory in the way' 2 run four
expect_same 'costs one receipt and no other' \
	'w.csv.receipt.json x.csv.receipt.json y.csv.receipt.json z.csv.receipt.json.tmp' \
	"$(out four)"
expect 'and is no debt' run four

# ---- landed, and the receipt comes later ----
place five ""
printf 'a,b\n1,2\n' >five/inbox/first.csv
expect 'the first' run five
mv five/out five/away
for i in $(seq 300); do
	printf 'a,b\n1,%s\n' "$i" >five/inbox/"$i".csv
done
expect_status 'landed, and no receipt' 2 run five
mv five/away five/out
rm five/inbox/*
expect 'later, when the files are gone' run five
expect_same 'each has its own' 301 "$(find five/out -name '*.receipt.json' | wc -l)"
expect_same 'and nothing else lies there' 301 "$(find five/out -type f | wc -l)"
expect 'the last one is good' python3 -B "$checker" \
	five/out/300.csv.receipt.json --vkey "$(cat five/zone/_ledger/vkey)"

# ---- from when on ----
"$LANDFALL" init six --quiet
sed -i 's|format: csv|format: csv\n    ready: {stable: 0s}|' six/landfall.yaml
printf 'a,b\n1,2\n' >six/inbox/before.csv
expect 'what landed before' run six
mkdir six/out
sed -i 's|format: csv|format: csv\n    receipt: {path: out}|' six/landfall.yaml
printf 'a,b\n3,4\n' >six/inbox/after.csv
expect 'receipts were asked for' run six
expect_same 'has none' after.csv.receipt.json "$(out six)"
expect 'a rebuild' "$LANDFALL" catalog rebuild -c six/landfall.yaml --quiet
expect 'forgets nothing' run six
expect_same 'and repeats nothing' after.csv.receipt.json "$(out six)"

# ---- the daemon ----
new_lake "ready: {stable: 0s}\n    receipt: {path: out}"
start_daemon
printf 'a,b\n1,2\n' >lake/inbox/a.csv
expect_same 'a daemon lands without an outbox' 1 "$(landed 1)"
expect_same 'and tells of it' 1 "$(logged event=receipts-wait 1 | sed 's/^[1-9].*/1/')"
mkdir lake/out
expect_same 'tries again' 1 "$(logged event=receipts-again 1)"
expect_same 'and gives it' a.csv.receipt.json "$(out lake)"
for i in $(seq 50); do
	printf 'a,b\n%s,2\n' "$i" >lake/inbox/"$i".csv
done
for _ in $(seq 400); do
	[ "$(find lake/out -name '*.json' | wc -l)" -lt 51 ] || break
	sleep 0.05
done
expect_same 'as all others' 51 "$(find lake/out -name '*.json' | wc -l)"
stop_daemon 'the daemon'

# ---- what a configuration may not say ----
bad()
{
	sed "s|receipt: {path: out}|$2|" one/landfall.yaml >one/bad.yaml
	expect_status "wrong: $1" 1 "$LANDFALL" check -c one/bad.yaml
}
bad 'in the zone' 'receipt: {path: zone/out}'
bad 'in the state' 'receipt: {path: state}'
bad 'in a drop' 'receipt: {path: inbox}'
bad 'nowhere' 'receipt: {}'
sed 's|receipt: {path: out}|receipt: {path: inbox/out}\n    ignore: ["*.receipt*.json", "*.tmp"]|' \
	one/landfall.yaml >one/good.yaml
mkdir one/inbox/out
expect 'in a drop that ignores them' "$LANDFALL" check -c one/good.yaml
