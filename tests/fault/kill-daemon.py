#!/usr/bin/env -S python3 -B
"""SIGKILL of the daemon at random moments, while partners go on delivering.

    kill-daemon.py [--soak] [--runs N] [--seed N]

Processes that add, grow, replace, append, rename, remove and repeat files in
four drops, and rename folders, each with its own journal; `landfall run` is killed N times. Then
the writers stop and `landfall run --once` settles what is left. The journals
are the judge: nothing they say must have landed is lost, nothing is there
twice, nothing is there that nobody delivered.
"""
import collections
import glob
import json
import os
import random
import select
import signal
import statistics
import subprocess
import sys
import time

import world
from world import SOAK, World
from writers import Journal, Writer


def argument(name, default):
    return int(sys.argv[sys.argv.index(name) + 1]) if name in sys.argv \
        else default


RUNS = argument("--runs", 10000 if SOAK else 1000)
SEED = argument("--seed", 20261124)
WRITERS = 3
NAMES = 25  # of one writer in one drop: a look must fit into a short life
PAUSE = 0.08  # seconds, at most, between what one writer does
START = 0.005  # seconds that a program takes to start where lives were chosen

SOURCES = {
    "keep": "ready: {stable: 0s}\n    receipt: {path: receipts}",
    "slow": "ready: {stable: 30ms}",
    "gone": "ready: {stable: 0s}\n    after: delete",
    "away": "ready: {stable: 0s}\n    after: {move: done}",
}


class Lake(World):
    def drops(self):
        return {source: f"{self.base}/{source}" for source in SOURCES}

    def configure(self, workers=2, inbox="", below=""):
        os.makedirs(f"{self.base}/receipts")
        with open(f"{self.base}/landfall.yaml", "w", encoding="utf-8") as f:
            f.write("zone: zone\nstate: state\n"
                    f"origin: {world.ORIGIN}\nlevel: 1\n"
                    f"limits: {{workers: {workers}, free_space: 0}}\n"
                    "sources:\n")
            for source, text in SOURCES.items():
                os.makedirs(f"{self.base}/{source}")
                f.write(f"  {source}:\n    drop: {{path: {source}}}\n"
                        f"    format: csv\n    {text}\n")

    # What landfall has put aside, or could not put back.

    def moved(self):
        return [p for p in glob.glob(f"{self.base}/away/done/**",
                                     recursive=True) if os.path.isfile(p)]

    def held(self):
        return [p for source in SOURCES for p in glob.glob(
            f"{self.base}/{source}/.landfall-held/**", recursive=True)
            if os.path.isfile(p)]


def write(w, i, stop):
    """A writer's process, until `stop` is there."""
    rng = random.Random(SEED * 100 + i)
    writer = Writer(w.drops(), rng, Journal(f"{w.base}/journal.{i}"),
                    tag=f"w{i}-", most=NAMES, places=True)
    while not os.path.exists(stop):
        writer.work()
        time.sleep(rng.random() * PAUSE)


def start_writers(w, stop):
    pids = []
    for i in range(WRITERS):
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            status = 1
            try:
                write(w, i, stop)
                status = 0
            except BaseException as e:  # pylint: disable=broad-except
                print(f"# writer {i}: {e!r}", flush=True)
            os._exit(status)
        pids.append(pid)
    return pids


def stop_writers(pids, stop):
    """What went wrong with them."""
    with open(stop, "w", encoding="ascii"):
        pass
    ends = [os.waitpid(pid, 0)[1] for pid in pids]
    return [f"writer {i} ended with {status}"
            for i, status in enumerate(ends) if status != 0]


def killed_run(w, life, from_start):
    """Runs, kills after so many seconds, counted from when it has recovered
    or from its first instruction; its status and what it logged."""
    p = subprocess.Popen([os.path.abspath(world.LANDFALL), "run", "--json"],
                         cwd=w.base, stderr=subprocess.PIPE,
                         stdin=subprocess.DEVNULL)
    text = b""
    until = time.monotonic() + (world.TIMEOUT if from_start else life)
    while True:
        left = until - time.monotonic()
        if left <= 0:
            break
        if not select.select([p.stderr], [], [], left)[0]:
            continue
        more = os.read(p.stderr.fileno(), 1 << 16)
        if not more:
            break
        text += more
        if from_start and b'"started"' in text:
            from_start, until = False, time.monotonic() + life
    p.kill()
    text = (text + p.stderr.read()).decode("utf-8", "replace")
    p.stderr.close()
    return p.wait(), world.json_lines(text), text


def said(w, lines):
    """What a run said it had landed, and has not; what it called an error."""
    wrong = []
    for line in lines:
        if line.get("level") == "error":
            wrong.append(f"an error: {line}")
        if line.get("event") in ("landed", "new-version"):
            try:
                with open(f"{w.zone}/{line['file']}", "rb") as f:
                    if world.decode(f.read()) is None:
                        wrong.append(f"said to have landed, not whole: {line}")
            except OSError as e:
                wrong.append(f"said to have landed: {line}: {e}")
    return wrong


def journals(w):
    may, must = set(), set()
    for path in glob.glob(f"{w.base}/journal.*"):
        j = Journal.read(path)
        may |= j.may
        must |= j.must
    return may, must


def slowness():
    """How many times as long as there a program takes to start here: a life
    has to be long enough for some work."""
    times = []
    for _ in range(5):
        before = time.monotonic()
        subprocess.run([os.path.abspath(world.LANDFALL), "--version"],
                       stdout=subprocess.DEVNULL, check=True)
        times.append(time.monotonic() - before)
    return min(max(statistics.median(times) / START, 1), 4)


