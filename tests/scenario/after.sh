#!/bin/sh
# What becomes of a file at its source once the ledger holds it: never before,
# never another one, never over another one, and whatever cuts it short.
. "$SRCDIR/tests/scenario/lib.sh"

# place NAME AFTER: a new zone whose drop does AFTER.
place()
{
	"$LANDFALL" init "$1" --quiet
	sed -i "s/format: csv/format: csv\n    ready: {stable: 0s}\n    after: $2/" \
		"$1/landfall.yaml"
	mkdir -p "$1/inbox/sub"
}

# run NAME: one pass; its last line is kept.
run()
{
	"$LANDFALL" run --once -c "$1/landfall.yaml" --json >out 2>err
}

after()
{
	sed -n 's/.*"after":\({[^}]*}\).*/\1/p' out
}

names()
{
	(cd "$1/inbox" && find . -type f | LC_ALL=C sort | tr '\n' ' ')
}

# ---- keep is the default ----
"$LANDFALL" init kept --quiet
sed -i 's/format: csv/format: csv\n    ready: {stable: 0s}/' kept/landfall.yaml
printf 'a,b\n1,2\n' >kept/inbox/x.csv
expect 'keep: a pass' run kept
expect_same 'keep: the file stays' './x.csv ' "$(names kept)"

# ---- delete ----
place gone delete
printf 'a,b\n1,2\n' >gone/inbox/x.csv
printf 'a,b\n3,4\n' >gone/inbox/sub/y.csv
cp gone/inbox/x.csv gone/inbox/same.csv
printf 'a,b\n' >gone/inbox/.hidden
printf 'a,b\n' >gone/inbox/z.csv.part
expect 'delete: a pass' run gone
expect_same 'delete: counted' '{"deleted":3,"moved":0,"failed":0}' "$(after)"
expect_same 'delete: what landed went, what was ignored stays' \
	'./.hidden ./z.csv.part ' "$(names gone)"
expect 'delete: no folder of ours stays' test ! -e gone/inbox/.landfall-held
"$LANDFALL" why -c gone/landfall.yaml --json x.csv >why.out
expect 'delete: why tells it' \
	grep -q '"reason":"after: deleted at the source"' why.out
expect 'delete: the zone is whole' "$LANDFALL" verify --deep \
	-c gone/landfall.yaml
expect_same 'delete: the bytes are there' 'a,b
3,4' "$("$LANDFALL" cat -c gone/landfall.yaml sub/y.csv)"
printf 'a,b\n1,2\n' >gone/inbox/x.csv
expect 'delete: the same file again' run gone
expect_same 'delete: a duplicate goes too' '{"deleted":1,"moved":0,"failed":0}' \
	"$(after)"
expect 'for a human' "$LANDFALL" run --once -c gone/landfall.yaml

# ---- move ----
place away '{move: done\/2026\/}'
printf 'a,b\n1,2\n' >away/inbox/x.csv
printf 'a,b\n3,4\n' >away/inbox/sub/y.csv
expect 'move: a pass' run away
expect_same 'move: counted' '{"deleted":0,"moved":2,"failed":0}' "$(after)"
expect_same 'move: with their folders' './done/2026/sub/y.csv ./done/2026/x.csv ' \
	"$(names away)"
printf 'a,b\n5,6\n' >away/inbox/x.csv
expect 'move: a new version' run away
printf 'a,b\n7,8\n' >away/inbox/x.csv
expect 'move: and another' run away
expect_same 'move: never over another' \
	'./done/2026/sub/y.csv ./done/2026/x.csv ./done/2026/x.csv.1 ./done/2026/x.csv.2 ' \
	"$(names away)"
expect_same 'move: each has its own bytes' '1,2 5,6 7,8 ' \
	"$(for f in x.csv x.csv.1 x.csv.2; do
		tail -n 1 away/inbox/done/2026/$f
	done | tr '\n' ' ')"
expect_same 'move: what was moved is no delivery' 4 \
	"$("$LANDFALL" plan -c away/landfall.yaml --json |
		grep -c 'after: move done/2026/')"
expect_same 'move: and never lands' 4 \
	"$("$LANDFALL" ls -c away/landfall.yaml --json | wc -l)"
"$LANDFALL" why -c away/landfall.yaml --json x.csv >why.out
expect 'move: why tells where' \
	grep -q '"after: moved at the source to done/2026/x.csv.1"' why.out

