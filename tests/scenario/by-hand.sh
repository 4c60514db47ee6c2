#!/bin/sh
# Files named on the command line.
. "$SRCDIR/tests/scenario/lib.sh"
conf=lake/landfall.yaml
"$LANDFALL" init lake --quiet
mkdir a b folder
printf 'a\n1\n' >a/x.csv
printf 'a\n1\n2\n' >b/x.csv
printf 'a\n7\n' >y.csv

land()
{
	"$LANDFALL" land --source inbox -c $conf "$@"
}
names()
{
	"$LANDFALL" status -c $conf --json |
		sed 's/.*"counts":{\([^}]*\)}.*/\1/' | tr -d '"'
}

# Nobody delivered what was mistyped: no disposition, and no half of the rest.
none=$(names)
expect_status 'a missing file is a mistake' 1 land y.csv gone.csv folder
expect_same 'and all mistakes are told' 2 "$(grep -c error: lib.out)"
expect_status 'a folder is one, too' 1 land folder
expect_status 'an empty name is one' 1 land y.csv --name ''
expect_status 'so is one that no entry of the ledger holds' 1 \
	land y.csv --name "$(printf '%0100000d' 1)"
expect_same 'nothing was recorded' "$none" "$(names)"

# Two files of one name are two versions, in the order given.
expect 'two of one name' land a/x.csv y.csv b/x.csv --json
expect_same 'are two generations' '1 1 2' "$(
	sed -n 's/.*"generation":\([0-9]*\).*/\1/p' lib.out |
		sort | tr '\n' ' ' | sed 's/ $//')"
expect_same 'the second appended' 1 "$(grep -c '"appended"' lib.out)"
expect 'verify --deep' "$LANDFALL" verify --deep -c $conf
