#!/bin/sh
# What must hold whatever comes: memory does not grow with the input, one bad
# quote in half a gigabyte costs one line, a terminal sees how far it is, a
# filesystem without RENAME_NOREPLACE is served too, devices are no deliveries.
. "$SRCDIR/tests/scenario/lib.sh"
"$LANDFALL" init lake --quiet
conf=lake/landfall.yaml
sed -i 's/format: csv/format: csv\n    ready: {stable: 0s}/' $conf

# within MIB COMMAND...: the largest resident set stays within so much.
within()
{
	python3 - "$@" <<'END'
import resource, subprocess, sys
status = subprocess.run(sys.argv[2:], stdout=subprocess.DEVNULL).returncode
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
print('%d MiB, status %d' % (peak, status))
sys.exit(status != 0 or peak > int(sys.argv[1]))
END
}

python3 - <<'END'
row = b'12345,some words,67.8\r\n'
block = row * 45000
with open('big.csv', 'wb') as f:
    f.write(b'id,w,n\r\n')
    for i in range(512):
        f.write(block)
        if i == 255:
            f.write(b'1,"never closed,2\r\n')
with open('bad.csv', 'wb') as f:
    f.write(b'a,b\n' + b'1,2\n1,2,3\n' * 4000000)
END
expect 'half a gigabyte in 96 MiB' \
	within 96 "$LANDFALL" land -c $conf --quiet --source inbox big.csv
rm big.csv
expect_same 'its one bad quote cost one line' '23040000 1' \
	"$("$LANDFALL" why -c $conf --json big.csv | sed -n \
		's/.*"records":\([0-9]*\),"malformed":\([0-9]*\).*/\1 \2/p')"
expect 'four million separate exceptions in 96 MiB' \
	within 96 "$LANDFALL" land -c $conf --quiet --source inbox bad.csv
expect 'verifying them too' within 96 "$LANDFALL" verify --deep -c $conf --quiet

# A terminal: the line is drawn again and again, and is gone at the end.
cat >terminal.py <<'END'
import os, pty, sys
seen = b''
def read(fd):
    global seen
    data = os.read(fd, 1024)
    seen += data
    return data
status = pty.spawn(sys.argv[1:], read)
drawn = seen.count(b'\r\x1b[Klanding ')
gone = seen.rfind(b'\r\x1b[K') > seen.rfind(b'\r\x1b[Klanding ')
sys.exit(not (status == 0 and drawn > 0 and b' %)' in seen and gone))
END
head -c 900000000 /dev/zero >zero.csv
expect 'a terminal sees the progress' \
	python3 terminal.py "$LANDFALL" land -c $conf --source inbox zero.csv
rm zero.csv

mkdir many
python3 -c "
for i in range(30000): open('many/%d.csv' % i, 'w').close()"
sed "s#lake/inbox#many#; s#drop: {path: .*, rec#drop: {path: $PWD/many, rec#" \
	$conf >many.yaml
expect 'thirty thousand names in 96 MiB' \
	within 96 "$LANDFALL" run --once --quiet -c many.yaml

if command -v strace >/dev/null; then
	printf 'a\n1\n' >lake/inbox/old.csv
	expect 'renameat2 without flags: link and unlink' \
		strace -f -o /dev/null -e inject=renameat2:error=EINVAL \
		"$LANDFALL" run --once -c $conf --json
	expect_same 'lands' 1 "$(grep -c '"name":"old.csv".*"landed"' lib.out)"
	file=$("$LANDFALL" ls -c $conf --json |
		sed -n 's/.*"file":"\([^"]*old[^"]*\)".*/\1/p')
	expect_same 'and nothing is left in staging' '' \
		"$(find lake/zone/_staging -type f ! -name intent)"
	expect_same 'under one name' 1 "$(stat -c %h "lake/zone/$file")"
else
	printf 'ok - renameat2 # SKIP strace is not installed\n'
fi

if [ "$(id -u)" -eq 0 ] && mknod lake/inbox/null.csv c 1 3 2>/dev/null; then
	"$LANDFALL" plan -c $conf --json >plan.out
	expect_same 'a device is ignored, and says so' 1 \
		"$(grep null.csv plan.out | grep -c 'not a regular file')"
fi
