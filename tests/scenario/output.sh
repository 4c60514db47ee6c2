#!/bin/sh
# Standard output that is full or closed: told, and nothing else is harmed.
. "$SRCDIR/tests/scenario/lib.sh"
conf=lake/landfall.yaml
"$LANDFALL" init lake --quiet
sed -i 's/format: csv/format: csv\n    ready: {stable: 0s}/' $conf
printf 'a\n1\n' >lake/inbox/first.csv
printf 'a\n2\n' >other.csv

# full NAME COMMAND...: the command says that it could not write.
full()
{
	full_status=0
	"$@" >/dev/full 2>full.err || full_status=$?
	expect_same "a full standard output: $2" '5 1' \
		"$full_status $(grep -c 'standard output' full.err)"
}
full "$LANDFALL" --version
full "$LANDFALL" --help
full "$LANDFALL" help
full "$LANDFALL" help config
full "$LANDFALL" plan -c $conf
full "$LANDFALL" run --once -c $conf
full "$LANDFALL" status -c $conf
full "$LANDFALL" ls -c $conf
full "$LANDFALL" why first.csv -c $conf
full "$LANDFALL" cat first.csv -c $conf
full "$LANDFALL" verify -c $conf
full "$LANDFALL" scan other.csv

# The next file that is opened must not become a standard descriptor.
mkdir many # more lines than stdio holds back
for i in $(seq 200); do
	printf 'a\n%s\n' "$i" >many/m"$i".csv
done
"$LANDFALL" land many/* --source inbox -c $conf <&- >&- 2>&- || :
expect_same 'closed standard descriptors: the lock holds a number' '' \
	"$(tr -d '0-9\n' <lake/state/lock)"
expect 'and the file landed all the same' "$LANDFALL" why m7.csv -c $conf
expect 'verify --deep' "$LANDFALL" verify --deep -c $conf
