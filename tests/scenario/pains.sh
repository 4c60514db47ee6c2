#!/bin/sh
# What users of comparable systems suffer from, one test each: what went wrong
# there, and not here. tests/DESIGN.md lists which test answers which pain.
. "$SRCDIR/tests/scenario/lib.sh"
command -v python3 >/dev/null || skip 'python3 is not here'
conf=lake/landfall.yaml

# fresh TEXT: a new lake whose source inbox says TEXT (YAML; \n, four blanks).
fresh()
{
	chmod -R u+w lake 2>/dev/null || :
	rm -rf lake
	"$LANDFALL" init lake --quiet
	sed -i "s/format: csv/format: csv\\n    $1/" $conf
}

# run_pass: one pass into `out`; its exit status is in $status.
run_pass()
{
	status=0
	"$LANDFALL" run --once -c $conf --json >out 2>err || status=$?
}

# read_now: the names that pass has read, with what became of them.
read_now()
{
	sed -n 's/.*"name":"\([^"]*\)","disposition":"\([^"]*\)".*/\1 \2/p' \
		out | LC_ALL=C sort | tr '\n' ' ' | sed 's/ $//'
}

# expect_read NAME WANTED: a pass reads these, and nothing else.
expect_read()
{
	run_pass
	expect_same "$1" "$2" "$(read_now)"
}

# expect_accounted NAME: one more pass has nothing to read; the sums of both
# are closed; each file in the drop is in the ledger with its bytes once, none
# is there twice, and the zone has no bytes twice.
expect_accounted()
{
	cat out >passes
	run_pass
	cat out >>passes
	[ $status -eq 0 ] || cat err
	python3 - "$status" "$(read_now)" >wrong <<'END'
import collections, glob, json, os, sys
sys.path.insert(0, os.environ['SRCDIR'] + '/tests/fault')
sys.dont_write_bytecode = True
import world
if sys.argv[1] != '0' or sys.argv[2]:
    print('status', sys.argv[1], 'and read again:', sys.argv[2][:300])
for line in map(json.loads, open('passes')):
    if 'pass' in line and sum(line['counts'].values()) != line['listed']:
        print('not closed:', line)
times = collections.Counter(map(world.key_of, world.read_ledger('lake/zone')))
for key, n in times.items():
    if n > 1:
        print(n, 'times:', key)
for key in world.World('lake').sources():
    if times[key] == 0 and not os.path.basename(key[1]).startswith(b'.'):
        print('lost:', key)
known = [line for sums in glob.glob('lake/zone/inbox/*/SHA256SUMS')
         for line in open(sums)]
zone = glob.glob('lake/zone/inbox/dt=*/*.zst')
if len(zone) != len(known):
    print(len(zone), 'landing files,', len(known), 'sums')
END
	expect_same "$1" '' "$(head -n 5 wrong)"
}

one_look='ready: {stable: 0s}'

# ---- discovery ----

fresh "$one_look"
printf 'a\nnew\n' >lake/inbox/new.csv
run_pass
printf 'a\nold\n' >lake/inbox/old.csv
touch -d 2001-01-01 lake/inbox/old.csv
expect_read 'a time older than the newest seen hides no file' 'old.csv landed'
printf 'a\n0\n' >lake/inbox/epoch.csv
touch -d @0 lake/inbox/epoch.csv
printf 'a\n-1\n' >lake/inbox/before.csv
touch -d @-1 lake/inbox/before.csv
printf 'a\n2040\n' >lake/inbox/future.csv
touch -d 2040-01-01 lake/inbox/future.csv
expect_read 'no window of times: 1969, 1970 and 2040 land' \
	'before.csv landed epoch.csv landed future.csv landed'
printf 'a\nkept\n' >kept.csv
touch -d 2015-05-05 kept.csv
cp -p kept.csv lake/inbox/kept.csv
expect_read 'an upload that keeps its time lands' 'kept.csv landed'

fresh "$one_look"
python3 - <<'END' &
import os, random, time
random.seed(1)
for n in range(400):
    folder = 'lake/inbox/f%d' % random.randrange(8)
    os.makedirs(folder, exist_ok=True)
    with open('%s/.%d.tmp' % (folder, n), 'w') as f:
        f.write('a\n%d\n' % n)
    os.utime(f.name, (n * 7919 % 100000, n * 7919 % 100000))
    os.rename(f.name, '%s/%d.csv' % (folder, n))
    time.sleep(0.001)
