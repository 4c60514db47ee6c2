#!/bin/sh
# The shipped profiles against mocks of their vendors: all that a vendor has
# is landed, byte for byte, whatever it refuses on the way; and once.
. "$SRCDIR/tests/scenario/lib.sh"
. "$SRCDIR/tests/servers/servers.sh"
. "$SRCDIR/tests/servers/polled.sh"

# vendor NAME NOW: its mock, and a lake whose source is read from stdin, with
# PORT in it. Both believe that it is NOW.
vendor()
{
	name=$1
	LANDFALL_TEST_CLOCK=$2
	export LANDFALL_TEST_CLOCK
	mkdir -p "$name"
	echo "$2" >"$name/now"
	[ -e "$name.faults" ] && mv "$name.faults" "$name/faults"
	start_server "$name" "$name.py"
	wait_for_port "$name"
	sed "s/PORT/$port/" | lake "$name/lake"
}

landed()
{
	python3 "$SRCDIR/tests/servers/landed.py" "$LANDFALL" \
		"$name/lake/landfall.yaml" "$name" "$name" "$@"
}

files()
{
	find "$name/lake/zone" -name '*.zst' | wc -l
}

# Nothing new: nothing lands, and what was asked again was known.
again()
{
	before=$(files)
	expect "$name: a second run" run "$name/lake"
	expect_same "$name: and nothing twice" "$before" "$(files)"
	expect "$name: the zone is sound" sound "$name/lake"
}

later()
{
	LANDFALL_TEST_CLOCK=$((LANDFALL_TEST_CLOCK + $1))
	echo "$LANDFALL_TEST_CLOCK" >"$name/now"
}

# refused PATH STATUS BODY LATER TOLD: an allowance is used up there. The stream
# waits, and status says so in these words; LATER it goes on.
refused()
{
	echo "[{\"match\": \"$1\", \"times\": 99, \"status\": $2,
		\"body\": \"$(echo "$3" | sed 's/"/\\"/g')\"}]" >"$name/faults"
	sed -i '/max_wait/!s/max: 50ms/&, max_wait: 5s/' "$name/lake/landfall.yaml"
	: >"$name/log"
	later 600
	expect_status "$name: no more today" 2 run "$name/lake"
	expect_same "$name: it was told once" 1 "$(grep -c "$1.* $2" "$name/log")"
	"$LANDFALL" status -c "$name/lake/landfall.yaml" >told
	expect_same "$name: until when" 1 "$(grep -c "$5" told)"
	rm "$name/faults"
	: >"$name/log"
	expect_status "$name: before that" 2 run "$name/lake"
	expect_same "$name: it is not asked" 0 "$(grep -c "$1" "$name/log")"
	later "$4"
	again
	expect "$name: after that it is" grep -q "$1.* 200" "$name/log"
}

# ---- inclusive and strict bounds, related records, 429 with Retry-After ----
cat >klaviyo.faults <<'END'
[{"match": "api/events.*less-than", "times": 1, "cut": true},
 {"match": "api/events", "times": 2, "status": 503, "body": "{}"}]
END
export KEY=pk_secret
vendor klaviyo 1770000000 <<'END'
  klaviyo:
    profile: klaviyo
    base_url: http://127.0.0.1:PORT
    secrets: {api_key: {env: KEY}}
    retry: {base: 10ms, max: 50ms}
    streams:
      events: {start: "2026-01-01"}
      profiles: {start: "2026-01-01"}
      campaigns: {start: "2026-01-01"}
END
expect 'klaviyo: a first run' run "$name/lake"
expect 'klaviyo: all of it has landed' landed events profiles campaigns
again

# ---- newest first, tokens that are ids, 30 days, Stripe-Should-Retry ----
cat >stripe.faults <<'END'
[{"match": "v1/events", "times": 1, "status": 409, "body": "{}"},
 {"match": "v1/sub", "times": 1, "status": 400, "body": "{}",
  "headers": {"Stripe-Should-Retry": "true"}}]
END
export KEY=sk_secret
vendor stripe 1769000000 <<'END'
  stripe:
    profile: stripe
    base_url: http://127.0.0.1:PORT
    secrets: {api_key: {env: KEY}}
    retry: {base: 10ms, max: 50ms}
    rate_limits: [{limits: [80/s]}]
    streams:
      events:
      customers: {start: "2026-01-01"}
      subscriptions: {start: "2026-01-01"}
END
expect 'stripe: a first run' run "$name/lake"
expect 'stripe: all of it has landed' landed events customers subscriptions
again

# ---- a cursor that is kept between runs ----
export KEY=zd_secret
vendor zendesk 1767244500 <<'END'
  zendesk:
    profile: zendesk
    base_url: http://127.0.0.1:PORT
    config: {email: ops@acme.example}
    secrets: {api_token: {env: KEY}}
    streams: {tickets: {start: "2026-01-01"}, users: {start: "2026-01-01"}}
