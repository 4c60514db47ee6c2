#!/bin/sh
# Archives: members land as deliveries, all of them together or none; the
# archive itself has one disposition and an entry.
. "$SRCDIR/tests/scenario/lib.sh"
for tool in zip bzip2 xz zstd python3; do
	command -v $tool >/dev/null || skip "$tool is not here"
done
"$LANDFALL" init lake --quiet
conf=lake/landfall.yaml
cp $conf plain.yaml

# settings UNPACK [MORE]: of the source, instead of those before.
settings()
{
	sed "s/format: csv/format: csv\\n    ready: {stable: 0s}\\n    unpack: $1\\n    ${2:-}/" \
		plain.yaml >$conf
}

# say FILE: what a run said, a line each: NAME DISPOSITION, names in order.
say()
{
	python3 - "$1" <<'PY'
import json, sys
from urllib.parse import unquote
rows = [json.loads(l) for l in open(sys.argv[1])]
for v in sorted((v for v in rows if "name" in v), key=lambda v: v["name"]):
    m = v.get("members", {})
    print(unquote(v["name"]), v["disposition"],
          *(f"{n} {k}" for k, n in m.items() if n))
PY
}

# run_pass: what it says of each name; its exit status is in status.
run_pass()
{
	run_status=0
	"$LANDFALL" run --once -c $conf --json >pass.out 2>pass.err ||
		run_status=$?
	echo $run_status >status
	say pass.out
}

# why NAME: how it stands by now.
why()
{
	"$LANDFALL" why -c $conf "$1" 2>/dev/null | grep -v ' after: ' | tail -1 |
		sed 's/^[^ ]*  [^ ]*  [^ ]*  //'
}

# provenance GLOB KEY: of a landing file below the zone.
provenance()
{
	python3 - "$1" "$2" <<'PY'
import glob, json, struct, sys
path, = glob.glob("lake/zone/" + sys.argv[1])
raw = open(path, "rb").read()
at = raw.rindex(b"LFPV")
size, = struct.unpack("<I", raw[at - 4:at])
print(json.dumps(json.loads(raw[at + 8:at + size]).get(sys.argv[2], "-"),
                 sort_keys=True))
PY
}

both_verify()
{
	expect "$1: verify --deep" "$LANDFALL" verify --deep -c $conf
	expect "$1: the second reader" \
		python3 "$SRCDIR/contrib/readers/verify.py" lake/zone
}

sha()
{
	sha256sum "$1" | cut -c 1-64
}

# ---- without unpack they are bytes like others ----

mkdir in in/sub
printf 'a,b\n1,2\n' >in/a.csv
printf 'a,b\n3,4\n' >in/sub/b.csv
echo 'not for us' >in/README
(cd in && zip -q ../orders.zip a.csv sub/b.csv README)
sed 's/format: csv/ready: {stable: 0s}/' plain.yaml >$conf
cp orders.zip lake/inbox/raw.zip
expect_same 'without unpack an archive lands as it is' 'raw.zip landed' \
	"$(run_pass)"
rm lake/inbox/raw.zip

# ---- members ----

settings '{members: ["*.csv"]}' 'after: delete'
cp orders.zip lake/inbox/orders.zip
expect_same 'members land, others are ignored' 'orders.zip unpacked 2 landed 1 ignored
orders.zip!/README ignored
orders.zip!/a.csv landed
orders.zip!/sub/b.csv landed' "$(run_pass)"
expect_same 'and that is well' 0 "$(cat status)"
expect_same 'the sums close, members are counted beside' 'True 1 2' \
	"$(tail -1 pass.out | python3 -c 'import json, sys
p = json.load(sys.stdin)
print(sum(p["counts"].values()) == p["listed"], p["counts"]["unpacked"],
      p["members"]["landed"])')"
expect_same 'the archive left the source when all was durable' '' \
	"$(ls lake/inbox)"
expect_same 'a member has its bytes' "$(cat in/sub/b.csv)" \
	"$("$LANDFALL" cat -c $conf orders.zip!/sub/b.csv)"
expect_same 'and its records' 1 \
	"$(provenance 'inbox/dt=*/orders.zip%21%2Fa.*' records)"
expect_same 'and its lineage' \
	"[{\"bytes_sha256\": \"$(sha orders.zip)\", \"name\": \"orders.zip\", \"size\": $(wc -c <orders.zip)}]" \
	"$(provenance 'inbox/dt=*/orders.zip%21%2Fa.*' lineage)"
expect_same 'why tells of the archive' \
	'unpacked: members: 2 landed, 1 ignored' "$(why orders.zip)"
