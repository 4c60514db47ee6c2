#!/bin/sh
# Deliveries that are encrypted: a filter of the source's, with a real gpg and a
# real key pair, and what it makes of them.
. "$SRCDIR/tests/scenario/lib.sh"
for tool in gpg zip python3; do
	command -v $tool >/dev/null || skip "$tool is not here"
done
"$LANDFALL" init lake --quiet
conf=lake/landfall.yaml
cp $conf plain.yaml

# A short path: gpg's agent has a socket in it.
home=$(mktemp -d /tmp/lf-gpg.XXXXXX)
trap 'lib_status=$?
	gpgconf --homedir "$home" --kill all 2>/dev/null || :
	rm -rf "$home"
	[ $lib_status -ne 0 ] || [ $lib_failed -eq 0 ] || exit 1' EXIT
chmod 700 "$home"
gpg --homedir "$home" --batch --quiet --passphrase '' --quick-generate-key \
	partner@example.com rsa2048 encr never 2>/dev/null ||
	skip 'gpg makes no key here'

# encrypt FILE: FILE.gpg beside it.
encrypt()
{
	gpg --homedir "$home" --batch --quiet --yes --trust-model always \
		--recipient partner@example.com --encrypt "$1"
}

# settings COMMAND [MORE]
settings()
{
	python3 - "$home" "$1" "${2:-}" <<'PY'
import sys
home, command, more = sys.argv[1:]
text = open("plain.yaml").read()
text = text.replace("format: csv", f"""format: csv
    ready: {{stable: 0s}}
    unpack: {{members: ["*.csv"], filter: {{command: {command},
      home: {home}}}{more}}}""")
open("lake/landfall.yaml", "w").write(text)
PY
}

# run_pass: what it says of each name.
run_pass()
{
	"$LANDFALL" run --once -c $conf --json >pass.out 2>pass.err || :
	python3 - <<'PY'
import json
from urllib.parse import unquote
rows = [json.loads(l) for l in open("pass.out")]
for v in sorted((v for v in rows if "name" in v), key=lambda v: v["name"]):
    print(unquote(v["name"]), v["disposition"])
PY
}

gpg=$(command -v gpg)
settings "[$gpg, --batch, --quiet, --decrypt]"
expect 'the configuration is right' "$LANDFALL" check -c $conf
printf 'a,b\n1,2\n' >plain.csv
encrypt plain.csv
printf 'a,b\n3,4\n' >in.csv
zip -q box.zip in.csv
encrypt box.zip
cp plain.csv.gpg box.zip.gpg lake/inbox/
expect_same 'a file and an archive come out' 'box.zip.gpg unpacked
box.zip.gpg!/box.zip unpacked
box.zip.gpg!/box.zip!/in.csv landed
plain.csv.gpg unpacked
plain.csv.gpg!/plain.csv landed' "$(run_pass)"
expect_same 'with their bytes' "$(cat plain.csv)" \
	"$("$LANDFALL" cat -c $conf plain.csv.gpg!/plain.csv)"
expect_same 'and a lineage of what came and what came out' \
	"box.zip.gpg $(sha256sum box.zip.gpg | cut -c 1-64) box.zip $(sha256sum box.zip | cut -c 1-64)" \
	"$(python3 - <<'PY'
import glob, json, struct
path, = glob.glob("lake/zone/inbox/dt=*/box.zip.gpg*in.*")
raw = open(path, "rb").read()
at = raw.rindex(b"LFPV")
size, = struct.unpack("<I", raw[at - 4:at])
print(*(w for c in json.loads(raw[at + 8:at + size])["lineage"]
        for w in (c["name"], c["bytes_sha256"])))
