#!/bin/sh
# A large file on its way from a slow partner, and whoever fetches it told to
# end, or to read its configuration again: it does so at once. Nothing half
# stays, and what has come does not come again.
. "$SRCDIR/tests/scenario/lib.sh"
. "$SRCDIR/tests/scenario/running.sh"
. "$SRCDIR/tests/servers/servers.sh"
. "$SRCDIR/tests/scenario/partners.sh"

size=16000000
start_sshd srv
sshd=$port
user=$(cat srv/user)
mkdir srv/files/in srv/files/beside
head -c $size /dev/urandom >srv/files/in/big.bin
sum=$(sha256sum <srv/files/in/big.bin)
echo 1 >srv/files/beside/a.csv
old srv/files/in/* srv/files/beside/*
start_proxy slow "$sshd" --rate 1000000
start_proxy fast "$sshd"
both='key: {file: ../srv/ed25519}'
pinned="host_key: \"$(pin_of srv)\""
lake lake
partner beside "$sshd" "$both" "$pinned" 'path: beside' -- \
	'schedule: {every: 1s}' >>$conf
cp $conf without
partner acme "$(cat slow/port)" "$both" "$pinned" 'path: in' \
	'connections: 1' -- 'schedule: {every: 1s}' >>$conf
cp $conf slowly
sed "s/port: $(cat slow/port)/port: $(cat fast/port)/" slowly >quickly

# How many bytes of it are here.
here()
{
	stat -c %s lake/state/spool/acme/*.part 2>/dev/null || echo 0
}

# coming NAME N: so many more are here.
coming()
{
	coming_to=$(($(here) + $2))
	for _ in $(seq 400); do
		[ "$(here)" -lt $coming_to ] || break
		sleep 0.05
	done
	expect "$1" test "$(here)" -ge $coming_to
}

now()
{
	echo $(($(date +%s%N) / 1000000))
}

# soon NAME SINCE: it takes a second; all of the file takes sixteen, and
# a machine that has much else to do some seconds.
soon()
{
	expect_same "$1" soon \
		"$(ms=$(($(now) - $2)) && { [ $ms -gt 8000 ] || ms=soon; } &&
			echo $ms)"
}

# ended NAME STATUS: `daemon` is told to end, and does.
ended()
{
	since=$(now)
	kill -TERM "$daemon"
	lib_found=0
	wait "$daemon" || lib_found=$?
	daemon=
	soon "$1: it ends at once" "$since"
	expect_same "$1: its status" "$2" $lib_found
}

# reloaded NAME N: for the Nth time.
reloaded()
{
	since=$(now)
	kill -HUP "$daemon"
	expect_same "$1" "$2" "$(logged event=reloaded "$2")"
	soon "$1: at once" "$since"
}

# not_half NAME: of what was abandoned nothing is to be seen.
not_half()
{
	expect_same "$1: nothing of it is in the zone" '' \
		"$(find lake/zone -type f \( -path '*big*' -o \
			-path '*_staging/*' ! -name intent \))"
	expect_same "$1: nobody is to blame for it" '' "$(grep -E \
		'level=(warning|error)|event=source-waits' log || :)"
	expect "$1: verify" "$LANDFALL" verify -c $conf
}

# ---- the daemon is told to end ----
start_daemon
coming 'it comes' 1000000
before=$(here)
ended SIGTERM 0
not_half SIGTERM
expect 'SIGTERM: what has come is kept' test "$(here)" -ge "$before"
expect_same 'SIGTERM: and why it is not there is known' 1 \
	"$("$LANDFALL" why -c $conf big.bin | grep -c 'the next look goes on')"

# ---- to read its configuration again ----
start_daemon
coming 'the next run goes on' 300000
reloaded 'SIGHUP: it reads the configuration' 1
coming 'SIGHUP: and goes on' 300000
cp without $conf
reloaded 'SIGHUP: the source is gone' 2
cp slowly $conf
not_half 'without it'
echo 2 >srv/files/beside/b.csv
old srv/files/beside/b.csv
expect_same 'without it: the others go on' 1 "$(settled b.csv 'landed as')"
reloaded 'SIGHUP: the source is back' 3
coming 'SIGHUP: and goes on where it was' 300000
echo nonsense >$conf
kill -HUP "$daemon"
expect_same 'SIGHUP: nonsense is refused' 1 "$(logged event=reload-refused 1)"
coming 'SIGHUP: and it goes on' 300000
cp quickly $conf
reloaded 'SIGHUP: by another way' 4
expect_same 'it lands' 1 "$(settled big.bin 'landed as')"
expect_same 'it lands once' 1 \
	"$(find lake/zone/acme -name 'big.*' | wc -l)"
expect_same 'with the bytes of the partner' "$sum" \
	"$("$LANDFALL" cat -c $conf big.bin | sha256sum)"
stop_daemon 'at the end'
came=$(($(cat slow/bytes) + $(cat fast/bytes)))
printf '# %s bytes came of %s\n' $came $size
expect 'little came twice' test $came -le $((size + size / 2))

# ---- one pass ----
mv srv/files/in/big.bin srv/files/in/again.bin
echo more >>srv/files/in/again.bin
old srv/files/in/again.bin
cp slowly $conf
"$LANDFALL" run --once -c $conf acme >out 2>err &
daemon=$!
coming 'one pass: it comes' 1500000
# A second or two of it may be lost: nobody waits for this one's last words.
ended 'one pass' 143
expect 'one pass: verify' "$LANDFALL" verify -c $conf
came=$(cat fast/bytes)
cp quickly $conf
expect 'the next one lands it' "$LANDFALL" run --once -c $conf acme
expect 'and needs less than all of it' test \
	$(($(cat fast/bytes) - came)) -lt $((size - 500000))
expect_same 'once' 1 "$(find lake/zone/acme -name 'again.*' | wc -l)"
expect 'all verifies' "$LANDFALL" verify --deep -c $conf
