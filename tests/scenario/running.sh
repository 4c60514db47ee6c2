# shellcheck shell=sh disable=SC2034,SC2154
#
# running.sh - a daemon to watch. Sourced after lib.sh:
#
#	new_lake TEXT		lake/ whose source inbox says TEXT too (YAML
#				below the source; \n separates lines)
#	start_daemon		landfall run on it; its log is the file `log`
#	landed N		waits for N landing files, and for a ledger of
#				so many, 20 s at most; says how many there are
#	logged TEXT N		waits for N lines with TEXT in the log
#	settled NAME WORD	waits until `why` says WORD of the name
#	stop_daemon NAME	SIGTERM; it must end well, and all verify

conf=lake/landfall.yaml
daemon=

new_lake()
{
	"$LANDFALL" init lake --quiet
	sed -i "s/format: csv/format: csv\\n    $1/" $conf
}

# Of servers/servers.sh too, which has a trap of its own until now.
running_end()
{
	lib_status=$?
	[ -z "$daemon" ] || kill -9 "$daemon" 2>/dev/null || :
	! command -v stop_servers >/dev/null || stop_servers
	[ "$lib_status" -ne 0 ] || [ "$lib_failed" -eq 0 ] || exit 1
}

start_daemon()
{
	: >>log
	"$LANDFALL" run -c $conf 2>>log &
	daemon=$!
	trap running_end EXIT
	logged event=started 1 >/dev/null
}

landed()
{
	python3 - "$1" <<'END'
import glob, sys, time
end = time.time() + 20
while True:
    n = len(glob.glob('lake/zone/inbox/dt=*/*.zst'))
    with open('lake/zone/_ledger/checkpoint') as f:
        sealed = int(f.readlines()[1])
    if n >= int(sys.argv[1]) and sealed >= n or time.time() > end:
        break
    time.sleep(0.005)
print(n)
END
}

logged()
{
	for _ in $(seq 400); do
		[ "$(grep -c -- "$1" log)" -lt "$2" ] || break
		sleep 0.05
	done
	grep -c -- "$1" log || :
}

settled()
{
	for _ in $(seq 200); do
		"$LANDFALL" why -c $conf "$1" 2>/dev/null | grep -q -- "$2" &&
			break
		sleep 0.1
	done
	"$LANDFALL" why -c $conf "$1" | grep -c -- "$2" || :
}

stop_daemon()
{
	kill -TERM "$daemon"
	lib_found=0
	wait "$daemon" || lib_found=$?
	expect_same "$1: it ends well" 0 $lib_found
	daemon=
	expect "$1: verify" "$LANDFALL" verify --deep -c $conf
}
