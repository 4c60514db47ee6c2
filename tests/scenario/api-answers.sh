#!/bin/sh
# What a profile says of an API is done: who may ask, how often, what answers
# mean, what they are made of.
. "$SRCDIR/tests/scenario/lib.sh"
. "$SRCDIR/tests/servers/servers.sh"
. "$SRCDIR/tests/servers/polled.sh"

CLIENT_SECRET=open-sesame-4711
export CLIENT_SECRET

data api /orders <<'END'
{"id": 1, "at": "2026-01-01T00:00:00Z"},
{"id": 2, "at": "2026-01-02T00:00:00Z", "gone": true},
{"id": 3, "at": "2026-01-03T00:00:00Z"}
END
serve_api api

# ---- oauth2: a token, and another when it is refused ----
lake oauth <<END
  shop:
    profile: rest-link
    base_url: $url
    secrets: {client: {env: CLIENT_SECRET}}
    auth:
      type: oauth2
      grant: client_credentials
      token_url: "$url/token"
      params: {client_id: me, client_secret: "{{secret.client}}"}
    config: {path: orders}
    retry: {max_attempts: 3, base: 10ms, max: 20ms}
    streams:
      records: {records: "\$.data[*]", key: \$.id,
        request: {query: {size: "2"}}, deletes: [{flag: \$.gone,
        equals: ["true"]}]}
END
rules api '{"match": "POST /token", "times": 1,
	"body": "{\"access_token\": \"first-token-99\", \"expires_in\": 3600}"},
	{"match": "POST /token", "times": 1,
	"body": "{\"access_token\": \"second-token-99\"}"},
	{"match": "page=2", "times": 1, "status": 401}'
"$LANDFALL" run --once -c oauth/landfall.yaml --json >told || :
expect_same 'two tokens, three pages, one of them twice' \
	'POST /token 200
GET /orders?size=2 200 first-token-99
GET /orders?size=2&page=2 401 first-token-99
POST /token 200
GET /orders?size=2&page=2 200 second-token-99' \
	"$(sed 's/^[^ ]* //; s/ Bearer / /; s/ -$//' api/log)"
expect_same 'records, and those that tell of deletes' '3 1' "$(tail -n 1 told |
	python3 -c 'import json, sys
x = json.load(sys.stdin); print(x["records"], x["deletes"])')"
found=$(grep -rlE 'open-sesame|(first|second)-token' oauth told || :)
expect_same 'neither secret nor token is in a file of ours' '' "$found"

# ---- streams with an auth of their own have tokens of their own ----
lake auths <<END
  shop:
    base_url: $url
    secrets: {client: {env: CLIENT_SECRET}}
    auth: {type: oauth2, grant: client_credentials, token_url: "$url/token",
      params: {client_id: me, client_secret: "{{secret.client}}"}}
    pagination: {type: none}
    streams:
      first: {request: {path: /orders, query: {n: "1"}}, records: "\$.data[*]", key: \$.id}
      other: {request: {path: /orders, query: {n: "2"}}, records: "\$.data[*]", key: \$.id,
        auth: {type: oauth2, grant: client_credentials,
        token_url: "$url/token/other", params: {client_id: me,
        client_secret: "{{secret.client}}"}}}
      last: {request: {path: /orders, query: {n: "3"}}, records: "\$.data[*]", key: \$.id}
END
rules api '{"match": "POST /token/other", "times": 1,
	"body": "{\"access_token\": \"other-token-99\"}"}' \
	'{"match": "POST /token", "times": 1,
	"body": "{\"access_token\": \"first-token-99\"}"}' \
	'{"match": "n=3", "times": 1, "status": 404, "body":
	"[\"first-token-99\", \"other-token-99\"]"}'
expect_status 'two auths' 3 run auths
expect_same 'each stream has asked with its own' \
	'POST /token 200
GET /orders?n=1 200 first-token-99
POST /token/other 200
GET /orders?n=2 200 other-token-99
GET /orders?n=3 404 first-token-99' \
	"$(sed 's/^[^ ]* //; s/ Bearer / /; s/ -$//' api/log)"
expect_same 'neither token is told' '' \
	"$(grep -rlE '(first|other)-token' auths lib.out || :)"

# ---- kept without secrets, and played again without a server ----
rules api '{"match": "POST /token", "times": 1,
	"body": "{\"access_token\": \"third-token-99\", \"expires_in\": 3600}"}'
rm -rf oauth/zone oauth/state
mv oauth/landfall.yaml kept.yaml
"$LANDFALL" init oauth --quiet
mv kept.yaml oauth/landfall.yaml
expect 'a run that is recorded' "$LANDFALL" run --once -c oauth/landfall.yaml \
	--record "$PWD/kept" --quiet
expect_same 'all of it is kept' 6 "$(find kept -type f | wc -l)"
found=$(grep -rlE 'open-sesame|third-token' kept || :)
expect_same 'no secret and no token is kept' '' "$found"
chmod -R u+w oauth
rm -rf oauth/zone oauth/state
mv oauth/landfall.yaml kept.yaml
"$LANDFALL" init oauth --quiet
mv kept.yaml oauth/landfall.yaml
: >api/log
expect 'the recording is played' "$LANDFALL" run --once \
	-c oauth/landfall.yaml --replay kept --quiet
expect_same 'and nobody is asked' 0 "$(wc -l <api/log)"
expect_same 'the records are there' 3 "$(records oauth | wc -l)"

# ---- so is one of a login whose ticket stands in a header ----
for part in kept played full; do
	lake "ticket-$part" <<-END
	  shop:
	    base_url: $url
	    auth: {type: session, login: {method: POST, path: /login},
	      capture: {ticket: {header: X-Ticket}}, name: X-Session,
	      value: "{{auth.ticket}}"}
	    streams:
	      orders: {request: {path: /orders}, records: "\$.data[*]", key: \$.id}
	END
