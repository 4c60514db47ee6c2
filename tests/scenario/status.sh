#!/bin/sh
# landfall status: who is at work, when the next look is, what waits, and
# again and again until somebody has seen enough.
. "$SRCDIR/tests/scenario/lib.sh"
"$LANDFALL" init lake --quiet
conf=lake/landfall.yaml
sed -i 's/format: csv/format: csv\n    ready: {stable: 0s}/' $conf
cat >>$conf <<'END'
  nightly:
    drop: {path: nightly}
    ready: {sentinel: "{name}.done"}
    schedule: {cron: "30 2 * * *", zone: Europe/Berlin}
  hourly:
    drop: {path: hourly}
    schedule: {every: 1h}
END
mkdir lake/nightly lake/hourly

# at TIME COMMAND...: at that moment of UTC.
at()
{
	at_time=$(date -u -d "$1" +%s)
	shift
	LANDFALL_TEST_CLOCK=$at_time "$LANDFALL" "$@" -c $conf
}

# say PYTHON: of o, the object that status --json printed into status.json.
say()
{
	python3 -c "import json; o = json.load(open('status.json'))
s = o['sources']
print($1)"
}

# ---- no daemon ----

at '2030-03-05 12:00' status --json >status.json
expect_same 'nobody is at work' 'False False None' \
	"$(say "o['daemon']['running'], o['daemon']['at_work'], o['daemon']['pid']" |
		tr -d '(),')"
expect_same 'the next look is by schedule, as if it ran' \
	'2030-03-06T01:30:00Z' "$(say "s['nightly']['next_run']")"
expect_same 'without a schedule there is none' None \
	"$(say "s['inbox']['next_run']")"
echo 1 >lake/nightly/a.csv
echo 2 >lake/nightly/b.csv
at '2030-03-05 12:10' run --once --quiet || fail 'a pass'
at '2030-03-05 12:10' status >status.out
expect_same 'what is done this moment is done now' 1 \
	"$(grep -c '^  nightly  *now  ' status.out)"
at '2030-03-05 12:40' status --json >status.json
expect_same 'every: after the last look' '2030-03-05T13:10:00Z' \
	"$(say "s['hourly']['next_run']")"
expect_same 'what became of the names of the last look' '2 2' \
	"$(say "s['nightly']['last_run']['counts']['pending'], s['nightly']['last_run']['listed']" | tr -d '(),')"
expect_same 'what waits, and since when' '2 2030-03-05T12:10:00Z' \
	"$(say "'%d %s' % (s['nightly']['waiting']['names'], s['nightly']['waiting']['since'])")"
at '2030-03-05 14:40' status >status.out
expect_same 'in words' 1 \
	"$(grep -c '2 pending, the oldest for 2h30m: [ab].csv: not complete yet: ' status.out)"
expect_same 'an hour later the hourly one is due' 1 \
	"$(grep -c '^  hourly .* 2h30m ago .* complete  *due ' status.out)"
expect_same 'it says that no daemon runs' 1 \
	"$(grep -c '^! no daemon is running' status.out)"

# ---- a daemon, by the real clock ----

sed "s|$PWD/lake|$PWD/live|" $conf >lake/moved.yaml
"$LANDFALL" init live --quiet
mv lake/moved.yaml live/landfall.yaml
sed -i 's/^sources:/level: 19\nlimits: {workers: 1}\nsources:/' live/landfall.yaml
conf=live/landfall.yaml
mkdir live/nightly live/hourly
"$LANDFALL" run -c $conf 2>log &
daemon=$!
trap 'kill -9 $daemon $watch 2>/dev/null || :' EXIT
watch=

# until PYTHON: status --json says so, within 20 s.
until_status()
{
	for _ in $(seq 400); do
		"$LANDFALL" status -c $conf --json >status.json
		[ "$(say "$1")" != True ] || break
		sleep 0.05
	done
	say "$1"
}
expect_same 'a daemon is seen' True "$(until_status \
	"o['daemon'].get('pid') == $daemon and o['daemon'].get('saying') == 'watching'")"
expect_same 'its next look of what has no schedule is known' True \
	"$(until_status "s['inbox']['next_run'] is not None")"
