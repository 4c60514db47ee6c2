#!/bin/sh
# Whoever is to be told is told: once, at least, whatever fails on the way.
. "$SRCDIR/tests/scenario/lib.sh"
command -v python3 >/dev/null || skip 'no python3'

# lake NAME OPTIONS: a new zone whose source has these options too.
lake()
{
	"$LANDFALL" init "$1" --quiet
	sed -i "s|format: csv|format: csv\n    ready: {stable: 0s}\n    $2|" \
		"$1/landfall.yaml"
}

# at TIME NAME: a pass at that moment of UTC.
at()
{
	LANDFALL_TEST_CLOCK=$(date -u -d "$1" +%s) \
		"$LANDFALL" run --once -c "$2/landfall.yaml" --quiet
}

# key FILE KEY: the values of a key, of every object in the file.
key()
{
	python3 - "$1" "$2" <<'END'
import json, sys
for line in open(sys.argv[1]):
    v = json.loads(line)
    for k in sys.argv[2].split('.'):
        v = v[int(k)] if isinstance(v, list) else v.get(k, '-')
    print(v, end=' ')
END
}

# serve DIR MODE...: an endpoint; its URL is in $url. It ends with our fd 8.
serve()
{
	mkdir -p "$1"
	rm -f "$1/port"
	mkfifo "$1/hold"
	python3 "$SRCDIR/tests/scenario/alert-server.py" "$@" <"$1/hold" &
	server=$!
	exec 8>"$1/hold"
	for _ in $(seq 200); do
		[ ! -e "$1/port" ] || break
		sleep 0.05
	done
	url=http://127.0.0.1:$(cat "$1/port")/alerts/here
}

quit()
{
	exec 8>&-
	wait "$server" || :
}

expects='expect: {by: "06:00", grace: 30m}'

