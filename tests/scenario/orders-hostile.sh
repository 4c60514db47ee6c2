#!/bin/sh
# Who comes to a daemon's socket and is no command: strangers, silence, too
# many, nonsense, those who never listen. The daemon does what it is for.
. "$SRCDIR/tests/scenario/lib.sh"
. "$SRCDIR/tests/servers/servers.sh"
. "$SRCDIR/tests/servers/polled.sh"
. "$SRCDIR/tests/scenario/running.sh"

data api /orders <<'END'
{"id": 1, "at": "2026-01-01T00:00:00Z"}
END
serve_api api
LANDFALL_TEST_CLOCK=-$(($(date +%s) - $(date -u -d 2026-03-01 +%s)))
export LANDFALL_TEST_CLOCK
lake lake <<END
  shop:
    profile: rest-link
    base_url: $url
    auth: {type: none}
    config: {path: orders}
    schedule: {every: 1s}
    streams:
      records:
        records: "\$.data[*]"
        key: \$.id
        request: {query: {since: "{{window.start}}", until: "{{window.end}}"}}
        incremental: {cursor: \$.at, start: "2026-02-28", window: P1D}
  wordy:
    profile: rest-link
    base_url: $url
    auth: {type: none}
    config: {path: orders}
    schedule: {every: 1h}
    streams:
      records:
        records: "\$.data[*]"
        key: \$.id
        partitions: {values: {part: [$(python3 -c '
print(", ".join(f"{i:0400}" for i in range(500)))')]}}
        request: {query: {since: "{{window.start}}", until: "{{window.end}}",
          part: "{{partition.part}}"}}
        incremental: {cursor: \$.at, start: "2026-02-28", window: P2D}
END
conf=lake/landfall.yaml
start_daemon

cat >knock.py <<'END'
"""Connections to lake/state/orders, and messages as order-wire.h has them."""
import os
import socket
import struct
import sys

GIVEN, TAKEN, OUT, TALK, END = 1, 2, 3, 4, 5
VERSION = 3
os.chdir("lake/state")


def knock():
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.connect("orders")
    s.settimeout(30)
    return s


def number(*values):
    return b"".join(struct.pack("<Q", v) for v in values)


def text(*values):
    return b"".join(struct.pack("<I", len(v)) + v for v in values)


def given(body):
    return struct.pack("<I", GIVEN) + body


def backfill():
    return given(number(VERSION, 0, 0, 0) + text(
        b"shop", b"records", b"2026-01-01", b"2026-02-20"))


def heard(s):
    """What is said until the end: the last text, and the status."""
    said = ""
    while True:
        try:
            m = s.recv(1 << 17)
        except ConnectionResetError:  # it left something unread: us
            continue
        if not m:
            return said, "gone"
        kind, = struct.unpack("<I", m[:4])
        if kind == END:
            return said, struct.unpack("<Q", m[4:])[0]
        if kind in (OUT, TALK):
            said = m[8:].decode().rstrip()


def answered(*messages):
    s = knock()
    try:
        for m in messages:
            s.send(m)
    except BrokenPipeError:
        pass
    return heard(s)
END

# say PYTHON: what that prints, with the above.
say()
{
	python3 -c "import sys; sys.path.insert(0, '.')
from knock import *
$1"
}

backfill()
{
	"$LANDFALL" backfill shop records --from 2026-01-01 --to 2026-01-03 \
		-c $conf 2>&1
}

polls()
{
	: >api/log
	for _ in $(seq 100); do
		[ "$(wc -l <api/log)" -lt 2 ] || break
		sleep 0.1
	done
	expect "$1: it polls on" test "$(wc -l <api/log)" -ge 2
}

expect 'an order is heard' backfill

# sockets: how many the daemon has open.
sockets()
{
	find "/proc/$daemon/fd" -lname 'socket:*' | wc -l
}

# ---- strangers ----
expect_same 'the socket is for its owner' '600' \
	"$(stat -c %a lake/state/orders)"
if [ "$(id -u)" -eq 0 ]; then
	expect_same 'nobody else comes to the socket' 'PermissionError' \
		"$(say 'os.setuid(65534)
try:
    knock()
except OSError as e:
    print(type(e).__name__)')"
	chmod 711 lake/state
	chmod 666 lake/state/orders
	expect_same 'and who does is refused' \
		'landfall: error: refused: orders are taken from root and '\
'from the user the daemon runs as 5' \
		"$(say 'os.setuid(65534)
print(*heard(knock()))')"
	expect_same 'before it has said a word' \
		'landfall: error: refused: orders are taken from root and '\
'from the user the daemon runs as 5' \
		"$(say 'os.setuid(65534)
print(*answered(backfill()))')"
	chmod 600 lake/state/orders
	chmod 700 lake/state
fi

# ---- nonsense ----
expect_same 'nonsense is refused' '9 refused, 0 other' \
	"$(say '
good = backfill()
wrong = [b"x", good[:4], good[:20], good[:-1], good + b"x", good[4:],
         given(b"\xff" * 60000), good.replace(b"shop", b"sh\0p"),
         given(number(VERSION, 0, 0, 0) + text(b"x" * 5000, b"", b"", b""))]
found = [answered(m) for m in wrong]
refused = sum(status == 5 and "refused" in said for said, status in found)
print(refused, "refused,", len(found) - refused, "other")')"
expect_same 'what it does not know is of another version' '3' "$(say '
print(sum("restart it" in answered(m)[0] for m in (
    given(number(VERSION, 77)), given(number(VERSION + 1, 0)),
    given(number(1 << 63, 1)))))')"
expect_same 'too much is no message' '5' "$(say '
print(answered(given(b"x" * 100000))[1])')"
expect_same 'a source that is none is refused by the daemon itself' 1 "$(say '
print(answered(backfill().replace(b"shop", b"shoe"))[1])')"
expect_same 'a time that is none too' 1 "$(say '
print(answered(backfill().replace(b"2026-02-20", b"2026-02-31"))[1])')"
expect_same 'an empty message is the end' gone "$(say '
print(answered(b"")[1])')"
polls nonsense

# ---- one that says too much, one that never listens ----
rules api '{"match": "since=2026-0[12]-[01]", "times": 99999, "do": "slow",
	"seconds": 0.1}'
expect_same 'who goes on talking is taken to have left' gone "$(say '
print(answered(backfill(), backfill())[1])')"
expect_same 'and the order with him' 1 \
	"$(logged 'event=order-over.*cancelled="the command was ended"' 1)"
say 'import time
s = knock()
s.send(backfill())
time.sleep(60)' &
deaf=$!
logged 'event=order ' 5 >/dev/null
expect 'who never listens keeps nobody from giving orders' backfill
kill "$deaf"
wait "$deaf" 2>/dev/null || :

# ---- one that listens late ----
rm api/rules
: >api/log
say 'import os, time
s = knock()
s.send(given(number(VERSION, 0, 1, 0) + text(
    b"wordy", b"records", b"2026-01-01", b"2026-01-03")))
while not os.path.exists("listen"):
    time.sleep(0.1)
lines = 0
while True:
    m = s.recv(1 << 17)
    lines += m[0] == OUT
    if m[0] == END:
        break
print(lines, "lines, status", m[4])' >late &
late=$!
asked=0
for _ in $(seq 400); do
	asked=$(grep -c since=2026-01-01 api/log || :)
	[ "$asked" -lt 500 ] || break
	sleep 0.05
done
expect_same 'who does not listen does not delay its order' 500 "$asked"
expect 'and nobody else' timeout 30 "$LANDFALL" \
	reset wordy records --to 2026-03-01 -c $conf
: >lake/state/listen
wait "$late"
rm lake/state/listen
expect_same 'it hears every line' '1000 lines, status 0' "$(cat late)"

# ---- too many ----
say 'import time
all = [knock() for i in range(30)]
began = time.monotonic()
took = []
for s in sorted(all, key=lambda s: all.index(s) < 8):
    assert heard(s)[1] == 5
    took.append(time.monotonic() - began)
    if len(took) == 22:
        open("full", "w").close()
print(sum(t < 5 for t in took), "at once,", sum(5 <= t < 25 for t in took),
      "in time")' >many &
many=$!
for _ in $(seq 400); do
	[ ! -e lake/state/full ] || break
	sleep 0.05
done
expect_status 'no command is heard while too many knock' 5 backfill
expect_same 'it is told so' "landfall: error: refused: the daemon has as many \
orders as it takes at one time; give it again when one is done" "$(cat lib.out)"
polls 'too many'
wait "$many"
expect_same 'eight may think of what they want, and the rest is sent away' \
	'22 at once, 8 in time' "$(cat many)"
rm lake/state/full
expect 'and then it is as before' backfill
for _ in $(seq 200); do # those of a poll come and go
	kept=$(sockets)
	[ "$kept" -gt 1 ] || break
	sleep 0.05
done
expect_same 'nobody is kept that is gone' 1 "$kept"

# ---- what is in the way of a socket ----
kill -TERM "$daemon"
expect 'it ends well' wait "$daemon"
mkdir lake/state/orders
: >log
start_daemon
expect_same 'a daemon that cannot listen says so' 1 \
	"$(grep -c 'event=no-orders' log)"
polls 'without a socket'
expect_status 'the command says who is at work, and what to do' 5 backfill
expect_same 'as before there were sockets' 1 "$(grep -c 'another landfall '\
'(process [0-9]*) is at work on .*: wait for it or stop it' lib.out)"
stop_daemon 'without a socket'

# ---- a daemon that ends before it takes an order ----
python3 - <<'END' &
import fcntl, os, socket
os.chdir("lake/state")
lock = open("lock", "r+")
fcntl.flock(lock, fcntl.LOCK_EX)
os.rmdir("orders")
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
s.bind("orders")
s.listen()
s.accept()[0].recv(1 << 17)
END
fake=$!
for _ in $(seq 200); do
	[ ! -S lake/state/orders ] || break
	sleep 0.05
done
expect_status 'a daemon that ends before it takes an order' 5 backfill
expect_same 'has done nothing, and the command says so' 'landfall: error: the '\
'daemon ended before it took the order: nothing was done; give the command '\
'again' "$(cat lib.out)"
wait "$fake"
