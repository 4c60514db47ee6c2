# shellcheck shell=sh disable=SC2034,SC2154
#
# partners.sh - partners as sources of a zone. Sourced after lib.sh and
# servers/servers.sh; a script may set `user`, who logs in, and `retry`.
#
#	lake NAME		an empty zone; sources are written behind it:
#	partner NAME PORT LINE... [-- LINE...]
#				prints a source: more keys of its sftp block
#				before the "--", of the source behind it
#	pin_of DIR [KIND]	the fingerprint of a server's key (ed25519)
#	old FILE...		changed long ago, so that one look is enough
#	run NAME [ARGUMENT...]	one pass, its words in `out` and `err`
#	check NAME		can its sources be reached? Words: check.out

retry='retry: {attempts: 2, base: 10ms}'

lake()
{
	"$LANDFALL" init "$1" --quiet
	sed -i '/^sources:/,$d' "$1/landfall.yaml"
	echo 'sources:' >>"$1/landfall.yaml"
}

partner()
{
	printf '  %s:\n    sftp:\n      host: 127.0.0.1\n      port: %s\n' \
		"$1" "$2"
	printf '      user: %s\n      %s\n' "$user" "$retry"
	shift 2
	while [ $# -gt 0 ] && [ "$1" != -- ]; do
		printf '      %s\n' "$1"
		shift
	done
	[ $# -eq 0 ] || shift
	while [ $# -gt 0 ]; do
		printf '    %s\n' "$1"
		shift
	done
}

pin_of()
{
	ssh-keygen -l -f "$1/host_${2:-ed25519}.pub" | cut -d' ' -f2
}

old()
{
	touch -d '3 days ago' "$@"
}

run()
{
	run_in=$1
	shift
	"$LANDFALL" run --once -c "$run_in/landfall.yaml" --json "$@" \
		>out 2>err
}

check()
{
	"$LANDFALL" check --connect -c "$1/landfall.yaml" >check.out 2>&1
}