END
expect 'zendesk: a first run' run "$name/lake"
expect 'zendesk: what it tells of has landed' landed users
later 5500
expect 'zendesk: a later run' run "$name/lake"
expect 'zendesk: the last minute too, when it is over' landed tickets users
expect_same 'zendesk: where to begin was said once for each stream' 2 \
	"$(grep -c start_time= zendesk/log)"
again

# ---- fields that are looked up, keyset beyond the cap, archived ones ----
export KEY=pat-secret
vendor hubspot 1770000000 <<'END'
  hubspot:
    profile: hubspot
    base_url: http://127.0.0.1:PORT
    secrets: {token: {env: KEY}}
    retry: {base: 10ms, max: 50ms}
    rate_limits: [{limits: [50/s]}]
    streams:
      contacts: {start: "2026-01-01"}
      companies: {start: "2026-01-01", incremental: {window: P60D}}
      deals: {start: "2026-01-01", incremental: {window: P60D}}
END
expect 'hubspot: a first run' run "$name/lake"
expect 'hubspot: all of it has landed' landed contacts contacts_archived \
	companies companies_archived deals deals_archived
expect_same 'hubspot: no search was asked for more than it gives' 0 \
	"$(grep -c 'search 400' hubspot/log || :)"
again
refused deals/search 429 '{"policyName": "DAILY"}' 3660 \
	'deals: .*; waits until 2026-02-02T03:5'
sed -i 's/^    profile: hubspot/&\n    config: {time_zone: Europe\/Berlin}/' \
	"$name/lake/landfall.yaml"
refused deals/search 429 '{"policyName": "DAILY"}' 70000 \
	'deals: .*; waits until 2026-02-02T23:00'

# ---- a login, jobs that fail and vanish, CSV without its header ----
export ID=cid KEY=cs_secret REFRESH=rt_secret
vendor salesforce 1768000000 <<'END'
  salesforce:
    profile: salesforce
    config: {login_url: "http://127.0.0.1:PORT", objects: [Account, Contact]}
    secrets:
      client_id: {env: ID}
      client_secret: {env: KEY}
      refresh_token: {env: REFRESH}
    retry: {base: 10ms, max: 50ms}
    streams: {records: {start: "2026-01-01", job: {poll: {every: 20ms}}}}
END
expect 'salesforce: a first run' run "$name/lake"
expect 'salesforce: all of it has landed' landed records deleted
id=$(sed -n 's/^records \([^ ]*\) .*/\1/p' salesforce/all | head -n 1)
expect_same 'salesforce: why knows a row of CSV by its key' landed \
	"$("$LANDFALL" why salesforce.records --key "$id" --json \
		-c salesforce/lake/landfall.yaml |
		sed -n '1s/.*"state":"\([^"]*\)".*/\1/p')"
expect_same 'salesforce: and the jobs are gone' "$(grep -c 'POST.*jobs/query 200' salesforce/log)" \
	"$(($(grep -c 'DELETE.* 200' salesforce/log) + $(grep -c 'PATCH' salesforce/log)))"
again
refused 'sobjects/Account/deleted' 403 '[{"errorCode": "REQUEST_LIMIT_EXCEEDED"}]' 960 \
	'deleted object=Account: .*; waits until 2026-01-09T23:3'
touch salesforce/repeat
mv salesforce/lake salesforce/before
sed '1,/^sources:/d' salesforce/before/landfall.yaml | lake salesforce/lake
expect 'salesforce: the header again in each part' run "$name/lake" --record kept
expect 'salesforce: is no row' landed records
mv salesforce/lake salesforce/recorded
sed '1,/^sources:/d' salesforce/before/landfall.yaml | lake salesforce/lake
: >salesforce/log
expect 'salesforce: the recording is played' run "$name/lake" --replay kept
expect 'salesforce: where the login said' landed records deleted
expect_same 'salesforce: and nobody is asked' 0 "$(wc -l <salesforce/log)"
expect_same 'salesforce: no secret is in it' '' \
	"$(grep -rlE '(at|cs|rt)_secret' kept || :)"

# ---- zip of gzip of JSON lines, inclusive hours, windows that are too large ----
export ID=am_key KEY=am_secret
vendor amplitude 1770000000 <<'END'
  amplitude:
    profile: amplitude
    config: {host: "http://127.0.0.1:PORT"}
    secrets: {api_key: {env: ID}, secret_key: {env: KEY}}
    streams: {events: {start: "2026-01-01"}}
END
expect 'amplitude: a first run' run "$name/lake"
expect 'amplitude: all of it has landed' landed events
again
