#!/bin/sh
# Commands beside a daemon: what only one process may do, the daemon does in
# their place, and it looks the same. Whatever ends in between, nothing lands
# twice and nobody is left in the dark.
. "$SRCDIR/tests/scenario/lib.sh"
. "$SRCDIR/tests/servers/servers.sh"
. "$SRCDIR/tests/servers/polled.sh"
. "$SRCDIR/tests/scenario/running.sh"

# All clocks are at the first of March.
LANDFALL_TEST_CLOCK=-$(($(date +%s) - $(date -u -d 2026-03-01 +%s)))
export LANDFALL_TEST_CLOCK

# shop NAME SCHEDULE: two months of orders in windows of a day, nothing in
# common to two windows.
shop()
{
	lake "$1" <<-END
	  shop:
	    profile: rest-link
	    base_url: $url
	    auth: {type: none}
	    config: {path: orders}
	    retry: {max_attempts: 4, base: 10ms, max: 50ms, max_wait: 20s}
	    schedule: {every: $2}
	    streams:
	      records:
	        records: "\$.data[*]"
	        key: \$.id
	        request: {query: {since: "{{window.start}}",
	          until: "{{window.end}}"}}
	        incremental: {cursor: \$.at, start: "2026-01-01", window: P1D}
	END
}

# days N...: an order at noon of each of the first days of the year.
days()
{
	for i; do
		printf '{"id": %d, "at": "%s"},\n' "$i" \
			"$(date -u -d "2025-12-31 $i days 12:00" +%FT%TZ)"
	done | sed '$s/,$//' | data api /orders
}

# on NAME: the daemon of this zone, with its first look done.
on()
{
	conf=$1/landfall.yaml
	: >log
	start_daemon
	for _ in $(seq 600); do
		! "$LANDFALL" status -c "$conf" --json |
			grep -q '"position":"2026-03' || break
		sleep 0.05
	done
}

# give NAME COMMAND...: its output and its exit status, one after the other.
give()
{
	give_lake=$1
	shift
	give_status=0
	timeout 60 "$LANDFALL" "$@" -c "$give_lake/landfall.yaml" 2>&1 ||
		give_status=$?
	echo "status $give_status"
}

# later FILE NAME COMMAND...: beside all else, with what it says of itself in
# the file; its process is $given.
later()
{
	later_file=$1
	later_lake=$2
	shift 2
	"$LANDFALL" "$@" -c "$later_lake/landfall.yaml" >/dev/null \
		2>"$later_file" &
	given=$!
}

# asked TEXT N: waits for N requests with TEXT; says how many there are.
asked()
{
	for _ in $(seq 400); do
		[ "$(grep -c -- "$1" api/log)" -lt "$2" ] || break
		sleep 0.05
	done
	grep -c -- "$1" api/log || :
}

# last_pass NAME: the last look at all of it; last_look: and of its stream.
last_pass()
{
	"$LANDFALL" status -c "$1/landfall.yaml" --json | python3 -c '
import json, sys
print(json.load(sys.stdin)["sources"]["shop"]["last_run"])'
}

last_look()
{
	"$LANDFALL" status -c "$1/landfall.yaml" --json | python3 -c '
import json, sys
s = json.load(sys.stdin)["sources"]["shop"]
print(s["last_run"], s["streams"][0]["last_run"])'
}

position()
{
	"$LANDFALL" status -c "$1/landfall.yaml" --json | python3 -c '
import json, sys
print(json.load(sys.stdin)["sources"]["shop"]["streams"][0]["position"])'
}

end()
{
	lib_found=0
	kill -TERM "$daemon"
	wait "$daemon" || lib_found=$?
	expect_same "$1: it ends well" 0 $lib_found
	daemon=
}

# shellcheck disable=SC2046
days $(seq 1 2 59)
serve_api api
shop alone 1h
shop beside 1h
run alone
on beside
# shellcheck disable=SC2046
days $(seq 59)

# ---- beside the daemon as alone ----
landings=$(grep -c event=landed log)
backfill='backfill shop records --from 2026-01-05 --to 2026-01-15'
before=$(position beside)
looked=$(last_look beside)
# shellcheck disable=SC2086
give alone $backfill >want
# shellcheck disable=SC2086
give beside $backfill >found
expect_same 'a backfill beside the daemon says what one alone says' \
	"$(cat want)" "$(cat found)"
