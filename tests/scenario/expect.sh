#!/bin/sh
# An arrival contract: silence is not success.
. "$SRCDIR/tests/scenario/lib.sh"
"$LANDFALL" init lake --quiet
conf=lake/landfall.yaml
sed -i 's/format: csv/format: csv\n    ready: {stable: 0s}\n    expect: {by: "06:00", files: 2.., records: 3.., grace: 30m}/' $conf

# at TIME COMMAND...: at that moment of UTC.
at()
{
	at_time=$(date -u -d "$1" +%s)
	shift
	LANDFALL_TEST_CLOCK=$at_time "$LANDFALL" "$@" -c $conf
}

# outcome NAME STATUS OUTCOME TIME: run and status agree on it.
outcome()
{
	expect_status "$1: status $2" "$2" at "$4" run --once --json
	expect_same "$1: $3" "$3" \
		"$(sed -n 's/.*"arrival":"inbox","outcome":"\([a-z-]*\)".*/\1/p' lib.out)"
	expect_same "$1: status says so too" "$3" "$(outcome_at "$4")"
}

outcome_at()
{
	at "$1" status --json |
		sed -n 's/.*"arrival":{"outcome":"\([a-z-]*\)".*/\1/p'
}

outcome 'nothing yet' 0 waiting '2030-03-05 05:00'
outcome 'within the grace' 0 waiting '2030-03-05 06:30'
expect_same 'past it, without a look' could-not-look \
	"$(outcome_at '2030-03-05 06:31')"
outcome 'nothing came' 2 missing '2030-03-05 06:31'
at '2030-03-05 06:31' status >status.out
expect_same 'in words' 1 \
	"$(grep -c 'arrival: missing, due 2030-03-05T06:00:00Z: 0 files' status.out)"

printf 'a\n1\n' >lake/inbox/one.csv
outcome 'one of two' 2 short '2030-03-05 08:00'
printf 'a\n1\n' >lake/inbox/copy.csv
outcome 'a copy of it is no second file' 2 short '2030-03-05 08:05'
printf 'a\n2\n3\n' >lake/inbox/two.csv
outcome 'both, too late' 2 late '2030-03-05 08:10'
outcome 'it stays late' 2 late '2030-03-05 18:14'

outcome 'the next deadline begins anew' 0 waiting '2030-03-05 18:16'
printf 'a\n4\n' >lake/inbox/three.csv
printf 'a\n5\n' >lake/inbox/four.csv
outcome 'too few records' 0 waiting '2030-03-05 23:00'
printf 'a\n6\n' >lake/inbox/five.csv
outcome 'early is on time' 0 on-time '2030-03-05 23:30'
outcome 'and stays it' 0 on-time '2030-03-06 12:00'

mv lake/inbox lake/gone
expect_status 'a drop that is gone: status 3' 3 \
	at '2030-03-07 07:00' run --once --json
expect_same 'it is not missing' could-not-look \
	"$(outcome_at '2030-03-07 07:00')"
mv lake/gone lake/inbox
outcome 'seen again, it is' 2 missing '2030-03-07 07:10'

"$LANDFALL" run --once -c $conf --quiet >quiet.out 2>&1 || :
expect_same 'quiet is quiet' '' "$(cat quiet.out)"

# What is usual is learned from eight deadlines before; then less is short.
"$LANDFALL" init usual --quiet
conf=usual/landfall.yaml
sed -i 's/format: csv/format: csv\n    ready: {stable: 0s}\n    expect: {by: "06:00", files: learned, records: learned}/' $conf
rows()
{
	echo a
	seq "$1"
}
for day in 1 2 3 4 5 6 7; do
	rows 100 >usual/inbox/$day.csv
	echo "$day" >>usual/inbox/$day.csv
	at "2030-03-0$day 05:00" run --once --quiet || fail "day $day"
done
at '2030-03-08 05:00' status >status.out
expect_same 'seven are too few' 1 \
	"$(grep -c 'still learning, from 7 of 8 deadlines' status.out)"
rows 101 >usual/inbox/8.csv
outcome 'anything will do until then' 0 on-time '2030-03-08 05:00'
rows 50 >usual/inbox/9.csv
outcome 'then half is not enough' 2 short '2030-03-09 06:01'
at '2030-03-09 06:01' status >status.out
expect_same 'status says what is usual, and why' 1 \
	"$(grep -c 'records below it: expected 91 to 111 records; usual are 1 file, 91 to 111 records, learned from 8 deadlines' status.out)"
rows 112 >usual/inbox/10.csv
outcome 'more than ever is told as well' 2 short '2030-03-10 05:00'
at '2030-03-10 05:00' status >status.out
expect_same 'with the word' 1 \
	"$(grep -c 'records above the band: expected 91 to 111' status.out)"
rows 111 >usual/inbox/11.csv
outcome 'as usual' 0 on-time '2030-03-11 05:00'
