#!/bin/sh
# Completeness by checksum: side files and lists, mismatches, late and
# corrected ones, with the tools that partners use.
. "$SRCDIR/tests/scenario/lib.sh"
conf=lake/landfall.yaml
in=lake/inbox
"$LANDFALL" init lake --quiet

# ready RULE: from now on.
ready()
{
	sed -i -e '/^    ready: /d' \
		-e "s|^    format: csv|    format: csv\n    ready: $1|" $conf
}

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

# waits NAME: it is pending now.
waits()
{
	expect_same "$1 is pending" 1 "$("$LANDFALL" why --json -c $conf "$1" |
		tail -n 1 | grep -c '"state":"pending"')"
}

# says NAME TEXT: its story has that.
says()
{
	"$LANDFALL" why -c $conf "$1" >story
	expect_same "$1: $2" 1 "$(grep -c -- "$2" story | sed 's/[1-9][0-9]*/1/')"
}

# One file for each, of every kind and spelling.
ready '{checksum: "{name}.sum"}'
mkdir $in/sub
for tool in md5 sha1 sha256 sha512; do
	printf 'a\n%s\n' $tool >$in/$tool.csv
	(cd $in && ${tool}sum $tool.csv >$tool.csv.sum)
	printf 'a\n%s\n' $tool bsd >$in/sub/$tool.csv
	(cd $in/sub && ${tool}sum --tag $tool.csv >$tool.csv.sum)
done
printf 'a\nbare\n' >$in/bare.csv
sha256sum <$in/bare.csv | cut -c1-64 | tr a-f A-F | tr -d '\n' >$in/bare.csv.sum
printf 'a\ncrlf\n' >$in/crlf.csv
(cd $in && md5sum -b crlf.csv | sed 's/$/\r/' >crlf.csv.sum)
printf 'a\npath\n' >$in/path.csv
(cd $in && sha256sum "$PWD/path.csv" >path.csv.sum)
printf 'a\nodd\n' >"$in/b\\a.csv"
(cd $in && sha256sum 'b\a.csv' >'b\a.csv.sum')
printf 'a\nother\n' >$in/other.csv
(cd $in && sha256sum md5.csv >other.csv.sum)
printf 'a\nlate\n' >$in/late.csv
head -c 70000 /dev/zero >$in/junk.csv
head -c 70000 /dev/zero >$in/junk.csv.sum
truncate -s 17M $in/huge.csv.sum
printf 'a\nhuge\n' >$in/huge.csv
mkdir $in/folder.csv.sum
printf 'a\nfolder\n' >$in/folder.csv
pass
expect_same 'every kind of digest, as GNU and BSD write it' 8 \
	"$(grep -c '"name":"\(sub.*\)\?\(md5\|sha[0-9]*\).csv","disposition":"landed"' out)"
is bare.csv landed
is crlf.csv landed
is path.csv landed
is b%5Ca.csv landed
waits other.csv
says other.csv 'checksum other.csv.sum has no line about it'
waits late.csv
says late.csv 'checksum late.csv.sum is not there'
waits junk.csv
waits huge.csv
says huge.csv 'checksum huge.csv.sum is larger than 16 MiB'
waits folder.csv
sum=$(sha256sum <$in/sha256.csv | cut -c1-64)
expect_same 'the digest is in the provenance' 1 \
	"$(grep -ac "\"evidence\":\"checksum sha256.csv.sum: sha256 $sum\"" \
		lake/zone/inbox/dt=*/sha256.*.zst)"
expect_same 'a side file says whose it is' 1 \
	"$("$LANDFALL" plan -c $conf | grep -c 'md5.csv.sum: checksums of md5.csv')"
"$LANDFALL" plan -c $conf --json >planned
expect_same 'plan says what is missing' 1 "$(grep late.csv planned |
	grep -c '"would":"pending".*checksum late.csv.sum is not there')"

# Late, and wrong; then corrected, by either side.
printf 'a\nwrong\n' >$in/wrong.csv
printf 'a\nchanged\n' >$in/changed.csv
(cd $in && sha256sum late.csv >late.csv.sum &&
	echo another | md5sum | sed 's/-/wrong.csv/' >wrong.csv.sum &&
	echo 'a' | sha1sum | sed 's/-/changed.csv/' >changed.csv.sum)
