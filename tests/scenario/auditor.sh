#!/bin/sh
# The commands in _ledger/README, typed as they stand there, prove a zone that
# has everything an entry can be; and they see it when a file was changed.
. "$SRCDIR/tests/scenario/lib.sh"
"$LANDFALL" init lake --quiet
conf=lake/landfall.yaml
sed -i 's/format: csv/format: csv\n    ready: {stable: 0s}/' $conf
for n in 1 2 3; do printf 'a,b\n%s,2\n' $n >lake/inbox/$n.csv; done
cp lake/inbox/1.csv lake/inbox/same.csv
"$LANDFALL" run --once --quiet -c $conf
echo '4,5' >>lake/inbox/2.csv
"$LANDFALL" run --once --quiet -c $conf

sed -n '/^ \{20\}/!s/^    //p' lake/zone/_ledger/README >script
(cd lake/zone && sh ../../script) >good.out 2>&1 || :
expect_same 'the signature is good' 1 \
	"$(grep -c 'Signature Verified Successfully' good.out)"
expect_same 'all files are good' 'files: 4 good' "$(grep '^files:' good.out)"
expect_same 'all bytes are good' 0 "$(grep -c BAD good.out)"
expect_same 'the roots are equal' 2 \
	"$(grep -cE '^[0-9a-f]{64}$' good.out)"
expect_same 'really' 1 "$(grep -E '^[0-9a-f]{64}$' good.out | uniq | wc -l)"

file=$(find lake/zone/inbox -name '3.*.zst')
chmod u+w "$file"
printf 'a,b\n7,2\n' | zstd -qf -o "$file"
(cd lake/zone && sh ../../script) >bad.out 2>&1 || :
expect_same 'a changed file is seen' 1 "$(grep -c 'FAILED$' bad.out)"
expect_same 'and its bytes' 1 "$(grep -c '^BAD: inbox/.*/3\.' bad.out)"
expect_status 'landfall verify sees it too' 4 "$LANDFALL" verify -c $conf
expect_same 'and names the file' 1 "$(grep -c "$(basename "$file")" lib.out)"
expect_status 'so does the second reader' 4 \
	python3 "$SRCDIR/contrib/readers/verify.py" lake/zone