# ---- what must stay ----
place stay delete
printf 'a,b\n1,2\n' >stay/inbox/young.csv
sed -i 's/stable: 0s/stable: 3s/' stay/landfall.yaml
(
	while [ ! -e stop ]; do
		touch stay/inbox/young.csv
		sleep 0.2
	done
) &
expect 'pending: a pass' run stay
: >stop
wait
expect_same 'pending: it stays' './young.csv ' "$(names stay)"
expect_same 'pending: nothing was done' '{"deleted":0,"moved":0,"failed":0}' \
	"$(after)"
rm stay/inbox/young.csv
sed -i 's/stable: 3s/stable: 0s/; s/format: csv/format: csv\n    match: "*.csv"/' \
	stay/landfall.yaml
printf 'x' >stay/inbox/other.txt
printf 'a,b\n1,2\n' >stay/inbox/open.csv
# Somebody has it open: it lands as it is and stays until they are done.
exec 9>>stay/inbox/open.csv
expect 'open for writing: a pass' run stay
expect_same 'open for writing: it stays' './open.csv ./other.txt ' \
	"$(names stay)"
printf '3,4\n' >&9
expect 'and what was appended' run stay
exec 9>&-
expect_same 'stays while it is open' './open.csv ./other.txt ' "$(names stay)"
expect 'once it is closed' run stay
expect_same 'it goes' './other.txt ' "$(names stay)"
expect_same 'and all of it landed' 'a,b
1,2
3,4' "$("$LANDFALL" cat -c stay/landfall.yaml open.csv)"

# Quarantined: whoever looks into it needs it where it is.
if command -v python3 >/dev/null; then
	place held keep
	printf 'a,b\n1,2\n' >held/inbox/x.csv
	expect 'quarantined: a pass' run held
	python3 -c 'import sqlite3
db = sqlite3.connect("held/state/catalog.db")
assert db.execute("UPDATE name SET disposition = 5").rowcount == 1
db.commit()'
	sed -i 's/after: keep/after: delete/' held/landfall.yaml
	expect_status 'quarantined: the next pass says so' 2 run held
	expect_same 'quarantined: it stays' './x.csv ' "$(names held)"
fi

# A folder that cannot be: told, counted, and nothing lost.
place blocked '{move: done}'
printf 'a,b\n1,2\n' >blocked/inbox/x.csv
printf 'in the way\n' >blocked/inbox/done
sed -i 's/format: csv/format: csv\n    match: "*.csv"/' blocked/landfall.yaml
expect_status 'a folder that cannot be is said' 2 run blocked
expect_same 'and counted' 1 "$(sed -n 's/.*"failed":\([0-9]*\).*/\1/p' out)"
expect_same 'and nothing goes' './done ./x.csv ' "$(names blocked)"

# ---- killed at each of its renames and removals ----
command -v strace >/dev/null || exit 0
strace -o probe true 2>/dev/null || exit 0
# Landed before, so that the calls counted are those at the source. Landing
# may be killed too: the fault tests see to that.
n=0
killed=0
for how in delete '{move: done}'; do
	for call in renameat2 unlinkat mkdirat syncfs; do
		bad=
		for nth in 1 2 3 4 5 6; do
			n=$((n + 1))
			place "k$n" keep
			printf 'a,b\n1,2\n' >"k$n/inbox/x.csv"
			printf 'a,b\n3,4\n' >"k$n/inbox/sub/y.csv"
			run "k$n"
			sed -i "s/after: keep/after: $how/" \
				"k$n/landfall.yaml"
			strace -f -o trace -e trace="$call" \
				-e inject="$call":signal=KILL:when="$nth" \
				"$LANDFALL" run --once -c "k$n/landfall.yaml" \
				>out 2>&1 || killed=$((killed + 1))
			run "k$n" || bad="$bad $nth:status"
			"$LANDFALL" verify --deep -c "k$n/landfall.yaml" \
				>lib.out 2>&1 || bad="$bad $nth:verify"
			[ "$("$LANDFALL" ls -c "k$n/landfall.yaml" --json |
				wc -l)" = 2 ] || bad="$bad $nth:ls"
			[ "$("$LANDFALL" cat -c "k$n/landfall.yaml" x.csv |
				tail -n 1)" = 1,2 ] || bad="$bad $nth:cat"
			case $how in
			delete) wanted= ;;
			*) wanted='./done/sub/y.csv ./done/x.csv ' ;;
			esac
			[ "$(names "k$n")" = "$wanted" ] ||
				bad="$bad $nth:$(names "k$n")"
			rm -rf "k$n"
		done
		expect_same "killed at $call, after: $how" '' "$bad"
	done
done
# delete: 2 renames, 3 mkdirs, 3 or more removals, a sync; move: more.
expect 'and killed they were' test "$killed" -ge 18
