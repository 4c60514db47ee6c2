#!/bin/sh
# What a crash may leave in _staging, and how the next start takes it.
. "$SRCDIR/tests/scenario/lib.sh"
command -v strace >/dev/null || skip 'strace is missing'
conf=lake/landfall.yaml
# One day, also at midnight.
export LANDFALL_TEST_CLOCK=1800000000
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

# A path taken by other bytes: the group is published in two attempts, and
# the intent must name what the first one published until all is recorded.
printf 'a\n2\n' >lake/inbox/plain.csv
printf 'a\n3\n' >lake/inbox/taken.csv
sum=$(sha256sum lake/inbox/taken.csv | cut -c1-12)
printf 'a stranger' >"lake/zone/$dir/taken.$sum.csv.zst"
expect_status 'it is killed in the second attempt' 137 \
	strace -f -qq -o trace -P "$PWD/lake/zone/_staging/intent" \
	-e trace=write -e inject=write:signal=SIGKILL:when=2 \
	"$LANDFALL" run --once -c $conf --quiet
expect_same 'one of the two was published' 1 \
	"$(find "lake/zone/$dir" -name 'plain.*' | wc -l)"
rm "lake/zone/$dir/taken.$sum.csv.zst"
expect 'the next start brings it forward' "$LANDFALL" run --once -c $conf
cp lib.out pass.out
expect_same 'and doubles nothing' 1 \
	"$(find "lake/zone/$dir" -name 'plain.*' | wc -l)"
expect 'verify --deep' "$LANDFALL" verify --deep -c $conf
expect 'the second reader' python3 "$SRCDIR/contrib/readers/verify.py" lake/zone