def kill(w, rng, counts):
    """The daemon's short lives; what was wrong in them."""
    wrong = []
    every = 25 if RUNS <= 1000 else 250
    for i in range(RUNS):
        if i % 25 == 0:
            slow = slowness()
        # A longer one now and then, so that hints are followed too.
        life = rng.uniform(0.005, 0.06 if rng.random() < 0.92 else 0.4) * slow
        status, lines, text = killed_run(w, life, rng.random() < 0.5)
        counts.update(line.get("event") for line in lines)
        problems = said(w, lines)
        if status != -9:
            problems.append(f"it ended with {status}: {text}")
        if i % every == 0:
            visible = w.visible()  # first: journals are always ahead
            may, _ = journals(w)
            bytes_ = {sha for _, _, sha in may}
            problems += [f"visible, but not whole or never delivered: {path}"
                         for path, (_, raw) in visible.items()
                         if raw not in bytes_]
        wrong += [f"after run {i}: {x}" for x in problems]
        if len(wrong) > 20:
            break
    return wrong


def give_back(w):
    """What a message asks the operator for: what could not go back under its
    name, because a new file has it, gets another one."""
    held = w.held()
    for i, path in enumerate(held):
        source = os.path.relpath(path, w.base).split("/")[0]
        os.rename(path, f"{w.base}/{source}/back-{i}.csv")
    return len(held)


def known_again(w, may, must):
    """What was given back was delivered under a name of its own; its partner
    may have found it gone from the old one, and put another there."""
    bytes_ = {(source, sha) for source, _, sha in may}
    back = {key for key in w.sources()
            if key[1].startswith(b"back-") and (key[0], key[2]) in bytes_}
    may |= back
    must -= {key for key in must
             if any((key[0], key[2]) == (b[0], b[2]) for b in back)}
    must |= back


def settle(w):
    """Passes until nothing is left to do; the last, and its problems."""
    for _ in range(20):
        run = w.run("run", "--once", "--json")
        if run.status not in (0, 3):
            return run, [str(run)]
        if run.status == 0 and not any("disposition" in line
                                       for line in run.lines()):
            return run, []
    return run, [f"it does not come to rest: {run}{run.out}"]


def judge(w, may, must):
    wrong = w.whole(must)
    wrong += [f"never delivered: {world.key_of(e)}"
              for e in world.read_ledger(w.zone)
              if world.key_of(e) not in may]
    landed = {(path.split("/")[0], raw)
              for path, (_, raw) in w.visible().items()}
    for path in w.moved():
        with open(path, "rb") as f:
            if ("away", world.sha256(f.read())) not in landed:
                wrong.append(f"moved, but has not landed: {path}")
    # A drop that is emptied is empty but for what moved, and nothing of ours
    # is left in it.
    wrong += [f"is still there: {path}" for source in ("gone", "away")
              for path in glob.glob(f"{w.base}/{source}/**", recursive=True)
              if os.path.isfile(path) and
              not path.startswith(f"{w.base}/away/done/")]
    return wrong


def receipts(w):
    """Each entry of the source has one, and nobody else has."""
    given = collections.Counter()
    wrong = []
    for path in glob.glob(f"{w.base}/receipts/*"):
        try:
            with open(path, encoding="utf-8") as f:
                r = json.load(f)
            given[json.dumps(json.loads(r["entry"]), sort_keys=True)] += 1
        except (ValueError, KeyError) as e:
            wrong.append(f"not a receipt: {path}: {e}")
    owed = {json.dumps(e, sort_keys=True)
            for e in world.read_ledger(w.zone) if e["source"] == "keep"}
    # An older one of a name has its file only when the newer came while it
    # was still there: here nobody takes any.
    wrong += [f"no receipt: {e}" for e in owed if given[e] != 1]
    wrong += [f"for nothing: {e}" for e in given if e not in owed]
    return wrong


def main():
    world.TIMEOUT = 600
    rng = random.Random(SEED)
    # On the disk there is: each sync is a moment to be killed in.
    base = os.path.abspath("world")
    w = Lake.create(base)
    counts = collections.Counter()
    began = time.monotonic()
    pids = start_writers(w, f"{base}/stop")
    try:
        wrong = kill(w, rng, counts)
    finally:
        wrong += stop_writers(pids, f"{base}/stop")
    took = time.monotonic() - began
    world.check(f"{RUNS} daemons killed: nothing half was visible, and "
                f"what they said was so (--seed {SEED})", wrong)
    print("# %.0f s; %s" % (took, ", ".join(
        f"{n} {event}" for event, n in sorted(counts.items()))))
    for event in ("landed", "new-version", "duplicate"):
        if counts[event] < RUNS // 50:
            world.not_ok(f"only {counts[event]} {event} in {RUNS} lives")

    may, must = journals(w)
    settle(w)
    back = give_back(w)
    known_again(w, may, must)
    print(f"# {len(may)} deliveries, {len(must)} of them must have landed; "
          f"{back} could not go back")
    run, problems = settle(w)
    world.check("the writers stop and a pass settles everything", problems)
    passes = [x for x in run.lines() if "pass" in x]
    world.check("the sums are closed",
                [str(x) for x in passes
                 if sum(x["counts"].values()) != x["listed"]] +
                ([] if len(passes) == len(SOURCES) else [str(run)]))
    world.check("none lost, none doubled, none invented",
                judge(w, may, must))
    world.check("each delivery of a source has its receipt", receipts(w))
    world.check("verify --deep and an independent verifier agree",
                w.strangers())
    world.check("zstd and sha256sum agree", w.stock_tools())
    world.end()


if __name__ == "__main__":
    main()
