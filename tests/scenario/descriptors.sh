#!/bin/sh
# A low limit of open files costs speed, not deliveries.
. "$SRCDIR/tests/scenario/lib.sh"
conf=lake/landfall.yaml
"$LANDFALL" init lake --quiet
sed -i 's/format: csv/format: csv\n    ready: {stable: 0s}/' $conf

for limit in 64 256; do
	for i in $(seq 600); do
		echo "$limit $i" >lake/inbox/f"$limit-$i".csv
	done
	expect "600 files with $limit descriptors" prlimit --nofile=$limit:$limit \
		"$LANDFALL" run --once -c $conf --quiet
done
expect_same 'all of them landed' 1200 "$("$LANDFALL" ls -c $conf --json | wc -l)"