expect_same 'of a member by its last part' 1 \
	"$("$LANDFALL" why -c $conf a.csv | grep -c 'orders.zip!/a.csv  landed as')"
expect_same 'and of what was left out' \
	'ignored: no pattern of unpack.members fits' "$(why README)"
expect_same 'the ledger has the archive' "$(sha orders.zip)" \
	"$("$LANDFALL" ls -c $conf >/dev/null
	cat lake/zone/_ledger/tile/entries/* lake/zone/_ledger/tile/entries/*/* \
		2>/dev/null | grep -ao '{[^{]*"disposition":"unpacked"' |
		sed 's/.*"bytes_sha256":"\([0-9a-f]*\)".*/\1/' | sort -u)"
both_verify 'members'

# ---- again ----

cp orders.zip lake/inbox/orders.zip
expect_same 'the same archive again is a duplicate' \
	'orders.zip duplicate' "$(run_pass)"
cp orders.zip lake/inbox/other.zip
expect_same 'under another name too, and on the ledger' \
	'other.zip duplicate' "$(run_pass)"
expect_same 'which names the first one' 1 \
	"$(tail -2 pass.out | grep -c '"disposition":"duplicate"')"
printf 'a,b\n5,6\n' >in/a.csv
printf 'a,b\n7,8\n' >in/c.csv
(cd in && zip -q ../orders2.zip a.csv sub/b.csv c.csv)
cp orders2.zip lake/inbox/orders.zip
expect_same 'a new one lands what is new' \
	'orders.zip unpacked 1 landed 1 duplicate 1 new-version
orders.zip!/a.csv new-version
orders.zip!/c.csv landed
orders.zip!/sub/b.csv duplicate' "$(run_pass)"
both_verify 'again'
cp lake/state/catalog.db before.db
"$LANDFALL" catalog rebuild -c $conf --quiet
expect_same 'a rebuilt catalog knows the archive' \
	'unpacked: members: 1 landed, 1 duplicate, 1 new-version' \
	"$(why orders.zip)"
cp orders2.zip lake/inbox/orders.zip
expect_same 'and that it was unpacked' 'orders.zip duplicate' "$(run_pass)"
both_verify 'rebuilt'

# ---- every kind, one inside another ----

settings '{members: ["*.csv"]}'
make_kinds()
{
	python3 - <<'PY'
import bz2, gzip, io, lzma, os, random, tarfile, zipfile
rng = random.Random(7)
def data(tag):
    return (f"a,b\n{tag},1\n" + "".join(
        f"{rng.randrange(10**9)},{rng.randrange(10**9)}\n"
        for _ in range(200))).encode()
def tar(tag):
    f = io.BytesIO()
    with tarfile.open(fileobj=f, mode="w") as t:
        raw = data(tag)
        i = tarfile.TarInfo("m.csv")
        i.size, i.mtime = len(raw), 1700000000
        t.addfile(i, io.BytesIO(raw))
    return f.getvalue()
def zipped(tag, name="m.csv", raw=None):
    f = io.BytesIO()
    with zipfile.ZipFile(f, "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr(name, raw or data(tag))
    return f.getvalue()
os.makedirs("kinds")
def put(name, raw):
    open("kinds/" + name, "wb").write(raw)
put("k1.tar", tar("k1"))
put("k2.tar.gz", gzip.compress(tar("k2")))
put("k3.tgz", gzip.compress(tar("k3")))
put("k4.tar.bz2", bz2.compress(tar("k4")))
put("k5.tar.xz", lzma.compress(tar("k5")))
put("k6.csv.gz", gzip.compress(data("k6")))
put("k7.csv.bz2", bz2.compress(data("k7")))
put("k8.csv.xz", lzma.compress(data("k8")))
put("k9.zip", zipped("k9", "in.tar.gz", gzip.compress(tar("k9"))))
put("k10.tar.tosd", tar("k10"))
PY
	zstd -q --rm kinds/k10.tar.tosd -o kinds/k10.tar.zst
	printf 'a,b\nk11,1\n' | zstd -q >kinds/k11.csv.zst
}
make_kinds
cp kinds/* lake/inbox/
expect_same 'every kind is taken apart' 'k1.tar!/m.csv landed
k10.tar.zst!/m.csv landed
k11.csv.zst!/k11.csv landed
k2.tar.gz!/m.csv landed
k3.tgz!/m.csv landed
k4.tar.bz2!/m.csv landed
k5.tar.xz!/m.csv landed
k6.csv.gz!/k6.csv landed
k7.csv.bz2!/k7.csv landed
k8.csv.xz!/k8.csv landed
k9.zip!/in.tar.gz!/m.csv landed' "$(run_pass | grep '\.csv landed')"
expect_same 'and nothing else is the matter' 0 "$(cat status)"
expect_same 'lineage through two archives' 'k9.zip in.tar.gz 64 64' \
	"$(provenance 'inbox/dt=*/k9.zip*' lineage | python3 -c 'import json, sys
l = json.load(sys.stdin)
print(*(x["name"] for x in l), *(len(x["bytes_sha256"]) for x in l))')"
expect_same 'which is the inner one' "$(python3 -c 'import hashlib, zipfile
raw = zipfile.ZipFile("kinds/k9.zip").read("in.tar.gz")
print(hashlib.sha256(raw).hexdigest())')" \
	"$(provenance 'inbox/dt=*/k9.zip*' lineage | python3 -c 'import json, sys
print(json.load(sys.stdin)[1]["bytes_sha256"])')"
rm lake/inbox/*
both_verify 'kinds'

# ---- large members are streamed ----

python3 - <<'PY'
import random, zipfile
rng = random.Random(3)
with zipfile.ZipFile("large.zip", "w", zipfile.ZIP_DEFLATED) as z:
    for n in range(3):
        z.writestr(f"large{n}.csv", "a,b\n" + "".join(
            f"{rng.randrange(10**9)},{n}\n" for _ in range(200000)))
    for n in range(500):
        z.writestr(f"small/{n:03}.csv", f"a,b\n{n},{n}\n")
PY
cp large.zip lake/inbox/
run_pass >large.out
expect_same 'large and small members' 503 "$(grep -c '!/.* landed$' large.out)"
expect_same 'a large one has its bytes' \
	"$(python3 -c 'import hashlib, zipfile
z = zipfile.ZipFile("large.zip")
print(hashlib.sha256(z.read("large2.csv")).hexdigest())')" \
	"$(zstd -dcq lake/zone/inbox/dt=*/large.zip%21%2Flarge2.*.zst |
		sha256sum | cut -c 1-64)"
