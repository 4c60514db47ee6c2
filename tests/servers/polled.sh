# shellcheck shell=sh disable=SC2034,SC2154
#
# polled.sh - a polled API, and who polls it. Sourced after scenario/lib.sh and
# servers.sh:
#
#	serve_api DIR		api-server.py; $url is its origin, https if there
#				is a DIR/tls
#	rules DIR RULE...	what goes wrong from now on, each a JSON object;
#				the log begins anew
#	data DIR PATH		the list at PATH; its records come on standard
#				input
#	lake NAME		a new zone; what stands below `sources:` comes on
#				standard input
#	run NAME OPTION...	one pass
#	at TIME NAME COMMAND...	a command on it at that moment
#	records NAME OPTION...	the raw records in the zone, in order of landing
#	ids NAME OPTION...	their numbers, sorted
#	sound NAME		all of it verifies, to a stranger too
#
# The profiles are the tree's.

command -v python3 >/dev/null || skip 'no python3'
LANDFALL_PROFILES=$SRCDIR/profiles
export LANDFALL_PROFILES

serve_api()
{
	start_server "$1" api-server.py
	wait_for_port "$1"
	url=http://127.0.0.1:$port
	[ ! -e "$1/tls" ] || url=https://127.0.0.1:$port
}

rules()
{
	api_dir=$1
	shift
	api_rules=$(printf ',%s' "$@")
	printf '[%s]\n' "${api_rules#,}" >"$api_dir/rules.new"
	mv "$api_dir/rules.new" "$api_dir/rules"
	: >"$api_dir/log"
}

data()
{
	mkdir -p "$1"
	{
		echo "{\"$2\": ["
		cat
		echo ']}'
	} >"$1/data.new"
	mv "$1/data.new" "$1/data"
}

lake()
{
	"$LANDFALL" init "$1" --quiet
	sed -i '/^sources:/,$d' "$1/landfall.yaml"
	{
		echo sources:
		cat
	} >>"$1/landfall.yaml"
}

run()
{
	api_lake=$1
	shift
	"$LANDFALL" run --once -c "$api_lake/landfall.yaml" --quiet "$@"
}

at()
{
	api_moment=$(date -u -d "$1" +%s)
	api_lake=$2
	shift 2
	LANDFALL_TEST_CLOCK=$api_moment "$LANDFALL" "$@" \
		-c "$api_lake/landfall.yaml"
}

records()
{
	api_lake=$1
	shift
	(cd "$api_lake/zone" && find . -name '*.zst' -printf '%T@ %P\n') |
		sort -n | while read -r _ file; do
		"$LANDFALL" cat "$api_lake/zone/$file" \
			-c "$api_lake/landfall.yaml" --records "$@"
	done
}

ids()
{
	records "$@" | sed 's/.*"id": *\([0-9]*\).*/\1/' | sort -n |
		tr '\n' ' ' | sed 's/ $//'
}

sound()
{
	"$LANDFALL" verify --deep -c "$1/landfall.yaml" --quiet &&
		python3 "$SRCDIR/contrib/readers/verify.py" "$1/zone"
}
