#!/bin/sh
# Control totals, dialect drift, and what becomes of what they quarantine.
. "$SRCDIR/tests/scenario/lib.sh"
"$LANDFALL" init lake --quiet
conf=lake/landfall.yaml

# settings TEXT: of the source, instead of those before.
cp $conf plain.yaml
settings()
{
	sed "s/format: csv/format: csv\\n    ready: {stable: 0s}\\n    $1/" \
		plain.yaml >$conf
}

# run_pass: what it says of each name it read, one line each, by name:
# "NAME DISPOSITION REASON". Its exit status is in $status.
run_pass()
{
	status=0
	"$LANDFALL" run --once -c $conf --json >pass.out || status=$?
	python3 - pass.out <<'PY'
import json, sys
for v in sorted((json.loads(l) for l in open(sys.argv[1])),
                key=lambda v: v.get("name", "")):
    if "name" in v:
        print(v["name"], v["disposition"], v.get("reason", v.get("drift", "-")))
PY
}

# provenance FILE KEY: of a landing file, found by a glob below the zone.
provenance()
{
	python3 - "$1" "$2" <<'PY'
import glob, json, struct, sys
path, = glob.glob("lake/zone/" + sys.argv[1])
raw = open(path, "rb").read()
at = raw.rindex(b"LFPV")
size, = struct.unpack("<I", raw[at - 4:at])
print(json.loads(raw[at + 8:at + size]).get(sys.argv[2], "-"))
PY
}

both_verify()
{
	expect "$1: verify --deep" "$LANDFALL" verify --deep -c $conf
	expect "$1: the second reader" \
		python3 "$SRCDIR/contrib/readers/verify.py" lake/zone
}

# ---- control totals ----

settings 'csv: {trailer: {prefix: "T,"}, columns: any}\
    totals: {records: {trailer_field: 2}, sum: {field: 2, trailer_field: 3}}'
printf 'id,amount\n1,10.50\n2,-0.25\nT,2,10.25\n' >lake/inbox/good.csv
printf 'id,amount\n1,10.50\n2,-0.25\nT,3,10.25\n' >lake/inbox/count.csv
printf 'id,amount\n1,10.50\n2,-0.2\nT,2,10.25\n' >lake/inbox/sum.csv
printf 'id,amount\n1,10.50\n2,n/a\nT,2,10.25\n' >lake/inbox/garbage.csv
printf 'id,amount\n1,10.50\n' >lake/inbox/cut.csv
expect_same 'control totals are held against the delivery' \
	'count.csv quarantined control total of records: trailer field 2 says 3, the delivery has 2
cut.csv quarantined control total of records: there is no trailer
garbage.csv quarantined control total of sum of field 2: record 1 at byte 18, field 2: n/a is not a number
good.csv landed -
sum.csv quarantined control total of sum of field 2: trailer field 3 says 10.25, the delivery has 10.30' \
	"$(run_pass)"
run_pass >again.out
expect_same 'the exit status says so' 2 $status
expect_same 'nothing is read twice' '' "$(cat again.out)"
expect_same 'provenance tells what was compared' \
	'records 2 as trailer field 2 says; sum of field 2 10.25 as trailer field 3 says' \
	"$(provenance 'inbox/dt=*/good.*' totals)"
expect_same 'the bytes are kept' "$(cat lake/inbox/count.csv)" \
	"$(zstd -dcq lake/zone/_quarantine/inbox/dt=*/count.*.zst)"
expect_same 'with their records' 2 \
	"$(provenance '_quarantine/inbox/dt=*/count.*' records)"
touch lake/inbox/count.csv
expect_same 'the same bytes again are no second quarantine' \
	'count.csv quarantined control total of records: trailer field 2 says 3, the delivery has 2' \
	"$(run_pass)"
expect_same 'they are kept once' 4 \
	"$(find lake/zone/_quarantine -name '*.zst' | wc -l)"
both_verify 'quarantined'

# A sum over more than one window of the file.
python3 - <<'PY'
with open("lake/inbox/large.csv", "w") as f:
    f.write("id,amount\n")
    for i in range(200000):
        f.write('%d,"%d.%02d"\n' % (i, i % 7919, i % 100))
    cents = sum(i % 7919 * 100 + i % 100 for i in range(200000))
    f.write("T,200000,%d.%02d\n" % divmod(cents, 100))
PY
expect_same 'a large delivery' 'large.csv landed -' "$(run_pass)"

settings 'totals: {records: {side: "{name}.ctl"}}'
printf 'a\n1\n2\n' >lake/inbox/side.csv
expect_same 'without its side file it is not complete' '' "$(run_pass)"
expect_same 'and that is why' 1 "$("$LANDFALL" why -c $conf side.csv |
	grep -c 'pending: control totals: side file side.csv.ctl is not there yet')"
