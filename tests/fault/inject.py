#!/usr/bin/env -S python3 -B
"""A fault at every system call: nothing lost, doubled or visible half.

    inject.py [--soak] [--only SCENARIO] [--at N ACTION]

Each scenario runs once to number its system calls, then again and again with
one fault at one of them: the call fails (EIO, ENOSPC, ...), is made and then
said to have failed, does half of its work, or the process is killed in front
of it. Then the same command runs without faults, and what must be true is
looked at, before and after. Without --soak a sample of the points is taken,
the same each time; --at repeats one point and keeps its directory.
"""
import errno
import io
import multiprocessing
import os
import random
import signal
import sys
import zipfile

import world
from world import SOAK, World

POINTS = 60  # for each scenario without --soak

IO = [str(errno.EIO)]
SPACE = [str(errno.ENOSPC)]
AGAIN = [str(errno.EINTR)]
LATE = [f"late:{errno.EIO}"]

# What may happen at which call. fcntl is left out but for the kill: SQLite
# retries its locks, and nothing else uses it for more than a duplicate.
ACTIONS = {
    "openat": IO + SPACE + AGAIN,
    "open": IO + SPACE + AGAIN,
    "read": IO + AGAIN + ["short"],
    "pread64": IO + AGAIN + ["short"],
    "write": IO + SPACE + AGAIN + ["short"],
    "pwrite64": IO + SPACE + AGAIN + ["short"],
    "getdents64": IO,
    "newfstatat": IO,
    "stat": IO,
    "lseek": IO,
    "fsync": IO + SPACE + LATE,
    "fdatasync": IO + SPACE + LATE,
    "syncfs": IO + SPACE + LATE,
    "ftruncate": IO + SPACE,
    "fallocate": SPACE,
    "fchmod": IO,
    "close": LATE,
    "flock": IO + AGAIN,
    "fcntl": [],
    "rename": IO + SPACE + LATE,
    "renameat": IO + SPACE + LATE,
    "renameat2": IO + SPACE + AGAIN + LATE,
    "link": IO + SPACE + LATE,
    "linkat": IO + SPACE + LATE,
    "mkdir": IO + SPACE,
    "mkdirat": IO + SPACE,
    "rmdir": IO,
    "unlink": IO,
    "unlinkat": IO,
}


# An error of ours names one of these.
PLACES = ("zone", "state directory", "catalog", "source ", "init ",
          "standard output", ".yaml", "mkdir .", "/lock", " child: ",
          "/dev/null")


def rows(n, seed):
    r = random.Random(seed)
    return b"id,amount,note\n" + b"".join(
        b"%d,%d,%d\n" % (i, r.randrange(10**6), r.randrange(10**9))
        for i in range(n))


FIVE = {
    "orders.csv": rows(20, 1),
    "sub/orders.csv": rows(30, 2),
    "twice.csv": rows(20, 1),  # orders.csv again
    "empty.csv": b"",
    "sub/deep/b \xff.csv".encode("latin-1").decode("utf-8",
                                                   "surrogateescape"):
        rows(5, 3) + b"\xff\x00\r\"",
}

# ---- scenarios: what is there before, and the command ----


def one(w):
    w.put("one.csv", FIVE["orders.csv"])
    return ["land", "--source", "inbox", "--json", "inbox/one.csv"]


def once(w):
    """Five files: a duplicate, sub-folders, an empty one, odd bytes."""
    for name, data in FIVE.items():
        w.put(name, data)
    return ["run", "--once", "--json"]


def versions(w):
    """Names that landed before: appended, truncated, replaced, the same."""
    for name, data in FIVE.items():
        w.put(name, data)
    assert w.run().status == 0
    w.put("orders.csv", FIVE["orders.csv"] + b"99,99,99\n")
    w.put("sub/orders.csv", FIVE["sub/orders.csv"][:100])
    w.put("twice.csv", rows(9, 9))
    w.put("new.csv", rows(10, 10))
    return ["run", "--once", "--json"]


def large(w):
    """Several frames."""
    w.put("large.csv", rows(150000, 4))
    return ["run", "--once", "--json"]


def many(w):
    """Enough for one syncfs, and a ledger tile that fills."""
    for i in range(254):
        w.put(f"{i}.csv", b"a\n%d\n" % i)
    assert w.run().status == 0
    for i in range(254):
        os.unlink(f"{w.inbox}/{i}.csv")
    for i in range(6):
        w.put(f"more{i}.csv", b"b\n%d\n" % i)
    return ["run", "--once", "--json"]


