#!/usr/bin/env python3
"""SIGKILL at random moments, while partners go on delivering.

    kill.py [--soak] [--runs N] [--seed N]

200 files, then N times: a writer adds, replaces, appends, removes and
duplicates; `landfall run --once` is killed after a random time; nothing half
may be visible, and what it said had landed must be there. At the end one run
is left in peace, and everything must have landed exactly once.
"""
import os
import random
import subprocess
import sys
import tempfile
import time

import world
from world import SOAK, World


def argument(name, default):
    return int(sys.argv[sys.argv.index(name) + 1]) if name in sys.argv \
        else default


RUNS = argument("--runs", 1000 if SOAK else 100)
SEED = argument("--seed", 20261123)
FILES = 200


class Writer:
    """What partners do. Bytes are new each time, but for duplicates."""

    def __init__(self, w, rng):
        self.w, self.rng = w, rng
        self.names = {}  # name -> bytes
        self.delivered = {}  # sha256 -> how many names had them
        self.n = 0

    def rows(self, most):
        self.n += 1
        row = b"%d,%d,x\n" % (self.n, self.rng.getrandbits(60))
        return row * (1 + self.rng.randrange(most) // len(row))

    def size(self):
        return self.rng.choice((100, 1000, 1000, 10000, 300 << 10))

    def put(self, name, data):
        self.w.put(name, data)
        self.names[name] = data
        sha = world.sha256(data)
        self.delivered[sha] = self.delivered.get(sha, 0) + 1

    def add(self):
        folder = self.rng.choice(("", "", "a/", "a/b/", "\u00fc c/"))
        self.put(f"{folder}f{self.n}.csv", self.rows(self.size()))

    def replace(self):
        self.put(self.pick(), self.rows(self.size()))

    def append(self):
        name = self.pick()
        self.put(name, self.names[name] + self.rows(1000))

    def duplicate(self):
        self.n += 1
        self.put(f"again{self.n}.csv", self.names[self.pick()])

    def remove(self):
        name = self.pick()
        os.unlink(os.path.join(self.w.inbox, name))
        del self.names[name]

    def pick(self):
        return self.rng.choice(list(self.names))

    def work(self):
        for _ in range(self.rng.randrange(8)):
            self.rng.choice((self.add, self.replace, self.append,
                             self.duplicate, self.remove))()


def killed_run(w, after):
    """Runs, kills after so many seconds; (status, what it said)."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        p = subprocess.Popen([os.path.abspath(world.LANDFALL), "run", "--once",
                              "--json"], cwd=w.base, stdout=out, stderr=err,
                             stdin=subprocess.DEVNULL)
        try:
            p.wait(after)
        except subprocess.TimeoutExpired:
            p.kill()
            p.wait()
        out.seek(0)
        err.seek(0)
        return p.returncode, out.read().decode(), err.read().decode()


def main():
    rng = random.Random(SEED)
    w = World.create(os.path.join(world.fast_place(), "world"), workers=2)
    writer = Writer(w, rng)
    for _ in range(FILES):
        writer.add()
    wrong, killed, whole = [], 0, 0
    typical = 0.1
    for i in range(RUNS):
        began = time.monotonic()
        # Longer than a run now and then, so that progress is made.
        status, out, err = killed_run(w, rng.uniform(0, 1.1) * typical)
        if status == -9:
            killed += 1
        elif status == 0:
            whole += 1
            took = time.monotonic() - began
            typical += (took - typical) / 4
        else:
            wrong.append(f"run {i} ended with {status}: {err}")
        problems = w.half(writer.delivered) + \
            w.claims(world.json_lines(out))
        wrong += [f"after run {i}: {x}" for x in problems]
        if len(wrong) > 20:
            break
        writer.work()
    world.check(f"{RUNS} runs, {killed} killed, {whole} at their end: nothing "
                f"half was visible (--seed {SEED})", wrong)
    if killed < RUNS // 4:
        world.not_ok(f"only {killed} of {RUNS} runs were killed")

    run = w.run()
    world.check("a run left in peace recovers and lands the rest",
                [] if run.status == 0 else [str(run)])
    passes = [x for x in run.lines() if "pass" in x]
    world.check("its sums are closed",
                [str(x) for x in passes
                 if sum(x["counts"].values()) != x["listed"]] +
                ([] if len(passes) == 1 and
                 passes[0]["listed"] == len(writer.names) else [str(run)]))
    wrong = w.whole(w.sources()) + w.half(writer.delivered)
    world.check(f"{len(w.visible())} files from {len(writer.delivered)} "
                "deliveries: none lost, none doubled", wrong)
    again = w.run()
    world.check("one more run has nothing to do",
                [] if again.status == 0 and not
                [x for x in again.lines() if "disposition" in x]
                else [str(again) + again.out])
    world.check("verify agrees", w.strangers())
    world.check("zstd and sha256sum agree", w.stock_tools())
    world.end()


if __name__ == "__main__":
    main()