END
writer=$!
while kill -0 $writer 2>/dev/null; do
	run_pass
done
wait $writer
run_pass
expect_accounted 'folders written at once, in any order, lose nothing'
expect_same 'all of them' 400 "$("$LANDFALL" ls -c $conf --json | wc -l)"

fresh "$one_look"
mkdir lake/inbox/d
for i in $(seq 200); do
	echo "a$i" >"lake/inbox/d/$i.csv"
done
python3 - <<'END' &
import os, random, time
random.seed(2)
now = {i: 'd/%d.csv' % i for i in range(1, 201)}
for n in range(2000):
    i = random.randrange(1, 201)
    new = '%s/%d-%d.csv' % (random.choice('de'), i, n)
    os.makedirs('lake/inbox/e', exist_ok=True)
    os.rename('lake/inbox/' + now[i], 'lake/inbox/' + new)
    now[i] = new
END
writer=$!
while kill -0 $writer 2>/dev/null; do
	run_pass
done
wait $writer
run_pass
expect_accounted 'files renamed while they are listed are not lost'
expect_same 'nor landed twice' 200 \
	"$(find lake/zone/inbox -name '*.zst' | wc -l)"

fresh "$one_look"
for i in $(seq 2000); do
	echo "a$i" >"lake/inbox/$i.csv"
done
sh -c 'for i in $(seq 2000 -1 1); do rm "lake/inbox/$i.csv"; done' &
run_pass
wait
expect_same 'files removed between listing and reading are no failure' 0 $status
expect_accounted 'and close the sums'

fresh "$one_look"
mv lake/inbox away
run_pass
expect_same 'a folder that is not there is not "no new files"' '3 1' \
	"$status $(grep -c '"outcome":"could-not-look"' out)"
mv away lake/inbox
if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null; then
	mkdir lake/inbox/closed
	printf 'a\n1\n' >lake/inbox/closed/1.csv
	printf 'a\n2\n' >lake/inbox/shut.csv
	printf 'a\n3\n' >lake/inbox/open.csv
	chmod 0 lake/inbox/closed lake/inbox/shut.csv
	chown -R 65534:65534 lake
	chmod 755 .
	as_nobody()
	{
		status=0
		setpriv --reuid 65534 --regid 65534 --clear-groups \
			"$LANDFALL" run --once -c $conf --json >out 2>err ||
			status=$?
	}
	as_nobody
	expect_same 'a folder that cannot be listed costs itself alone' \
		'3 open.csv landed shut.csv pending' "$status $(read_now)"
	chmod 755 lake/inbox/closed
	chmod 644 lake/inbox/shut.csv
	as_nobody
	expect_same 'what could not be read is read when it can' \
		'0 closed/1.csv landed shut.csv landed' "$status $(read_now)"
fi

fresh "match: [\"*.csv\"]\\n    $one_look"
for name in a.txt b.csv c.txt d.csv e.txt; do
	echo "$name" >"lake/inbox/$name"
done
expect_read 'a name that does not match does not end the search' \
	'b.csv landed d.csv landed'
sed -i '/match:/d' $conf
expect_read 'and is not used up by it' \
	'a.txt landed c.txt landed e.txt landed'

# ---- identity ----

fresh "$one_look"
many=20000
[ -z "$SOAK" ] || many=120000
python3 - $many <<'END'
import sys
for i in range(int(sys.argv[1])):
    with open('lake/inbox/%06d.csv' % i, 'w') as f:
        f.write('a\n%d\n' % i)
END
run_pass
expect_same "$many names in one folder: each is seen" "$many" \
	"$(read_now | tr ' ' '\n' | grep -c landed)"
expect_read 'a restart after so many reads none again' ''
touch lake/inbox/0000[0-4]?.csv
run_pass
expect_same 'no name is old enough to be forgotten' '50 50' \
	"$(read_now | tr ' ' '\n' | grep -c csv) $(read_now |
		tr ' ' '\n' | grep -c duplicate)"