# ---- a command: one object on its standard input, nothing else ----
cat >page <<'END'
#!/bin/sh
here=${0%/*}
cat >>"$here/paged"
echo >>"$here/paged"
echo "$# $*" >"$here/arguments"
env >"$here/environment"
n=$(cat "$here/left" 2>/dev/null || echo 0)
[ "$n" -eq 0 ] && exit 0
echo $((n - 1)) >"$here/left"
echo "no dial tone" >&2
exit 7
END
chmod +x page
lake one "$expects\n    alert: {command: [$PWD/page, '--team', 'ops; touch hacked']}"
expect 'the configuration is right' "$LANDFALL" check -c one/landfall.yaml
expect 'nothing is due: nothing is told' at '2030-03-05 05:00' one
expect 'and nobody paged' test ! -e paged
SECRET=hunter2 expect_status 'missing' 2 at '2030-03-05 07:00' one
expect_same 'is told' 'missing ' "$(key paged event)"
expect_same 'of whom' 'inbox ' "$(key paged source)"
expect_same 'what was expected' '1 ' "$(key paged expected.files.least)"
expect_same 'by when' '2030-03-05T06:00:00Z ' "$(key paged expected.by)"
expect_same 'what was found' '0 ' "$(key paged found.files)"
expect_same 'no shell' '2 --team ops; touch hacked' "$(cat arguments)"
expect_same 'a bare environment' '' \
	"$(grep -vE '^(PATH|LANG|PWD|SHLVL|_|OLDPWD)=' environment || :)"
expect_status 'a second pass' 2 at '2030-03-05 07:05' one
expect_same 'does not repeat it' 1 "$(wc -l <paged)"
printf 'a\n1\n' >one/inbox/x.csv
expect_status 'it comes' 2 at '2030-03-05 08:00' one
expect_same 'and is late' 'missing late ' "$(key paged event)"
printf 'a\n2\n' >one/inbox/y.csv
expect 'the next day' at '2030-03-06 05:00' one
expect_same 'all is well again' 'missing late recovered ' "$(key paged event)"
expect_same 'after what' 'late' "$(key paged was | tr -d ' -')"
expect_status 'and missing again' 2 at '2030-03-07 07:00' one
expect_same 'is told again' 'missing late recovered missing ' \
	"$(key paged event)"
expect_same 'each with an id of its own' 4 \
	"$(key paged id | tr ' ' '\n' | grep . | sort -u | wc -l)"

# ---- it fails twice ----
: >paged
lake two "$expects\n    alert: {command: [$PWD/page], on: [missing, recovered]}"
echo 2 >left
expect_status 'a command that fails twice' 2 at '2030-03-05 07:00' two
expect_same 'is asked three times' 'missing missing missing ' \
	"$(key paged event)"
expect_same 'and gets the same id' 1 \
	"$(key paged id | tr ' ' '\n' | grep . | sort -u | wc -l)"
expect_same 'nothing is left' '[]' "$("$LANDFALL" status --json \
	-c two/landfall.yaml | sed -n 's/.*"alerts":\(\[[^]]*\]\).*/\1/p')"
: >paged
printf 'a\n1\n' >two/inbox/x.csv
expect_status 'late is not asked for' 2 at '2030-03-05 08:00' two
expect_same 'and not told' '' "$(cat paged)"

# ---- it never works: kept, said, and one day given up ----
: >paged
lake three "$expects\n    alert: {command: [$PWD/page]}"
echo 1000 >left
expect_status 'a command that never works' 2 at '2030-03-05 07:00' three
expect_same 'is asked three times' 3 "$(wc -l <paged)"
cp lib.out said
expect 'it is said' grep -q \
	'alert missing of inbox was not delivered: command .*exit status 7: .no dial tone' \
	said
"$LANDFALL" status -c three/landfall.yaml >status.out
expect 'status shows it' grep -q \
	'^alert: missing of inbox at 2030-03-05T07:00:00Z: not delivered after 3 attempts: command .*no dial tone' \
	status.out
echo 0 >left
: >paged
expect_status 'the next run delivers it' 2 at '2030-03-05 07:10' three
expect_same 'as it was' '2030-03-05T07:00:00Z ' "$(key paged at)"
echo 1000 >left
expect_status 'another that is never taken' 2 at '2030-03-06 07:00' three
: >paged
expect_status 'is given up after a day' 2 at '2030-03-07 07:30' three
cp lib.out said
expect 'loudly' grep -q 'event=alert-given-up' said
"$LANDFALL" status -c three/landfall.yaml >status.out
expect 'and status shows it' grep -q 'alert: missing of inbox .*: given up' \
	status.out

# ---- quarantine: one bundle, not one alert for each file ----
: >paged
echo 0 >left
lake four "alert: {command: [$PWD/page]}\n    totals: {records: {name: 'f*_#.csv'}}"
for i in $(seq 25); do
	printf 'a\n%d\n' "$i" >four/inbox/f"$i"_9.csv
done
expect_status 'a storm' 2 at '2030-03-05 07:00' four
expect_same 'is one alert' 'quarantined ' "$(key paged event)"
expect_same 'that counts them' '25 ' "$(key paged count)"
expect_same 'and names ten' 10 \
	"$(key paged names | tr ' ' '\n' | grep -c _9.csv)"
printf 'a\n26\n' >four/inbox/f26_9.csv
expect_status 'one more' 2 at '2030-03-05 07:01' four
expect_same 'is told too' '25 1 ' "$(key paged count)"
expect_status 'nothing new' 2 at '2030-03-05 07:02' four
expect_same 'is no news' 2 "$(wc -l <paged)"
for id in $("$LANDFALL" ls -c four/landfall.yaml --json |
	sed -n 's/.*"index":\([0-9]*\).*/\1/p'); do
	"$LANDFALL" reject -c four/landfall.yaml "$id" --quiet >/dev/null
done
expect 'all is decided' at '2030-03-05 07:03' four
expect_same 'and over' 'quarantined quarantined recovered ' \
	"$(key paged event)"

# ---- drift, and a source that fails ----
: >paged
lake five "drift: hold\n    alert: {command: [$PWD/page]}"
printf 'a,b\n1,2\n' >five/inbox/1.csv
expect 'as always' at '2030-03-05 07:00' five
printf 'a,c\n1,2\n' >five/inbox/2.csv
printf 'a,d\n1,2\n' >five/inbox/3.csv
expect_status 'drift' 2 at '2030-03-05 07:01' five
expect_status 'is held' 2 at '2030-03-05 07:02' five
expect_same 'and told once' 'drift ' "$(key paged event)"
expect_same 'for both' '2 ' "$(key paged count)"
rm five/inbox/2.csv five/inbox/3.csv
mv five/inbox five/gone
expect_status 'a source that is gone' 3 at '2030-03-05 07:03' five
expect_status 'and stays away' 3 at '2030-03-05 07:04' five
expect_same 'is told once' 'drift failing ' "$(key paged event)"
mv five/gone five/inbox
expect 'it is back' at '2030-03-05 07:05' five
expect_same 'and nothing is held' 'drift failing recovered recovered ' \
	"$(key paged event)"
expect_same 'each recovery says of what' 'driftfailing' \
	"$(key paged was | tr ' ' '\n' | grep -v '^-' | sort | tr -d '\n')"

# ---- an HTTP endpoint ----
printf 'Bearer hunter2\n' >token
chmod 600 token
header="header: {Authorization: {file: $PWD/token}, X-Team: ops}"
serve e1 503 503 200
lake six "$expects\n    alert: {url: '$url', $header}"
expect 'the configuration is right' "$LANDFALL" check -c six/landfall.yaml
expect_status 'an endpoint that fails twice' 2 at '2030-03-05 07:00' six
expect_same 'is asked three times' '503 503 200 ' "$(key e1/got mode)"
expect_same 'by POST' 'POST POST POST ' "$(key e1/got method)"
expect_same 'at its path' '/alerts/here ' "$(key e1/got path | cut -c 1-13)"
expect_same 'with the secret' 3 \
	"$(key e1/got headers.Authorization | grep -o 'Bearer hunter2' | wc -l)"
expect_same 'and the team' 'ops ops ops ' "$(key e1/got headers.X-Team)"
expect_same 'as JSON' 'application/json ' \
	"$(key e1/got headers.Content-Type | cut -d ' ' -f 1) "
expect_same 'and the same body' 1 "$(key e1/got body | tr '}' '\n' |
	grep -o '"id":"[0-9a-f]*"' | sort -u | wc -l)"
