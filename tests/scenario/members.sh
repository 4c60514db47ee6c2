#!/bin/sh
# Archives among other rules of a source: sets, control totals, and a kernel
# that cannot lock the child in.
. "$SRCDIR/tests/scenario/lib.sh"
. "$SRCDIR/tests/scenario/running.sh"
for tool in zip python3; do
	command -v $tool >/dev/null || skip "$tool is not here"
done

# pass: what is said of each name, a line each, into `said`.
pass()
{
	"$LANDFALL" run --once --json -c $conf >out 2>err || :
	python3 -c 'import json
from urllib.parse import unquote
for r in sorted((json.loads(l) for l in open("out")),
                key=lambda r: r.get("name", "")):
    if "name" in r:
        print(unquote(r["name"]), r["disposition"])' >said
}

# says NAME TEXT: the last line of its story has that.
says()
{
	"$LANDFALL" why -c $conf "$1" | tail -n 1 >story
	expect_same "$1: $2" 1 "$(grep -cF -- "$2" story)" || cat story
}

# archive NAME FILE=RECORD...: a zip with CSV files of one record.
archive()
{
	rm -rf in && mkdir in
	zip=$PWD/$1
	shift
	for x in "$@"; do
		printf 'a,b\n%s,1\n' "${x#*=}" >"in/${x%%=*}"
	done
	(cd in && zip -q "$zip" ./*)
}

# ---- a set whose manifest names archives ----

new_lake 'ready: {all: [{manifest: "*.mf"}, {stable: 0s}]}\n    unpack: {}'
archive one.zip a.csv=1 b.csv=2
archive two.zip c.csv=3
sha256sum one.zip two.zip >lake/inbox/set.mf
cp one.zip lake/inbox/
pass
says one.zip 'missing: two.zip'
expect_same 'and none of its members is there' '' \
	"$(find lake/zone/inbox -name '*.zst' 2>/dev/null)"
head -c 60 two.zip >lake/inbox/two.zip
pass
expect_same 'a bad archive holds up all of the set' '' \
	"$(find lake/zone/inbox -name '*.zst' 2>/dev/null)"
says one.zip 'two.zip is quarantined'
cp two.zip lake/inbox/two.zip
pass
expect_same 'all archives of a set land together' \
	'one.zip unpacked
one.zip!/a.csv landed
one.zip!/b.csv landed
two.zip unpacked
two.zip!/c.csv landed' "$(grep zip said)"
expect_same 'in one group' 1 "$("$LANDFALL" ls --json -c $conf |
	sed -n 's/.*"landed_at":"\([^"]*\)".*%21.*/\1/p' | sort -u | wc -l)"
expect 'verify --deep' "$LANDFALL" verify --deep -c $conf

# ---- totals of a side file are of a delivery, and members are none ----

rm -rf lake
new_lake 'ready: {stable: 0s}\n    unpack: {}\n    totals: {records: {side: "{name}.ctl"}}'
expect_status 'totals of a side file and unpack' 1 "$LANDFALL" check -c $conf
"$LANDFALL" check -c $conf 2>words || :
expect_same 'what is wrong is said, with its place' 1 \
	"$(grep -c "^$conf:[0-9]*:[0-9]*: error: .*side.*unpack" words)" ||
	cat words

# ---- an archive that comes again with something new ----

rm -rf lake
new_lake 'ready: {stable: 0s}\n    unpack: {}'
cp one.zip lake/inbox/x.zip
pass
archive three.zip a.csv=1 b.csv=2 d.csv=4
cp three.zip lake/inbox/x.zip
pass
expect_same 'of an archive that comes again only what is new lands' \
	'x.zip unpacked
x.zip!/a.csv duplicate
x.zip!/b.csv duplicate
x.zip!/d.csv landed' "$(cat said)"
says x.zip 'members: 1 landed, 2 duplicate'
expect_same 'the ledger counts them' 1 "$(cat lake/zone/_ledger/tile/entries/* \
	lake/zone/_ledger/tile/entries/*/* 2>/dev/null |
	grep -ac '"members":{"duplicate":2,.*"landed":1,')"
expect 'verify --deep, again' "$LANDFALL" verify --deep -c $conf

# ---- a kernel without Landlock ----

cat >without.py <<'PY'
"""without.py COMMAND...: where landlock_create_ruleset is no system call."""
import ctypes, os, sys
s = ctypes.CDLL("libseccomp.so.2")
s.seccomp_init.restype = ctypes.c_void_p
s.seccomp_rule_add_array.argtypes = [
    ctypes.c_void_p, ctypes.c_uint32, ctypes.c_int, ctypes.c_uint,
    ctypes.c_void_p]
s.seccomp_load.argtypes = [ctypes.c_void_p]
ALLOW, ERRNO, ENOSYS, CREATE_RULESET = 0x7fff0000, 0x00050000, 38, 444
f = s.seccomp_init(ALLOW)
if s.seccomp_rule_add_array(f, ERRNO | ENOSYS, CREATE_RULESET, 0, None) or \
        s.seccomp_load(f):
    sys.exit(77)
os.execv(sys.argv[1], sys.argv[1:])
PY
archive four.zip e.csv=5
archive five.zip f.csv=6
cp four.zip five.zip lake/inbox/
found=0
python3 without.py "$LANDFALL" run --once -c $conf >out 2>log || found=$?
if [ $found -eq 77 ]; then
	echo '# no libseccomp for python: a kernel without Landlock is not tried'
	exit 0
fi
expect_same 'without Landlock archives are taken apart' 0 "$found"
expect_same 'all of them' 2 "$("$LANDFALL" ls -c $conf |
	grep -cE 'four.zip.*e.csv|five.zip.*f.csv')"
expect_same 'and it is said aloud, once' 1 \
	"$(grep -c 'no Landlock' log)" || cat log
