#!/usr/bin/env -S python3 -B
"""SIGKILL at random moments, while sets land.

    kill-sets.py [--soak] [--runs N] [--seed N]

First one set, killed in front of each call that writes, names or syncs: a
sample of them without --soak, and every one that gives a file its name.

Then N times: partners deliver sets, some of them with a file that comes late or
is wrong at first, beside others that are never whole; `landfall run --once`
is killed after a random time. After each kill all of a set is in the ledger or
nothing; once the next process has recovered, so it is in the zone. At the end
every whole set has landed, once.
"""
import hashlib
import os
import random
import subprocess
import sys
import time

import world
from world import SOAK, World


def argument(name, default):
    return int(sys.argv[sys.argv.index(name) + 1]) if name in sys.argv \
        else default


RUNS = argument("--runs", 600 if SOAK else 60)
SEED = argument("--seed", 20261129)

CONFIG = """\
zone: zone
state: state
origin: fault.test/landing
level: 1
limits: {workers: 2, free_space: 0}
sources:
  inbox:
    drop: {path: inbox}
    format: csv
    ready: {all: [{manifest: "*.mf"}, {stable: 0s}]}
    after: AFTER
  empty:
    drop: {path: empty}
"""


TELLING = ("write", "pwrite64", "renameat2", "renameat", "fsync", "fdatasync",
           "syncfs", "ftruncate", "unlinkat", "close")


def world_with(after, name):
    w = World.create(os.path.join(world.fast_place(), name), workers=2)
    os.makedirs(f"{w.base}/empty")
    with open(f"{w.base}/landfall.yaml", "w", encoding="utf-8") as f:
        f.write(CONFIG.replace("AFTER", after))
    return w


class Sets:
    """What partners have delivered, and how much of it may have landed."""

    def __init__(self, w, rng):
        self.w, self.rng = w, rng
        self.sets = []  # [{sha256: name}], whole or not
        self.late = []  # what is still to be put right: (set, name, data)
        self.n = 0

    def add(self):
        rng, i = self.rng, self.n
        self.n += 1
        files = {f"s{i:04d}/f{k}.csv": f"a,b\n{i},{k}\n".encode() * (k + 1)
                 for k in range(rng.choice((1, 2, 5, 40)))}
        one = {hashlib.sha256(d).hexdigest(): n for n, d in files.items()}
        lines = [f"{sha}  {n.split('/')[1]}\n" for sha, n in one.items()]
        first = rng.random() < 0.3
        if first:
            self.w.put(f"s{i:04d}/x.mf", "".join(lines).encode())
        kind = rng.random()
        for k, (name, data) in enumerate(files.items()):
            if k == 0 and kind < 0.3:
                self.late.append((one, name, data))
                if kind < 0.1:
                    self.w.put(name, b"wrong,at first\n" + data)
                continue
            self.w.put(name, data)
        if not first:
            self.w.put(f"s{i:04d}/x.mf", "".join(lines).encode())
        self.sets.append(one)
        return one

    def mend(self):
        if self.late:
            _, name, data = self.late.pop(0)
            self.w.put(name, data)

    def parts(self, found):
        """Sets of which some is in `found` (sha256 of bytes), and not all."""
        return [f"{len(one.keys() & found)} of {len(one)}: "
                f"{sorted(one.values())[0]}"
                for one in self.sets
                if 0 < len(one.keys() & found) < len(one)]


def ledger(w):
    return {e["bytes_sha256"] for e in world.read_ledger(w.zone)
            if e["disposition"] in ("landed", "new-version")}


def zone(w):
    return {raw for path, (_, raw) in w.visible().items()
            if path.startswith("inbox/")}


def killed_run(w, after):
    p = subprocess.Popen([os.path.abspath(world.LANDFALL), "run", "--once",
                          "--quiet", "inbox"], cwd=w.base,
                         stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                         stderr=subprocess.DEVNULL)
    try:
        p.wait(after)
    except subprocess.TimeoutExpired:
        p.kill()
        p.wait()
    return p.returncode


def recover(w):
    """A process that looks at nothing of it."""
    run = w.run("run", "--once", "--quiet", "empty")
    return [] if run.status == 0 else [str(run)]