expect_status 'by hand neither' 2 \
	"$LANDFALL" land -c $conf --source inbox lake/inbox/side.csv
echo 'rows: 2' >lake/inbox/side.csv.ctl
expect_same 'with it it lands' 1 \
	"$(run_pass | grep -c '^side.csv landed')"
expect_same 'the side file is no delivery' 1 \
	"$("$LANDFALL" plan -c $conf | grep -c 'side.csv.ctl.*control totals of side.csv')"
printf 'a\n1\n3\n' >byhand.csv
echo 3 >byhand.csv.ctl
expect_status 'by hand the side file lies beside it' 2 \
	"$LANDFALL" land -c $conf --source inbox byhand.csv
expect_same 'and counts' 1 "$(grep -c 'byhand.csv.ctl says 3' lib.out)"
rm lake/inbox/*

# ---- dialect drift ----

settings 'csv: {delimiter: ","}'
printf 'id,amount\n1,2\n' >lake/inbox/d1.csv
run_pass >/dev/null # drift from what the totals above landed
"$LANDFALL" run --once -c $conf --quiet
printf 'id,amount\n3,4\n' >lake/inbox/d2.csv
expect_same 'the same shape is no drift' 'd2.csv landed -' "$(run_pass)"
entry=$("$LANDFALL" why -c $conf --json d2.csv |
	sed -n 's/.*"index":\([0-9]*\).*/\1/p')
printf 'id,total,sum\n3,4,5\n' >lake/inbox/d3.csv
drift="dialect drift: the header is id,total,sum; 3 columns, there were 2; not as in ledger entry $entry"
expect_same 'another header is landed and told' "d3.csv landed $drift" \
	"$(run_pass)"
expect_same 'that is no trouble' 0 $status
expect_same 'why tells it' 1 \
	"$("$LANDFALL" why -c $conf d3.csv | grep -c "landed: $drift")"
expect_same 'so does the provenance' "$drift" \
	"$(provenance 'inbox/dt=*/d3.*' drift)"
expect_same 'with the SHA-256 of the header' \
	"$(head -1 lake/inbox/d3.csv | sha256sum | cut -d' ' -f1)" \
	"$(provenance 'inbox/dt=*/d3.*' header_sha256)"
expect_same 'the new shape is the one to be like' 'd4.csv landed -' \
	"$(printf 'id,total,sum\n4,4,5\n' >lake/inbox/d4.csv; run_pass)"
expect 'the catalog is made again' "$LANDFALL" catalog rebuild -c $conf
printf '\357\273\277id,total,sum\n5,4,5\n' >lake/inbox/d5.csv
expect_same 'and knows the shape: a byte order mark is drift' 1 \
	"$(run_pass | grep -c '^d5.csv landed dialect drift: a byte order mark, there was none; not as in ledger entry [0-9]*$')"
expect_same 'why still tells the older one' 1 \
	"$("$LANDFALL" why -c $conf d3.csv | grep -c "landed: $drift")"

settings 'drift: hold'
printf 'id;total;sum\n5;4;5\n6;7;8\n' >lake/inbox/d6.csv
expect_same 'drift: hold' 1 "$(run_pass | grep -c "^d6.csv pending dialect drift: the header id;total;sum is one column under the delimiter ',', ';' would divide it; .*; held: ")"
expect_same 'is attention' 2 "$(run_pass >/dev/null; echo $status)"
expect 'by hand it lands' \
	"$LANDFALL" land -c $conf --source inbox lake/inbox/d6.csv
printf 'id;total;sum\n7;4;5\n' >lake/inbox/d7.csv
expect_same 'then its like lands too' 'd7.csv landed -' \
	"$(run_pass | grep d7)"
printf 'x\n1\n' >lake/inbox/d8.csv
expect_same 'held again' 1 "$(run_pass | grep -c '^d8.csv pending')"

settings 'drift: quarantine'
expect_same 'drift: quarantine' 1 \
	"$(run_pass | grep -c '^d8.csv quarantined dialect drift: the header is x; not as in')"
expect_same 'an empty file has no shape' 'empty.csv landed -' \
	"$(: >lake/inbox/empty.csv; run_pass)"
both_verify 'drifted'

# ---- release and reject ----

# entry NAME: the ledger entry of its newest version.
entry()
{
	"$LANDFALL" why -c $conf --json "$1" |
		sed -n 's/.*"index":\([0-9]*\).*/\1/p' | tail -1
}

settings 'csv: {trailer: {prefix: "T,"}, columns: any}\
    totals: {records: {trailer_field: 2}}'