quit

serve e2 redirect
lake seven "$expects\n    alert: {url: '$url', $header}"
expect_status 'a redirection' 2 at '2030-03-05 07:00' seven
cp lib.out said
expect 'is not followed' grep -q 'status 302 (redirections are not followed)' \
	said
expect_same 'anywhere' '' "$(key e2/got path | grep elsewhere || :)"
quit

serve e3 hang
lake eight "$expects\n    alert: {url: '$url', $header, timeout: 1s}"
expect_status 'an endpoint that hangs' 2 at '2030-03-05 07:00' eight
cp lib.out said
expect 'is left after its timeout' grep -q 'was not delivered: POST to .*http' \
	said
"$LANDFALL" status -c eight/landfall.yaml >>said
"$LANDFALL" status -c eight/landfall.yaml --json >>said
expect_same 'nobody says the secret' '' "$(grep -e hunter2 -e alerts/here said ||
	:)"
expect_same 'nor keeps it' '' "$(grep -l hunter2 -r six seven eight || :)"

# ---- a daemon: landing waits for nobody, and a crash loses nothing ----
lake nine "alert: {url: '$url', timeout: 600s}\n    totals: {records: {name: 'f*_#.csv'}}"
"$LANDFALL" run -c nine/landfall.yaml 2>log &
daemon=$!
trap 'kill -9 $daemon $server 2>/dev/null || :' EXIT

# until COMMAND...: it succeeds within 20 s.
until_true()
{
	for _ in $(seq 400); do
		if "$@" >/dev/null 2>&1; then
			return 0
		fi
		sleep 0.05
	done
	return 1
}
: >e3/got
printf 'a\n1\n' >nine/inbox/fa_9.csv
expect 'an alert hangs' until_true grep -q quarantined e3/got
for i in $(seq 50); do
	printf 'a\n%d\n' "$i" >nine/inbox/f"$i"_9.csv
done
printf 'a\nx\n' >nine/inbox/f_1.csv
expect 'landing goes on' until_true sh -c 'ls nine/zone/inbox/dt=*/f_1.*.zst'
kill -9 $daemon
wait $daemon 2>/dev/null || :
quit
serve e4 200
sed -i "s|url: '[^']*'|url: '$url'|" nine/landfall.yaml
"$LANDFALL" run -c nine/landfall.yaml 2>log &
daemon=$!
expect 'after a crash it is told' until_true grep -q fa_9 e4/got
expect_same 'the same alert' "$(key e3/got body | grep -o '"id":"[0-9a-f]*"')" \
	"$(key e4/got body | grep -o '"id":"[0-9a-f]*"' | head -n 1)"
expect 'and it is in the log' until_true grep -q event=alert-delivered log
kill -TERM $daemon
status=0
wait $daemon || status=$?
expect_same 'it ends well' 0 $status
"$LANDFALL" run --once -c nine/landfall.yaml --quiet >/dev/null 2>&1 || :
expect_same 'and all are told' 51 \
	"$(key e4/got body | grep -o '"count":[0-9]*' | cut -d : -f 2 |
		awk '{ n += $1 } END { print n }')"
expect_same 'in bundles' yes "$([ "$(wc -l <e4/got)" -le 4 ] && echo yes)"
quit
trap - EXIT

# ---- check ----
sed "s|command: \[[^]]*\]|command: [$PWD/nobody]|" two/landfall.yaml >two/bad.yaml
expect_status 'a program that is not there' 1 "$LANDFALL" check -c two/bad.yaml
cp lib.out said
expect 'is said' grep -q 'alert command .*nobody: No such file' said
sed "s|command: \[[^]]*\]|command: [$PWD/token]|" two/landfall.yaml >two/bad.yaml
expect_status 'one that cannot be executed' 1 "$LANDFALL" check -c two/bad.yaml
for bad in 'url: ftp://x/' 'url: "http://a:b@x/"' 'url: "https://"' \
	'command: [page]' 'command: page' 'url: "http://x", command: [/bin/true]' \
	'command: [/bin/true], header: {A: b}' 'on: [missing]' \
	'url: "http://x", on: [nothing]' 'url: "http://x", header: {A: "b\nc"}' \
	'url: "http://x", timeout: 0s' 'urk: "http://x"'; do
	printf 'alert: {%s}\n' "$bad" | cat two/landfall.yaml - >two/bad.yaml
	expect_status "wrong: $bad" 1 "$LANDFALL" check -c two/bad.yaml
done