expect_same 'that of cron is by its schedule' True \
	"$(until_status "s['nightly']['next_run'][11:] in ('01:30:00Z', '00:30:00Z')")"
mv live/inbox live/gone
kill -HUP $daemon
expect_same 'a source that cannot be looked at, and how often' True \
	"$(until_status "s['inbox']['failures'] > 0 and s['inbox']['last_run']['outcome'] == 'could-not-look'")"
expect_same 'it is tried again, and when is known' True \
	"$(until_status "s['inbox']['next_run'] is not None")"
mv live/gone live/inbox
expect_same 'until it is back' True \
	"$(until_status "s['inbox']['failures'] == 0 and s['inbox']['last_run']['outcome'] == 'complete'")"

# Something under way that takes its time.
head -c 40000000 /dev/urandom >live/big.part
mv live/big.part live/inbox/big.csv
expect_same 'files and bytes in flight, and the rate' True "$(until_status \
	"o['daemon'].get('reading', 0) == 1 and o['daemon']['reading_bytes'] == 40000000 and o['daemon']['rate'] > 0 and s['inbox']['looking']")"
expect_same 'and that it is over' True "$(until_status \
	"o['daemon']['reading'] == 0 and not s['inbox']['looking'] and s['inbox']['counts']['landed'] == 1")"

# ---- again and again ----

"$LANDFALL" status -c $conf --watch=1 >watch.out &
watch=$!
for _ in $(seq 400); do
	[ "$(grep -c '^ledger ' watch.out)" -lt 2 ] || break
	sleep 0.05
done
kill -INT $watch
status=0
wait $watch || status=$?
expect_same 'ctrl-C ends it well' 0 $status
expect_same 'a block each time, an empty line between' '' \
	"$(awk '/every 1 s$/ { n++; if (n > 1 && last != "") print } { last = $0 }' watch.out)"
expect_same 'with whole blocks' "$(grep -c '^ledger ' watch.out)" \
	"$(grep -c 'every 1 s$' watch.out)"
expect_status 'what is no number of seconds' 1 \
	"$LANDFALL" status -c $conf --watch=soon
: >watch.json
"$LANDFALL" status -c $conf --watch=1 --json >>watch.json &
watch=$!
for _ in $(seq 400); do
	[ "$(wc -l <watch.json)" -lt 2 ] || break
	sleep 0.05
done
kill -TERM $watch
wait $watch || fail 'it ends well for TERM too'
expect_same 'as JSON one object a line' '' \
	"$(python3 -c 'import json
for line in open("watch.json"):
    if "sources" not in json.loads(line): print(line)')"

# On a terminal it is drawn in place; ctrl-C comes from the terminal.
cat >terminal.py <<'END'
import os, pty, sys
seen = b''
pid, fd = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], sys.argv[1:])
while seen.count(b'ledger ') < 2:
    seen += os.read(fd, 65536)
os.write(fd, b'\x03')
try:
    while os.read(fd, 65536):
        pass
except OSError:
    pass
status = os.waitpid(pid, 0)[1]
sys.exit(not (status == 0 and seen.count(b'\x1b[H\x1b[J') >= 2))
END
expect 'a terminal sees it drawn in place, until ctrl-C' \
	timeout 20 python3 terminal.py "$LANDFALL" status -c $conf --watch=1

# ---- the end ----

kill -TERM $daemon
wait $daemon || fail 'the daemon ends well'
"$LANDFALL" status -c $conf --json >status.json
expect_same 'what it left behind is not believed' False \
	"$(say "o['daemon']['running']")"
"$LANDFALL" run -c $conf 2>log &
daemon=$!
until_status "o['daemon']['running']" >/dev/null
kill -9 $daemon
wait $daemon 2>/dev/null || :
trap - EXIT
"$LANDFALL" status -c $conf --json >status.json
expect_same 'nor after a crash' False "$(say "o['daemon']['running']")"

# Whoever asks all the time is in nobody's way.
for _ in $(seq 40); do
	"$LANDFALL" status -c $conf --json >/dev/null
done &
asking=$!
for n in $(seq 10); do
	"$LANDFALL" run --once -c $conf --quiet hourly || fail "pass $n"
done
wait $asking
ok 'asking does not stop who comes to work'
