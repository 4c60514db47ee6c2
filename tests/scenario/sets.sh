#!/bin/sh
# Sets: what a manifest names lands together or not at all.
. "$SRCDIR/tests/scenario/lib.sh"
. "$SRCDIR/tests/scenario/running.sh"
in=lake/inbox
new_lake 'ready: {all: [{manifest: "*.mf"}, {stable: 0s}]}'

pass()
{
	found=0
	"$LANDFALL" run --once --json -c $conf >out 2>err || found=$?
}

# is NAME DISPOSITION: what the last pass said of it.
is()
{
	expect_same "$1 is $2" 1 \
		"$(grep -c "\"name\":\"$1\",\"disposition\":\"$2\"" out)"
}

# stands NAME DISPOSITION: as the last line of its story has it.
stands()
{
	expect_same "$1 is $2" 1 "$("$LANDFALL" why --json -c $conf "$1" |
		tail -n 1 | grep -c "\"state\":\"$2\"")"
}

# count NAME N: so many files have landed so far.
count()
{
	expect_same "$1" "$2" "$(find lake/zone/inbox -name '*.zst' \
		2>/dev/null | wc -l)"
}

# says NAME TEXT: the last line of its story has that.
says()
{
	"$LANDFALL" why -c $conf "$1" | tail -n 1 >story
	expect_same "$1: $2" 1 "$(grep -cF -- "$2" story)" || cat story
}

# file NAME [TEXT]
file()
{
	mkdir -p "$(dirname "$in/$1")"
	printf 'a\n%s\n' "${2:-$1}" >"$in/$1"
}

# together NAME...: their entries are in one checkpoint, side by side.
together()
{
	python3 - "$@" <<'END'
import json, subprocess, sys
names = sys.argv[1:]
entries = []
for line in subprocess.run(
        [__import__('os').environ['LANDFALL'], 'ls', '--json', '-c',
         'lake/landfall.yaml'], capture_output=True, text=True).stdout.splitlines():
    e = json.loads(line)
    if e['name'] in names:
        entries.append((e['index'], e['landed_at']))
print(len(entries), max(e[0] for e in entries) - min(e[0] for e in entries) + 1,
      len(set(e[1] for e in entries)))
END
}

# A plain list of names, in no order of arrival.
file a.csv
file b.csv
file stranger.csv
printf 'a.csv\r\n\r\n# not yet\r\n./b.csv\r\nsub/c.csv' >$in/one.mf
pass
count 'nothing of a set lands before all of it is there' 0
stands a.csv pending
says a.csv 'manifest one.mf waits: 2 of 3 names are there; missing: sub/c.csv'
says one.mf 'manifest waits: 2 of 3 names are there; missing: sub/c.csv'
says stranger.csv 'not complete yet: no manifest (*.mf) names it'
"$LANDFALL" plan -c $conf >planned
expect_same 'plan says what the set waits for' 3 \
	"$(grep -c '^pending .*missing: sub/c.csv' planned)"
file sub/c.csv
"$LANDFALL" plan -c $conf >planned
expect_same 'plan says that it would land' 3 \
	"$(grep -c '^landed .*ready: manifest one.mf of 3 names, sha256' planned)"
pass
is a.csv landed
is b.csv landed
is sub/c.csv landed
stands one.mf ignored
count 'the set alone has landed' 3
expect_same 'in one piece' '3 3 1' "$(together a.csv b.csv sub/c.csv)"
says one.mf 'manifest, and all of it has landed (3 names)'
sum=$(sha256sum <$in/one.mf | cut -c1-64)
expect_same 'the provenance names the manifest and its digest' 1 \
	"$(grep -ac "\"evidence\":\"manifest one.mf of 3 names, sha256 $sum; " \
		lake/zone/inbox/dt=*/a.*.zst)"
pass
expect_same 'nothing is left to do' 0 "$(grep -c '"disposition"' out)"

# What is spent says nothing of what comes later.
file a.csv again
pass
count 'a new version waits for a manifest' 3
says a.csv 'no manifest (*.mf) names it'
touch $in/one.mf
pass
is a.csv new-version
count 'the manifest came again: its set too' 4
pass

# Digests: wrong ones hold the set; either side can be corrected.
file d.csv
file e.csv
file f.csv
(cd $in && sha256sum d.csv >two.mf && echo wrong | sha256sum |
	sed 's/-$/e.csv/' >>two.mf && md5sum f.csv >>two.mf)
pass
expect_same 'the exit status tells' 2 $found
is e.csv quarantined
count 'one wrong digest and none lands' 4
says d.csv 'manifest two.mf lands as a whole or not at all, and e.csv is quarantined: checksum mismatch: two.mf says sha256'
says e.csv "the bytes have $(sha256sum <$in/e.csv | cut -c1-64)"
pass
says d.csv 'manifest two.mf waits: all 3 names are there; e.csv: it is quarantined: checksum mismatch'
expect_same 'what is known to be wrong is not read again' 0 \
	"$(grep -c '"e.csv"' out)"
