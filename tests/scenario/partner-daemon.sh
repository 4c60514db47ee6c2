#!/bin/sh
# landfall run beside a partner's server: looked at by schedule, left alone in
# between, down and up again, and never in the way of others.
. "$SRCDIR/tests/scenario/lib.sh"
. "$SRCDIR/tests/scenario/running.sh"
. "$SRCDIR/tests/servers/servers.sh"
. "$SRCDIR/tests/scenario/partners.sh"

start_sshd srv
sshd=$port
files=$PWD/srv/files
user=$(cat srv/user)
pin=$(pin_of srv)
retry='retry: {attempts: 1, base: 50ms, ceiling: 400ms}'
mkdir -p "$files/in"

# scheduled NAME PORT FOLDER LINE...
scheduled()
{
	scheduled_name=$1
	scheduled_port=$2
	scheduled_path="path: $3"
	shift 3
	partner "$scheduled_name" "$scheduled_port" "$scheduled_path" "$@" -- \
		'schedule: {every: 1s}'
}

# zone FILES SOURCE: waits for so many landing files of a source.
zone()
{
	for _ in $(seq 1200); do
		[ "$(find "lake/zone/$2" -name '*.zst' 2>/dev/null |
			wc -l)" -lt "$1" ] || break
		sleep 0.05
	done
	find "lake/zone/$2" -name '*.zst' 2>/dev/null | wc -l
}

new_lake 'ready: {stable: 0s}'
start_proxy line "$sshd"
{
	scheduled acme "$port" in 'key: {file: ../srv/ed25519}' \
		"host_key: \"$pin\""
	scheduled wrong "$sshd" in 'key: {file: ../srv/stranger}' \
		"host_key: \"$pin\""
	scheduled dead 1 in 'key: {file: ../srv/ed25519}' "host_key: \"$pin\""
} >>$conf
echo 1 >"$files/in/a.csv"
old "$files/in/a.csv"
echo 1 >lake/inbox/here.csv
start_daemon
expect_same 'what is there lands' 1 "$(zone 1 acme)"
expect_same 'and what is here' 1 "$(zone 1 inbox)"
echo 2 >"$files/in/b.csv"
old "$files/in/b.csv"
expect_same 'what comes lands at a later look' 2 "$(zone 2 acme)"
echo 3 >"$files/in/young.csv"
expect_same 'what is young lands once two looks saw the same' 3 "$(zone 3 acme)"

# A line that is cut: the next look goes on; nobody else waits.
echo down >line/line
expect 'a partner that is down is told' \
	test "$(logged 'event=source-waits source=acme' 1)" -ge 1
echo 4 >"$files/in/c.csv"
old "$files/in/c.csv"
echo 2 >lake/inbox/beside.csv
expect_same 'what is here lands meanwhile' 2 "$(zone 2 inbox)"
rm line/line
expect_same 'what came meanwhile lands when it is up again' 4 "$(zone 4 acme)"

# Its child dies: that is a lost connection.
head -c 40000000 /dev/zero | tr '\0' 'x' >"$files/in/large.csv"
old "$files/in/large.csv"
killed=0
for _ in $(seq 2000); do
	for child in $(pgrep -P "$daemon" 2>/dev/null); do
		grep -qa 'child=sftp' "/proc/$child/cmdline" 2>/dev/null ||
			continue
		! kill -9 "$child" 2>/dev/null || killed=$((killed + 1))
	done
	[ "$killed" -lt 3 ] || break
done
expect_same 'a child that is killed costs a look at most' 5 "$(zone 5 acme)"

# Who is refused is not tried again and again.
refused=$(grep -c 'event=source-waits source=wrong' log || :)
expect_same 'who is refused is left alone' 1 "$refused"
expect 'and it is said why' grep -q 'source=wrong .*refuses us' log
expect 'one that is down is tried again' \
	test "$(grep -c 'event=source-waits source=dead' log)" -gt 1
"$LANDFALL" status -c $conf >status.out || :
expect 'status tells of each' grep -q '^! wrong.*could-not-look' status.out
sed -i 's#srv/stranger#srv/ed25519#' $conf
kill -HUP "$daemon"
expect_same 'a reload looks at once' 5 "$(zone 5 wrong)"

# Between looks there is no connection.
sed -i 's/every: 1s/every: 1h/' $conf
kill -HUP "$daemon"
logged 'event=reloaded' 2 >/dev/null
for _ in $(seq 1200); do
	[ -n "$(pgrep -P "$daemon" 2>/dev/null)" ] || break
	sleep 0.05
done
expect_same 'between looks there is no child' '' \
	"$(pgrep -P "$daemon" 2>/dev/null || :)"
stop_daemon 'at the end'

# ---- one that hangs up when what it has is looked at again ----
mkdir -p hostile/files
start_hostile hostile --trick hang-up-lstat --password sesame
SESAME=sesame
export SESAME
mv lake before
lake lake
partner acme "$port" 'password: {env: SESAME}' \
	"host_key: \"$(ssh-keygen -l -f hostile/host.pub | cut -d' ' -f2)\"" \
	-- 'ready: {stable: 1s}' >>$conf
echo 1 >hostile/files/new.csv
start_daemon
for _ in $(seq 200); do
	! grep -q LSTAT hostile/asked || break
	sleep 0.05
done
expect 'it was looked at again' grep -q LSTAT hostile/asked
sleep 1
stop_daemon 'who hangs up does not end the daemon'
