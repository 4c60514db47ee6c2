#!/bin/sh
# Many APIs that say "not now" keep no other from being asked: who waits has
# no place among those that are asked at one time.
. "$SRCDIR/tests/scenario/lib.sh"
. "$SRCDIR/tests/servers/servers.sh"
. "$SRCDIR/tests/servers/polled.sh"

data api /orders/prompt <<'END'
{"id": 1}
END
serve_api api
rules api '{"match": "orders/busy", "times": 999, "status": 429,
	"headers": [["Retry-After", "120"]]}'
for i in $(seq 70) prompt; do
	[ "$i" = prompt ] || i=busy-$i
	cat <<-END
	  $i:
	    profile: rest-link
	    base_url: $url
	    auth: {type: none}
	    config: {path: orders/$i}
	    streams: {records: {records: "\$.data[*]", key: \$.id}}
	END
done | lake lake
"$LANDFALL" run -c lake/landfall.yaml 2>log &
daemon=$!
for _ in $(seq 600); do
	[ "$(wc -l <api/log)" -lt 71 ] || break
	sleep 0.1
done
expect_same 'all are asked, and nobody twice' '71 71' \
	"$(wc -l <api/log) $(cut -d' ' -f3 api/log | sort -u | wc -l)"
expect_same 'the one with an answer among them' 1 \
	"$(grep -c 'orders/prompt 200' api/log)"
kill "$daemon"
alive()
{
	grep -s '^State:.[^Z]' "/proc/$daemon/status" || :
}
for _ in $(seq 200); do
	[ -n "$(alive)" ] || break
	sleep 0.1
done
expect_same 'those that wait stop at once' '' "$(alive)"
[ -z "$(alive)" ] || kill -9 "$daemon"
expect 'and well' wait "$daemon"
expect_same 'what came has landed' 1 "$(ids lake)"
