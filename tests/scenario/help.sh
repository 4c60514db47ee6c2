#!/bin/sh
# `landfall help`, and what is said to a command line that was meant otherwise.
. "$SRCDIR/tests/scenario/lib.sh"

# first WORDS: the first line of help for them.
first()
{
	"$LANDFALL" help "$@" | sed -n 1p
}
expect_same 'a block' sources.NAME.schedule "$(first schedule)"
expect_same 'with all that is in it' 'sources.NAME.schedule.every' \
	"$("$LANDFALL" help schedule | grep -x '.*schedule.every')"
expect_same 'and no more' 0 "$("$LANDFALL" help schedule | grep -cx '.*expect.*' || :)"
for key in ready sources.NAME.ready 'sources.*.ready' sources.acme-orders.ready; do
	expect_same "a key: $key" 'sources.NAME.ready' "$(first "$key")"
done
expect_same 'what it may be' 1 "$("$LANDFALL" help ready | grep -c '{stable: TIME}')"
expect_same 'a key below a block' sources.NAME.schedule.every "$(first schedule.every)"
expect_same 'by its last word' sources.NAME.schedule.every "$(first every)"
expect_same 'one that is in several blocks' \
	'sources.NAME.drop.path sources.NAME.sftp.path sources.NAME.receipt.path' \
	"$("$LANDFALL" help path | grep '^sources' | paste -sd' ')"
expect_same 'of the whole file' limits.memory "$(first limits.memory)"
expect_same 'of an API' 1 "$("$LANDFALL" help pagination | grep -cx pagination)"
expect_same 'a command comes first' 'usage: landfall verify [--deep] [PATH...]' \
	"$(first verify)"

# said PATTERN WORD...: refused as usage, with these words.
said()
{
	pattern=$1
	shift
	expect_status "refused: $*" 1 "$LANDFALL" "$@"
	"$LANDFALL" "$@" 2>said >&2 || :
	expect "and told: $*" grep -q "$pattern" said
}
said "no command and no key 'chek'; did you mean 'check'?" help chek
said "no command and no key 'schedul'; did you mean 'schedule'?" help schedul
said "no command and no key 'zzzzzz'" help zzzzzz
said "no command 'chek'; did you mean 'check'?" chek
said 'options follow the command: landfall check -c x' -c x check
said 'options follow the command: landfall COMMAND --json' --json
expect_same 'no other command is suggested for an option' '' \
	"$("$LANDFALL" -c x check 2>&1 | grep 'did you mean' || :)"