expect_same 'and brings what was missing' \
	'1 3 5 6 7 8 9 10 11 12 13 14 15' "$(ids beside --new | cut -d' ' -f-13)"
# shellcheck disable=SC2086
give alone $backfill --json >want
# shellcheck disable=SC2086
give beside $backfill --json >found
expect_same 'again it brings nothing, and says so to programs too' \
	"$(cat want)" "$(cat found)"
expect_same 'one object' '"records":0' \
	"$(grep -o '"records":0' found)"
expect_same 'where the stream stands did not move' "$before" \
	"$(position beside)"
expect_same 'nor was it a look at what is new' "$looked" "$(last_look beside)"
expect_same 'the log has the order, and what became of it' 2 \
	"$(logged 'event=order-over order=backfill arguments="shop records .*" status=0' 2)"
expect_same 'and what landed' $((landings + 5)) \
	"$(grep -c event=landed log)"
end beside
expect 'all is sound' sound beside

# ---- a poll that is due does not wait for a long backfill ----
# Orders that have landed are known by their bytes to the end, though a poll
# forgets them when no backfill is under way.
rules api '{"match": "orders", "times": 99999, "do": "slow", "seconds": 0.05}'
shop long 1s
sed -i 's/^    retry:/    rate_limits: [{limits: [40\/4s]}]\n&/' \
	long/landfall.yaml
on long
: >api/log
give long backfill shop records --from 2026-01-01 --to 2026-02-15 >found
expect_same 'a long backfill of what has landed brings nothing' \
	'shop.records: nothing new, 45 seen before (45 requests)
status 0' "$(grep -v ': waits ' found)"
give long backfill shop records --from 2026-01-01 --to 2026-01-21 >found
expect_same 'nor does the next' 'status 0' "$(tail -n 1 found)"
expect 'polls came in between' test "$(python3 - <<'END'
import re
lines = open('api/log').read().split('\n')[:-1]
of = ['backfill' if re.search('since=2026-0[12]', line) else 'poll'
      for line in lines]
first, last = of.index('backfill'), len(of) - of[::-1].index('backfill')
print(of[first:last].count('poll'))
END
)" -ge 2
expect_same 'and all of them together ask as fast as agreed' 'never too many' \
	"$(python3 - <<'END'
at = sorted(float(line.split()[0]) for line in open('api/log'))
# The server writes it down some time after it was sent.
print([b - a for a, b in zip(at, at[40:]) if b - a < 3.5] or 'never too many')
END
)"
: >api/log
expect 'polls go on after it' test "$(asked since=2026-03 2)" -ge 2
end long
rm api/rules

# ---- a refresh token is good for one use, whoever uses it ----
printf r0 >refresh.secret
chmod 600 refresh.secret
shop rotated 1s
sed -i "s|^    auth:.*|    secrets: {r: {file: ../refresh.secret}}\\n\\
    auth: {type: oauth2, grant: refresh_token, token_url: '$url/token',\\n\\
      params: {refresh_token: '{{secret.r}}'}}|" rotated/landfall.yaml
python3 - >tokens <<'END'
import json
print(",".join(json.dumps({"match": "POST /token", "body": json.dumps({
    "access_token": f"a{i}", "expires_in": 1, "refresh_token": f"r{i + 1}"})})
    for i in range(999)))
END
rules api "$(cat tokens)" \
	'{"match": "orders", "times": 99999, "do": "slow", "seconds": 0.05}'
rm -f api/bodies
on rotated
given=$(wc -l <api/bodies)
give rotated backfill shop records --from 2026-01-01 --to 2026-02-15 >found
expect_same 'a backfill by tokens that rotate' 'status 0' "$(tail -n 1 found)"
expect 'it needed some, and so did polls' \
	test $(($(wc -l <api/bodies) - given)) -ge 4
end rotated
expect_same 'each was used once, in the order in which they came' \
	"$(seq -s' ' 0 $(($(wc -l <api/bodies) - 1)))" \
	"$(sed "s/.*refresh_token=r\([0-9]*\).*/\1/" api/bodies | tr '\n' ' ' | sed 's/ $//')"

