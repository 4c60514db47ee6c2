#!/usr/bin/env -S python3 -B
"""The power goes, at many system calls of a run.

    power.py [--soak]

Zone and state lie on an ext4 image. The tracer stops the run in front of
calls; each time the image is copied as it is, which is what a disk would hold
if the power went now. Then every copy is mounted (the journal is replayed)
and landfall starts on it: what had been reported as landed before the cut is
there, nothing half is visible, and all of it lands exactly once.

Needs root and loop devices; skips without.
"""
import atexit
import os
import pty
import random
import shutil
import subprocess
import sys
import threading
import time

import world
from world import SOAK, World

CUTS = 250 if SOAK else 22  # for each kind of disk
SIZE = 24 << 20

# What makes a difference to a disk, and what is said to the outside.
CALLS = {"write", "pwrite64", "fsync", "fdatasync", "syncfs", "ftruncate",
         "rename", "renameat", "renameat2", "linkat", "mkdirat", "unlink",
         "unlinkat", "close"}

# Mount options; whether everything is written out before each cut (all that
# was done is on the disk then, not only what had to be); whether the state
# has a disk of its own (its fsyncs then write nothing of the zone).
DISKS = {
    "ordered": ("data=ordered", False, False),
    "ordered, written out early": ("data=ordered", True, False),
    "writeback, two disks": ("data=writeback", False, True),
}


def command(*argv):
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.PIPE)


class Disk:
    """An image, attached and mounted; taken down at the end come what may."""

    def __init__(self, image, mount, options=""):
        self.image, self.mount, self.loop = image, mount, None
        atexit.register(self.close)
        os.makedirs(mount, exist_ok=True)
        self.loop = subprocess.run(
            ["losetup", "--find", "--show", image], check=True,
            capture_output=True, text=True).stdout.strip()
        command("mount", "-t", "ext4", *(["-o", options] if options else []),
                self.loop, mount)

    def close(self):
        if self.loop is None:
            return
        if os.path.ismount(self.mount):
            subprocess.run(["umount", self.mount], check=False)
            if os.path.ismount(self.mount):
                subprocess.run(["umount", "-l", self.mount], check=False)
        subprocess.run(["losetup", "-d", self.loop], check=False)
        self.loop = None
        atexit.unregister(self.close)

    def writes(self):
        """Writes done, and how many requests are under way."""
        with open(f"/sys/block/{os.path.basename(self.loop)}/stat",
                  encoding="ascii") as f:
            field = f.read().split()
        return field[4], int(field[8])


class Disks:
    """The zone's disk and perhaps one for the state, as one."""

    def __init__(self, images, mount, options=""):
        self.disks = []
        places = [mount, mount + "/state"]
        try:
            for image, place in zip(images, places):
                self.disks.append(Disk(image, place, options))
        except subprocess.CalledProcessError:
            self.close()
            raise
        self.mount = mount

    def close(self):
        for disk in reversed(self.disks):
            disk.close()

    def writes(self):
        return [d.writes() for d in self.disks]

    def images(self):
        return [d.image for d in self.disks]

    def copy(self, to):
        """The images at one moment: copies during which nothing was
        written. None: the disk does not come to rest."""
        copies = [f"{to}.{i}.img" for i in range(len(self.disks))]
        for _ in range(200):
            before = self.writes()
            for image, copy in zip(self.images(), copies):
                shutil.copyfile(image, copy)
            if before == self.writes() and all(busy == 0
                                               for _, busy in before):
                return copies
            time.sleep(0.005)
        return None


def can_mount():
    if os.geteuid() != 0:
        world.skip("a power cut needs root, for loop devices")
    if not os.path.isdir("/sys/block"):
        world.skip("a power cut needs /sys, which counts a disk's writes")
    for program in ("losetup", "mount", "umount", "mkfs.ext4"):
        if shutil.which(program) is None:
            world.skip(f"a power cut needs {program}")
    with open("probe.img", "wb") as f:
        f.truncate(4 << 20)
    try:
        command("mkfs.ext4", "-q", "-F", "probe.img")
        Disk("probe.img", "probe").close()
    except (OSError, subprocess.CalledProcessError):
        world.skip("a power cut needs a loop device that can be mounted")


def deliver(w):
    """Some of it lands before the disk is watched."""
    rng = random.Random(7)
    for i in range(12):
        w.put(f"d{i % 3}/old{i}.csv", b"a,b\n%d,%d\n" % (i, i) * (1 + i * 9))
    assert w.run().status == 0
    for i in range(10):
        w.put(f"d{i % 3}/new{i}.csv", b"c,d\n%d,%d\n" % (i, i) * (1 + i * 30))
    w.put("d0/old0.csv", b"a,b\n0,0\nmore,more\n")
    w.put("copy.csv", b"a,b\n3,3\n" * 28)
    w.put("large.csv", b"".join(b"%d,%d\n" % (i, rng.randrange(10**9))
                                for i in range(100000)))


