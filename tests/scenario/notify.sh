#!/bin/sh
# What systemd hears: ready once it watches, how it goes, that it is alive
# as long as its loop is, and that it stops.
. "$SRCDIR/tests/scenario/lib.sh"
"$LANDFALL" init lake --quiet
conf=lake/landfall.yaml
sed -i 's/format: csv/format: csv\n    ready: {stable: 0s}/' $conf

# heard.txt gets a line "SECONDS MESSAGE" for each assignment that came.
cat >listen.py <<'END'
import os, socket, sys, time
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind('notify')
with open('heard.txt', 'w', buffering=1) as f:
    while True:
        for line in s.recv(65536).decode().split('\n'):
            print('%.3f %s' % (time.monotonic(), line), file=f)
END
python3 listen.py &
listener=$!
daemon=
trap 'kill -9 $listener $daemon 2>/dev/null || :' EXIT
for _ in $(seq 400); do
	[ ! -e heard.txt ] || break
	sleep 0.05
done

# heard N TEXT: waits until N messages are just that; how many are.
heard()
{
	for _ in $(seq 400); do
		[ "$(grep -c "^[0-9.]* $2\$" heard.txt)" -lt "$1" ] || break
		sleep 0.05
	done
	grep -c "^[0-9.]* $2\$" heard.txt || :
}

# begin [COMMAND...]: a daemon that is told to ping each second at least.
begin()
{
	NOTIFY_SOCKET=$PWD/notify WATCHDOG_USEC=1000000 \
		"$@" "$LANDFALL" run -c $conf 2>log &
	daemon=$!
}

begin env
expect_same 'it says when it is ready' 1 "$(heard 1 READY=1)"
expect_same 'and what it does' 1 "$(heard 1 STATUS=watching)"
if [ "$(heard 4 WATCHDOG=1)" -ge 4 ]; then
	ok 'it pings, though nothing happens'
else
	fail 'it pings, though nothing happens' "$(cat heard.txt)"
fi
kill -HUP $daemon
expect_same 'it says that it reads the configuration' 1 \
	"$(heard 1 RELOADING=1)"
expect_same 'and that it has' 2 "$(heard 2 READY=1)"
cp $conf good.yaml
echo 'soruces: {}' >>$conf
kill -HUP $daemon
expect_same 'or that it was refused' 1 \
	"$(heard 1 'STATUS=watching, the new configuration was refused')"
cp good.yaml $conf
kill -TERM $daemon
expect_same 'it says that it stops' 1 "$(heard 1 STOPPING=1)"
status=0
wait $daemon || status=$?
daemon=
expect_same 'and does' 0 $status
if grep -q ' \(STATUS\|READY\|WATCHDOG\|STOPPING\|RELOADING\|MONOTONIC_USEC\)=' \
	heard.txt && ! grep -qvE ' (STATUS|READY|WATCHDOG|STOPPING|RELOADING|MONOTONIC_USEC)=.' heard.txt
then
	ok 'nothing else is said'
else
	fail 'nothing else is said' "$(cat heard.txt)"
fi

# The loop hangs, nobody else does: strace holds its tenth wait for good.
if ! strace -o /dev/null true 2>/dev/null; then
	echo 'ok - a loop that hangs does not ping # SKIP strace cannot trace'
	exit 0
fi
: >heard.txt
begin strace -f -o /dev/null -e trace=epoll_wait,epoll_pwait \
	-e inject=epoll_wait,epoll_pwait:delay_enter=600000000:when=6
heard 2 WATCHDOG=1 >/dev/null
before=-1
now=$(grep -c WATCHDOG heard.txt)
for _ in $(seq 20); do
	[ "$now" -ne "$before" ] || break
	before=$now
	sleep 3
	now=$(grep -c WATCHDOG heard.txt)
done
expect_same 'a loop that hangs does not ping' "$before" "$now"
pid=$(cat lake/state/lock)
expect 'though the process is there' kill -0 "$pid"
kill -9 "$pid" $daemon
wait $daemon 2>/dev/null || :
daemon=
