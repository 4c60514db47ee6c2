#!/bin/sh
# looking.sh - the commands that only look: scan, ls, why, status, cat.
# shellcheck disable=SC2154
. "$SRCDIR/tests/scenario/lib.sh"

jq_like()
{
	python3 -c 'import json, sys
for line in sys.stdin:
    o = json.loads(line)
    print(eval(sys.argv[1], {"o": o, "len": len}))' "$1"
}
command -v python3 >/dev/null || skip "python3 is not here"

# ---- scan: no configuration, no zone ----
printf 'id;v\n1;a\n2;"b;c"\n3\n\n4;d' >odd.csv
expect_same 'spans are the ordinary records' '5 4
9 8
20 3' "$("$LANDFALL" scan --spans -o 'delimiter=;' odd.csv)"
expect_same 'and the same from a pipe' '5 4
9 8
20 3' "$("$LANDFALL" scan --spans -o 'delimiter=;' - <odd.csv)"
"$LANDFALL" scan --json -o 'delimiter=;' odd.csv >scan.json
expect_same 'scan counts' "23 3 1 3 [('header', 0, 5, 1, 0), \
('wrong-field-count', 17, 2, 1, 2), ('blank', 19, 1, 1, 2)]" \
	"$(jq_like '"%d %d %d %d %s" % (o["bytes"], o["records"],
	o["malformed"], o["exceptions_total"], [tuple(x[k] for k in ("kind",
	"offset", "length", "count", "record")) for x in o["exceptions"]])' \
	<scan.json)"
expect_same 'scan --limit cuts the list, not the count' '1 3' \
	"$("$LANDFALL" scan --json --limit 1 -o 'delimiter=;' odd.csv |
	jq_like '"%d %d" % (len(o["exceptions"]), o["exceptions_total"])')"
expect_same 'a sniffed dialect is the one that is scanned with' '; ;' \
	"$(printf 'a;b\n1;2\n3;4\n' | "$LANDFALL" scan --sniff --json - |
	jq_like 'o["dialect"]["delimiter"]' | paste -sd' ')"
expect_same 'fixed' '0 4
4 4' "$(printf 'aaaabbbbc' | "$LANDFALL" scan --spans --format fixed \
	-o length=4 -)"
expect_status 'a wrong option is a mistake' 1 \
	"$LANDFALL" scan -o header=x odd.csv
expect_status 'an unknown option is a mistake' 1 \
	"$LANDFALL" scan -o quotes=x odd.csv
expect_status 'a wrong format is a mistake' 1 \
	"$LANDFALL" scan --format cvs odd.csv
expect_status 'a missing file is a mistake' 1 "$LANDFALL" scan gone.csv
# Ten thousand bad lines that do not touch: all of them with --limit 0.
python3 -c 'print("a,b"); print("1,2\n3\n" * 10000, end="")' >bad.csv
expect_same 'every exception with --limit 0' '10001 10001' \
	"$("$LANDFALL" scan --json --limit 0 bad.csv |
	jq_like '"%d %d" % (len(o["exceptions"]), o["exceptions_total"])')"
expect_same 'the first thousand without' '1000 10001' \
	"$("$LANDFALL" scan --json bad.csv |
	jq_like '"%d %d" % (len(o["exceptions"]), o["exceptions_total"])')"

# ---- the rest looks at a zone ----
"$LANDFALL" init place >init.out 2>&1
cd place || exit 1
printf 'id,v\n1,a\n2,"b ""x"", c"\n' >../one.csv
printf 'id,v\n1,\377\n' >../latin.csv
cp ../one.csv '../it is two.csv'
"$LANDFALL" land --quiet --source inbox ../one.csv >land.out
"$LANDFALL" land --quiet --source inbox ../latin.csv '../it is two.csv' \
	>land.out
cp ../one.csv ../first.csv
printf '3,d\n' >>../one.csv
"$LANDFALL" land --quiet --source inbox ../one.csv >land.out

