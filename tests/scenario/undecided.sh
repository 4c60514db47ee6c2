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
expect_same 'one of a kind is one' 1 "$(grep -c '1 source$\|1 source"$' log)"
expect_same 'as JSON' "1 0 bad.csv $wrong None" "$("$LANDFALL" status -c $conf --json |
	python3 -c 'import json, sys
s = json.load(sys.stdin)["sources"]["inbox"]
u = s["undecided"]
print(u["names"], u["entry"], u["name"], u["reason"], s["newest"])')"
expect_same 'why ends with what to do' \
	'entry 0 waits for a decision: `landfall release 0` or `landfall reject 0`' \
	"$("$LANDFALL" why -c $conf bad.csv 2>&1 | tail -n 1)"
expect 'status reports, which is well' "$LANDFALL" status -c $conf
expect_status 'status --check says that somebody is needed' 2 \
	"$LANDFALL" status --check -c $conf
expect_status 'also as JSON' 2 "$LANDFALL" status --check --json -c $conf
expect_status 'it is for one look' 1 \
	"$LANDFALL" status --check --watch=1 -c $conf
stop_daemon 'with something quarantined'

# ---- the partner takes it away ----

rm lake/inbox/bad.csv
expect 'a pass tells of what it found itself' \
	"$LANDFALL" run --once -c $conf --quiet
"$LANDFALL" status -c $conf >status.out
expect_same 'and one entry is one' 1 "$(grep -c ': 1 entry, root ' status.out)"
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

# ---- what waits, listed ----

listed()
{
	"$LANDFALL" ls --quarantined -c $conf "$@" 2>said | sed -n '2,$p' |
		sed 's/[0-9]*-[0-9]*-[0-9]*T[0-9:]*Z/T/; s/^ *//'
}
expect_same 'the list has entry, source, name and reason' \
	"0  T  inbox             bad.csv: $wrong" "$(listed)"
expect_same 'and ends with what to do' 1 \
	"$(grep -c 'each waits for `landfall release ENTRY`' said)"
expect_same 'as JSON' "0 inbox bad.csv $wrong" \
	"$("$LANDFALL" ls --quarantined --json -c $conf | python3 -c '
import json, sys
for line in sys.stdin:
    o = json.loads(line)
    print(o["entry"], o["source"], o["name"], o["reason"])')"
expect_status 'of a source that there is not' 1 \
	"$LANDFALL" ls --quarantined -c $conf inbx
expect_same 'of one that there is' 1 "$(listed inbox | wc -l)"

# ---- somebody decides ----

printf 'b\n1\nT,9\n' >lake/inbox/worse.csv
expect_status 'a pass names the entry' 2 "$LANDFALL" run --once -c $conf
expect_same 'with the reason behind' 1 \
	"$(grep -c 'worse.csv: .*zst, ledger entry 1 (control total' lib.out)"
expect_same 'there is one more' "!
2 quarantined: bad.csv (entry 0): $wrong; \`landfall release 0\` or \`landfall reject 0\`" \
	"$(stands)"
expect 'one is released' "$LANDFALL" release -c $conf 0
expect_same 'the other is left' "!
1 quarantined: worse.csv (entry 1): $wrong; \`landfall release 1\` or \`landfall reject 1\`" \
	"$(stands)"
expect 'that is rejected' "$LANDFALL" reject -c $conf 1
expect_same 'then nothing needs anybody' ' ' "$(stands)"
expect_same 'nor is anything listed' '' "$(listed)"
expect_same 'why has nothing to do' 0 \
	"$("$LANDFALL" why -c $conf bad.csv 2>&1 | grep -c 'waits for')"
expect_same 'ls says what became of them' 'bad.csv (released as entry 2)
worse.csv (rejected by entry 3)' "$("$LANDFALL" ls -c $conf |
	sed -n 's|  _quarantine/[^ ]*||; s/.*  \([a-z.]* (re.*\)/\1/p')"
expect 'status --check says so too' "$LANDFALL" status --check -c $conf
mv lake/inbox lake/away
"$LANDFALL" run --once -c $conf --quiet 2>/dev/null || :
expect_status 'a source that cannot be looked at' 3 \
	"$LANDFALL" status --check -c $conf