def archive(w):
    """Small members, a large one, and one that has landed before."""
    with open(f"{w.base}/landfall.yaml", "a", encoding="utf-8") as f:
        f.write("    unpack: {}\n")
    f = io.BytesIO()
    with zipfile.ZipFile(f, "w", zipfile.ZIP_DEFLATED) as z:
        for i in range(4):
            z.writestr(zipfile.ZipInfo(f"{i}.csv"), rows(20, 50 + i))
        z.writestr(zipfile.ZipInfo("large.csv"), rows(30000, 60))
    w.put("x.zip", f.getvalue())
    return ["run", "--once", "--json"]


def init(w):
    return ["init", ".", "--origin", world.ORIGIN]


def rebuild(w):
    once(w)
    assert w.run().status == 0
    return ["catalog", "rebuild"]


def crashed(where):
    """Recovery: what a kill in the middle of `once` left, at the last call
    that matches. (The first may be of its own recovery.)"""

    def prepare(w):
        args = once(w)
        trial = w.copy(w.base + ".trial")
        calls = number(trial, args)
        trial.remove()
        n = [n for n, call, path in calls if where(call, path)][-1]
        run = w.run(*args, before=[TRACER, "-n", str(n), "-a", "kill"])
        assert run.status == 137, run
        return args

    return prepare


def rebuild_crashed(w):
    """The old catalog has a log beside it, which must not outlive it."""
    crashed(lambda call, path: call == "renameat" and path == "ledger.last")(w)
    assert os.path.exists(f"{w.base}/state/catalog.db-wal")
    return ["catalog", "rebuild"]


SCENARIOS = {
    "land one file": one,
    "run over five files": once,
    "run over new versions": versions,
    "run over a large file": large,
    "run that fills a tile": many,
    "run over an archive": archive,
    "init": init,
    "catalog rebuild": rebuild,
    "catalog rebuild after a kill": rebuild_crashed,
    "recovery within publish": crashed(
        lambda call, path: call == "renameat2"),
    "recovery after publish": crashed(
        lambda call, path: call == "openat" and path.startswith("inbox/dt=")
        and "SHA256SUMS" not in path),
    "recovery after record": crashed(
        lambda call, path: call == "openat" and "SHA256SUMS" in path),
    "recovery within sums": crashed(
        lambda call, path: call == "fsync" and "SHA256SUMS" in path),
    "recovery within ledger": crashed(
        lambda call, path: call == "renameat" and path == "ledger.last"),
}


# ---- one point ----


def number(w, args):
    """The calls of one run without faults: [(n, call, path)]."""
    log = w.base + ".log"
    run = w.run(*args, before=[TRACER, "-l", log])
    if run.status != 0:
        raise RuntimeError(f"without a fault: {run}")
    calls = []
    with open(log, encoding="utf-8", errors="replace") as f:
        for line in f:
            n, _, call, path = line.rstrip("\n").split(" ", 3)
            calls.append((int(n), call, path))
    os.unlink(log)
    return calls


def settle(w, args, done=False):
    """The command again, without a fault; what is wrong about its end. A
    rebuild that said it was done is not repeated: its catalog is used."""
    run = w.run(*args) if not (done and args[0] == "catalog") else w.run()
    wrong = []
    there = args[0] == "init" and run.status == 1 and \
        "initialised already" in run.err
    if run.status != 0 and not there:
        wrong.append(f"the next run: {run}")
    if args[0] == "init":
        if not os.path.exists(f"{w.base}/landfall.yaml"):
            wrong.append(f"no configuration after init: {run}")
        w.configure()
        w.put("a.csv", FIVE["orders.csv"])
        run = w.run()
        if run.status != 0:
            wrong.append(f"the first run after init: {run}")
    elif args[0] == "catalog":
        run = w.run()
        if run.status != 0:
            wrong.append(f"the run after: {run}")
        if any(x.get("disposition") in ("landed", "new-version")
               for x in run.lines()):
            wrong.append(f"landed again: {run.out}")
    return wrong