expect_same 'ls has the landing files' 'one.csv 1 latin.csv 1 one.csv 2' \
	"$("$LANDFALL" ls --json | jq_like \
	'"%s %d" % (o["name"], o["generation"])' | paste -sd' ')"
expect_same 'ls prints the entries of the ledger as they are' "$(
	"$LANDFALL" ls --json | head -n 1)" "$(tail -c +3 \
	zone/_ledger/tile/entries/000.p/1)"
expect_status 'ls of an unknown source is a mistake' 1 "$LANDFALL" ls inbx
expect_same 'why tells the story, oldest first' \
	'landed first new-version appended' "$("$LANDFALL" why --json one.csv |
	jq_like '"%s %s" % (o["state"], o["relation"])' | paste -sd' ')"
expect_same 'why of a duplicate names the file with its bytes' yes \
	"$("$LANDFALL" why --json 'it is two.csv' |
	jq_like '"yes" if "/one." in o["file"] else o')"
expect_same 'names as our JSON writes them are found too' duplicate \
	"$("$LANDFALL" why --json it%20is%20two.csv | jq_like 'o["state"]')"
expect_status 'why of an unknown name' 1 "$LANDFALL" why nobody.csv
expect_same 'status counts' '1 1 1 4 4' "$("$LANDFALL" status --json |
	jq_like '"%d %d %d %d %d" % (o["sources"]["inbox"]["counts"]["landed"],
	o["sources"]["inbox"]["counts"]["new-version"],
	o["sources"]["inbox"]["counts"]["duplicate"],
	o["ledger"]["size"], o["ledger"]["recorded"])')"
expect_status 'status of an unknown source is a mistake' 1 \
	"$LANDFALL" status inbx

"$LANDFALL" cat one.csv >newest
expect 'cat of a name: the newest version' cmp newest ../one.csv
"$LANDFALL" cat 0 >first
expect 'cat of a number: that entry' cmp first ../first.csv
"$LANDFALL" cat 'it is two.csv' >two
expect 'cat of a duplicate: the same bytes' cmp two ../first.csv
file=$("$LANDFALL" ls --json | jq_like 'o["file"]' | tail -n 1)
"$LANDFALL" cat "$file" >path
expect 'cat of a path below the zone' cmp path ../one.csv
(cd / && "$LANDFALL" cat "$OLDPWD/zone/$file") >path
expect 'cat of a landing file needs no configuration' cmp path ../one.csv
expect_same 'records are their bytes' '1,a
2,"b ""x"", c"
3,d' "$("$LANDFALL" cat one.csv --records)"
expect_same 'records with their fields' \
	"1 9 15 2,\"b \"\"x\"\", c\"| ['2', 'b \"x\", c']" \
	"$("$LANDFALL" cat one.csv --records --json --fields --from 1 \
	--count 1 | jq_like '"%d %d %d %s %s" % (o["record"], o["offset"],
	o["length"], o["raw"].replace("\n", "|"), o["fields"])')"
expect_same 'bytes that are not UTF-8 come as base64' 'MSz/Cg==' \
	"$("$LANDFALL" cat latin.csv --records --json |
	jq_like 'o["raw_b64"]')"
expect_same 'no more records than there are' '' \
	"$("$LANDFALL" cat one.csv --records --from 3)"
expect_status 'cat of an unknown name' 1 "$LANDFALL" cat nobody.csv
# shellcheck disable=SC2016 # for the inner shell
expect_status 'cat says when it cannot write' 5 \
	sh -c '"$1" cat one.csv >/dev/full' - "$LANDFALL"
{ sleep 1; "$LANDFALL" cat one.csv 2>../err; } | :
expect_same 'a reader that has enough is no error' '' "$(cat ../err)"

chmod u+w "zone/$file"
printf x | dd of="zone/$file" bs=1 seek=30 conv=notrunc 2>dd.out
expect_status 'cat of a damaged file fails' 4 "$LANDFALL" cat one.csv
rm -f "zone/$file"
expect_status 'cat of a lost file fails' 4 "$LANDFALL" cat one.csv
