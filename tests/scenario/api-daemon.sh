#!/bin/sh
# A daemon that polls an API seldom: a stream that waits is asked again when it
# may be, and a poll that was cut off is made up for at once.
. "$SRCDIR/tests/scenario/lib.sh"
. "$SRCDIR/tests/scenario/running.sh"
. "$SRCDIR/tests/servers/servers.sh"
. "$SRCDIR/tests/servers/polled.sh"

data api /orders <<'END'
{"id": 1}
END
serve_api api
lake lake <<END
  shop:
    profile: rest-link
    base_url: $url
    auth: {type: none}
    config: {path: orders}
    retry: {max_attempts: 2, base: 10ms, max: 20ms, max_wait: 1s}
    schedule: {every: 1h}
    streams:
      records: {records: "\$.data[*]", key: \$.id}
      others: {request: {path: /others}, records: "\$.data[*]", key: \$.id}
END

# asked N: waits until the API was asked for orders; how often.
asked()
{
	for _ in $(seq 200); do
		[ "$(grep -c orders api/log)" -lt "$1" ] || break
		sleep 0.1
	done
	grep -c orders api/log
}

rules api '{"match": "orders", "times": 2, "status": 429,
	"headers": [["Retry-After", "2"]]}' \
	'{"match": "orders", "do": "stall", "seconds": 60}'
start_daemon
expect_same 'what waits is asked when it may be, not when all are' 3 \
	"$(asked 3)"
expect_same 'of which one does not wait, and is not asked' 1 \
	"$(grep -c others api/log)"
echo '}' >>$conf
kill -HUP "$daemon"
expect_same 'a new configuration that is no good' 1 \
	"$(logged event=reload-refused 1)"
expect_same 'what it cut off is asked for again at once' 4 "$(asked 4)"
for _ in $(seq 100); do
	[ "$(ids lake)" != 1 ] || break
	sleep 0.1
done
sed -i '$d' $conf
expect_same 'and lands' 1 "$(ids lake)"
expect_same 'and nothing else was asked for it' 1 "$(grep -c others api/log)"
stop_daemon 'polled seldom'

# ---- a wait is over when it is, whoever looks, and whenever all are due ----
sed -i 's/schedule: .*/schedule: {cron: "0 5 31 12 *"}/' $conf
rules api '{"match": "orders", "status": 429,
	"headers": [["Retry-After", "4"]]}'
expect_status 'a pass, at no time of the schedule' 2 run lake
start_daemon
expect_same 'what waits is asked by a daemon that comes later' 2 "$(asked 2)"
expect_same 'all else waits for its time' 1 "$(grep -c others api/log)"
stop_daemon 'polled by cron'

# ---- one that waits while it is asked is told of, with what it waits for ----
sed -i 's/max_wait: 1s/max_wait: 1h/; s/schedule: .*/schedule: {every: 1s}/' $conf
rules api '{"match": "orders", "status": 429,
	"headers": [["Retry-After", "90"]]}'
start_daemon
expect_same 'the log has why it waits, once' 1 \
	"$(logged 'event=waits source=shop waits=1m30s why=.*429' 1)"
for _ in $(seq 100); do
	"$LANDFALL" status -c $conf >stands || :
	! grep -q 'waits until' stands || break
	sleep 0.1
done
expect 'and status, until when' grep -q 'waits until 20.*Z: .*429' stands
expect_same 'it does not look like work' 0 "$(grep -c 'looking now' stands)"
expect_same 'for programs too' yes "$("$LANDFALL" status -c $conf --json |
	python3 -c 'import json, sys
x = json.load(sys.stdin)["sources"]["shop"]
print("yes" if x["waits_until"] and "429" in x["waits_for"] else x)')"
stop_daemon 'one that waits'

# ---- who is refused does not knock again at once ----
for status in 401 403; do
	rules api '{"match": "/o", "times": 9, "status": '$status'}'
	: >log
	start_daemon
	expect_same "$status: an hour is waited" 1 \
		"$(logged 'event=source-waits.*next_look_in=1h00m.*refuses us' 1)"
	expect_same "$status: each stream was asked once" 2 \
		"$(wc -l <api/log)"
	stop_daemon "$status"
done
