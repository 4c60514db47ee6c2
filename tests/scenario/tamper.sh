#!/bin/sh
# tamper.sh - whatever byte of a zone is changed, `verify` sees it, and says
# which file.
# shellcheck disable=SC2154
. "$SRCDIR/tests/scenario/lib.sh"

command -v python3 >/dev/null || skip "python3 is not here"

"$LANDFALL" init place >init.out 2>&1
cd place
printf 'id,v\n1,a\n2,b\n' >../a.csv
printf 'id,v\n1,a\n2,"b\n3,c\n' >../b.csv
cp ../a.csv ../c.csv
"$LANDFALL" land --quiet --source inbox ../a.csv ../b.csv ../c.csv >land.out
printf 'id,v\n1,a\n2,b\n3,c\n' >../a.csv
"$LANDFALL" land --quiet --source inbox ../a.csv >land.out
cp zone/_ledger/vkey ../vkey

expect 'an untouched zone verifies' "$LANDFALL" verify zone
expect 'and deeply' "$LANDFALL" verify --deep
expect 'and with the key that was kept' \
	"$LANDFALL" verify zone --vkey ../vkey

chmod -R u+w zone
python3 - "$LANDFALL" <<'PY' || lib_failed=1
import os, queue, shutil, subprocess, sys, threading, time

landfall = sys.argv[1]
# Seconds; what does not fit is skipped evenly.
BUDGET = 3600 if os.environ.get("SOAK") == "yes" else 25

def files(zone):
    tiles, found = {}, []
    for where, _, names in os.walk(zone):
        for name in names:
            path = os.path.relpath(os.path.join(where, name), zone)
            # README is prose; the staging directory is nobody's record.
            if path == "_ledger/README" or path.startswith("_staging/"):
                continue
            found.append(path)
            if where.endswith(".p"):
                tiles.setdefault(where, []).append(int(name))
    # Of the partial tiles only the widest belongs to the checkpoint.
    return sorted(p for p in found
        if not os.path.dirname(p).endswith(".p") or int(os.path.basename(p))
            == max(tiles[os.path.join(zone, os.path.dirname(p))]))

def verify(zone, *options):
    return subprocess.run([landfall, "verify", "--quiet", "--json", *options,
        zone], capture_output=True, text=True)

failed = 0

def report(name, missed):
    global failed
    failed |= len(missed) > 0
    for line in missed[:10]:
        print("# " + line)
    print(("not ok" if missed else "ok") + " - " + name)
    sys.stdout.flush()

work = [(p, i) for p in files("zone") for i in range(os.path.getsize(
    os.path.join("zone", p)))]
start = time.monotonic()
for _ in range(10):
    verify("zone")
each = (time.monotonic() - start) / 10 / 1.5
step = max(1, int(len(work) * each / BUDGET) + 1)
jobs = queue.SimpleQueue()
for n, job in enumerate(work[::step]):
    jobs.put((n, *job))
missed, lock = [], threading.Lock()

def flip(zone):
    while True:
        try:
            n, path, at = jobs.get_nowait()
        except queue.Empty:
            return
        bit = 1 << (n * 5 + at) % 8
        with open(os.path.join(zone, path), "r+b", buffering=0) as f:
            f.seek(at)
            old = f.read(1)[0]
            f.seek(at)
            f.write(bytes([old ^ bit]))
            r = verify(zone)
            f.seek(at)
            f.write(bytes([old]))
        if r.returncode != 4 or '"kind"' not in r.stdout:
            with lock:
                missed.append("%s byte %d bit %#x: status %d %s" % (path, at,
                    bit, r.returncode, r.stderr))

threads = []
for n in range(2):
    shutil.copytree("zone", "copy%d" % n, symlinks=True)
    threads.append(threading.Thread(target=flip, args=("copy%d" % n,)))
for t in threads:
    t.start()
for t in threads:
    t.join()
print("# %d of %d bytes, %.0f s" % (len(work[::step]), len(work),
    time.monotonic() - start))
report("each changed byte is found", missed)

missed = []
for path in files("zone"):
    full = os.path.join("copy0", path)
    # Cut by one byte, empty, gone, with one byte more.
    for how in ("cut", "empty", "gone", "longer"):
        size = os.path.getsize(full)
        if how == "cut":
            os.truncate(full, size - 1)
        elif how == "empty":
            os.truncate(full, 0)
        elif how == "gone":
            os.unlink(full)
        else:
            with open(full, "ab") as f:
                f.write(b"x")
        for options in ([], ["--deep"]):
            r = verify("copy0", *options)
            if r.returncode != 4:
                missed.append("%s %s: status %d %s" % (path, how, r.returncode,
                    r.stderr))
        shutil.copy2(os.path.join("zone", path), full)
report("each file cut, emptied, lengthened or removed is found", missed)

landed = [p for p in files("zone") if p.endswith(".zst")]
missed = []
def expect(what, kind, options=[]):
    r = verify("copy1", *options)
    if r.returncode != 4 or '"kind":"%s"' % kind not in r.stdout:
        missed.append("%s: status %d, wanted %s: %s%s" % (what, r.returncode,
            kind, r.stdout, r.stderr))

one, two = landed[0], landed[1]
swap = lambda: (os.rename("copy1/" + one, "copy1/x"),
    os.rename("copy1/" + two, "copy1/" + one),
    os.rename("copy1/x", "copy1/" + two))
swap()
expect("two files change places", "file-changed")
swap()
shutil.copy2("copy1/" + one, "copy1/inbox/stranger.csv.zst")
expect("a stranger lies in the zone", "file-unlisted")
os.unlink("copy1/inbox/stranger.csv.zst")
sums = "copy1/" + os.path.dirname(one) + "/SHA256SUMS"
lines = open(sums).readlines()
open(sums, "w").writelines(lines[1:])
expect("a line of SHA256SUMS is gone", "sums-missing")
open(sums, "w").writelines(lines + lines[:1])
expect("a line of SHA256SUMS comes twice", "sums-wrong")
open(sums, "w").writelines(lines + ["0" * 64 + "  other.csv.zst\n"])
expect("SHA256SUMS names a stranger", "sums-unlisted")
open(sums, "w").writelines(lines)
os.rename("copy1/_ledger", "ledger-aside")
shutil.copytree("ledger-aside", "copy1/_ledger")
for where, _, names in os.walk("copy1/_ledger/tile"):
    for name in names:
        os.unlink(os.path.join(where, name))
expect("no tile is left", "ledger-damaged")
shutil.rmtree("copy1/_ledger")
os.rename("ledger-aside", "copy1/_ledger")
if verify("copy1", "--deep").returncode != 0:
    missed.append("put back, it does not verify")
report("findings have their kinds", missed)
sys.exit(failed)
PY

# A ledger that was replaced whole, with a key of its own, only shows to
# those who kept the key.
cd ..
"$LANDFALL" init other --origin "$(cut -d + -f 1 vkey)" >init.out 2>&1
cp -R place/zone forged
chmod -R u+w forged
rm -r forged/_ledger
cp -R other/zone/_ledger forged/
expect_status 'a ledger by another key is found with the key that was kept' 4 \
	"$LANDFALL" verify forged --vkey vkey
expect_status 'what no configuration and no path names is a mistake' 1 \
	"$LANDFALL" verify
expect_status 'a path outside of any zone is a mistake' 1 \
	"$LANDFALL" verify vkey