def point(job):
    """One fault; what is wrong, and the call it was."""
    template, args, n, action, deep, keep = job
    w = World(template).copy(f"{template}.{n}.{action.replace(':', '-')}")
    delivered = {sha for _, _, sha in w.sources()}
    landed = {raw for _, raw in World(template).visible().values()}
    delivered |= landed
    log = w.base + ".log"
    run = w.run(*args, before=[TRACER, "-n", str(n), "-a", action, "-l", log])
    with open(log, encoding="utf-8", errors="replace") as f:
        hit = f.read().strip()
    os.unlink(log)
    wrong = []
    if run.hung:
        wrong.append("it hung")
    elif run.status not in ((137,) if hit and action == "kill"
                            else range(6)):
        wrong.append(f"it ended with {run}")
    if run.status in (1, 5) and "landfall: error: " not in run.err:
        wrong.append(f"it does not say why it ended with {run}")
    if run.status == 5 and not any(p in run.err for p in PLACES):
        wrong.append(f"it does not say where it failed: {run}")
    if os.path.isdir(w.zone):
        wrong += w.half(delivered)
    wrong += w.claims(run.lines())
    if run.status == 0 and args[0] in ("run", "land"):
        wrong += ["it said all was well, but " + x
                  for x in w.whole(w.sources())]
    wrong += settle(w, args, run.status == 0)
    delivered |= {world.sha256(FIVE["orders.csv"])}
    wrong += w.half(delivered)
    wrong += w.whole(w.sources())
    wrong += w.strangers() if deep else w.verified()
    if not keep:
        w.remove()
    where = f"--at {n} {action} ({hit}), ended with {run.status}"
    return [f"{where}: {x}" for x in wrong], bool(hit)


def points(calls):
    found = []
    for n, call, _ in calls:
        for action in ACTIONS[call] + ["kill"]:
            found.append((n, action))
    return found


def sample(found, most):
    """The same ones each time, spread over the whole run."""
    if SOAK or len(found) <= most:
        return found
    chosen = random.Random(len(found)).sample(range(len(found)), most)
    return [found[i] for i in sorted(chosen)]


def prepare(name, base):
    """A template, its command, and the calls it makes."""
    if name == "init":
        w = World(base)
        os.makedirs(w.base)
    else:
        w = World.create(base)
    args = SCENARIOS[name](w)
    # A machine that is busy divides one group into two now and then: the
    # shorter of two runs is what most of them will be.
    other = w.copy(base + ".other")
    calls = number(other, args)
    other.remove()
    trial = w.copy(base + ".trial")
    calls = min(calls, number(trial, args), key=len)
    wrong = settle(trial, args) + trial.whole(trial.sources())
    trial.remove()
    return w, args, calls, wrong


def scenario(pool, name, i):
    w, args, calls, wrong = prepare(name, os.path.join(PLACE, f"s{i}"))
    if wrong:
        world.not_ok(f"{name}: without a fault", *wrong)
        return
    found = points(calls)
    chosen = sample(found, POINTS)
    jobs = [(w.base, args, n, action, k % 10 == 0, False)
            for k, (n, action) in enumerate(chosen)]
    wrong, hits = [], 0
    for problems, hit in pool.imap_unordered(point, jobs, chunksize=4):
        wrong += problems
        hits += hit
    if hits < len(jobs) * 9 // 10:
        wrong.append(f"only {hits} of {len(jobs)} faults happened")
    world.check(f"{name}: {len(jobs)} of {len(found)} faults at "
                f"{len(calls)} calls", wrong)
    w.remove()


def main(argv):
    only = argv[argv.index("--only") + 1] if "--only" in argv else ""
    names = [n for n in SCENARIOS if only in n]
    if "--at" in argv:
        n, action = argv[argv.index("--at") + 1:][:2]
        w, args, _, _ = prepare(names[0], os.path.join(PLACE, "s"))
        wrong, _ = point((w.base, args, int(n), action, True, True))
        print("\n".join(wrong) or "nothing wrong", w.base, sep="\n")
        return
    with multiprocessing.Pool(2, signal.signal,
                              (signal.SIGTERM, signal.SIG_DFL)) as pool:
        for i, name in enumerate(names):
            scenario(pool, name, i)
    world.end()


if __name__ == "__main__":
    TRACER = world.tracer()
    PLACE = os.path.abspath("worlds") if "--at" in sys.argv \
        else world.fast_place()
    os.makedirs(PLACE, exist_ok=True)
    main(sys.argv[1:])