done
rules api '{"match": "POST /login", "times": 1, "headers":
	[["X-Ticket", "ticket-99-4711"]], "body": "welcome"}'
expect 'a login that is recorded' run ticket-kept --record tickets
found=$(grep -rl 'ticket-99' tickets || :)
expect_same 'its ticket is not kept' '' "$found"
: >api/log
expect 'it is played' run ticket-played --replay tickets
expect_same 'and nobody is asked for it' 0 "$(wc -l <api/log)"
expect_same 'its records are there' '1 2 3' "$(ids ticket-played)"

# ---- the last answer has landed, and could not be recorded ----
rules api '{"match": "POST /login", "times": 1, "headers":
	[["X-Ticket", "ticket-99-4711"]], "body": "welcome"}'
mkdir -p full/shop/0002.body
expect_status 'a run whose last exchange has no place' 3 \
	run ticket-full --record full
expect_same 'it says so' 1 "$(grep -c 'recording.*0002.body' lib.out)"
expect_same 'its records are there' '1 2 3' "$(ids ticket-full)"

# ---- an answer that is an archive ----
mkdir packed
python3 - <<'END'
import gzip, io, json, zipfile
with zipfile.ZipFile('packed/export.zip', 'w') as z:
    for n in (1, 2):
        rows = ''.join(json.dumps({'uuid': f'{n}-{i}'}) + '\n'
                       for i in range(3))
        z.writestr(f'part_{n}.json.gz', gzip.compress(rows.encode()))
    z.writestr('empty.json.gz', gzip.compress(b''))
END
: >packed.log
python3 -m http.server --bind 127.0.0.1 --directory packed 0 >>packed.log 2>&1 &
files=$!
port=
for _ in $(seq 200); do
	port=$(sed -n 's/.* port \([0-9]*\) .*/\1/p' packed.log)
	[ -z "$port" ] || break
	sleep 0.05
done
if [ -z "$port" ]; then
	# It says so only where its output is not a pipe.
	kill "$files"
else
	lake packed-lake <<-END
	  stats:
	    base_url: http://127.0.0.1:$port
	    auth: {type: none}
	    pagination: {type: none}
	    streams:
	      events: {request: {path: /export.zip}, records: \$,
	        key: \$.uuid, immutable: true, decode: [zip, gzip, jsonl]}
	END
	expect 'an archive' run packed-lake
	expect_same 'each line of its files is a record' '1-0 1-1 1-2 2-0 2-1 2-2' \
		"$(records packed-lake | sed 's/.*: "//; s/".*//' | sort | tr '\n' ' ' |
			sed 's/ $//')"
	expect 'a second time' run packed-lake
	expect_same 'brings nothing' 1 \
		"$(find packed-lake/zone/stats.events -name '*.zst' | wc -l)"
	expect 'all is sound' "$LANDFALL" verify --deep \
		-c packed-lake/landfall.yaml --quiet
	kill "$files"
fi

# ---- what answers mean: rules of the profile, and a wait that is too long ----
lake ruled <<END
  shop:
    profile: rest-link
    base_url: $url
    auth: {type: none}
    config: {path: orders}
    retry: {max_attempts: 3, base: 10ms, max: 20ms, max_wait: 5s}
    errors:
      - {when: {status: [400], field: {body: \$.code}, values: [17]},
         do: rate_limited, wait: [{header: X-Wait, unit: ms}]}
      - {when: {status: [404]}, do: empty}
    streams: {records: {records: "\$.data[*]", key: \$.id}}
END
rules api '{"match": "orders", "times": 2, "status": 400,
	"body": "{\"code\": 17}", "headers": [["X-Wait", "300"]]},
	{"match": "orders", "times": 1, "status": 404}'
expect 'waits that cost no attempt, and no data' run ruled
expect_same 'as few requests as that takes' 3 "$(wc -l <api/log)"
rules api '{"match": "orders", "times": 9, "status": 429,
	"headers": [["Retry-After", "3600"]]}'
expect_status 'an hour is too long to wait for' 2 run ruled
expect_same 'it was asked once' 1 "$(wc -l <api/log)"
expect_same 'and status says until when' 1 "$("$LANDFALL" status \
	-c ruled/landfall.yaml | grep -c 'waits until 20')"

# ---- fifty who are turned away at one instant come back apart ----
{
	for i in $(seq 50); do
		cat <<-END
		  shop$i:
		    profile: rest-link
		    base_url: $url
		    auth: {type: none}
		    config: {path: "orders/$i"}
		    retry: {max_attempts: 9, base: 4s, max: 4s}
		    streams: {records: {records: "\$.data[*]", key: \$.id}}
		END
	done
} | lake many
rules api '{"match": "orders/", "each": true, "status": 429,
	"headers": [["Retry-After", "1"]]}'
expect 'fifty sources after a storm' run many
python3 - api/log >spread <<'END'
import re, sys
away, back = {}, {}
for line in open(sys.argv[1]):
    at, _, path, status = line.split()[:4]
    (away if status == '429' else back)[path] = float(at)
waits = sorted(back[p] - away[p] for p in away)
# At least what was asked; then anywhere within four seconds: no second has
# more than half of them, and the middle ones are well apart. A machine that is
# slow to send them makes them later, and not alike.
crowd = max(sum(1 for x in waits if w <= x < w + 1) for w in waits)
print(len(waits), waits[0] >= 1, crowd <= 25 and waits[44] - waits[5] > 1.5)
END
expect_same 'none comes early, and they are spread' '50 True True' \
	"$(cat spread)"
