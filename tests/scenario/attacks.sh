#!/bin/sh
# Archives that mean harm (tests/unpack/attack.py), through the whole of
# landfall: each ends as unpacked or quarantined, nothing escapes, and neither
# memory nor disk nor time is what the attacker wants.
. "$SRCDIR/tests/scenario/lib.sh"
command -v python3 >/dev/null || skip 'python3 is not here'
mkdir attacks
python3 "$SRCDIR/tests/unpack/attack.py" attacks >/dev/null
cat >land.py <<'PY'
import glob, json, os, resource, shutil, stat, subprocess
import sys, time
from urllib.parse import unquote

landfall = sys.argv[1]
sys.path.insert(0, sys.argv[2])
import family
attacks = json.load(open("attacks/attacks.json"))
KEYS = {"--members": "max_members", "--member": "max_member",
        "--total": "max_bytes"}
# There the reader has no place for archives inside; here it has.
OTHERWISE = ["inside-nowhere.zip"]


def limits(options):
    found, i = [], 0
    while i < len(options):
        if options[i] in KEYS:
            found.append(f"{KEYS[options[i]]}: {options[i + 1]}"
                         + ("" if options[i] == "--members" else "B"))
        i += 2
    return "{" + ", ".join(found) + "}"


sources = {}
for a in attacks:
    sources.setdefault(limits(a["options"]), []).append(a)
os.makedirs("outside")
open("outside/canary", "w").write("as it was")
before = sorted(os.listdir(".")) + ["lake"]
with open("landfall.yaml", "w") as f:
    f.write("zone: lake/zone\nstate: lake/state\n"
            "origin: " + open("lake/zone/_ledger/vkey").read().split("+")[0] +
            "\nlimits: {workers: 2, free_space: 0}\nsources:\n")
    for i, (text, some) in enumerate(sources.items()):
        f.write(f"  s{i}:\n    drop: {{path: lake/s{i}}}\n    format: csv\n"
                f"    ready: {{stable: 0s}}\n    unpack: {text}\n")
        os.makedirs(f"lake/s{i}")
        for a in some:
            shutil.copy("attacks/" + a["file"], f"lake/s{i}/")
delivered = sum(os.path.getsize("attacks/" + a["file"]) for a in attacks)


def failed(name, lines):
    for line in lines[:20]:
        print("#", line)
    print(("not " if lines else "") + "ok -", name, flush=True)


def blocks(path):
    try:
        st = os.stat(path)
    except OSError:
        return 0
    return st.st_blocks * 512 if stat.S_ISREG(st.st_mode) else 0


def unfinished(pid):
    """Bytes on disk that are not landed: staged files, and those without a
    name (spools), which only a descriptor leads to."""
    total = sum(blocks(f) for f in glob.glob("lake/zone/_staging/*") +
                glob.glob("lake/state/spool/*"))
    for fd in glob.glob(f"/proc/{pid}/fd/*"):
        try:
            where = os.readlink(fd)
        except OSError:
            continue
        if where.startswith(os.getcwd()) and where.endswith(" (deleted)"):
            total += blocks(fd)
    return total


out = open("out", "wb")
run = subprocess.Popen([landfall, "run", "--once", "--json"], stdout=out,
                       stderr=open("err", "wb"))
peak = disk = 0
while run.poll() is None:
    peak = max(peak, family.memory(run.pid))
    disk = max(disk, unfinished(run.pid))
    time.sleep(0.01)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
took = used.ru_utime + used.ru_stime
failed("the run ends, and says that somebody must look",
       [] if run.returncode == 2 else
       [f"status {run.returncode}", open("err").read()])
rows = [json.loads(l) for l in open("out")]
stands = {unquote(r["name"]): r for r in rows if "name" in r}
wrong = []
for a in attacks:
    r = stands.get(a["file"])
    if r is None or r["disposition"] not in ("unpacked", "quarantined",
                                             "duplicate"):
        wrong.append(f"{a['file']}: {r}")
    elif a["end"] == "end" and not a["spoiled"] and \
            r["disposition"] == "quarantined":
        wrong.append(f"{a['file']} is harmless: {r['reason']}")
    elif (a["end"] == "bad-item" or a["spoiled"]) and \
            a["file"] not in OTHERWISE and r["disposition"] != "quarantined":
        wrong.append(f"{a['file']} is not: {r}")
    elif a["files"] is not None and a["file"] not in OTHERWISE and \
            r["disposition"] == "unpacked" and \
            r["members"]["landed"] + r["members"]["duplicate"] > a["files"]:
        wrong.append(f"{a['file']} gave too much: {r['members']}")
    if r and "members" in r and a["findings"] and \
            r["members"]["findings"] != a["findings"]:
        wrong.append(f"{a['file']}: findings {r['members']}")
failed(f"each of {len(attacks)} is unpacked or quarantined", wrong)
failed("the sums of all passes close",
       [r for r in rows if "pass" in r and
        sum(r["counts"].values()) != r["listed"]])
failed("quarantined ones leave no member behind",
       [n for n, r in stands.items() if "!/" in n and
        r["disposition"] in ("landed", "new-version") and
        stands[n.split("!/")[0]]["disposition"] != "unpacked"])
failed("nothing appeared anywhere else",
       [n for n in os.listdir(".")
        if n not in before + ["landfall.yaml", "out", "err"]] +
       [n for n in os.listdir("outside") if n != "canary"] +
       ([] if open("outside/canary").read() == "as it was" else ["canary"]) +
       [f for f in ("/tmp/landfall-escaped", "/etc/up.csv", "/up.csv",
                    "../up.csv") if os.path.lexists(f)])
used = sum(os.stat(os.path.join(d, f)).st_blocks * 512
           for d, _, files in os.walk("lake/zone") for f in files)
print(f"# {took:.1f} s of processor time, {peak >> 20} MiB of all processes, "
      f"{delivered >> 20} MiB came, {disk >> 20} MiB at most on the way, "
      f"{used >> 20} MiB are kept")
# Two archives at a time: a child of each, and what is kept in mind of members.
failed("at no time did all processes together have more than 160 MiB",
       [] if 0 < peak < 160 << 20 else [f"{peak >> 20} MiB"])
failed("at no time was much on disk for them",
       [] if 0 < disk < 64 << 20 else [f"{disk >> 20} MiB"])
failed("the disk holds what came, and no more",
       [] if used < delivered + (1 << 20) else [f"{used >> 20} MiB"])
failed("all of them together took less than a minute of processor time",
       [] if took < 60 else [f"{took:.1f} s"])
PY
"$LANDFALL" init lake --quiet
python3 -B land.py "$LANDFALL" "$SRCDIR/tests/scenario"
expect 'verify --deep' "$LANDFALL" verify --deep -c landfall.yaml
expect 'the second reader' \
	python3 "$SRCDIR/contrib/readers/verify.py" lake/zone
expect_same 'nothing is left behind' '' \
	"$(find lake/zone/_staging lake/state/spool -type f ! -name intent)"