(cd $in && sha256sum d.csv e.csv >two.mf && md5sum f.csv >>two.mf)
pass
is d.csv landed
is e.csv landed
is f.csv landed
count 'a corrected manifest brings it back' 7
file g.csv wrong
file h.csv
(cd $in && printf 'a\nright\n' | sha256sum | sed 's/-$/g.csv/' >three.mf &&
	sha256sum h.csv >>three.mf)
pass
is g.csv quarantined
file g.csv right
pass
is g.csv landed
is h.csv landed
count 'so does a corrected file' 9

# A manifest that names what landed: what it has a digest of is compared.
(cd $in && sha256sum g.csv h.csv >four.mf && echo other | sha256sum |
	sed 's/-$/a.csv/' >>four.mf && echo new.csv >>four.mf)
file new.csv
pass
says new.csv 'a.csv: it has landed as something else than the manifest has'
count 'so it waits' 9
(cd $in && sha256sum a.csv g.csv >four.mf && echo new.csv >>four.mf &&
	md5sum h.csv >>four.mf)
pass
is new.csv landed
is h.csv duplicate
count 'what is new of it lands' 10

# Manifests that cannot be used.
for name in /etc/passwd ../out.csv 'x/../../out.csv' x/.. 'x/' .; do
	file i.csv
	printf 'i.csv\n%s\n' "$name" >$in/bad.mf
	pass
	says bad.mf "manifest cannot be used: line 2: $name "
done
says i.csv 'no manifest (*.mf) names it, but bad.mf cannot be used'
printf 'i.csv\0\n' >$in/bad.mf
pass
says bad.mf 'line 1 says nothing that a manifest can say'
seq 100001 >$in/bad.mf
pass
says bad.mf 'more than 100000 names'
truncate -s 17M $in/bad.mf
pass
says bad.mf 'is larger than 16 MiB'
count 'nothing of it has landed' 10
: >$in/bad.mf
pass
says bad.mf 'manifest that names nothing'
rm $in/bad.mf

# Links, pipes; names that the configuration leaves out; itself; twice.
ln -s i.csv $in/link.csv
printf 'i.csv\nlink.csv\nhalf.tmp\nfive.mf\none.mf\ni.csv\n' >$in/five.mf
file half.tmp
pass
says i.csv '; link.csv: it is not a regular file'
rm $in/link.csv
file link.csv
rm $in/half.tmp
pass
says i.csv 'missing: half.tmp'
file half.tmp
pass
is i.csv landed
is link.csv landed
stands half.tmp ignored
count 'what is left out is only to be there' 12

# Two manifests with one file in common; subfolders have their own.
file j.csv
file k.csv
file l.csv
printf 'j.csv\nk.csv\nmissing.csv\n' >$in/six.mf
printf 'k.csv\nl.csv\n' >$in/seven.mf
mkdir -p $in/day
printf 'm.csv\n' >$in/day/set.mf
file day/m.csv
file m.csv
pass
is k.csv landed
is l.csv landed
is day/m.csv landed
says j.csv 'manifest six.mf waits: 2 of 3 names are there; missing: missing.csv'
says m.csv 'no manifest (*.mf) names it'
file missing.csv
pass
is j.csv landed
count 'and the other one has the rest' 17

# One that is not to be had, or is held, holds the others.
sed -i 's/format: csv/format: csv\n    totals: {records: {side: "{name}.ctl"}}/' $conf
file n.csv
file o.csv
printf 'n.csv\no.csv\n' >$in/eight.mf
echo 1 >$in/n.csv.ctl
pass
says n.csv 'manifest eight.mf lands as a whole or not at all, and o.csv is not there: '
count 'nothing landed' 17
echo 2 >$in/o.csv.ctl
pass
is o.csv quarantined
says n.csv 'and o.csv is quarantined: '
count 'nor with a control total that is wrong' 17
file o.csv 'two
records'
pass
is n.csv landed
is o.csv landed
sed -i '/totals:/d' $conf
sed -i 's/format: csv/format: csv\n    drift: quarantine/' $conf
file p.csv
printf 'another;shape\n1;2\n' >$in/q.csv
printf 'p.csv\nq.csv\n' >$in/nine.mf
pass
is q.csv quarantined
says p.csv 'and q.csv is quarantined'
count 'drift of one holds the set' 19
entry=$("$LANDFALL" why --json -c $conf q.csv |
	sed -n 's/.*"index":\([0-9]*\).*/\1/p' | tail -n 1)
expect 'somebody looks at it' "$LANDFALL" release -c $conf --why 'as agreed' "$entry"
sed -i '/drift: quarantine/d' $conf
pass
is p.csv landed
count 'and the set goes on' 21