rm -f lake/inbox/*
printf 'k\n1\nT,2\n' >lake/inbox/r1.csv
printf 'k\n2\nT,2\n' >lake/inbox/r2.csv
printf 'k\n3\nT,1\n' >lake/inbox/v.csv
run_pass >/dev/null
printf 'k\n3\n4\nT,1\n' >lake/inbox/v.csv
expect_same 'a new version may be quarantined too' \
	'v.csv quarantined control total of records: trailer field 2 says 1, the delivery has 2' \
	"$(run_pass)"
r1=$(entry r1.csv) r2=$(entry r2.csv) v=$(entry v.csv)
me=$(id -un)

expect 'release' "$LANDFALL" release -c $conf --json "$r1" \
	--why 'the partner confirmed it'
expect_same 'lands it' 1 "$(grep -c '"disposition":"landed"' lib.out)"
told="released from quarantine entry $r1 by $me: the partner confirmed it"
expect_same 'why tells who and why' 1 \
	"$("$LANDFALL" why -c $conf r1.csv | grep -c "landed: $told")"
expect_same 'so does the provenance' "$told $r1" \
	"$(provenance 'inbox/dt=*/r1.*' released) $(provenance 'inbox/dt=*/r1.*' settles)"
expect_same 'the bytes are those that came' "$(cat lake/inbox/r1.csv)" \
	"$("$LANDFALL" cat -c $conf r1.csv)"
expect_same 'the dialect is the declared one' 1 \
	"$(provenance 'inbox/dt=*/r1.*' records)"
expect_status 'not twice' 1 "$LANDFALL" release -c $conf "$r1"
expect_same 'and the message says by what' 1 \
	"$(grep -c "entry $r1 has been settled by entry [0-9]*\$" lib.out)"
expect_status 'nor rejected after' 1 "$LANDFALL" reject -c $conf "$r1"
expect_same 'the file at the source is dealt with' '' "$(run_pass)"
touch lake/inbox/r1.csv
expect_same 'and known by its bytes' 'r1.csv duplicate -' "$(run_pass)"

expect 'reject' "$LANDFALL" reject -c $conf "$r2" --why 'sent in error'
told="rejected entry $r2 by $me: sent in error"
expect_same 'it stays quarantined, with who and why' 1 \
	"$("$LANDFALL" why -c $conf r2.csv | grep -c "quarantined: $told")"
"$LANDFALL" run --once -c $conf --json >pass.out && :
expect_same 'v.csv still wants a decision' 2 $?
mv lake/inbox/v.csv .
expect 'what is rejected does not' "$LANDFALL" run --once -c $conf --json
mv v.csv lake/inbox/
expect_status 'rejected once' 1 "$LANDFALL" reject -c $conf "$r2"
expect_status 'and for good' 1 "$LANDFALL" release -c $conf "$r2"
both_verify 'settled'

mv lake/state/catalog.db before.db
expect 'the catalog from the zone alone' "$LANDFALL" catalog rebuild -c $conf
expect_status 'knows what is released' 1 "$LANDFALL" release -c $conf "$r1"
expect_status 'and what is rejected' 1 "$LANDFALL" release -c $conf "$r2"
expect_same 'and why' 1 \
	"$("$LANDFALL" why -c $conf r2.csv | grep -c "quarantined: $told")"

# The rejection was not the last entry: now one is.
printf 'k\n5\nT,2\n' >lake/inbox/r3.csv
run_pass >/dev/null
expect 'a rejection as the last entry' \
	"$LANDFALL" reject -c $conf "$(entry r3.csv)"
expect 'the catalog once more' "$LANDFALL" catalog rebuild -c $conf

expect 'a quarantined version is released' \
	"$LANDFALL" release -c $conf --json "$v"
