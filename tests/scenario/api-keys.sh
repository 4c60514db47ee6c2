#!/bin/sh
# Keys of the profile language that few APIs need: each does what is said of
# it, one zone for each.
. "$SRCDIR/tests/scenario/lib.sh"
. "$SRCDIR/tests/servers/servers.sh"
. "$SRCDIR/tests/servers/polled.sh"

python3 - >data <<'END'
import json
rows = lambda a, b: [{"id": i, "at": "2026-01-0%dT00:00:00Z" % i, "n": 10 * i} for i in range(a, b)]
print(json.dumps({"/shuffled": [rows(1, 7)[i] for i in (3, 0, 5, 1, 4, 2)],
                  "/numbers": rows(1, 6), "/shops": rows(1, 6), "/stock": rows(1, 3),
                  "/big": rows(1, 7), "/moved": rows(1, 5),
                  "/rising": [{"id": i, "at": "2026-01-01T%02d:%02d:00Z" % (i // 60, i % 60)}
                              for i in range(210)]}))
END
mkdir api
mv data api/data
serve_api api

# zone NAME: its source is shop, whose streams come on standard input.
zone()
{
	{
		cat <<-END
		  shop:
		    base_url: $url
		    pagination: {type: link, next: {link: next}}
		    retry: {max_attempts: 2, base: 10ms, max: 20ms, max_wait: 20s}
		END
		cat
	} | lake "$1"
	rules api
}

# asked: what was, since the rules changed last.
asked()
{
	cut -d' ' -f2,3 api/log | tr '\n' ' ' | sed 's/ $//; s/GET //g'
}

rows='records: "$.data[*]", key: $.id'

# ---- filter: client ----
zone client <<END
    streams:
      shuffled: {request: {path: /shuffled, query: {size: "2"}}, $rows,
        incremental: {cursor: \$.at, start: "2026-01-01", filter: client}}
END
expect 'filter client: a run' at 2026-01-05 client run --once --quiet
expect_same 'filter client: all pages are read' 3 "$(wc -l <api/log)"
expect_same 'filter client: and land' '1 2 3 4 5 6' "$(ids client)"
expect 'filter client: again' at 2026-01-06 client run --once --quiet
expect_same 'filter client: all pages, whatever the window' 6 "$(wc -l <api/log)"
expect_same 'filter client: nothing twice' '1 2 3 4 5 6' "$(ids client)"

# ---- kind: int ----
zone int <<END
    streams:
      numbers: {request: {path: /numbers, query: {size: "9", from: "{{window.start}}"}}, $rows,
        incremental: {cursor: \$.n, kind: int, start: 7, lookback: 3, granularity: 1}}
END
expect 'kind int: a run' run int
expect 'kind int: again' run int
expect_same 'kind int: from the highest number' "/numbers?size=9&from=7 \
/numbers?size=9&from=48" "$(asked)"
expect_same 'kind int: once' '1 2 3 4 5' "$(ids int)"

# ---- batch ----
zone batch <<END
    streams:
      shops: {request: {path: /shops, query: {size: "9"}}, $rows}
      stock: {request: {path: /stock, query: {of: "{{partition.shop}}"}}, $rows,
        partitions: {from: shops, select: {shop: \$.id}, batch: 2}}
END
expect 'batch: a run' run batch
expect_same 'batch: so many are one request' \
	'/shops?size=9 /shops?size=9 /stock?of=1&of=2 /stock?of=3&of=4 /stock?of=5' "$(asked)"

# ---- per: partition ----
zone per <<END
    rate_limits: [{limits: [1/h], per: partition}]
    streams:
      stock: {request: {path: /stock, query: {of: "{{partition.shop}}"}}, $rows,
        partitions: {values: {shop: [a, b, c]}}}
END
expect 'per partition: each has the limit for itself' timeout 60 \
	"$LANDFALL" run --once -c per/landfall.yaml --quiet
expect_same 'per partition: all were asked' \
	'/stock?of=a /stock?of=b /stock?of=c' "$(asked)"

# ---- shrink_page: a page's number is another one then, so from the first ----
zone shrink <<END
    errors: [{when: {status: [413]}, do: shrink_page}]
    streams:
      big: {request: {path: /big, query: {page: "{{page.token}}", size: "{{page.size}}"}}, $rows,
        pagination: {type: page, size: 4}}
END
rules api '{"match": "page=2&size=4", "times": 9, "status": 413}'
expect 'shrink_page: a run' run shrink
expect_same 'shrink_page: half as large, and none left out' '1 2 3 4 5 6' "$(ids shrink)"
expect_same 'shrink_page: the numbers fit the size' "/big?page=1&size=4 \
/big?page=2&size=4 /big?page=1&size=2 /big?page=2&size=2 \
/big?page=3&size=2 /big?page=4&size=2" "$(asked)"

# ---- restart_pagination ----
zone restart <<END
    errors: [{when: {status: [410]}, do: restart_pagination}]
    streams:
      moved: {request: {path: /moved, query: {size: "2"}}, $rows}
END
rules api '{"match": "page=2", "times": 1, "status": 410}'
expect 'restart_pagination: a run' run restart
expect_same 'restart_pagination: from the first page' "/moved?size=2 /moved?size=2&page=2 \
/moved?size=2 /moved?size=2&page=2" "$(asked)"
expect_same 'restart_pagination: once' '1 2 3 4' "$(ids restart --new)"
rules api '{"match": "page=2", "times": 999, "status": 410}'
expect_status 'restart_pagination: not for ever' 3 run restart
expect 'restart_pagination: with few requests' test "$(wc -l <api/log)" -le 40

# ---- unit: http_date ----
zone date <<END
    errors: [{when: {status: [429]}, do: rate_limited, wait: [{header: X-Until, unit: http_date}]}]
    streams:
      stock: {request: {path: /stock}, $rows}
END
rules api '{"match": "stock", "times": 9, "status": 429,
	"headers": [["X-Until", "Mon, 05 Jan 2026 12:00:00 GMT"]]}'
expect_status 'http_date: it waits' 2 at 2026-01-05 date run --once --quiet
expect_same 'http_date: until then' 1 "$(at 2026-01-05 date status |
	grep -c 'stock: .*; waits until 2026-01-05T12:00:00Z')"

