#!/bin/sh
# What a crash may leave in _staging, and how the next start takes it.
. "$SRCDIR/tests/scenario/lib.sh"
conf=lake/landfall.yaml
"$LANDFALL" init lake --quiet
sed -i 's/format: csv/format: csv\n    ready: {stable: 0s}/' $conf
printf 'a\n1\n' >lake/inbox/first.csv
expect 'a first pass' "$LANDFALL" run --once -c $conf --quiet
dir=$(cd lake/zone && echo inbox/dt=*)

# A torn last line may be the path of a directory that is there.
for torn in "$dir" "$dir/" inbox "$dir/first"; do
	printf '%s' "$torn" >lake/zone/_staging/intent
	expect "an intent torn to $torn is passed over" \
		"$LANDFALL" run --once -c $conf
done
