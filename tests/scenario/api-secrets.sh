#!/bin/sh
# Secrets of polled APIs, and what logins give for them, are nowhere but where
# they belong: not in the zone, the state, logs, errors and recordings, nor in
# the arguments and environments of our processes; also where an API repeats
# them in its answers.
. "$SRCDIR/tests/scenario/lib.sh"
. "$SRCDIR/tests/servers/servers.sh"
. "$SRCDIR/tests/servers/polled.sh"

# word NAME: the secret of that name; all have the same end.
word()
{
	printf '%s\n' "$1-4711-sesame/&<\"\\>~"
}

data api /list <<'END'
{"id": 1, "at": "2026-01-01T00:00:00Z"},
{"id": 2, "at": "2026-01-02T00:00:00Z"}
END
serve_api api
for name in bearer password client refresh login query; do
	printf '%s' "$(word $name)" >"$name.secret"
	chmod 600 "$name.secret"
done
secret='{file: ../'

# secretive NAME SECRETS AUTH WORDS: one list that is there, and one for each
# word that is refused and repeats it.
secretive()
{
	cat <<-END
	  $1:
	    base_url: $url
	    retry: {max_attempts: 2, base: 10ms, max: 20ms}
	    secrets: {$2}
	    auth: {$3}
	    streams:
	      list: {request: {path: /list}, records: "\$.data[*]", key: \$.id,
	        pagination: {type: link, next: {link: next}}}
	END
	for name in $4; do
		echo "      $name: {request: {path: /refused/$1/$name}, records: \$}"
	done
}

{
	secretive bearer "k: ${secret}bearer.secret}" \
		'type: bearer, token: "{{secret.k}}"' bearer
	secretive basic "k: ${secret}password.secret}" \
		'type: basic, username: me, password: "{{secret.k}}"' password
	secretive oauth "c: ${secret}client.secret}, r: ${secret}refresh.secret}" \
		"type: oauth2, grant: refresh_token, token_url: '$url/token',
      params: {client_id: me, client_secret: '{{secret.c}}',
      refresh_token: '{{secret.r}}'}" \
		'client refresh access rotated'
	secretive session "k: ${secret}login.secret}" \
		"type: session, login: {method: POST, path: /login,
      json: {password: '{{secret.k}}'}}, capture: {ticket:
      {header: X-Ticket}}, name: X-Session, value: '{{auth.ticket}}'" \
		'login ticket'
	secretive query "k: ${secret}query.secret}" \
		'type: query, name: api_key, value: "{{secret.k}}"' query
} >sources
lake lake <sources

# What an API may repeat of its own, as it is and as others write it; one of
# them where an error's text is cut.
python3 - >refusals <<'END'
import base64, json, re, urllib.parse
def word(name):
    return name + '-4711-sesame/&<"\\>~'
def spelled(w):
    text, sent = json.dumps(w), urllib.parse.quote(w, '')
    for_pages = re.sub('[&<>]', lambda m: f'\\u{ord(m[0]):04x}', text)
    yield from (w, text, text.replace('/', '\\/'), for_pages,
                for_pages.replace('/', '\\/'),
                re.sub('u00..', lambda m: 'u' + m[0][1:].upper(), for_pages),
                sent, re.sub('%..', lambda m: m[0].lower(), sent),
                sent.replace('%7E', '~'), sent.replace('~', '%7E'))
def answer(match, body='{}', status=200, headers=()):
    return json.dumps({'match': match, 'times': 99, 'status': status,
                       'body': body, 'headers': headers})
rules = [answer('POST /token', json.dumps({
             'access_token': word('access'), 'expires_in': 3600,
             'refresh_token': word('rotated')})),
         answer('POST /login', headers=[['X-Ticket', word('ticket')]])]
for source, names in (
        ('bearer', 'bearer'), ('basic', 'password'), ('query', 'query'),
        ('oauth', 'client refresh access rotated'), ('session', 'login ticket')):
    for name in names.split():
        w = word(name)
        start = json.dumps([w, urllib.parse.quote(w, ''), ''])[:-2]
        said = (start + '.' * (194 - len(start)) + w + '"]' +
                '\n'.join(spelled(w)))
        if source == 'basic':
            sent = base64.b64encode(f'me:{w}'.encode()).decode()
            said = f'{{"Authorization": "Basic {sent}"}}\n{said}'
            said += '\n'.join(spelled(sent))
        rules.append(answer(f'refused/{source}/{name}', said, 400,
                            [['X-Said', w]]))
rules.append('{"match": "list", "times": 99, "do": "drip"}')
print(','.join(rules))
END
rules api "$(cat refusals)"

# ---- what everybody on the machine may read, while it runs ----
cat >watch.py <<'END'
import os, subprocess, sys
child = subprocess.Popen(sys.argv[2:])
parents, seen, out = {child.pid}, set(), open(sys.argv[1], 'wb')
while child.poll() is None:
    for pid in [p for p in os.listdir('/proc') if p.isdigit()]:
        try:
            ppid = open(f'/proc/{pid}/stat').read().rsplit(')', 1)[1].split()[1]
            if int(pid) not in parents and int(ppid) not in parents:
                continue
            parents.add(int(pid))
            for what in 'cmdline', 'environ':
                text = open(f'/proc/{pid}/{what}', 'rb').read()
                if (what, text) not in seen:
                    seen.add((what, text))
                    out.write(text + b'\n')
        except (OSError, IndexError):
            pass
