#!/usr/bin/env -S python3 -B
"""kill -9 in the middle of an archive: all of its members, or none.

    archive.py [--soak]

An archive of small and large members, one archive inside it and one member
that landed before. The run that takes it apart is killed in front of one of
its system calls, of the child's too. Then the archive goes away, so that
nothing can be made up for, and a run recovers: a reader sees all that is new
in it or nothing. Then it comes back, and everything has landed once.
"""
import io
import multiprocessing
import os
import random
import signal
import sys
import tarfile
import zipfile

import inject
import world
from world import SOAK, World

POINTS = 60  # without --soak

CONFIG = world.CONFIG + "    unpack: {{members: ['*.csv']}}\n"

MEMBERS = {
    "a.csv": inject.rows(30, 41),
    "large.csv": inject.rows(40000, 42),
    "sub/b.csv": inject.rows(30, 43),
    "old.csv": inject.FIVE["orders.csv"],
}
INNER = {"c.csv": inject.rows(30, 44)}


def tar(members):
    f = io.BytesIO()
    with tarfile.open(fileobj=f, mode="w:gz") as t:
        for name, data in members.items():
            i = tarfile.TarInfo(name)
            i.size = len(data)
            t.addfile(i, io.BytesIO(data))
    return f.getvalue()


def archive():
    f = io.BytesIO()
    with zipfile.ZipFile(f, "w", zipfile.ZIP_DEFLATED) as z:
        for name, data in MEMBERS.items():
            z.writestr(zipfile.ZipInfo(name), data)
        z.writestr(zipfile.ZipInfo("in.tar.gz"), tar(INNER))
        z.writestr(zipfile.ZipInfo("README"), b"not for us")
    return f.getvalue()


ARCHIVE = archive()
NEW = {world.sha256(d) for n, d in MEMBERS.items() if n != "old.csv"} | \
    {world.sha256(d) for d in INNER.values()}
OLD = {world.sha256(inject.FIVE["orders.csv"])}


def create(base):
    world.CONFIG = CONFIG
    w = World.create(base, workers=2)
    w.put("orders.csv", inject.FIVE["orders.csv"])
    assert w.run().status == 0
    w.put("x.zip", ARCHIVE)
    return w


def seen(w):
    """What a reader sees, and what is wrong with it."""
    found = {raw for _, raw in w.visible().values()}
    wrong = []
    if None in found:
        wrong.append("visible but not whole")
    if found - NEW - OLD - {None}:
        wrong.append("visible but never delivered")
    return found, wrong


def entries(w):
    return [e for e in world.read_ledger(w.zone)
            if e["name"].startswith("x.zip")]


def all_or_none(w, when):
    found, wrong = seen(w)
    if found & NEW not in (set(), NEW):
        wrong.append(f"{len(found & NEW)} of {len(NEW)} members")
    return [f"{when}: {x}" for x in wrong]


def point(job):
    base, n = job
    w = World(base).copy(f"{base}.{n}")
    run = w.run(before=[inject.TRACER, "-n", str(n), "-a", "kill"])
    # The child may be the one that dies: then it is one item's trouble.
    hit = run.status == 137
    wrong = seen(w)[1] + w.claims(run.lines())
    os.rename(f"{w.inbox}/x.zip", f"{w.base}/x.zip")
    again = w.run()
    if again.status not in (0, 2):
        wrong.append(f"recovery: {again}")
    wrong += all_or_none(w, "without the archive")
    os.rename(f"{w.base}/x.zip", f"{w.inbox}/x.zip")
    again = w.run()
    if again.status != 0:
        wrong.append(f"the archive again: {again}")
    wrong += all_or_none(w, "with it")
    if not seen(w)[0] >= NEW:
        wrong.append("members are lost")
    mine = entries(w)
    kinds = sorted(e["disposition"] for e in mine)
    times = {}
    for e in mine:
        key = (e["name"], e["bytes_sha256"])
        times[key] = times.get(key, 0) + 1
    if "unpacked" not in kinds:
        wrong.append(f"the archive has no entry: {kinds}")
    wrong += [f"{k} entries of {name}" for name, k in times.items() if k > 1]
    again = w.run()
    if again.status != 0 or [x for x in again.lines() if "disposition" in x]:
        wrong.append(f"one more run has work to do: {again}{again.out}")
    wrong += w.verified()
    w.remove()
    return [f"killed at {n}: {x}" for x in wrong], hit


def main():
    w = create(os.path.join(world.fast_place(), "archive"))
    trial = w.copy(w.base + ".trial")
    calls = inject.number(trial, ["run", "--once", "--json"])
    world.check("without a fault", [] if sorted(
        e["disposition"] for e in entries(trial)) ==
        ["duplicate"] + 4 * ["landed"] + ["unpacked"] else [entries(trial)])
    trial.remove()
    chosen = [n for n, _, _ in calls]
    if not SOAK and len(chosen) > POINTS:
        # Most of them where things become true.
        last = chosen[len(chosen) * 2 // 3:]
        r = random.Random(len(chosen))
        chosen = sorted({*r.sample(chosen, POINTS // 3),
                         *r.sample(last, POINTS * 2 // 3)})
    wrong, hits = [], 0
    with multiprocessing.Pool(2, signal.signal,
                              (signal.SIGTERM, signal.SIG_DFL)) as pool:
        for problems, hit in pool.imap_unordered(
                point, [(w.base, n) for n in chosen], chunksize=2):
            wrong += problems
            hits += hit
    if hits < len(chosen) // 4:
        wrong.append(f"only {hits} of {len(chosen)} runs were killed")
    world.check(f"all members or none at {len(chosen)} of {len(calls)} calls",
                wrong)
    world.end()


if __name__ == "__main__":
    inject.TRACER = world.tracer()
    main()
