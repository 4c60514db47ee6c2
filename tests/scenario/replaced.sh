#!/bin/sh
# What stands in the place of a landing file, or of the catalog.
. "$SRCDIR/tests/scenario/lib.sh"
conf=lake/landfall.yaml
"$LANDFALL" init lake --quiet
printf 'a\n1\n' >x.csv
expect 'a file lands' "$LANDFALL" land x.csv --source inbox -c $conf
file=$(find "$PWD/lake/zone/inbox" -name 'x.*.zst')
mv "$file" kept.zst

# Even a link to the very bytes is not what was landed.
ln -s "$PWD/kept.zst" "$file"
expect_status 'a link' 4 "$LANDFALL" verify lake/zone
expect_same 'is named' 1 "$(grep -c "^file-changed: .*x[.].*zst" lib.out)"
rm "$file"
mkdir "$file"
expect_status 'a folder' 4 "$LANDFALL" verify --deep lake/zone
rmdir "$file"
mkfifo "$file"
expect_status 'a fifo' 4 "$LANDFALL" verify lake/zone
rm "$file"
mv kept.zst "$file"
expect 'all is well again' "$LANDFALL" verify -c $conf

rm -f lake/state/catalog.db-*
head -c 65536 /dev/urandom >lake/state/catalog.db
expect_status 'a catalog that is none' 5 "$LANDFALL" verify -c $conf --quiet
expect_same 'is told' 1 "$(grep -c 'catalog rebuild' lib.out)"
expect 'it is rebuilt' "$LANDFALL" catalog rebuild -c $conf
expect 'and compared' "$LANDFALL" verify -c $conf

rm lake/state/catalog.db
expect_status 'a catalog that is gone' 1 "$LANDFALL" status -c $conf
expect_same 'can be had again' 1 "$(grep -c 'catalog rebuild' lib.out)"
