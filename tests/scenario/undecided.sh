#!/bin/sh
# What is quarantined is shown until somebody has decided: by status, by ls, by
# whatever names it, and not by the last look alone.
. "$SRCDIR/tests/scenario/lib.sh"
. "$SRCDIR/tests/scenario/running.sh"
new_lake 'ready: {stable: 0s}\n    csv: {trailer: {prefix: "T,"}, columns: any}\n    totals: {records: {trailer_field: 2}}'
wrong='control total of records: trailer field 2 says 9, the delivery has 1'

# stands: the marks and words of the source, without what time changes.
stands()
{
	"$LANDFALL" status -c $conf >status.out
	sed -n '/^. inbox /s/\(.\) inbox .*/\1/p
		/ quarantined, the oldest/s/.* \([0-9]* quarantined\), the oldest for [^:]*/\1/p' \
		status.out
}

# ---- a daemon, and a hint: no full look for a long time ----

start_daemon
printf 'a\n1\nT,9\n' >bad.csv
mv bad.csv lake/inbox/
expect_same 'a delivery is quarantined' 1 "$(settled bad.csv 'quarantined:')"
expect_same 'status says what waits, why, and what to do' "!
1 quarantined: bad.csv (entry 0): $wrong; \`landfall release 0\` or \`landfall reject 0\`" \
	"$(stands)"
expect_same 'that is no landing' 1 \
	"$(grep -c '^! inbox .* complete  .* never  ' status.out)"
expect_same 'as JSON' "1 0 bad.csv $wrong None" "$("$LANDFALL" status -c $conf --json |
	python3 -c 'import json, sys
s = json.load(sys.stdin)["sources"]["inbox"]
u = s["undecided"]
print(u["names"], u["entry"], u["name"], u["reason"], s["newest"])')"
stop_daemon 'with something quarantined'

# ---- the partner takes it away ----

rm lake/inbox/bad.csv
expect 'a pass tells of what it found itself' \
	"$LANDFALL" run --once -c $conf --quiet
expect_same 'what is undecided stays' "!
1 quarantined: bad.csv (entry 0): $wrong; \`landfall release 0\` or \`landfall reject 0\`" \
	"$(stands)"
expect 'the catalog is made again' "$LANDFALL" catalog rebuild -c $conf
expect_same 'then too' "!
1 quarantined: bad.csv (entry 0): $wrong; \`landfall release 0\` or \`landfall reject 0\`" \
	"$(sed -n 1,2p <<END
$(stands)
END
)"

# ---- somebody decides ----

printf 'b\n1\nT,9\n' >lake/inbox/worse.csv
"$LANDFALL" run --once -c $conf --quiet || :
expect_same 'there is one more' "!
2 quarantined: bad.csv (entry 0): $wrong; \`landfall release 0\` or \`landfall reject 0\`" \
	"$(stands)"
expect 'one is released' "$LANDFALL" release -c $conf 0
expect_same 'the other is left' "!
1 quarantined: worse.csv (entry 1): $wrong; \`landfall release 1\` or \`landfall reject 1\`" \
	"$(stands)"
expect 'that is rejected' "$LANDFALL" reject -c $conf 1
expect_same 'then nothing needs anybody' ' ' "$(stands)"