expect_same 'as the version after the one that landed' \
	'new-version 2 replaced' "$(sed -n \
	's/.*"disposition":"\([^"]*\)".*"generation":\([0-9]*\),"relation":"\([a-z]*\)".*/\1 \2 \3/p' \
	lib.out)"
expect_status 'what landed cannot be released' 1 \
	"$LANDFALL" release -c $conf "$(entry v.csv)"
expect_same 'the message says how it stands' 1 \
	"$(grep -c 'is not quarantined but new-version' lib.out)"
expect_status 'nor what is no entry' 1 "$LANDFALL" release -c $conf 99999
expect_status 'nor what is no number' 1 "$LANDFALL" release -c $conf v.csv
expect_status 'the reason is one line' 1 \
	"$LANDFALL" reject -c $conf "$v" --why 'two
lines'
both_verify 'at the end'

# A quarantined file that was changed on disk is not released.
printf 'k\n6\nT,2\n' >lake/inbox/r4.csv
run_pass >/dev/null
r4=$(entry r4.csv)
file=$(find lake/zone/_quarantine -name 'r4.*')
chmod u+w "$file"
cp "$file" r4.good
printf 'x' | dd of="$file" bs=1 seek=14 conv=notrunc status=none
"$LANDFALL" release -c $conf "$r4" >lib.out 2>&1 && fail 'a damaged file lands'
expect_same 'a damaged file is not released' 0 \
	"$(find lake/zone/inbox -name 'r4.*' | wc -l)"
cp r4.good "$file"
expect 'put back, it is' "$LANDFALL" release -c $conf "$r4"
both_verify 'after the damage'

# ---- a release that comes to nothing ----

# still_there NAME ENTRY WHY [OPTION]: it was not released, and nothing was
# decided.
still_there()
{
	name=$1 held=$2 because="entry $2 stays quarantined: $3"
	shift 3
	expect_status "$name: a release of it is attention" 2 \
		"$LANDFALL" release -c $conf "$held" --why 'try it' "$@"
	expect_same "$name: it says that it stays, and why" 1 \
		"$(grep -c "error: $because" lib.out)"
	expect_same "$name: one file of it" 1 \
		"$(find lake/zone/_quarantine -name "${name%.*}*.zst" | wc -l)"
	both_verify "$name"
	expect_same "$name: so do its sums" '' "$(find lake/zone \
		-name SHA256SUMS -execdir sha256sum -c --quiet {} \; 2>&1)"
	expect_same "$name: why tells it" 1 \
		"$("$LANDFALL" why -c $conf "$name" | grep -c "$because")"
}

rm lake/inbox/*
settings 'unpack: {filter: {command: [\/bin\/false]}}'
echo secret >lake/inbox/f1.gpg
run_pass >/dev/null
f1=$(entry f1.gpg)
still_there f1.gpg "$f1" 'filter /bin/false: ended with status 1'
settings 'unpack: {filter: {command: [\/bin\/cat]}}'
expect 'once the filter is mended it is released' \
	"$LANDFALL" release -c $conf "$f1"
expect_same 'with its bytes' secret "$("$LANDFALL" cat -c $conf f1.gpg!/f1)"

settings 'unpack: {}'
rm lake/inbox/*
head -c 30000000 /dev/zero | gzip >lake/inbox/bomb.csv.gz
run_pass >/dev/null
still_there bomb.csv.gz "$(entry bomb.csv.gz)" '.*ratio'

# An older version that is released to nothing is not made a new one.
settings 'unpack: {filter: {command: [\/bin\/false]}}'
rm lake/inbox/*
echo one >lake/inbox/f2.gpg
run_pass >/dev/null
f2=$(entry f2.gpg)
settings 'unpack: {filter: {command: [\/bin\/cat]}}'
echo two two >lake/inbox/f2.gpg
run_pass >/dev/null
settings 'unpack: {filter: {command: [\/bin\/false]}}'
still_there f2.gpg "$f2" 'filter /bin/false: ended with status 1' --over

# ---- an older version over a newer one ----

rm lake/inbox/*
settings 'csv: {trailer: {prefix: "T,"}, columns: any}\
    totals: {records: {trailer_field: 2}}'
printf 'k\nold\nT,2\n' >lake/inbox/o.csv
run_pass >/dev/null
old=$(entry o.csv)
printf 'k\ngood\nT,1\n' >lake/inbox/o.csv
run_pass >/dev/null
good=$(entry o.csv)
expect_status 'what is older than what has landed is not released' 1 \
	"$LANDFALL" release -c $conf "$old"
expect_same 'what has landed since is named' 1 "$(grep -c \
	"ledger entry $old is older than what has landed: entry $good has landed under this name since, .*--over" \
	lib.out)"
expect_same 'the newest is the good one' "$(cat lake/inbox/o.csv)" \
	"$("$LANDFALL" cat -c $conf o.csv)"
expect 'it may be rejected' "$LANDFALL" reject -c $conf "$old"
printf 'k\nold\nT,3\n' >lake/inbox/o.csv
run_pass >/dev/null
old=$(entry o.csv)
printf 'k\nbetter\nT,1\n' >lake/inbox/o.csv
run_pass >/dev/null
expect 'with --over it is released' \
	"$LANDFALL" release -c $conf "$old" --over --json
expect_same 'as the newest' 1 \
	"$(grep -c '"disposition":"new-version".*"generation":3' lib.out)"
printf 'k\nsame\nT,3\n' >lake/inbox/o.csv
run_pass >/dev/null
old=$(entry o.csv)
settings ''
expect 'the same bytes, by hand' \
	"$LANDFALL" land -c $conf --source inbox lake/inbox/o.csv
expect 'are nothing to be put over' "$LANDFALL" release -c $conf "$old"
expect_status '--over is not for reject' 1 \
	"$LANDFALL" reject -c $conf "$old" --over
both_verify 'over'