# After: also the manifest, once its set has landed.
sed -i 's/format: csv/format: csv\n    after: {move: done}/' $conf
file r.csv
file s.csv
printf 'r.csv\ns.csv\n' >$in/ten.mf
pass
expect_same 'what landed has left, and what vouched for it' 'r.csv s.csv ten.mf' \
	"$(cd $in/done && echo [rs].csv ten.mf)"
expect_same 'what waits has not' 'm.csv stranger.csv' "$(cd $in && echo *.csv)"
sed -i 's/"\*.mf"}/{name: "*.mf", unlisted: ignore}}/' $conf
pass
stands stranger.csv ignored
says stranger.csv 'no manifest (*.mf) names it'
printf 'stranger.csv\nm.csv\n' >$in/last.mf
pass
is stranger.csv landed
# What one set has and another one waits for stays until that has landed; what
# has left counts by its SHA-256.
sed -i 's/after: {move: done}/after: delete/' $conf
file t.csv
file u.csv
printf 't.csv\n' >$in/t.mf
printf 't.csv\nu.csv\nv.csv\n' >$in/u.mf
pass
is t.csv landed
pass
expect_same 'another set waits for it' 't.csv u.csv u.mf' \
	"$(cd $in && echo t.* u.*)"
file v.csv
pass
is v.csv landed
expect_same 'until that has landed too' '' \
	"$(find $in -maxdepth 1 -name '[tuv].*')"
file w.csv
(cd $in && sha256sum w.csv >w.mf && echo 'a
t.csv' | sha256sum | sed 's/-$/t.csv/' >>w.mf)
pass
is w.csv landed
file x.csv
(cd $in && sha256sum x.csv >x.mf && echo other | sha256sum |
	sed 's/-$/t.csv/' >>x.mf)
pass
says x.csv '1 of 2 names is there; missing: t.csv'

# A manifest that is a table: sizes and records too.
sed -i 's/ready: .*/ready: {all: [{manifest: {name: "*.mf", columns: [name, size, records, skip], delimiter: "|", header: 1}}, {stable: 0s}]}/' $conf
expect 'a table' "$LANDFALL" check -c $conf
file aa.csv
file bb.csv '2
more'
printf 'file|bytes|rows|day\naa.csv|8|1|mon\nbb.csv|%s|3|mon\n' \
	"$(wc -c <$in/bb.csv)" >$in/aa.mf
pass
says aa.csv '; aa.csv: it has 9 bytes, the manifest says 8'
sed -i "s/aa.csv|8/aa.csv|$(wc -c <$in/aa.csv)/" $in/aa.mf
pass
is bb.csv quarantined
says bb.csv 'record count mismatch: aa.mf says 3, the delivery has 2'
pass
expect_same 'which is known' 0 "$(grep -c '"bb.csv"' out)"
sed -i 's/|3|mon/|2|mon/' $in/aa.mf
pass
is aa.csv landed
is bb.csv landed
printf 'file|bytes|rows|day\naa.csv|many|1|mon\n' >$in/bb.mf
pass
says bb.mf 'line 2 says nothing that a manifest can say'
expect 'verify' "$LANDFALL" verify --deep -c $conf

# The daemon: hints about single names land nothing, and a set at once.
rm -rf lake
new_lake 'ready: {all: [{manifest: "*.mf"}, {stable: 0s}]}'
start_daemon
for i in 1 2 3 4 5 6 7 8 9; do
	file x$i.csv
done
expect_same 'they wait' 1 "$(settled x5.csv 'no manifest')"
(cd $in && md5sum x*.csv >.x && mv .x x.mf)
expect_same 'the manifest comes last' 9 "$(landed 9)"
expect_same 'and is told of' 1 "$(settled x9.csv landed)"
expect_same 'all in one piece' '9 9 1' \
	"$(together x1.csv x2.csv x3.csv x4.csv x5.csv x6.csv x7.csv x8.csv x9.csv)"
printf 'y1.csv\ny2.csv\ny3.csv\n' >$in/y.mf
file y1.csv
file y2.csv
expect_same 'the manifest comes first' 1 "$(settled y1.csv 'missing: y3.csv')"
expect_same 'and nothing of it lands' 9 "$(landed 9)"
file y3.csv
expect_same 'until all of it is there' 12 "$(landed 12)"

# Written slowly: a line at a time, by one who keeps it open.
file z1.csv
file z2.csv
{ echo z1.csv; sleep 1; echo z2.csv; } >$in/z.mf
expect_same 'a manifest that is being written does not count' 14 "$(landed 14)"
expect_same 'half of it is never a set' '2 2 1' "$(together z1.csv z2.csv)"
printf 'gone1.csv\ngone2.csv\n' >$in/gone.mf
file gone1.csv
expect_same 'a set that never comes' 1 "$(settled gone1.csv 'missing: gone2.csv')"
expect_same 'its log is short' 1 "$(grep -c 'pending.*gone2.csv' log)"
stop_daemon 'sets'
