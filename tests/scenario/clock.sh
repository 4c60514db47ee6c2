#!/bin/sh
# The clock is set while the daemon runs: a day ahead, a day back, and over the
# hours that a zone skips or has twice. Nothing is lost, doubled or late.
# shellcheck disable=SC2031
. "$SRCDIR/tests/scenario/lib.sh"
command -v python3 >/dev/null || skip 'python3 is not here'
[ "$(uname -m)" = x86_64 ] || skip 'clock.c is written for x86-64'
. "$SRCDIR/tests/scenario/running.sh"

cc -D_GNU_SOURCE -shared -fPIC -O2 -o clock.so \
	"$SRCDIR/tests/scenario/clock.c" -ldl
TEST_CLOCK=$PWD/setting
export TEST_CLOCK

# set_clock DATE: from now on it is that time. By how much the clock is off
# must be there before the instant from which it counts.
set_clock()
{
	python3 - "$(date -u -d "$1" +%s)" <<'END'
import os, struct, sys, time
fd = os.open('setting', os.O_RDWR | os.O_CREAT)
now = time.time_ns()
os.pwrite(fd, struct.pack('q', int(sys.argv[1]) * 10**9 - now), 8)
os.pwrite(fd, struct.pack('q', now), 0)
END
}

# cpu: what the daemon has used so far, in ticks of 10 ms.
cpu()
{
	awk '{ print $14 + $15 }' "/proc/$daemon/stat"
}

# not_busy NAME: hardly anything within a second.
not_busy()
{
	before=$(cpu)
	sleep 1
	used=$(($(cpu) - before))
	if [ $used -lt 20 ]; then
		ok "$1: it does not spin"
	else
		fail "$1: it does not spin" "$used ticks in 1 s"
	fi
}

set_clock '2026-06-10 12:00:00'
new_lake 'ready: {stable: 1s}\n    schedule: {every: 1s}'
sed -i 's/^sources:/sources:\n  waits:\n    drop: {path: waits}\n    ready: {age: 1s}/' \
	$conf
mkdir lake/waits
LD_PRELOAD=$PWD/clock.so
export LD_PRELOAD
start_daemon
unset LD_PRELOAD
printf 'a\n1\n' >lake/inbox/1.csv
expect_same 'a file lands' 1 "$(landed 1)"

# ---- a day ahead ----
# What has just been written is not complete because the clock says so.
python3 - <<'END' &
import time
with open('lake/inbox/grows.csv', 'w', buffering=1) as f:
    for i in range(20):
        f.write('%d\n' % i)
        time.sleep(0.1)
END
sleep 0.5
set_clock '2026-06-11 12:00:00'
wait $!
expect_same 'a day ahead: what grows lands' 2 "$(landed 2)"
expect_same 'a day ahead: once it is whole' "$(seq 0 19 | tr '\n' ' ')" \
	"$("$LANDFALL" cat -c $conf grows.csv | tr '\n' ' ')"
printf 'a\n2\n' >lake/inbox/2.csv
expect_same 'a day ahead: a file lands' 3 "$(landed 3)"
not_busy 'a day ahead'

# ---- and two days back ----
printf 'a\n3\n' >lake/inbox/3.csv
printf 'a\n3\n' >lake/waits/3.csv
set_clock '2026-06-09 12:00:00'
expect_same 'two days back: what lay there lands' 4 "$(landed 4)"
expect_same 'two days back: by its age too' 1 "$(settled 3.csv landed |
	sed 's/[1-9].*/1/')"
printf 'a\n4\n' >lake/inbox/4.csv
expect_same 'two days back: a file lands' 5 "$(landed 5)"
printf 'a\nfuture\n' >lake/inbox/future.csv
touch -d '2040-01-01' lake/inbox/future.csv
expect_same 'two days back: a time in the future is only a time' 6 \
	"$(landed 6)"
not_busy 'two days back'
stop_daemon 'after that'
expect_same 'landing times never ran backwards' yes "$(
	"$LANDFALL" ls -c $conf --json |
		sed -n 's/.*"landed_at":"\([^"]*\)".*/\1/p' >landed.at
	sort -c landed.at 2>&1 && echo yes)"
expect_same 'nothing landed twice' 7 "$("$LANDFALL" ls -c $conf --json |
	sort -u | wc -l)"
expect_same 'a look after the clock was set back is the last look' 1 \
	"$("$LANDFALL" status -c $conf --json |
		grep -c '"inbox":{"last_run":{"started":"2026-06-09')"

# The kernel's clock is the real one, so this one has been set back or ahead.
printf 'a\n5\n' >lake/inbox/5.csv
LD_PRELOAD=$PWD/clock.so "$LANDFALL" run --once -c $conf >pass.out 2>pass.err
expect_same 'progress is told by the steady clock' 0 \
	"$(grep -c '^read ' pass.err)"

# ---- cron, and clock changes of a zone ----
# daily DATE [WINDOW [STABLE]]: a lake whose source is looked at once a day, at 02:30 in
# Berlin, and whose daemon starts at this time with a file in the drop.
daily()
{
	rm -rf lake
	: >log
	new_lake "ready: {stable: ${3:-0s}}\\n    schedule: {cron: \"30 2 * * *\", zone: Europe\\/Berlin${2:+, window: \"$2\"}}"
	printf 'a\n1\n' >lake/inbox/1.csv
	set_clock "$1"
	LD_PRELOAD=$PWD/clock.so
	export LD_PRELOAD
	start_daemon
	unset LD_PRELOAD
}

daily '2026-06-10 00:00:00'
sleep 1
expect_same 'nothing lands before its time' 0 "$(landed 0)"
set_clock '2026-06-10 07:00:00'
expect_same 'what the clock leaps over is not left out' 1 "$(landed 1)"
stop_daemon 'leapt over'

# Only then: neither what comes later nor what is not complete by then.
daily '2026-06-10 00:29:58' '' 2s
expect_same 'cron: what is complete a little later lands' 1 "$(landed 1)"
printf 'a\n2\n' >lake/inbox/2.csv
touch lake/inbox/1.csv
sleep 4
expect_same 'cron: what comes later waits' 1 "$(landed 1)"
expect_same 'cron: nobody has looked at it' 1 \
	"$("$LANDFALL" status -c $conf --json | grep -c '"listed":1')"
set_clock '2026-06-11 00:29:58'
expect_same 'cron: for the next time' 2 "$(landed 2)"
stop_daemon 'only then'

# At 02:00 it is 03:00.
daily '2026-03-29 00:59:58' 02:29-02:31
expect_same 'an hour that is skipped has its look at the change' 1 \
	"$(landed 1)"
stop_daemon 'a skipped hour'

# At 03:00 it is 02:00 again: 02:30 comes at 00:30 and at 01:30 UTC.
daily '2026-10-25 00:29:58' 02:29-02:31
expect_same 'an hour that comes twice has its look the first time' 1 \
	"$(landed 1)"
set_clock '2026-10-25 01:29:58'
printf 'a\n2\n' >lake/inbox/2.csv
sleep 4
expect_same 'and only then' 1 "$(landed 1)"
set_clock '2026-10-26 01:29:58'
expect_same 'what came later waits for the next day' 2 "$(landed 2)"
stop_daemon 'an hour that comes twice'
