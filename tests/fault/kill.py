#!/usr/bin/env -S python3 -B
"""SIGKILL at random moments, while partners go on delivering.

    kill.py [--soak] [--runs N] [--seed N]

200 files, then N times: a writer does what partners do; `landfall run --once`
is killed after a random time; nothing half may be visible, and what it said
had landed must be there. At the end one run is left in peace, and everything
must have landed exactly once.
"""
import os
import random
import subprocess
import sys
import tempfile
import time

import world
from world import SOAK, World
from writers import Journal, Writer


def argument(name, default):
    return int(sys.argv[sys.argv.index(name) + 1]) if name in sys.argv \
        else default


RUNS = argument("--runs", 1000 if SOAK else 100)
SEED = argument("--seed", 20261123)
FILES = 200


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
    journal = Journal()
    writer = Writer(w.drops(), rng, journal)
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
        problems = w.half({sha for _, _, sha in journal.may}) + \
            w.claims(world.json_lines(out))
        wrong += [f"after run {i}: {x}" for x in problems]
        if len(wrong) > 20:
            break
        for _ in range(rng.randrange(8)):
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
                 passes[0]["listed"] == len(writer.here()) else [str(run)]))
    wrong = w.whole(w.sources() | journal.must) + \
        w.half({sha for _, _, sha in journal.may})
    world.check(f"{len(w.visible())} files from {len(journal.may)} "
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