sys.exit(child.returncode)
END
status=0
python3 watch.py open "$LANDFALL" run --once -c lake/landfall.yaml \
	--record kept --json >told 2>errors || status=$?
expect_same 'what is refused fails, and nothing else' 3 $status
expect_same 'all five have landed what they could read' 5 \
	"$(find lake/zone/*.list -name '*.zst' | wc -l)"
expect 'the child was seen at work' grep -aq -e '--child=' open
expect_same 'the API has seen them all' 'access bearer query' \
	"$(grep -oE '(access|bearer|query)-4711-sesame' api/log | sort -u |
		sed 's/-.*//' | tr '\n' ' ' | sed 's/ $//')"
"$LANDFALL" status -c lake/landfall.yaml >stands 2>&1 || :
"$LANDFALL" status -c lake/landfall.yaml --json >>stands 2>&1 || :
"$LANDFALL" plan -c lake/landfall.yaml >planned 2>&1 || :
"$LANDFALL" check --connect -c lake/landfall.yaml >checked 2>&1 || :
"$LANDFALL" run --once -c lake/landfall.yaml >again 2>&1 || :
expect_same 'a refresh token that was replaced is kept for us alone' \
	'600 lake/state/credentials/oauth.json' \
	"$(find lake/state/credentials -type f -printf '%m %p\n')"
expect 'and it is the new one' grep -q 'rotated-4711' \
	lake/state/credentials/oauth.json

# ---- nowhere: landing files unpacked too ----
mkdir bytes
find lake/zone -name '*.zst' | while read -r file; do
	"$LANDFALL" cat "$file" -c lake/landfall.yaml \
		>"bytes/$(echo "$file" | tr / _)"
done
expect_same 'all of it has been unpacked' \
	"$(find lake/zone -name '*.zst' | wc -l)" \
	"$(find bytes -type f -size +0 | wc -l)"
mv lake/state/credentials credentials
places='lake bytes kept told errors stands planned checked again open'
# shellcheck disable=SC2086
expect_same 'no secret is in any place, as it is or as it is sent' '' \
	"$(grep -arlE "4711(-|%2D)sesame|$(printf 'me:%s' "$(word password)" |
		base64 | cut -c1-20)" $places || :)"
expect 'but errors say what was answered' grep -q 'status 400' errors

# ---- of the environment, the children have nothing ----
{
	secretive bearer 'k: {env: BEARER_SECRET}' \
		'type: bearer, token: "{{secret.k}}"' bearer
} | lake named
BEARER_SECRET=$(word bearer)
export BEARER_SECRET
python3 watch.py open "$LANDFALL" run --once -c named/landfall.yaml --quiet \
	>named.out 2>&1 || :
expect_same 'a secret of our environment is in that of no child' 1 \
	"$(grep -ac 'bearer-4711' open)"

# brings ACCESS REFRESH: what the next login gives
brings()
{
	rules api "{\"match\": \"POST /token\", \"body\":
		\"{\\\"access_token\\\": \\\"$1\\\", \\\"refresh_token\\\": \\\"$2\\\"}\"}"
}

# ---- a refresh token is kept before the recording is, and without it ----
secretive lost "c: ${secret}client.secret}, r: ${secret}refresh.secret}" \
	"type: oauth2, grant: refresh_token, token_url: '$url/token',
      params: {client_id: me, client_secret: '{{secret.c}}',
      refresh_token: '{{secret.r}}'}" '' >sources
for part in json body; do
	lake "lost-$part" <sources
	brings one rotated-once
	# The place of the first exchange is taken.
	mkdir -p "full-$part/lost/0001.$part"
	expect_status 'a login that cannot be recorded ends the run' 3 \
		run "lost-$part" --record "full-$part"
	expect_same 'nothing is asked after it' 1 "$(wc -l <api/log)"
	expect 'and its refresh token is kept' grep -qs rotated-once \
		"lost-$part/state/credentials/lost.json"
done
brings two rotated-again
expect 'the next run gets in' run lost-json
expect_same 'with that one' 1 \
	"$(grep -c 'refresh_token=rotated-once' api/bodies)"

# ---- also when the answer lacks something else ----
secretive torn "c: ${secret}client.secret}, r: ${secret}refresh.secret}" \
	"type: oauth2, grant: refresh_token, token_url: '$url/token',
      capture: {place: {body: \$.place}},
      params: {client_id: me, client_secret: '{{secret.c}}',
      refresh_token: '{{secret.r}}'}" '' | lake torn
brings one rotated-alone
expect_status 'a login without what is captured' 3 run torn
expect 'its refresh token is kept all the same' grep -qs rotated-alone \
	torn/state/credentials/torn.json
