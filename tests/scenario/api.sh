#!/bin/sh
# A polled API: what it serves is landed verbatim, whole and once, whatever
# goes wrong on the way.
. "$SRCDIR/tests/scenario/lib.sh"
. "$SRCDIR/tests/servers/servers.sh"
. "$SRCDIR/tests/servers/polled.sh"

SHOP_TOKEN=open-sesame-4711
export SHOP_TOKEN

# shop NAME STREAM-OPTIONS: a new zone with the API's orders as its source.
shop()
{
	lake "$1" <<-END
	  shop:
	    profile: rest-link
	    base_url: $url
	    secrets: {token: {env: SHOP_TOKEN}}
	    config: {path: orders}
	    retry: {max_attempts: 4, base: 10ms, max: 50ms, max_wait: 20s}
	    streams:
	      records: {records: "\$.data[*]", key: \$.id, $2}
	END
}

mkdir api
cat >api/data <<'END'
{"/orders": [
{"id": 1, "at": "2026-01-01T00:00:00Z", "x":  "ä\u0000"},
{"id": 2, "at": "2026-01-02T00:00:00Z"}, {"id":3,"at":"2026-01-02T00:00:01Z",   "n": 12345678901234567890.10e400, "n": {"z":1,"a":[ ]} },
{"id": 4, "at": "2026-01-03T00:00:00Z"}]}
END
serve_api api
pages='request: {query: {size: "2"}, timeout: {idle: 1s}}'

# ---- what is served is what is landed, byte for byte ----
shop one "$pages"
expect 'a first run' run one
python3 - >want <<'END'
import json
text = open('api/data', encoding='utf-8').read()
at = text.index('[') + 1
while True:
    while text[at] in ' ,\n':
        at += 1
    if text[at] == ']':
        break
    _, end = json.JSONDecoder().raw_decode(text, at)
    print(text[at:end])
    at = end
END
records one >found
expect 'the records are the bytes that were served' cmp want found
file=$(find one/zone/shop.records -name '*.zst')
if command -v zstd >/dev/null; then
	zstd -dc "$file" >bytes
	expect_same 'an answer a line in the file, and nothing else' \
		'{"data": [:2' "$(cut -c1-10 bytes | grep -c '^{"data": ' |
			sed 's/^/{"data": [:/')"
fi
expect 'and what is told of it is right' sound one
python3 - "$file" >parts <<'END'
import json, struct, sys
raw = open(sys.argv[1], 'rb').read()
at = raw.rindex(b'LFPV') + 8
size = struct.unpack('<I', raw[at - 12:at - 8])[0]
about = json.loads(raw[at:at + size - 8])
for part in about['parts']:
    print(part['method'], part['status'], part['records'], part['new'],
          part['url'].split('/', 3)[3])
END
expect_same 'the provenance has each request' \
	'GET 200 2 2 orders?size=2
GET 200 2 2 orders?size=2&page=2' "$(cat parts)"

# ---- again, and again with more ----
expect 'a second run' run one
expect_same 'nothing new lands nothing' 1 \
	"$(find one/zone/shop.records -name '*.zst' | wc -l)"
sed -i 's|^{"id": 4|{"id": 5, "at": "2026-01-04T00:00:00Z"},\n&|' api/data
expect 'a third run, with one record more' run one
expect_same 'that one is new' '{"id": 5, "at": "2026-01-04T00:00:00Z"}' \
	"$(records one --new | tail -n 1)"
expect_same 'all others are known by now' 5 "$(records one --new | wc -l)"
expect 'all is sound' sound one
mv one/state/catalog.db catalog.db.lost
expect 'the catalog is made again from the zone' \
	"$LANDFALL" catalog rebuild -c one/landfall.yaml --quiet
expect 'a run after that' run one
expect_same 'lands nothing again' 2 \
	"$(find one/zone/shop.records -name '*.zst' | wc -l)"

# ---- faults: each costs a request more, and no record ----
faults='503-burst reset cut truncated-gzip stall drip slow'
for fault in $faults; do
	case $fault in
	503-burst)
		rule='{"match": "orders", "times": 2, "status": 503,
			"headers": [["Retry-After", "0"]]}'
		;;
	*)
		rule="{\"match\": \"page=2\", \"times\": 1, \"do\": \"$fault\"}"
		;;
	esac
	rules api "$rule"
	shop "$fault" "$pages"
	expect "$fault" run "$fault"
	records "$fault" >found
	expect_same "$fault: every record, once" 5 "$(sort -u found | wc -l)"
	expect "$fault: and few requests" test "$(wc -l <api/log)" -le 5
done

# ---- what no other attempt can mend ----
for fault in loop elsewhere lost-path; do
	rules api "{\"match\": \"orders\", \"times\": 99, \"do\": \"$fault\",
		\"to\": \"http://localhost:1\"}"
	shop "$fault" "$pages"
	expect_status "$fault" 3 run "$fault"
	expect_same "$fault: nothing of it is landed" '' \
		"$(find "$fault/zone/shop.records" -name '*.zst' 2>&- || :)"
	expect "$fault: and few requests" test "$(wc -l <api/log)" -le 6
	rm api/rules
done
shop wrong "$pages"
SHOP_TOKEN='two
lines' expect_status 'a secret that is no header' 3 run wrong

# ---- secrets are nowhere ----
found=$(grep -rl 'open-sesame' one 503-burst loop elsewhere lib.out || :)
expect_same 'the secret is in no file of ours' '' "$found"