rm lake/inbox/*
both_verify 'large'

# ---- what is wrong with one ----

printf 'a,b\n1,2\n' >in/good.csv
printf 'a,b\nspoil me\n' >in/bad.csv
(cd in && zip -q0 ../crc.zip good.csv bad.csv)
LC_ALL=C sed 's/spoil me/spoil ME/' crc.zip >lake/inbox/crc.zip
expect_same 'a damaged member quarantines the archive' \
	'crc.zip quarantined' "$(run_pass)"
expect_same 'the exit status says so' 2 "$(cat status)"
expect_same 'with the member and why' 1 "$(why crc.zip | grep -c 'bad.csv.*CRC')"
expect_same 'no member is there' '' \
	"$(find lake/zone/inbox -name 'crc.zip*')"
expect_same 'the bytes are kept' "$(sha lake/inbox/crc.zip)" \
	"$(zstd -dcq lake/zone/_quarantine/inbox/dt=*/crc.*.zst | sha256sum |
		cut -c 1-64)"
touch lake/inbox/crc.zip
expect_same 'once' 1 "$(run_pass >/dev/null
	find lake/zone/_quarantine -name 'crc.*' | wc -l)"
entry=$("$LANDFALL" why -c $conf crc.zip |
	sed -n 's/.*ledger entry \([0-9]*\).*/\1/p' | head -1)
expect_status 'released, what is good of it lands' 2 \
	"$LANDFALL" release -c $conf "$entry" --why 'they have no better one'
expect_same 'and what is missing is told' 1 \
	"$(why crc.zip | grep -c 'members: 1 duplicate, 1 missing; released from quarantine.*bad.csv')"
expect_same 'the archive is kept then' "$(sha lake/inbox/crc.zip)" \
	"$(zstd -dcq lake/zone/inbox/dt=*/crc.*.zip.zst | sha256sum |
		cut -c 1-64)"
both_verify 'released'
rm lake/inbox/*

settings '{members: ["*.csv"], partial: allow}'
printf 'a,b\n1,3\n' >in/good.csv
(cd in && zip -q0 ../crc2.zip good.csv bad.csv)
LC_ALL=C sed 's/spoil me/spoil ME/' crc2.zip >lake/inbox/crc2.zip
expect_same 'partial: allow lands what is good' \
	'crc2.zip unpacked 1 landed 1 missing
crc2.zip!/bad.csv quarantined
crc2.zip!/good.csv landed' "$(run_pass)"
expect_same 'somebody must look' 2 "$(cat status)"
expect_same 'the missing one says so' 1 "$(why bad.csv | grep -c 'missing: .*CRC')"
expect_same 'and lies in the archive, which is kept' \
	"$(sha lake/inbox/crc2.zip)" \
	"$(zstd -dcq lake/zone/inbox/dt=*/crc2.*.zip.zst | sha256sum |
		cut -c 1-64)"