# ---- where a look is always due an order has its turn ----
rm api/rules
shop hurried 1s
on hurried
rules api '{"match": "orders", "times": 99999, "do": "slow", "seconds": 5}'
asked orders 1 >/dev/null
give hurried reset shop records --to 2026-03-01 >found
expect_same 'after it, and it is told that it has to wait' \
	'shop: waits for its turn: the daemon is at it
shop.records: the next run begins at 2026-03-01T00:00:00Z
status 0' "$(cat found)"
later said hurried reset shop records --to 2026-03-01
for _ in $(seq 200); do
	! grep -q 'waits for its turn' said || break
	sleep 0.05
done
sleep 1.5
expect_same 'meanwhile status says what is under way, and that is not it' \
	'looking now' "$("$LANDFALL" status -c hurried/landfall.yaml |
		grep -o '[a-z]* now')"
wait "$given" || :
give hurried backfill shop records --from 2026-01-05 --to 2026-01-06 >found
expect_same 'and gives it to nobody when there is nothing more to ask' \
	'status 0, since=2026-01-05' \
	"$(tail -n 1 found), $(tail -n 1 api/log | grep -o 'since=2026-..-..')"
end hurried
rm api/rules

# ---- a reset takes effect with the next poll ----
shop again 1s
on again
: >api/log
give again reset shop records --to 2026-02-20 >found
expect_same 'a reset beside the daemon' \
	'shop.records: the next run begins at 2026-02-20T00:00:00Z
status 0' "$(cat found)"
expect_same 'the next poll begins there' 1 \
	"$(asked since=2026-02-20T00%3A00%3A00Z 1)"
expect_same 'and goes on where it ends' 1 \
	"$(asked since=2026-02-21T00%3A00%3A00Z 1)"
end again

# ---- a wait is ended beside the daemon ----
shop waiting 1h
rules api '{"match": "orders.*2026-01-20", "times": 1, "status": 429,
	"headers": [["Retry-After", "777600"]]}'
conf=waiting/landfall.yaml
: >log
start_daemon
expect_same 'a stream that is to wait for days' 1 \
	"$(logged 'event=polled.*waits=[89]d' 1)"
before=$(position waiting)
looked=$(last_pass waiting)
: >api/log
give waiting reset shop records --wait >found
expect_same 'its wait is ended beside the daemon' \
	'shop.records: waits that are over now: 1; the next run asks again
status 0' "$(cat found)"
expect 'and it is asked again, at once' test "$(asked orders 1)" -ge 1
expect_same 'from where it stands' "$before" \
	"$(sed -n 's/.*since=\([^&]*\).*/\1/p' api/log | head -n 1 |
		sed 's/%3A/:/g')"
expect_same 'which is no look at what is new' "$looked" \
	"$(last_pass waiting)"
give waiting reset shop records --wait --to 2026-02-20 >found
expect_same 'not to another place' 'status 1' "$(tail -n 1 found)"
end waiting

# ---- a verdict on what is in quarantine ----
# entry LAKE NAME: the ledger entry of its newest version.
entry()
{
	"$LANDFALL" why -c "$1/landfall.yaml" --json "$2" |
		sed -n 's/.*"index":\([0-9]*\).*/\1/p' | tail -n 1
}

# held LAKE: with two deliveries that say too much of themselves.
held()
{
	"$LANDFALL" init "$1" --quiet
	sed -i 's/format: csv/&\n    ready: {stable: 0s}\n    csv: {trailer: {prefix: "T,"}}\n    totals: {records: {trailer_field: 2}}/' \
		"$1/landfall.yaml"
	for name in a b; do
		printf 'k\n%s\nT,2\n' $name >"$1/inbox/$name.csv"
	done
}

held alone.held
expect_status 'two are quarantined' 2 run alone.held
held beside.held
conf=beside.held/landfall.yaml
: >log
start_daemon
expect_same 'by the daemon too' 2 "$(logged event=quarantined 2)"
for name in a b; do
	verb=release
	[ $name = a ] || verb=reject
	for lake in alone.held beside.held; do
		give $lake $verb "$(entry $lake $name.csv)" --why 'they said so' |
			sed 's/[0-9a-f]\{12\}/SUM/; s/entry [0-9]*/entry N/' \
				>$lake.said
	done
	expect_same "$verb: beside the daemon as alone" \
		"$(cat alone.held.said)" "$(cat beside.held.said)"
	expect_same "$verb: it is done" 'status 0' "$(tail -n 1 beside.held.said)"
	give beside.held $verb "$(entry beside.held $name.csv)" >found
	expect_same "$verb: once" 'status 1' "$(tail -n 1 found)"
