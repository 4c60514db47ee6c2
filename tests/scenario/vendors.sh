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
LANDFALL_TEST_CLOCK=1767250000
echo "$LANDFALL_TEST_CLOCK" >zendesk/now
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
    streams: {contacts: {start: "2026-01-01"}}
END
expect 'hubspot: a first run' run "$name/lake"
expect 'hubspot: all of it has landed' landed contacts contacts_archived
expect_same 'hubspot: no search was asked for more than it gives' 0 \
	"$(grep -c 'search 400' hubspot/log || :)"
again

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
expect_same 'salesforce: and the jobs are gone' "$(grep -c 'POST.*jobs/query 200' salesforce/log)" \
	"$(($(grep -c 'DELETE.* 200' salesforce/log) + $(grep -c 'PATCH' salesforce/log)))"
again

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
