#!/bin/sh
# Hostile and unlucky input: a clear answer for each, and nothing is lost.
. "$SRCDIR/tests/scenario/lib.sh"
"$LANDFALL" init lake --quiet
conf=lake/landfall.yaml
sed -i 's/format: csv/format: csv\n    ready: {stable: 0s}/' $conf
python3 - <<'END'
import os
d = b'lake/inbox/'
def put(name, data):
    with open(d + name, 'wb') as f:
        f.write(data)
row = b'12345,some words,67.8\r\n'
put(b'unterminated.csv', b'id,w,n\r\n' + row * 20000 +
    b'1,"never closed,2\r\n' + row * 800000)
put(b'junk.csv', b'a,b\n1,"x"y\n2,z\n')
put(b'nul.csv', b'a,b\n1,\0\n')
put(b'latin.csv', b'a,b\n1,\xe9\n')
put(b'lone-cr.csv', b'a,b\r1,2\r3,4\r')
put(b'mixed.csv', b'a,b\r\n1,2\n3,4\r5,6')
put(b'huge-record.csv', b'a,b\n1,"' + b'x' * (3 << 20) + b'"\n2,3\n')
put(b'over-limit.csv', b'a,b\n1,' + b'y' * (17 << 20) + b'\n2,3\n')
put(b'empty.csv', b'')
put(b'one.csv', b'x')
put(b'header.csv', b'a,b\n')
put(b'new\nline.csv', b'a\n1\n')
put(b'quo"te.csv', b'a\n2\n')
put(b"apo'strophe.csv", b'a\n3\n')
put(b'-dash.csv', b'a\n4\n')
put(b'_under.csv', b'a\n5\n')
put(b'\xff\xfe.csv', b'a\n6\n')
put(b'l' * 251 + b'.csv', b'a\n7\n')
put(b'm' * 251 + b'.csv', b'a\n8\n')
put(b'sp ace\t.csv', b'a\n9\n')
put(b'half.csv.tmp', b'not yet')
os.symlink('/etc/passwd', d + b'link.csv')
os.symlink('.', d + b'loop')
os.mkfifo(d + b'fifo.csv')
END
expect 'the pass ends well' "$LANDFALL" run --once -c $conf --json
cp lib.out pass.out
expect 'verify --deep' "$LANDFALL" verify --deep -c $conf
expect 'the second reader' python3 "$SRCDIR/contrib/readers/verify.py" lake/zone

# field NAME KEY: of a landed name.
field()
{
	grep "\"name\":\"$1\"" pass.out |
		sed -n "s/.*\"$2\":\"\{0,1\}\([^,\"}]*\).*/\1/p"
}
expect_same 'an unterminated quote costs one line' '820000 1' \
	"$(field unterminated.csv records) $(field unterminated.csv malformed)"
expect_same 'junk after a quote' '1 1' \
	"$(field junk.csv records) $(field junk.csv malformed)"
expect_same 'NUL bytes are content' '1 0' \
	"$(field nul.csv records) $(field nul.csv malformed)"
expect_same 'so is invalid UTF-8' '1 0' \
	"$(field latin.csv records) $(field latin.csv malformed)"
expect_same 'lone CR' 2 "$(field lone-cr.csv records)"
expect_same 'mixed terminators' 3 "$(field mixed.csv records)"
expect_same 'a record larger than a frame' '2 0' \
	"$(field huge-record.csv records) $(field huge-record.csv malformed)"
expect_same 'a record over max_record' '1 1' \
	"$(field over-limit.csv records) $(field over-limit.csv malformed)"
expect_same 'zero bytes' landed "$(field empty.csv disposition)"
expect_same 'one byte' landed "$(field one.csv disposition)"
expect_same 'header only' '0 0' \
	"$(field header.csv records) $(field header.csv malformed)"
expect_same 'a name with a newline' landed "$(field new%0Aline.csv disposition)"
expect_same 'a name that is not UTF-8' landed "$(field %FF%FE.csv disposition)"
expect_same 'a long name' landed \
	"$(field "$(printf 'l%.0s' $(seq 251)).csv" disposition)"
expect_same 'every zone file is seen by a glob' 20 \
	"$(find lake/zone/inbox -path '*/dt=*/*.zst' ! -name '[_.]*' | wc -l)"

plan=$("$LANDFALL" plan -c $conf --json)
expect_same 'links, fifos and unfinished names are ignored, with the rule' 4 \
	"$(printf '%s\n' "$plan" | grep -c '"would":"ignored"')"
expect_same 'the rule is named' 1 \
	"$(printf '%s\n' "$plan" | grep -c 'ignore \*\.tmp')"

# Bytes back, by exact name.
python3 - "$LANDFALL" $conf <<'END'
import os, subprocess, sys
bad = 0
for name in os.listdir(b'lake/inbox'):
    path = b'lake/inbox/' + name
    if os.path.islink(path) or not os.path.isfile(path) or name.endswith(b'.tmp'):
        continue
    got = subprocess.run([sys.argv[1], 'cat', '-c', sys.argv[2], '--', name],
                         stdout=subprocess.PIPE).stdout
    if got != open(path, 'rb').read():
        print('# differs:', name)
        bad = 1
print('not ok' if bad else 'ok', '- every name gives its bytes back')
sys.exit(bad)
END

# A directory nobody may read: could not look, never "nothing new".
if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null; then
	mkdir -p lake/inbox/closed
	chmod 0 lake/inbox/closed
	chown -R 65534:65534 lake
	chmod 755 .
	expect_status 'a closed directory is "could not look"' 3 \
		setpriv --reuid 65534 --regid 65534 --clear-groups \
		"$LANDFALL" run --once -c $conf --json
	expect_same 'and says so' 1 \
		"$(grep -c '"outcome":"could-not-look"' lib.out)"
	chmod 755 lake/inbox/closed
fi

# Changed while it is read: a writer that never rests.
"$LANDFALL" init moving --quiet
sed -i 's/format: csv/format: csv\n    ready: {stable: 0s}/' moving/landfall.yaml
head -c 60000000 /dev/zero >moving/inbox/grows.csv
sh -c 'while [ ! -e stop ]; do printf x >>moving/inbox/grows.csv; done' &
writer=$!
"$LANDFALL" run --once -c moving/landfall.yaml --json >grow.out || :
touch stop
wait $writer
expect_same 'a file that grows meanwhile is pending' 1 \
	"$(grep -c '"disposition":"pending"' grow.out)"
expect_same 'and not in the zone' 0 \
	"$(find moving/zone -name '*.zst' | wc -l)"
expect 'when it rests it lands' "$LANDFALL" run --once -c moving/landfall.yaml
expect_same 'whole' "$(sha256sum <moving/inbox/grows.csv)" \
	"$("$LANDFALL" cat -c moving/landfall.yaml grows.csv | sha256sum)"

rm lake/inbox/one.csv
expect_status 'a file that is not there' 1 \
	"$LANDFALL" land -c $conf --source inbox lake/inbox/one.csv
expect_status 'a source that is not there' 1 \
	"$LANDFALL" land -c $conf --source inbux lake/inbox/junk.csv
expect_same 'did you mean' 1 "$(grep -c "did you mean 'inbox'" lib.out)"
