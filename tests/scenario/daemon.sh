#!/bin/sh
# landfall run: what arrives lands at once, whatever way it arrives; signals
# do what they say.
. "$SRCDIR/tests/scenario/lib.sh"
command -v python3 >/dev/null || skip 'python3 is not here'
. "$SRCDIR/tests/scenario/running.sh"
new_lake 'ready: {stable: 0s}'
mkdir outside
printf 'a\nbefore\n' >lake/inbox/before.csv
start_daemon

expect_same 'what was there before lands' 1 "$(landed 1)"
printf 'a\nwritten\n' >lake/inbox/written.csv
expect_same 'a written file' 2 "$(landed 2)"
printf 'a\nmoved\n' >outside/moved.csv
mv outside/moved.csv lake/inbox/
expect_same 'a file moved in' 3 "$(landed 3)"
printf 'a\nlinked\n' >outside/linked.csv
ln outside/linked.csv lake/inbox/linked.csv
expect_same 'a hard link' 4 "$(landed 4)"
mkdir -p lake/inbox/a/b/c
printf 'a\ndeep\n' >lake/inbox/a/b/c/deep.csv
expect_same 'a file in new folders' 5 "$(landed 5)"
mkdir outside/d
printf 'a\nfolder\n' >outside/d/in.csv
mv outside/d lake/inbox/d
expect_same 'a folder moved in' 6 "$(landed 6)"
printf 'a\nlater\n' >lake/inbox/d/later.csv
expect_same 'and watched' 7 "$(landed 7)"
mv lake/inbox/d lake/inbox/e
printf 'a\nrenamed\n' >outside/renamed.csv
mv outside/renamed.csv lake/inbox/e/
expect_same 'a folder under a new name' 8 "$(landed 8)"
printf 'a\ntmp\n' >lake/inbox/up.csv.tmp
mv lake/inbox/up.csv.tmp lake/inbox/up.csv
expect_same 'the rename convention' 9 "$(landed 9)"
printf 'appended\n' >>lake/inbox/up.csv
expect_same 'a new version' 10 "$(landed 10)"

python3 - <<'END'
import time
with open('lake/inbox/slow.csv', 'w') as f:
    time.sleep(0.3)
    f.write('a\n')
    f.flush()
    time.sleep(0.3)
    f.write('slow\n')
END
expect_same 'a file that is being written' 11 "$(landed 11)"
sleep 0.3
expect_same 'lands once, when it is closed' 1 \
	"$(find lake/zone/inbox -name 'slow.*' | wc -l)"

latency=$(python3 - <<'END'
import glob, time
times = []
for i in range(20):
    with open('lake/inbox/t%d.csv' % i, 'w') as f:
        f.write('a\n%d\n' % i)
    start = time.time()
    while len(glob.glob('lake/zone/inbox/dt=*/t%d.*.zst' % i)) == 0:
        if time.time() - start > 10:
            break
        time.sleep(0.002)
    times.append(time.time() - start)
times.sort()
print(int(times[10] * 1000))
END
)
if [ "$latency" -lt 200 ]; then
	ok "half of small files land within 200 ms"
else
	fail "half of small files land within 200 ms" "median $latency ms"
fi

expect_status 'a second one is refused' 5 "$LANDFALL" run --once -c $conf
expect 'looking is not' "$LANDFALL" status -c $conf

cp $conf good.yaml
echo 'soruces: {}' >>$conf
kill -HUP $daemon
expect_same 'a bad configuration changes nothing and says why' 1 \
	"$(logged event=reload-refused 1)"
expect_same 'with its line' 1 "$(grep -c 'did you mean.*sources' log)"
expect_same 'in a line without an end of its own in it' 0 \
	"$(grep 'event=reload-refused' log | grep -c '\\n"*$')"
printf 'a\nstill\n' >lake/inbox/still.csv
expect_same 'and the old one works on' 32 "$(landed 32)"
cp good.yaml $conf
sed -i 's/ready: {stable: 0s}/ready: {stable: 0s}\n    match: "*.txt"/' $conf
kill -HUP $daemon
expect_same 'a good one is taken' 1 "$(logged event=reloaded 1)"
printf 'a\ntext\n' >lake/inbox/n.txt
expect_same 'and obeyed' 33 "$(landed 33)"

# A schedule whose window is closed: hints wait for it.
closed=$(date -u -d '+2 hours' +%H:00)-$(date -u -d '+3 hours' +%H:00)
sed -i "s/match: \"\*.txt\"/match: \"*.txt\"\n    schedule: {every: 1s, window: \"$closed\"}/" $conf
kill -HUP $daemon
expect_same 'a schedule is taken' 2 "$(logged event=reloaded 2)"
printf 'a\nwaits\n' >lake/inbox/w.txt
sleep 1.5
expect_same 'nothing lands outside of its window' 33 "$(landed 33)"
sed -i '/schedule:/d' $conf
sed -i 's/match: "\*.txt"/match: "*.txt"\n    schedule: {every: 1s}/' $conf
kill -HUP $daemon
expect_same 'and in time it does' 34 "$(landed 34)"

stop_daemon 'told to stop'