done
expect_same 'with the name of who gave it' 1 \
	"$("$LANDFALL" why -c $conf a.csv |
		grep -c "landed: released .* by $(id -un): they said so")"
expect_same 'the log has it' 1 "$(logged 'event=landed source=inbox' 1)"
give beside.held release 4711 >found
expect_same 'what is no entry is refused' \
	'landfall: error: ledger entry 4711 is no delivery
status 1' "$(cat found)"
printf 'k\nc\nT,1\n' >beside.held/inbox/c.csv
expect_same 'the daemon looks on' 2 "$(logged 'event=landed source=inbox' 2)"
# An older version over a newer one: the option goes along.
for lake in alone.held beside.held; do
	printf 'k\nold\nT,2\n' >$lake/inbox/d.csv
done
run alone.held >/dev/null 2>&1 || :
expect_same 'another is quarantined' 1 \
	"$(logged 'event=quarantined.*d\.csv' 1)"
alone=$(entry alone.held d.csv) beside=$(entry beside.held d.csv)
for lake in alone.held beside.held; do
	printf 'k\nnew\nT,1\n' >$lake/inbox/d.csv
done
run alone.held >/dev/null 2>&1 || :
expect_same 'and lands' 1 "$(logged 'event=new-version\|event=landed.*d\.csv' 1)"
for option in --why=over --over; do
	give alone.held release "$alone" $option >alone.over
	give beside.held release "$beside" $option |
		sed "s/entry $beside/entry $alone/" >beside.over
	expect_same "release $option: beside the daemon as alone" \
		"$(sed 's/ [0-9]* has landed.*;/;/' alone.over)" \
		"$(sed 's/ [0-9]* has landed.*;/;/' beside.over)"
	cat beside.over
done >over.said
expect_same 'it is refused without --over' 'status 1
status 0' "$(grep '^status' over.said)"
end beside.held
expect 'all is sound' sound beside.held

# ---- an archive of thousands ----
python3 - <<'END'
import zipfile
with zipfile.ZipFile("many.zip", "w") as z:
    for i in range(6000):
        z.writestr(f"m{i:06}.csv", f"a,b\nx,{i}\n")
    z.writestr("bad.csv", "a,b\nspoil me\n")
b = open("many.zip", "rb").read().replace(b"spoil me", b"spoil ME")
open("many.zip", "wb").write(b)
END
for lake in alone.many beside.many; do
	"$LANDFALL" init $lake --quiet
	sed -i 's/format: csv/&\n    ready: {stable: 0s}\n    unpack: {members: ["*.csv"], max_members: 100000}/' \
		$lake/landfall.yaml
	cp many.zip $lake/inbox
done
expect_status 'it is quarantined' 2 run alone.many
conf=beside.many/landfall.yaml
: >log
start_daemon
logged event=quarantined 1 >/dev/null
for lake in alone.many beside.many; do
	"$LANDFALL" release "$(entry $lake many.zip)" -c $lake/landfall.yaml \
		--json >$lake.said 2>$lake.talk || :
done
expect_same 'released beside a daemon, every member is told of' 6002 \
	"$(wc -l <beside.many.said)"
expect_same 'as alone' "$(wc -l <alone.many.said), $(cat alone.many.talk)" \
	"$(wc -l <beside.many.said), $(cat beside.many.talk)"
end beside.many

# ---- by the configuration of the daemon ----
shop edited 1h
cp edited/landfall.yaml edited/before.yaml
on edited
sed -i 's/^  shop:/  store:/' edited/landfall.yaml
give edited backfill store records --from 2026-01-05 --to 2026-01-07 >found
expect_same 'a source that the daemon has not read of is refused' \
	"landfall: error: $PWD/edited/landfall.yaml has no source 'store'
