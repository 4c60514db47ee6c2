#!/bin/sh
# The main job: every public file landed, listed, rebuilt byte for byte and
# verified, by our program, by a second reader, and by stock tools.
. "$SRCDIR/tests/scenario/lib.sh"
data=$SRCDIR/../shared/data
[ -d "$data/real" ] || skip "no public files in $data"

"$LANDFALL" init lake --quiet
conf=lake/landfall.yaml
cp "$data"/real/* "$data"/csv-spectrum/csvs/* lake/inbox/
names=$(cd lake/inbox && ls)
count=$(printf '%s\n' "$names" | wc -l)

expect 'one pass lands everything' "$LANDFALL" run --once -c $conf --json
expect_same 'each name is landed' "$count" \
	"$(grep -c '"disposition":"landed"' lib.out)"
expect_same 'each is listed' "$count" \
	"$("$LANDFALL" ls -c $conf --json | grep -c '"file":')"
expect 'verify is clean' "$LANDFALL" verify --deep -c $conf
expect 'the second reader agrees' \
	python3 "$SRCDIR/contrib/readers/verify.py" lake/zone

wrong=
for name in $names; do
	"$LANDFALL" cat -c $conf "$name" >back || wrong="$wrong $name(cat)"
	cmp -s back "lake/inbox/$name" || wrong="$wrong $name"
	sum=$(sha256sum <"lake/inbox/$name")
	file=$("$LANDFALL" why -c $conf --json "$name" |
		sed -n 's/.*"file":"\([^"]*\)".*/\1/p' | tail -1)
	[ "$(zstd -dcq "lake/zone/$file" | sha256sum)" = "$sum" ] ||
		wrong="$wrong $name(zstd)"
done
expect_same 'every file comes back byte for byte' '' "$wrong"

sums=0
for dir in lake/zone/inbox/dt=*; do
	(cd "$dir" && sha256sum --quiet -c --strict SHA256SUMS) || sums=1
done
expect_same 'sha256sum agrees' 0 $sums

before=$(cat lake/zone/_ledger/checkpoint)
expect 'a second pass' "$LANDFALL" run --once -c $conf --json
expect_same 'finds nothing new' "$before" \
	"$(cat lake/zone/_ledger/checkpoint)"
rm lake/state/catalog.db*
expect_status 'without its catalog it stops' 5 "$LANDFALL" run --once -c $conf
expect 'rebuild' "$LANDFALL" catalog rebuild -c $conf
expect 'a pass after it' "$LANDFALL" run --once -c $conf --json
expect_same 'lands nothing twice' "$before" \
	"$(cat lake/zone/_ledger/checkpoint)"
expect 'and verifies' "$LANDFALL" verify -c $conf