pass
is late.csv landed
is wrong.csv quarantined
is changed.csv quarantined
expect_same 'which the exit status tells' 2 $found
claimed=$(cut -c1-32 $in/wrong.csv.sum)
has=$(md5sum <$in/wrong.csv | cut -c1-32)
says wrong.csv "checksum mismatch: wrong.csv.sum says md5 $claimed, the bytes have $has"
expect_same 'the bytes are kept, with the reason' 1 \
	"$(grep -ac "the bytes have $has" lake/zone/_quarantine/inbox/dt=*/wrong.*)"
expect_same 'and are those that came' "$(cat $in/wrong.csv)" \
	"$(zstd -dcq lake/zone/_quarantine/inbox/dt=*/wrong.*.zst)"
pass
expect_same 'nothing new: nothing is read again' 0 "$(grep -c wrong.csv out)"
echo yet another | md5sum | sed 's/-/wrong.csv/' >$in/wrong.csv.sum
pass
is wrong.csv quarantined
says wrong.csv "says md5 $(cut -c1-32 $in/wrong.csv.sum), the bytes have $has"
pass
expect_same 'another wrong one is read once too' 0 "$(grep -c wrong.csv out)"
(cd $in && md5sum wrong.csv >wrong.csv.sum)
expect_same 'plan sees the corrected side file' 1 "$("$LANDFALL" plan -c $conf \
	--json | grep '"wrong.csv"' | grep -c '"would":"\(landed\|new-version\)"')"
printf 'a\n' >$in/changed.csv
pass
is wrong.csv landed
is changed.csv landed
pass
expect_same 'and nothing is left to do' 0 "$(grep -c '"wrong.csv"' out)"
expect 'verify' "$LANDFALL" verify --deep -c $conf

# One list for a folder; it grows, and every folder has its own.
rm -r $in
mkdir -p $in/d
ready '{all: [{checksum: SHA256SUMS}, {checksum: "{stem}.md5"}]}'
for i in 1 2 3; do
	printf 'list\n%s\n' $i >$in/l$i.csv
	(cd $in && md5sum l$i.csv >l$i.md5)
	printf 'list d\n%s\n' $i >$in/d/m$i.csv
	(cd $in/d && md5sum m$i.csv >m$i.md5)
done
(cd $in && sha256sum l1.csv l2.csv >SHA256SUMS)
(cd $in/d && sha256sum ./m*.csv | sed 's/^./0/' >SHA256SUMS)
pass
is l1.csv landed
is l2.csv landed
waits l3.csv
says l3.csv 'checksum SHA256SUMS has no line about it'
expect_same 'a list of wrong ones' 3 "$(grep -c 'm[123].csv","disposition":"quarantined"' out)"
expect_same 'both rules are the evidence' 1 \
	"$(grep -ac '"evidence":"checksum SHA256SUMS: sha256 [0-9a-f]*; checksum l1.md5: md5 [0-9a-f]*"' \
		lake/zone/inbox/dt=*/l1.*.zst)"
(cd $in && sha256sum l3.csv >>SHA256SUMS)
(cd $in/d && sha256sum m*.csv >SHA256SUMS)
pass
is l3.csv landed
expect_same 'the corrected list is believed' 3 \
	"$(grep -c 'm[123].csv","disposition":"landed"' out)"

# The daemon looks when the side file comes, for the stem and the list too.
"$LANDFALL" run -c $conf 2>log &
daemon=$!
trap 'kill -9 $daemon 2>/dev/null || :' EXIT
landed()
{
	for _ in $(seq 200); do
		[ -z "$(find lake/zone/inbox -name "$1.*")" ] || break
		sleep 0.05
	done
	find lake/zone/inbox -name "$1.*" | wc -l
}
printf 'daemon\n1\n' >$in/x.csv
for _ in $(seq 200); do
	! grep -q 'name=x.csv' log || break
	sleep 0.05
done
(cd $in && sha256sum x.csv >>SHA256SUMS && sleep 0.1 && md5sum x.csv >x.md5)
expect_same 'the side files come last' 1 "$(landed x)"
kill $daemon
wait $daemon || :
trap - EXIT
expect 'verify at the end' "$LANDFALL" verify --deep -c $conf