def each_call():
    tracer = world.tracer()
    template = world_with("keep", "template")
    files = {f"f{k}.csv": b"a,b\n1,%d\n" % k for k in range(6)}
    for name, data in files.items():
        template.put(name, data)
    template.put("x.mf", "".join(f"{n}\n" for n in files).encode())
    shas = {hashlib.sha256(d).hexdigest() for d in files.values()}
    trial = template.copy(template.base + ".trial")
    log = trial.base + ".log"
    run = trial.run("run", "--once", "inbox", before=[tracer, "-l", log])
    with open(log, encoding="utf-8", errors="replace") as f:
        calls = [line.split(" ", 3) for line in f]
    wrong = [] if run.status == 0 and ledger(trial) == shas else [str(run)]
    points = [int(n) for n, _, call, _ in calls if call in TELLING]
    named = {int(n) for n, _, call, _ in calls if call == "renameat2"}
    if not SOAK:
        points = sorted(named | set(random.Random(1).sample(
            points, min(30, len(points)))))
    cut = 0
    for n in points:
        w = template.copy(f"{template.base}.{n}")
        run = w.run("run", "--once", "inbox",
                    before=[tracer, "-n", str(n), "-a", "kill"])
        cut += 0 < len(zone(w) & shas) < len(shas)
        found = recover(w)
        for where in (zone(w), ledger(w)):
            if where not in (set(), shas):
                found.append(f"{len(where)} of {len(shas)} after recovery")
        run = w.run()
        if run.status != 0 or ledger(w) != shas or zone(w) != shas:
            found.append(f"the next run: {run}")
        wrong += [f"killed in front of call {n}: {x}" for x in found]
        w.remove()
    world.check(f"a set, killed at {len(points)} calls, {cut} times between "
                "two of its names: all or nothing", wrong)
    if cut < len(files) - 1:
        world.not_ok(f"only {cut} kills between two names")


def main():
    rng = random.Random(SEED)
    each_call()
    w = world_with(rng.choice(("keep", "delete", "{move: done}")), "world")
    sets = Sets(w, rng)
    wrong, killed, cut = [], 0, 0
    typical = 0.1
    for i in range(RUNS):
        for _ in range(rng.randrange(1, 4)):
            sets.add()
        if rng.random() < 0.5:
            sets.mend()
        began = time.monotonic()
        status = killed_run(w, rng.uniform(0, 1.1) * typical)
        if status == -9:
            killed += 1
        elif status in (0, 2):
            typical += (time.monotonic() - began - typical) / 4
        else:
            wrong.append(f"run {i} ended with {status}")
        wrong += [f"run {i}: in the ledger {x}"
                  for x in sets.parts(ledger(w))]
        cut += len(sets.parts(zone(w))) > 0
        wrong += [f"after run {i}: {x}" for x in recover(w)]
        wrong += [f"recovered after run {i}: in the zone {x}"
                  for x in sets.parts(zone(w)) + sets.parts(ledger(w))]
        if len(wrong) > 20:
            break
    world.check(f"{RUNS} runs, {killed} killed, {cut} of them while files got "
                f"their names: of each set all or nothing (--seed {SEED})",
                wrong)
    if killed < RUNS // 4:
        world.not_ok(f"only {killed} of {RUNS} runs were killed")
    while sets.late:
        sets.mend()
    run = w.run()
    world.check("a run left in peace lands the rest",
                [] if run.status in (0, 2) else [str(run)])
    entries = [e["bytes_sha256"] for e in world.read_ledger(w.zone)
               if e["disposition"] in ("landed", "new-version")]
    wanted = sorted(sha for one in sets.sets for sha in one)
    world.check(f"{len(sets.sets)} sets of {len(wanted)} files: none lost, "
                "none doubled, none that is not whole",
                [] if sorted(entries) == wanted else
                [f"lost: {x}" for x in set(wanted) - set(entries)] +
                [f"doubled or never delivered: {x}" for x in set(entries)
                 if entries.count(x) != 1 or x not in wanted])
    world.check("verify agrees", w.strangers())
    world.end()


if __name__ == "__main__":
    main()
