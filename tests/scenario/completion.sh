#!/bin/sh
# Completion in bash offers what the program's own help has.
. "$SRCDIR/tests/scenario/lib.sh"
command -v bash >/dev/null || skip 'bash is not installed'
"$LANDFALL" init lake --quiet
sed -i '/^sources:/a\  acme-orders:\n    drop: {path: acme}' lake/landfall.yaml
mkdir lake/acme bin folder
ln -s "$LANDFALL" bin/landfall

# offered WORD...: what bash offers in place of the last word, sorted.
offered()
{
	PATH=$PWD/bin:$PATH bash --norc --noprofile -c '
		. "$0"
		COMP_WORDS=("$@")
		COMP_CWORD=$(($# - 1))
		_landfall landfall "${COMP_WORDS[COMP_CWORD]}" ""
		printf "%s\n" "${COMPREPLY[@]}"' \
		"$SRCDIR/contrib/completion/landfall" "$@" 2>&1 |
		LC_ALL=C sort | paste -sd' '
}

words()
{
	printf '%s\n' "$@" | LC_ALL=C sort | paste -sd' '
}

commands=$("$LANDFALL" help | awk '/^  [a-z]/ { print $1 }')
# shellcheck disable=SC2086 # one word each
expect_same 'all commands' "$(words $commands --help --version)" \
	"$(offered landfall '')"
expect_same 'that begin so' 'scan status' "$(offered landfall s)"

# Every option of every command: the words with dashes left in its help.
for command in $commands; do
	options=$("$LANDFALL" "$command" --help |
		sed -n '/^options:/,$s/^  \(-[^ [,]*\).*/\1/p')
	long=$("$LANDFALL" "$command" --help |
		sed -n '/^options:/,$s/^  -., \(--[a-z-]*\).*/\1/p')
	# shellcheck disable=SC2086 # one word each
	expect_same "$command: its options" "$(words $options $long --help)" \
		"$(offered landfall "$command" -)"
done

expect_same 'sources' 'acme-orders inbox' \
	"$(offered landfall -c lake/landfall.yaml status '')"
expect_same 'sources, by the configuration named later' acme-orders \
	"$(offered landfall run --once -c lake/landfall.yaml a)"
expect_same 'a source as the value of an option' 'acme-orders inbox' \
	"$(offered landfall why x -c lake/landfall.yaml --source '')"
expect_same 'without a configuration there are none' '' \
	"$(offered landfall status '')"
expect_same 'formats' 'csv fixed json lines ndjson opaque' \
	"$(offered landfall scan --format '')"
# shellcheck disable=SC2086 # one word each
expect_same 'topics of help' "$(words $commands config profile)" \
	"$(offered landfall help '')"
expect_same 'small letters stand for themselves' rebuild \
	"$(offered landfall catalog '')"
expect_same 'files' 'lake/inbox lake/landfall.yaml' \
	"$(offered landfall land lake/ | tr ' ' '\n' |
		grep -e inbox -e yaml | paste -sd' ')"
expect_same 'a configuration is a file' lake/landfall.yaml \
	"$(offered landfall status -c lake/landf)"
expect_same 'folders' 'folder' "$(offered landfall init fo)"
expect_same 'what only its owner knows' '' \
	"$(offered landfall release 1 --why '')"
