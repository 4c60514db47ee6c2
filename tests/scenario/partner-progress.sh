#!/bin/sh
# A large file on its way from a partner: what `status` says of it.
. "$SRCDIR/tests/scenario/lib.sh"
. "$SRCDIR/tests/scenario/running.sh"
. "$SRCDIR/tests/servers/servers.sh"
. "$SRCDIR/tests/scenario/partners.sh"

start_sshd srv
user=$(cat srv/user)
size=24000000
mkdir srv/files/in
head -c $size /dev/urandom >srv/files/in/big.bin
old srv/files/in/big.bin
# A line that falls silent in the middle of it waits for whoever looks.
start_proxy line "$port" --stall 9000000
lake lake
partner acme "$port" 'key: {file: ../srv/ed25519}' \
	"host_key: \"$(pin_of srv)\"" 'path: in' 'connections: 1' \
	'timeouts: {idle: 10m}' -- 'schedule: {every: 1h}' >>$conf
start_daemon
for _ in $(seq 300); do
	"$LANDFALL" status -c $conf --json >status.json || :
	! grep -q '"files":\[{.*"bytes":[1-9]' status.json || break
	sleep 0.1
done
expect_same 'status: which file, how large, and how much of it' True \
	"$(python3 -c '
import json, sys
d = json.load(open("status.json"))["daemon"]
f, = d["files"]
print(f["source"] == "acme" and f["name"] == "big.bin" and f["size"] == d["reading_bytes"]
      == int(sys.argv[1]) and 0 < f["bytes"] < f["size"])' $size)"
"$LANDFALL" status -c $conf >status.out || :
expect 'status: in words' \
	grep -Eq '^    acme big.bin: [0-9.]+ MiB of 22.9 MiB, [0-9]+ %$' \
	status.out
expect 'status: and all of it' \
	grep -Eq '^  reading 1 file of 22.9 MiB at .*/s; 0 wait' status.out
stop_server line
stop_daemon 'at the end'
"$LANDFALL" status -c $conf --json >status.json || :
expect 'status knows that it has ended' grep -q '"running":false' status.json
expect 'nobody reads it then' test "$(grep -c '"files":\[{' status.json)" -eq 0
