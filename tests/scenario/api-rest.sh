#!/bin/sh
# The profiles for any API (linked pages, numbered pages, offsets): what is
# served over several pages is what lands, byte for byte, and once.
. "$SRCDIR/tests/scenario/lib.sh"
. "$SRCDIR/tests/servers/servers.sh"
. "$SRCDIR/tests/servers/polled.sh"

# What a copy through a parser would change.
cat >want <<'END'
{"id": 1, "n": 12345678901234567890.10e400}
{"id" :2, "n":1, "n":2}
{"id": 3, "x":  "ä\u0000\r\n", "y": [ ]}
{"id": 4, "at": null}
{"id": 5, "n": 1e400}
{"id": 6}
END
sed '$!s/$/,/' want | data api /orders
serve_api api

TOKEN=rest-secret-4711
export TOKEN

# source_of NAME PROFILE KEY: a zone with the orders, with that in its source.
source_of()
{
	lake "$1" <<-END
	  shop:
	    profile: $2
	    base_url: $url
	    secrets: {token: {env: TOKEN}}
	    config: {path: orders}
	    streams: {records: {records: "\$.data[*]", key: \$.id}}
	    $3
	END
}

# lands NAME REQUESTS: all of it, by these; once; and what comes later.
lands()
{
	: >api/log
	expect "$1: a first run" run "$1"
	records "$1" >found
	expect "$1: the records are the bytes that were served" cmp want found
	expect_same "$1: by these requests, with the token" "$2" \
		"$(sed 's/^[^ ]* GET .orders//; s/ 200 Bearer rest-secret-4711$//' \
			api/log | tr '\n' ' ' | sed 's/ $//')"
	expect "$1: a second run" run "$1"
	expect_same "$1: and nothing twice" 1 \
		"$(find "$1/zone/shop.records" -name '*.zst' | wc -l)"
	expect "$1: the zone is sound" sound "$1"
}

source_of link rest-link ''
lands link ' ?page=2'
source_of page rest-page 'pagination: {size: 2}'
lands page '?page=1&per_page=2 ?page=2&per_page=2 ?page=3&per_page=2 ?page=4&per_page=2'
source_of offset rest-offset 'pagination: {size: 2}'
lands offset '?offset=0&limit=2 ?offset=2&limit=2 ?offset=4&limit=2 ?offset=6&limit=2'
source_of total rest-offset 'pagination: {size: 2, total: {body: $.total}}'
lands total '?offset=0&limit=2 ?offset=2&limit=2 ?offset=4&limit=2'
