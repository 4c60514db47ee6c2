#!/bin/sh
# Completeness by rest: two looks, or change times that lie far enough back.
. "$SRCDIR/tests/scenario/lib.sh"
"$LANDFALL" init lake --quiet
conf=lake/landfall.yaml
printf 'a\n1\n' >lake/inbox/young.csv
expect_same 'plan says it is too young' pending \
	"$("$LANDFALL" plan -c $conf --json | sed -n 's/.*"would":"\([a-z]*\)".*/\1/p')"
expect 'the pass looks twice' "$LANDFALL" run --once -c $conf --json
expect_same 'and lands it' 1 "$(grep -c '"disposition":"landed"' lib.out)"
file=$(find lake/zone/inbox -name '*.zst')
expect_same 'the evidence is in the provenance' 1 \
	"$(grep -ac '"evidence":"stable 2.0s' "$file")"
sed -i 's/format: csv/format: csv\n    ready: {stable: 1h}/' $conf
printf 'a\n2\n' >lake/inbox/later.csv
"$LANDFALL" plan -c $conf --json >plan.out
expect_same 'an hour is an hour' 1 \
	"$(grep later.csv plan.out | grep -c '"would":"pending"')"
expect_same 'what landed stays landed' 1 \
	"$(grep young.csv plan.out | grep -c '"would":"landed"')"