PY
)"
rm lake/inbox/*

settings '[/bin/sh, -c, "sleep 0.5; cat"]'
printf 'a,b\n1,77\n' >lake/inbox/slow.csv.x
expect_same 'one that takes its time is waited for' 'slow.csv.x unpacked
slow.csv.x!/slow.csv landed' "$(run_pass)"
rm lake/inbox/*
settings "[$gpg, --batch, --quiet, --decrypt]"

head -c 300 plain.csv.gpg >lake/inbox/cut.csv.gpg
expect_same 'what it does not take is quarantined' 'cut.csv.gpg quarantined' \
	"$(run_pass)"
expect_same 'with its status and its words' 1 \
	"$("$LANDFALL" why -c $conf cut.csv.gpg |
		grep -c 'quarantined: .*ended with status 2.*gpg: ')"
rm lake/inbox/*

# gpg says nothing of a file that was cut off before the message in it, and that
# all is well.
printf 'a,b\n5,6\n' >full.csv
encrypt full.csv
settings "[$gpg, --batch, --quiet, --decrypt]"
sed -i 's/^    ready:/    after: delete\n&/' $conf
head -c 200 full.csv.gpg >lake/inbox/full.csv.gpg
expect "gpg itself takes that for an empty message" \
	gpg --homedir "$home" --batch --quiet --decrypt lake/inbox/full.csv.gpg
expect_same 'one that writes nothing, of a file that has bytes' \
	'full.csv.gpg quarantined' "$(run_pass)"
expect_same 'why it is quarantined' 1 \
	"$("$LANDFALL" why -c $conf full.csv.gpg | grep -c \
		"quarantined: filter $gpg: ended well and wrote nothing")"
expect 'the only copy is still there' test -s lake/inbox/full.csv.gpg
cp full.csv.gpg lake/inbox/
expect_same 'all of it lands' 'full.csv.gpg unpacked
full.csv.gpg!/full.csv landed' "$(run_pass)"
expect_same 'and leaves' '' "$(ls lake/inbox)"

settings "[$gpg, --batch, --quiet, --decrypt]"
: >void.csv
encrypt void.csv
cp void.csv.gpg lake/inbox/
expect_same 'a message that is empty is looked at by somebody' \
	'void.csv.gpg quarantined' "$(run_pass)"
expect 'who may release it' "$LANDFALL" release -c $conf \
	"$("$LANDFALL" why -c $conf --json void.csv.gpg |
		sed -n 's/.*"index":\([0-9]*\).*/\1/p')"
expect_same 'then it has landed, of no bytes' 0 \
	"$("$LANDFALL" cat -c $conf void.csv.gpg!/void.csv | wc -c)"
rm lake/inbox/*
settings '[/bin/cat]'
: >lake/inbox/none.csv.x
expect_same 'a file that is empty goes through' 'none.csv.x unpacked
none.csv.x!/none.csv duplicate' "$(run_pass)"
rm lake/inbox/*
settings "[$gpg, --batch, --quiet, --decrypt]"

# age takes a key from a file that it may read.
if command -v age >/dev/null && command -v age-keygen >/dev/null; then
	age-keygen -o age.key 2>/dev/null
	settings "[$(command -v age), --decrypt, -i, $PWD/age.key],
      read: [$PWD/age.key]"
	printf '1,9\n' >>plain.csv
	age -r "$(age-keygen -y age.key)" -o lake/inbox/aged.csv.age plain.csv
	expect_same 'age, with a key of its own' 'aged.csv.age unpacked
aged.csv.age!/aged.csv landed' "$(run_pass)"
	expect_same 'its bytes' "$(sha256sum <plain.csv)" \
		"$("$LANDFALL" cat -c $conf aged.csv.age!/aged.csv |
			sha256sum)"
	head -c -5 lake/inbox/aged.csv.age >lake/inbox/short.csv.age
	rm lake/inbox/aged.csv.age
	expect_same 'and half of it' 'short.csv.age quarantined' "$(run_pass)"
	rm lake/inbox/*
else
	echo '# no age here: only gpg is tried'
fi

settings '[/no/such/program]'
cp box.zip.gpg lake/inbox/wait.gpg
printf x >>lake/inbox/wait.gpg
expect_same 'without the program it waits' 'wait.gpg pending' "$(run_pass)"
rm lake/inbox/*

settings '[/bin/cat, /dev/zero]' ', max_bytes: 2MiB'
cp plain.csv.gpg lake/inbox/endless.gpg
printf y >>lake/inbox/endless.gpg
expect_same 'its output has a limit' 'endless.gpg quarantined' "$(run_pass)"
rm lake/inbox/*

# An endless one would end the machine.
settings "[$(command -v python3), -c, \"x = bytearray(3 << 30)\"]"
cp plain.csv.gpg lake/inbox/wide.gpg
printf z >>lake/inbox/wide.gpg
expect_same 'its memory has a limit' 'wide.gpg quarantined' "$(run_pass)"
rm lake/inbox/*

expect 'verify --deep' "$LANDFALL" verify --deep -c $conf
expect 'the second reader' \
	python3 "$SRCDIR/contrib/readers/verify.py" lake/zone
expect_same 'nothing is left behind' '' \
	"$(find lake/zone/_staging lake/state/spool -type f ! -name intent)"