python3 - <<'PY'
import io, random, tarfile
rng = random.Random(5)
for name, n in ("cut-small", 300), ("cut-large", 300000):
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w") as t:
        for part in "ab":
            body = "".join(f"{rng.randrange(10**9)},{part}\n"
                           for _ in range(n)).encode()
            info = tarfile.TarInfo(f"{name}-{part}.csv")
            info.size = len(body)
            t.addfile(info, io.BytesIO(body))
    cut = whole.getvalue()[:512 + len(body) + 512 + len(body) // 2]
    open(f"lake/inbox/{name}.tar", "wb").write(cut)
PY
expect_same 'the member that an archive ends in is missing once' \
	'cut-large.tar unpacked 1 landed 1 missing
cut-small.tar unpacked 1 landed 1 missing' "$(run_pass | grep -v '!/')"
both_verify 'partial'
rm lake/inbox/*

settings '{members: ["*.csv"]}'
echo 'no zip' >lake/inbox/no.zip
gzip -c in/a.csv >lake/inbox/wrong.zip
: >lake/inbox/empty.zip
head -c 100 crc.zip >lake/inbox/cut.zip
run_pass >disagree.out
expect_same 'names and bytes that disagree' 'cut.zip quarantined
empty.zip quarantined
no.zip quarantined' "$(grep -v '^wrong' disagree.out)"
expect_same 'bytes decide' 'wrong.zip unpacked 1 ignored' \
	"$(grep '^wrong.zip unp' disagree.out)"
rm lake/inbox/*

(cd in && rm -f link.csv && ln -s /etc/passwd link.csv &&
	zip -qy ../link.zip link.csv good.csv)
cp link.zip lake/inbox/
run_pass >/dev/null
expect_same 'a link is told and never written' \
	'ignored: symbolic link to /etc/passwd' "$(why link.csv)"
expect_same 'the archive is kept with it' "$(sha link.zip)" \
	"$(zstd -dcq lake/zone/inbox/dt=*/link.*.zip.zst | sha256sum |
		cut -c 1-64)"
rm lake/inbox/*

# ---- limits ----

head -c 40000000 /dev/zero | gzip >bomb.csv.gz
cp bomb.csv.gz lake/inbox/
expect_same 'a bomb' 'bomb.csv.gz quarantined' "$(run_pass)"
expect_same 'by its ratio' 1 "$(why bomb.csv.gz | grep -c max_ratio)"
rm lake/inbox/*
settings '{max_member: 1KiB}'
printf 'a,b\n%01100d,1\n' 1 | gzip >lake/inbox/limit.csv.gz
expect_same 'over max_member' 'limit.csv.gz quarantined' "$(run_pass)"
settings '{max_members: 2}'
printf 'a,b\n1,91\n' >in/l1.csv
printf 'a,b\n1,92\n' >in/l2.csv
printf 'a,b\n1,93\n' >in/l3.csv
(cd in && zip -q ../lake/inbox/limit.zip l1.csv l2.csv l3.csv)
expect_same 'over max_members' 'limit.zip quarantined' \
	"$(run_pass | grep -v csv.gz)"
settings '{max_depth: 1}'
(cd in && zip -q l1.zip l1.csv && zip -q ../lake/inbox/deep.zip l1.zip)
expect_same 'over max_depth' 'deep.zip quarantined' \
	"$(run_pass | grep -v limit)"
rm lake/inbox/*
both_verify 'limits'

# ---- names that come again; passwords ----

python3 -W ignore - <<'PY'
import zipfile
with zipfile.ZipFile("twice.zip", "w") as z:
    z.writestr("t.csv", "a,b\n1,71\n")
    z.writestr("t.csv", "a,b\n1,72\n")
PY
settings '{}'
cp twice.zip lake/inbox/
expect_same 'a name twice is refused' 'twice.zip quarantined' "$(run_pass)"
settings '{same_name: number}'
touch lake/inbox/twice.zip
expect_same 'or numbered' 'twice.zip unpacked 2 landed
twice.zip!/t.csv landed
twice.zip!/t.csv~2 landed' "$(run_pass)"
rm lake/inbox/*
printf 'a,b\nsecret,1\n' >in/secret.csv
(cd in && zip -q -P 'open sesame' ../secret.zip secret.csv)
cp secret.zip lake/inbox/
expect_same 'encrypted, without a password' 'secret.zip quarantined' \
	"$(run_pass)"
expect_same 'and that is why' 1 "$(why secret.zip | grep -ci 'encrypted')"
(umask 077 && printf 'open sesame\n' >password)
settings "{password: {file: $(pwd | sed 's,/,\\/,g')\\/password}}"
touch lake/inbox/secret.zip
expect_same 'with it' 'secret.zip unpacked 1 landed
secret.zip!/secret.csv landed' "$(run_pass)"
expect_same 'the password stands nowhere' '' \
	"$(grep -rl 'open sesame' lake pass.out pass.err || :)"
rm lake/inbox/*
printf 'a,b\nopen,2\n' >in/open.csv
printf 'a,b\nsecret,2\n' >in/secret.csv
(cd in && tar -czf ../lake/inbox/open.tar.gz open.csv &&
	zip -q -P 'open sesame' ../lake/inbox/both.zip secret.csv)
mv password away
expect_same 'while it cannot be had, what needs it waits; nothing else does' \
	'both.zip pending
open.tar.gz unpacked 1 landed
open.tar.gz!/open.csv landed' "$(run_pass)"
expect_same 'and says for what' 1 "$(why both.zip | grep -c \
	"pending: unpack.password: open $PWD/password: No such file")"
mv away password
expect_same 'then it lands' 'both.zip unpacked 1 landed
both.zip!/secret.csv landed' "$(run_pass)"
rm lake/inbox/*

# ---- keep_container, checksums, totals, drift ----

settings '{keep_container: true}'
printf 'a,b\n1,94\n' >in/kept.csv
tar -C in -cf kept.tar kept.csv
cp kept.tar lake/inbox/kept.tar
run_pass >/dev/null
expect_same 'keep_container keeps it' "$(sha kept.tar)" \
	"$(zstd -dcq lake/zone/inbox/dt=*/kept.*.tar.zst | sha256sum |
		cut -c 1-64)"