rm lake/inbox/*9.csv
printf 'a\nlast\n' >lake/inbox/000000.csv
expect_read 'names that were archived away bring no other one back' \
	'000000.csv new-version'
"$LANDFALL" catalog rebuild -c $conf >rebuilt.out 2>&1
run_pass
expect_same 'a rebuilt catalog lands nothing again' 0 \
	"$(read_now | tr ' ' '\n' | grep -c -e landed -e new-version)"

fresh "$one_look"
printf 'a\n1\n' >lake/inbox/x.csv
run_pass
printf 'a\n2\n' >lake/inbox/x.csv
expect_read 'a corrected file under its old name is seen' 'x.csv new-version'
touch -r lake/inbox/x.csv stamp
printf 'a\n3\n' >lake/inbox/x.csv
touch -r stamp lake/inbox/x.csv
expect_read 'with the same size and the same time, too' 'x.csv new-version'
printf 'a\n4\n' >y.csv
touch -r stamp y.csv
mv y.csv lake/inbox/x.csv
expect_read 'and when it is moved there with them' 'x.csv new-version'
cp lake/inbox/x.csv again.csv
mv again.csv lake/inbox/x.csv
expect_read 'an upload of the same is told as such' 'x.csv duplicate'
expect_read 'once' ''
expect_same 'and stands in the story' 1 \
	"$("$LANDFALL" why -c $conf x.csv | grep -c 'same bytes again')"

# An inode that is used again: same size, same time, another file.
printf 'a\n1\n' >lake/inbox/z.csv
touch -d 2001-01-01 lake/inbox/z.csv
run_pass
python3 - <<'END' >reused
import os
path = 'lake/inbox/z.csv'
inode = os.stat(path).st_ino
os.unlink(path)
for n in range(2000):
    with open('lake/inbox/.%d' % n, 'w') as f:
        f.write('a\nZ\n')
    if os.stat(f.name).st_ino == inode:
        break
os.utime(f.name, (978307200, 978307200))
os.rename(f.name, path)
print('yes' if os.stat(path).st_ino == inode else 'no')
END
expect_read "an inode used again ($(cat reused)) is no file seen before" \
	'z.csv new-version'

fresh "$one_look"
: >lake/inbox/0.csv
: >lake/inbox/1.csv
: >lake/inbox/2.csv
run_pass
expect_same 'empty files are alike, and each has its disposition' \
	'1 landed 2 duplicate' "$(read_now | tr ' ' '\n' | grep -v csv |
		sort -r | uniq -c | tr -s '\n ' ' ' | sed 's/^ //; s/ $//')"
printf 'a\n1\n' >>lake/inbox/1.csv
expect_read 'an empty file that is filled is seen' '1.csv new-version'
expect_accounted 'and nothing is doubled'

fresh "$one_look"
printf 'a\nA\n' >lake/inbox/a.csv
printf 'a\nB\n' >lake/inbox/b.csv
run_pass
mv lake/inbox/a.csv t
mv lake/inbox/b.csv lake/inbox/a.csv
mv t lake/inbox/b.csv
expect_read 'two files that change names are not confused' \
	'a.csv duplicate b.csv duplicate'
expect_same 'each name has the bytes it has' 'a B a A' \
	"$({
		"$LANDFALL" cat -c $conf a.csv
		"$LANDFALL" cat -c $conf b.csv
	} | tr '\n' ' ' | sed 's/ $//')"

fresh "$one_look"
sed -i 's/^sources:/sources:\n  other:\n    drop: {path: other}\n    ready: {stable: 0s}/' \
	$conf
mkdir lake/other
printf 'a\n1\n' >lake/inbox/x.csv
cp lake/inbox/x.csv lake/other/x.csv
expect_read 'the same name and bytes at two sources are two deliveries' \
	'x.csv landed x.csv landed'
rm lake/other/x.csv
expect_read 'and what one source loses is not lost to the other' ''

# ---- is it complete? ----

fresh 'ready: {stable: 1s}'
"$LANDFALL" run -c $conf 2>log &
daemon=$!
python3 - <<'END'
import time
def rows(path, n):
    with open(path, 'w', buffering=1) as f:
        for i in range(n):
            f.write('%d\n' % i)
            time.sleep(0.1)
rows('lake/inbox/growing.csv', 25)
# The same program goes on with the next file, at once.
rows('lake/inbox/second.csv', 3)
END
for _ in $(seq 200); do
	[ "$(grep -c event=landed log)" -lt 2 ] || break
	sleep 0.1
done
expect_same 'a file that is still growing does not land, nor in parts' \
	'growing.csv=25 second.csv=3' "$(for f in growing.csv second.csv; do
		echo "$f=$("$LANDFALL" cat -c $conf $f | wc -l)"
	done | tr '\n' ' ' | sed 's/ $//')"
expect_same 'one landing for each' 2 "$("$LANDFALL" ls -c $conf --json | wc -l)"
kill -TERM $daemon
wait $daemon

# A partner who changes their mind: the pass has the file open, and reads.
fresh "$one_look"
truncate -s 1G lake/inbox/big.csv
"$LANDFALL" run --once -c $conf --json >out 2>err &
pass=$!
python3 - $pass <<'END' >seen
import os, sys, time
fds = '/proc/%s/fd' % sys.argv[1]
end = time.time() + 20
while time.time() < end:
    try:
        found = [os.readlink(fds + '/' + f) for f in os.listdir(fds)]
    except OSError:
        continue
    if any(f.endswith('/inbox/big.csv') for f in found):
        os.unlink('lake/inbox/big.csv')
        print('read')
        break
END
status=0
wait $pass || status=$?
expect_same 'a file removed while it is read is not landed' \
	'read 0 big.csv ignored' "$(cat seen) $status $(read_now)"
expect_same 'and why is told' 1 \
	"$(grep -c '"reason":"removed while it was read"' out)"
expect_same 'nor is a part of it visible' '' \
	"$(find lake/zone -name 'big*')"

fresh "$one_look"
python3 -c 'print("a,b"); print("1,2\n" * 8000000, end="")' \
	>lake/inbox/large.csv
run_pass
touch lake/inbox/large.csv
run_pass
expect_accounted 'a large file makes one copy'
expect_same 'and no more' 1 "$(find lake/zone/inbox -name '*.zst' | wc -l)"

# ---- tails ----

fresh "$one_look"
printf 'a\n1\n2' >lake/inbox/log.csv
run_pass
printf '0\n3\n' >>lake/inbox/log.csv
expect_read 'half a line at the end is completed by the next version' \
	'log.csv new-version'
expect_same 'and is whole' 'a 1 20 3' \
	"$("$LANDFALL" cat -c $conf log.csv | tr '\n' ' ' | sed 's/ $//')"
mv lake/inbox/log.csv lake/inbox/log.csv.1
printf 'a\n4\n' >lake/inbox/log.csv
expect_read 'a rotated file is known by its bytes, the new one is read' \
	'log.csv new-version log.csv.1 duplicate'
gzip -n lake/inbox/log.csv.1
expect_read 'compressed, it is another file' 'log.csv.1.gz landed'
: >lake/inbox/log.csv
run_pass
printf 'a\n5\n' >lake/inbox/log.csv
expect_read 'truncated, then written to the same size' 'log.csv new-version'
# Two archives that begin alike.
head -c 20000 /dev/zero | gzip -n >lake/inbox/p.gz
{ head -c 20000 /dev/zero; echo x; } | gzip -n >lake/inbox/q.gz
expect_read 'what begins alike is not the same' 'p.gz landed q.gz landed'
expect_accounted 'nothing is lost or doubled'

# ---- what becomes of a file at its source ----

fresh "$one_look\\n    after: {move: done}"
printf 'a\n1\n' >lake/inbox/x.csv
run_pass
printf 'a\n2\n' >lake/inbox/x.csv
expect_read 'a name that was moved away may come again' 'x.csv new-version'
cp lake/inbox/done/x.csv lake/inbox/x.csv
expect_read 'with bytes of before, too' 'x.csv duplicate'
expect_same 'and an archive with its name keeps it from nothing' '3 0' \
	"$(find lake/inbox/done -type f | wc -l) $(find lake/inbox \
		-maxdepth 1 -name '*.csv' | wc -l)"

fresh "$one_look\\n    match: [\"*.csv\"]\\n    after: {move: done}"
echo 'in the way' >lake/inbox/done
printf 'a\n1\n' >lake/inbox/x.csv
run_pass
expect_same 'an archive that cannot be used is told' 2 $status
run_pass
expect_same 'at each pass, and nothing is landed again for it' '2 ' \
	"$status $(read_now)"
rm lake/inbox/done
run_pass
expect_same 'when it can, the file goes' '0 1' \
	"$status $(find lake/inbox/done -name x.csv | wc -l)"

# ---- what is told ----

fresh "$one_look"
printf 'a\n1\n' >lake/inbox/x.csv
touch -d '2020-02-02 02:02:02.123456789Z' lake/inbox/x.csv
run_pass
expect_same 'the time it had is kept, to the nanosecond' 1 \
	"$(strings -n 20 lake/zone/inbox/dt=*/x.*.zst |
		grep -c '"mtime":"2020-02-02T02:02:02.123456789Z"')"
expect 'verify' "$LANDFALL" verify --deep -c $conf
