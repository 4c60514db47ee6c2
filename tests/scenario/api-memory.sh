#!/bin/sh
# A stream with more records than are held at one time: all that it must know
# again is known, also by a catalog that was made again.
. "$SRCDIR/tests/scenario/lib.sh"
. "$SRCDIR/tests/servers/servers.sh"
. "$SRCDIR/tests/servers/polled.sh"

# Two days, neither too many (2^19) by itself.
mkdir api
python3 - >api/data <<'END'
print('{"/many": [' + ',\n'.join(
    '{"id": %d, "at": "2026-01-0%dT00:00:00Z"}' % (i, 1 + i // 270000)
    for i in range(540000)) + ']}')
END
serve_api api
lake lake <<END
  shop:
    base_url: $url
    pagination: {type: link, next: {link: next}}
    streams:
      many:
        request: {path: /many, query: {size: "300000",
          since: "{{window.start}}", until: "{{window.end}}"}}
        records: "\$.data[*]"
        key: \$.id
        incremental: {cursor: \$.at, start: "2026-01-01", window: P1D,
          lookback: P1D}
END
expect 'a run' at 2026-01-03 lake run --once --quiet
rm lake/state/catalog.db*
"$LANDFALL" catalog rebuild -c lake/landfall.yaml --quiet
expect 'a run with a catalog made again' at 2026-01-03T00:00:05Z lake run --once
expect_same 'knows all of the last day' \
	'shop.many: nothing new, 270000 seen before (2 requests)' \
	"$(grep ^shop lib.out)"
at 2026-01-03T00:00:05Z lake status >told
expect_same 'and has counted all of both' 1 \
	"$(grep -c 'many: 540000 records in 2 files' told)"
expect 'all is sound' "$LANDFALL" verify -c lake/landfall.yaml --quiet
