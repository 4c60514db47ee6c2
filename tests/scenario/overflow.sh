#!/bin/sh
# More happens while the daemon stands still than the kernel keeps events for:
# what was not told is found all the same, and the watches are right again.
. "$SRCDIR/tests/scenario/lib.sh"
command -v python3 >/dev/null || skip 'python3 is not here'
. "$SRCDIR/tests/scenario/running.sh"

most=$(cat /proc/sys/fs/inotify/max_queued_events)
[ "$most" -le 200000 ] || skip "the kernel keeps $most events"
new_lake 'ready: {stable: 0s}'
mkdir -p lake/inbox/old/deep lake/inbox/gone
printf 'a\nfirst\n' >lake/inbox/first.csv
start_daemon
expect_same 'it watches' 1 "$(landed 1)"

kill -STOP $daemon
# A second watcher, who does not read either, is told that events were lost.
python3 - "$most" >told <<'END'
import ctypes, os, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
fd = libc.inotify_init1(os.O_NONBLOCK)
IN_MOVE, IN_Q_OVERFLOW = 0xc0, 0x4000
if fd < 0 or libc.inotify_add_watch(fd, b'lake/inbox', IN_MOVE) < 0:
    sys.exit(os.strerror(ctypes.get_errno()))
a, b = 'lake/inbox/.noise', 'lake/inbox/.other'
open(a, 'w').close()
for _ in range(int(sys.argv[1]) // 2 + 1000):
    os.rename(a, b)
    a, b = b, a
os.unlink(a)
lost = False
while True:
    try:
        got = os.read(fd, 1 << 16)
    except BlockingIOError:
        break
    at = 0
    while at < len(got):
        _, mask, _, n = struct.unpack_from('iIII', got, at)
        lost |= bool(mask & IN_Q_OVERFLOW)
        at += 16 + n
print('lost' if lost else 'all were kept')
END
expect_same 'events are lost' lost "$(cat told)"
# None of this is told.
printf 'a\nunheard\n' >lake/inbox/unheard.csv
printf 'appended\n' >>lake/inbox/first.csv
mkdir -p lake/inbox/new/er
printf 'a\nin a new folder\n' >lake/inbox/new/er/x.csv
mv lake/inbox/old lake/inbox/moved
printf 'a\nin a moved folder\n' >lake/inbox/moved/deep/y.csv
rmdir lake/inbox/gone
mkdir lake/inbox/gone
printf 'a\nin a folder that was replaced\n' >lake/inbox/gone/z.csv
kill -CONT $daemon

expect_same 'what was not told lands' 6 "$(landed 6)"
# And these folders are watched under the names they have now; the next look
# at everything is minutes away.
printf 'a\n1\n' >lake/inbox/new/er/1.csv
printf 'a\n2\n' >lake/inbox/moved/deep/2.csv
printf 'a\n3\n' >lake/inbox/gone/3.csv
printf 'a\n4\n' >lake/inbox/4.csv
expect_same 'what comes then lands at once' 10 "$(landed 10)"
expect_same 'under the names that hold now' \
	'4.csv first.csv first.csv gone/3.csv gone/z.csv moved/deep/2.csv moved/deep/y.csv new/er/1.csv new/er/x.csv unheard.csv ' \
	"$("$LANDFALL" ls -c $conf --json |
		sed -n 's/.*"name":"\([^"]*\)".*/\1/p' | LC_ALL=C sort |
		tr '\n' ' ')"
stop_daemon 'after lost events'