# ---- urls: what a job made stands in several places ----
job='{create: {method: POST, path: /jobs}, id: {body: $.id},
        poll: {request: {path: "/jobs/{{job.id}}"}, every: 10ms, status: {body: $.state},
          done: [done], failed: [failed]},'
zone urls <<END
    streams:
      made: {$rows, job: $job urls: {body: "\$.files[*].url"}}}
END
files=$(python3 -c 'import json, sys
print(json.dumps({"match": "jobs/7", "body": json.dumps({"state": "done",
    "files": [{"url": sys.argv[1] + p} for p in ("/stock", "/moved?size=2")]})}))' "$url")
rules api '{"match": "POST", "body": "{\"id\": \"7\"}"}' "$files"
expect 'urls: a run' run urls
expect_same 'urls: each, and its pages' "POST /jobs /jobs/7 /stock \
/moved?size=2 /moved?size=2&page=2" "$(asked)"
expect_same 'urls: all of it' '1 2 3 4' "$(ids urls --new)"

# ---- max_restarts ----
zone restarts <<END
    streams:
      made: {$rows, job: $job download: {path: /rows}, max_restarts: 1}}
END
rules api '{"match": "POST", "times": 9, "body": "{\"id\": \"8\"}"}' \
	'{"match": "jobs/8", "times": 9, "body": "{\"state\": \"failed\"}"}'
expect_status 'max_restarts: a run' 3 run restarts
expect_same 'max_restarts: one job more, and no other' 2 "$(grep -c POST api/log)"

# ---- commit: page, order: asc: the position moves every 200 pages ----
zone page <<END
    streams:
      rising: {request: {path: /rising, query: {size: "1", since: "{{window.start}}"}}, $rows,
        incremental: {cursor: \$.at, start: "2026-01-01", order: asc, commit: page}}
END
rules api '{"match": "since=2026-01-01T03.*page=3$", "times": 9, "status": 404}'
expect_status 'commit page: a run that does not get to the end' 3 \
	at 2026-01-20 page run --once --quiet
expect_same 'commit page: what it had by then has landed' 200 "$(records page | wc -l)"
expect_same 'commit page: status says how far that is' 1 \
	"$(at 2026-01-20 page status | grep -c 'rising: 200 records .*; landed up to 2026-01-01T03:1')"
rules api
expect 'commit page: a run after it' at 2026-01-20 page run --once --quiet
expect_same 'commit page: it goes on there' '/rising?size=1&since=2026-01-01T03%3A19%3A00Z' \
	"$(asked | cut -d' ' -f1)"
expect_same 'commit page: all of it, once' "$(seq 0 209 | tr '\n' ' ' | sed 's/ $//')" \
	"$(ids page --new)"
zone falling <<END
    streams:
      shuffled: {request: {path: /shuffled, query: {size: "2", since: "{{window.start}}"}}, $rows,
        incremental: {cursor: \$.at, start: "2026-01-01", order: asc, commit: page}}
END
expect_status 'commit page: what is not in order fails' 3 at 2026-01-20 falling run --once
expect_same 'commit page: and says why' 1 "$(grep -c 'is older than the one before' lib.out)"