expect_same 'and cat has it by its name' "$(sha kept.tar)" \
	"$("$LANDFALL" cat -c $conf kept.tar | sha256sum | cut -c 1-64)"
rm lake/inbox/*
sed "s/format: csv/format: csv\\n    unpack: {}\\n    ready: {checksum: \"{name}.sha256\"}/" \
	plain.yaml >$conf
printf 'a,b\n1,81\n' >in/sum.csv
(cd in && zip -q ../sum.zip sum.csv)
cp sum.zip lake/inbox/
echo "$(printf x | sha256sum | cut -c 1-64)  sum.zip" >lake/inbox/sum.zip.sha256
expect_same 'a checksum speaks of the archive' 'sum.zip quarantined' \
	"$(run_pass | grep '^sum.zip ')"
expect_same 'and no member is seen before' '' \
	"$(find lake/zone/inbox -name 'sum.zip*')"
sha256sum sum.zip >lake/inbox/sum.zip.sha256
expect_same 'the right one' 'sum.zip unpacked 1 landed' \
	"$(run_pass | grep '^sum.zip ')"
rm lake/inbox/*
settings '{}' 'csv: {trailer: {prefix: "T,"}, columns: any}\n    totals: {records: {trailer_field: 2}}'
printf 'a,b\n1,2\nT,1\n' >in/t1.csv
printf 'a,b\n1,2\nT,9\n' >in/t2.csv
(cd in && zip -q ../totals.zip t1.csv t2.csv)
cp totals.zip lake/inbox/
expect_same 'control totals are those of members' 'totals.zip quarantined' \
	"$(run_pass)"
expect_same 'with both numbers' 1 \
	"$(why totals.zip | grep -c 't2.csv.*trailer field 2 says 9, the delivery has 1')"
rm lake/inbox/*
settings '{}' 'totals: {records: {side: "{name}.ctl"}}'
expect_status 'a side file cannot speak of members' 1 \
	"$LANDFALL" check -c $conf
settings '{}' 'drift: hold'
printf 'x,y\n1,2\n' >in/drift.csv
(cd in && zip -q ../drift.zip drift.csv)
cp drift.zip lake/inbox/
expect_same 'a member held by drift holds the archive' \
	'drift.zip pending' "$(run_pass)"
expect_status 'by hand it lands' 0 \
	"$LANDFALL" land -c $conf --source inbox lake/inbox/drift.zip
rm lake/inbox/*
both_verify 'all'
expect_same 'nothing is left behind' '' \
	"$(find lake/zone/_staging lake/state/spool -type f ! -name intent)"