def watched_run(w, disk, wanted, early):
    """One run under the tracer, cut at the calls numbered in wanted (None:
    nowhere). The calls it made, and [(images, call, lines said before)]."""
    said, cuts, calls = bytearray(), [], []
    terminal, out = pty.openpty()
    event_in, event_out = os.pipe()
    answer_in, answer_out = os.pipe()

    def child():
        # Three numbers on the way to 3 and 4, none of which is 3 or 4.
        a, b = os.dup2(event_out, 103), os.dup2(answer_in, 104)
        os.dup2(a, 3)
        os.dup2(b, 4)
        os.close(a)
        os.close(b)

    # pylint: disable=subprocess-popen-preexec-fn
    p = subprocess.Popen(
        [TRACER, "-g", os.path.abspath(world.LANDFALL), "run", "--once",
         "--json"], cwd=w.base, stdin=subprocess.DEVNULL, stdout=out,
        stderr=subprocess.DEVNULL, preexec_fn=child, close_fds=False)
    os.close(out)
    os.close(event_out)
    os.close(answer_in)

    def listen():
        try:
            while data := os.read(terminal, 65536):
                said.extend(data)
        except OSError:
            pass  # the other side is closed

    listener = threading.Thread(target=listen)
    listener.start()
    with os.fdopen(event_in, encoding="utf-8", errors="replace") as events:
        for line in events:
            n, _, call, path = line.rstrip("\n").split(" ", 3)
            calls.append((int(n), call))
            if wanted is not None and int(n) in wanted:
                if early:
                    os.sync()
                # What was said is said before the copy is made.
                time.sleep(0.002)
                lines = world.json_lines(said.decode())
                images = disk.copy(os.path.abspath(f"cut{n}"))
                if images:
                    cuts.append((images, f"{n} {call} {path}", lines))
            os.write(answer_out, b"g")
    status = p.wait(60)
    listener.join()
    os.close(terminal)
    os.close(answer_out)
    if status != 0:
        raise RuntimeError(f"the watched run ended with {status}")
    return calls, cuts


def start(name, options, two):
    base = os.path.abspath(f"disk-{name.replace(' ', '-').replace(',', '')}")
    os.makedirs(base)
    images = [f"{base}.{i}.img" for i in range(1 + two)]
    for image in images:
        with open(image, "wb") as f:
            f.truncate(SIZE)
        command("mkfs.ext4", "-q", "-F", "-b", "4096", image)
    disk = Disks(images, base + "/disk", options)
    w = World.create(base, workers=2, below="disk/",
                     inbox=os.path.join(base, "inbox"))
    deliver(w)
    return w, disk


def verify_cut(w, cut):
    """Mount what was left and go on from there."""
    images, call, lines = cut
    again = World(w.base + ".cut")
    again.zone, again.inbox = again.base + "/disk/zone", w.inbox
    os.makedirs(again.base, exist_ok=True)
    again.configure(2, w.inbox, "disk/")
    wrong = []
    try:
        disk = Disks(images, again.base + "/disk")
    except subprocess.CalledProcessError as e:
        return [f"cut at {call}: mount: {e.stderr}"]
    try:
        sources = w.sources()
        delivered = {sha for _, _, sha in sources} | \
            {raw for _, raw in w.visible().values()}
        wrong += again.half(delivered) + again.claims(lines)
        run = again.run()
        if run.status != 0:
            wrong.append(f"the next run: {run}")
        wrong += again.claims(lines)
        wrong += again.whole(sources)
        wrong += again.half(delivered)
        wrong += again.strangers()
    finally:
        disk.close()
        for image in images:
            os.unlink(image)
    return [f"cut at {call}: {x}" for x in wrong]


def test(name, options, early, two):
    w, disk = start(name, options, two)
    try:
        os.sync()
        before = disk.copy(w.base + ".before") or world.skip(
            "the disk does not come to rest")
        # A first run counts the calls; it is undone.
        calls, _ = watched_run(w, disk, None, False)
        disk.close()
        # Late commits make the most of every fsync that is missing.
        disk = Disks(before, w.base + "/disk", options + ",commit=300")
        found = [n for n, call in calls if call in CALLS]
        step = max(1, len(found) // CUTS)
        _, cuts = watched_run(w, disk, set(found[step // 2::step]), early)
        wrong = []
        for cut in cuts:
            wrong += verify_cut(w, cut)
        if len(cuts) < min(CUTS, len(found)) * 8 // 10:
            wrong.append(f"only {len(cuts)} cuts")
        claimed = sum(1 for c in cuts if c[2])
        world.check(f"{name}: {len(cuts)} power cuts at {len(found)} calls, "
                    f"{claimed} of them after something was said", wrong)
    finally:
        disk.close()


def main():
    can_mount()
    for name, how in DISKS.items():
        test(name, *how)
    world.end()


if __name__ == "__main__":
    TRACER = world.tracer()
    main()
