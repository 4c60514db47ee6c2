#!/bin/sh
# A name that comes again: the same bytes, more, fewer, other ones; the same
# bytes under another name. Modification times never matter.
. "$SRCDIR/tests/scenario/lib.sh"
"$LANDFALL" init lake --quiet
conf=lake/landfall.yaml
sed -i 's/format: csv/format: csv\n    ready: {stable: 0s}/' $conf

# pass NAME: what the pass says of it, as "disposition relation generation".
pass()
{
	"$LANDFALL" run --once -c $conf --json >out || fail "status $?"
	grep "\"name\":\"$1\"" out | sed -E \
		's/.*"disposition":"([^"]*)".*"generation":([0-9]+),"relation":"([a-z]*)".*/\1 \3 \2/'
}

printf 'a,b\n1,2\n' >lake/inbox/x.csv
expect_same 'first' 'landed first 1' "$(pass x.csv)"
expect_same 'untouched: nothing to say' '' "$(pass x.csv)"
touch -d '2001-01-01' lake/inbox/x.csv
expect_same 'touched: the same bytes' 'duplicate identical 1' "$(pass x.csv)"
printf '3,4\n' >>lake/inbox/x.csv
touch -d '1999-01-01' lake/inbox/x.csv
expect_same 'appended, with an old mtime' 'new-version appended 2' \
	"$(pass x.csv)"
printf 'a,b\n1,2\n3' >lake/inbox/x.csv
touch -d '2099-01-01' lake/inbox/x.csv
expect_same 'truncated, with a future mtime' 'new-version truncated 3' \
	"$(pass x.csv)"
printf 'c,d\n9,9\n' >lake/inbox/x.csv
expect_same 'replaced' 'new-version replaced 4' "$(pass x.csv)"
cp lake/inbox/x.csv lake/inbox/y.csv
expect_same 'another name, the same bytes' 'duplicate identical 1' \
	"$(pass y.csv)"
expect_same 'and it can be had by that name' "$(cat lake/inbox/y.csv)" \
	"$("$LANDFALL" cat -c $conf y.csv)"
printf 'a,b\n1,2\n' >lake/inbox/x.csv
expect_same 'older bytes come back: known, and on the ledger' \
	'duplicate identical 5' "$(pass x.csv)"
mkdir lake/inbox/sub
cp lake/inbox/x.csv lake/inbox/sub/x.csv
printf 'new,one\n' >lake/inbox/sub/z.csv
expect_same 'a name in a folder' 'landed first 1' "$(pass sub/z.csv)"
expect_same 'is a name of its own' 1 \
	"$(grep -c '"name":"sub/x.csv","disposition":"duplicate"' out)"
expect 'verify' "$LANDFALL" verify --deep -c $conf
expect 'second reader' python3 "$SRCDIR/contrib/readers/verify.py" lake/zone

sed -i 's/format: csv/format: csv\n    duplicates: land/' $conf
cp lake/inbox/x.csv lake/inbox/w.csv
expect_same 'duplicates: land' 'landed first 1' "$(pass w.csv)"
expect 'why tells it all' "$LANDFALL" why -c $conf x.csv
expect 'verify again' "$LANDFALL" verify --deep -c $conf

# A file of somebody else where ours would go: never overwritten.
"$LANDFALL" init other --quiet
sed -i 's/format: csv/format: csv\n    ready: {stable: 0s}/' other/landfall.yaml
printf 'a,b\n1,2\n' >other/inbox/x.csv
printf 'c,d\n3,4\n' >other/inbox/v.csv
taken=$(cd lake/zone && find inbox -name 'x.*' -size +0 |
	while read -r f; do
		if [ "$(zstd -dcq "$f" | head -1)" = a,b ] &&
			[ "$(zstd -dcq "$f" | wc -c)" = 8 ]; then
			echo "$f"
		fi
	done)
mkdir -p "other/zone/$(dirname "$taken")"
echo mine >"other/zone/$taken"
expect 'a taken name' "$LANDFALL" run --once -c other/landfall.yaml --json
expect_same 'is not overwritten' mine "$(cat "other/zone/$taken")"
expect_same 'and both files land beside it' 2 \
	"$(grep -c '"disposition":"landed"' lib.out)"
expect_same 'with their bytes' "$(cat other/inbox/x.csv)" \
	"$("$LANDFALL" cat -c other/landfall.yaml x.csv)"