landfall: error: so says the configuration that the daemon has read; if \
$PWD/edited/landfall.yaml has changed since, have the daemon read it (SIGHUP, \
or systemctl reload landfall)
status 1" "$(sed "s|error: edited/|error: $PWD/edited/|; s|if edited/|if \
$PWD/edited/|" found)"
give edited reset store records --to 2026-01-07 >found
expect_same 'a reset too' 'status 1' "$(tail -n 1 found)"
kill -HUP "$daemon"
logged event=reloaded 1 >/dev/null
give edited backfill store records --from 2026-01-05 --to 2026-01-07 >found
expect_same 'and done once it has' 'status 0' "$(tail -n 1 found)"
give edited backfill store records --from 2026-01-05 --to x >found
expect_same 'what is wrong here is said here' \
	'landfall backfill: --to: expected a time, 2026-01-31 or '\
'2026-01-31T12:00:00Z' "$(head -n 1 found)"
end edited

shop chosen 1h
sed -n 's/^  shop:/  other:/; /other:/,$p' chosen/landfall.yaml >other
cat other >>chosen/landfall.yaml
conf=chosen/landfall.yaml
: >log
"$LANDFALL" run shop -c $conf 2>>log &
daemon=$!
logged event=started 1 >/dev/null
give chosen backfill other records --from 2026-01-05 --to 2026-01-07 >found
expect_same 'a source that this daemon does not watch is refused' \
	'landfall: error: the daemon does not watch other: it was started for '\
'other sources; stop it, or start it for this one too
status 1' "$(cat found)"
end chosen

# ---- somebody at work who takes no orders ----
shop busy 1h
rules api '{"match": "orders", "times": 9, "do": "slow", "seconds": 3}'
later once busy run --once
for _ in $(seq 100); do
	[ ! -s busy/state/lock ] || break
	sleep 0.05
done
give busy backfill shop records --from 2026-01-05 --to 2026-01-07 >found
expect_same 'a nightly pass is waited for' \
	"landfall: error: another landfall (process $given) is at work on \
$PWD/busy/state: wait for it or stop it
status 5" "$(cat found)"
kill -9 "$given"
wait "$given" || :

# ---- whatever ends in the middle ----
# under_way NAME: a daemon, and in $given a backfill of 40 days that has got to the
# third one.
under_way()
{
	# shellcheck disable=SC2046
	days $(seq 1 2 59)
	rm -f api/rules
	shop "$1" 1h
	on "$1"
	# shellcheck disable=SC2046
	days $(seq 59)
	rules api '{"match": "orders", "times": 99999, "do": "slow",
		"seconds": 0.2}'
	later said "$1" backfill shop records --from 2026-01-01 --to 2026-02-10
	asked since=2026-01-03 1 >/dev/null
}

# heard NAME TEXT STATUS: what the command said at last, and how it ended.
heard()
{
	lib_found=0
	wait "$given" || lib_found=$?
	expect_same "$1" "landfall: error: $2 status $3" \
		"$(tail -n 1 said) status $lib_found"
}

# the_rest NAME: by the same command, alone or not.
the_rest()
{
	rm -f api/rules
	give "$1" backfill shop records --from 2026-01-01 --to 2026-02-10 >found
	expect_same "$1: the same command brings the rest" 'status 0' \
		"$(tail -n 1 found)"
	expect_same "$1: all of it, once" "$(seq -s' ' 40)" \
		"$(ids "$1" --new | cut -d' ' -f-40)"
}

under_way killed
kill -9 "$daemon"
wait "$daemon" || :
daemon=
heard 'a daemon that dies: nobody knows how far it got' \
	'the daemon is gone: it is not known how far it got; give the command '\
'again, which lands nothing twice' 5
expect 'its socket stays' test -S killed/state/orders
expect 'and is in no way of a look at the zone' sound killed
expect 'nor at how it stands' "$LANDFALL" status -c killed/landfall.yaml
the_rest killed
on killed
the_rest killed
end killed
expect 'all is sound' sound killed

under_way stopped
began=$(date +%s)
kill -TERM "$daemon"
expect 'a daemon that is told to end: it does' wait "$daemon"
daemon=
expect 'at once' test $(($(date +%s) - began)) -lt 10
heard 'and says so' 'cancelled: the daemon was told to end; what has landed '\
'stays, and the command may be given again' 3
expect 'the socket is gone' test ! -e stopped/state/orders
the_rest stopped

under_way reloaded
kill -HUP "$daemon"
heard 'one that is told to read its configuration says so' \
	'cancelled: the daemon reads its configuration anew; what has landed '\
'stays, and the command may be given again' 3
logged event=reloaded 1 >/dev/null
the_rest reloaded
end reloaded

under_way interrupted
for _ in $(seq 100); do
	"$LANDFALL" status -c interrupted/landfall.yaml >stands
	! grep -q 'backfill now' stands || break
	sleep 0.1
done
expect_same 'status says what is under way' 1 \
	"$(grep -c '  shop .*  backfill now  ' stands)"
expect_same 'to programs too' 1 \
	"$("$LANDFALL" status -c interrupted/landfall.yaml --json |
		grep -c '"order":"backfill"')"
kill -TERM "$given"
expect_same 'a command that is ended takes its order back' 1 \
	"$(logged 'event=order-over.*cancelled="the command was ended"' 1)"
wait "$given" || :
: >api/log
sleep 1
expect_same 'nothing more is asked for it' 0 "$(wc -l <api/log)"
expect 'what it had brought is there' test \
	"$(ids interrupted --new | tr ' ' '\n' | grep -cx 2)" -eq 1
the_rest interrupted
end interrupted

# ---- a disk that breaks ----
days 1 3 5
shop broken 1h
sed -n 's/^  shop:/  other:/; /other:/,$p' broken/landfall.yaml >other
cat other >>broken/landfall.yaml
on broken
expect_same 'both have been looked at' 6 "$(logged event=landed 6)"
days 1 2 3 4 5 6
rules api '{"match": "since=2026-01", "times": 99999, "do": "slow",
	"seconds": 1}'
later said broken backfill other records --from 2026-01-01 --to 2026-01-20
asked since=2026-01-02 1 >/dev/null
mv broken/zone/shop.records broken/gone
: >broken/zone/shop.records
give broken backfill shop records --from 2026-01-05 --to 2026-01-06 >found
expect_same 'who meets it says so, and is not cancelled' \
	'Not a directory status 5' \
	"$(grep -o 'Not a directory' found) $(tail -n 1 found)"
lib_found=0
wait "$given" || lib_found=$?
expect_same 'who is cancelled for it is told why' \
	'cancelled: the daemon cannot go on: zone Not a directory status 3' \
	"$(grep -o 'cancelled: [^:]*: zone' said) \
$(grep -o 'Not a directory' said) status $lib_found"
wait "$daemon" || :
daemon=
expect_same 'the log too: one of them was cancelled' 1 \
	"$(grep -c 'event=order-over .*cancelled=' log)"
rm -f api/rules

# ---- a backfill that reads all that ever landed ----
cat >much.py <<'END'
"""An API with much to say at once."""
import http.server
import os

much = ('{"data": [' + ",".join(
    '{"id": %d, "at": "2026-01-%02dT12:00:00Z"}' % (i, 1 + i % 28)
    for i in range(200000)) + "]}").encode()


class API(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = much if "since=2026-01-01" in self.path else b'{"data": []}'
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), API)
with open("much.new", "w") as f:
    f.write(str(server.server_port))
os.rename("much.new", "much.port")
server.serve_forever()
END
python3 much.py &
much=$!
for _ in $(seq 400); do
	[ ! -e much.port ] || break
	sleep 0.05
done
url=http://127.0.0.1:$(cat much.port)
now()
{
	date +%s%N
}

shop read 1h
sed -i 's/window: P1D/window: P60D/' read/landfall.yaml
on read
backfill='backfill shop records --from 2026-01-01 --to 2026-03-01'
began=$(now)
# shellcheck disable=SC2086
give read $backfill >found
took=$(($(now) - began))
expect_same 'a backfill reads what landed' \
	'shop.records: nothing new, 200000 seen before (1 request)' \
	"$(head -n 1 found)"
# shellcheck disable=SC2086
later said read $backfill
logged 'event=order ' 2 >/dev/null
sleep 0.2
began=$(now)
kill -HUP "$daemon"
logged event=reloaded 1 >/dev/null
expect 'and a daemon that is told to read its configuration waits for none of it' \
	test $((4 * ($(now) - began))) -lt "$took"
heard 'nor does the command' 'cancelled: the daemon reads its configuration '\
'anew; what has landed stays, and the command may be given again' 3
end read
kill "$much"
wait "$much" 2>/dev/null || :
