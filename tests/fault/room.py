#!/usr/bin/env -S python3 -B
"""A disk that is about to be full: work waits before it is, that is told once
and costs nothing, and what waited lands by itself when there is room again.
Whoever is to be told hears of both, once.
"""
import json
import os
import subprocess
import time

import world
from full import Memory, ended_well, noise, said, stands
from world import World

WAITING = 300


def configured(base, floor):
    w = World.create(base)
    path = f"{w.base}/landfall.yaml"
    with open(path, encoding="utf-8") as f:
        text = f.read()
    page = f"{w.base}/page"
    with open(path, "w", encoding="utf-8") as f:
        f.write(text.replace("free_space: 0", f"free_space: {floor}") +
                f"alert: {{command: [{page}]}}\n")
    with open(page, "w", encoding="utf-8") as f:
        f.write(f"#!/bin/sh\n{{ cat; echo; }} >>{page}d\n")
    os.chmod(page, 0o755)
    return w


def paged(w):
    """What somebody was told, in order."""
    try:
        with open(f"{w.base}/paged", encoding="utf-8") as f:
            return [json.loads(line) for line in f]
    except FileNotFoundError:
        return []


def told(w, *events):
    """What is wrong with it: each event once, of names and places."""
    found = paged(w)
    wrong = [] if [a["event"] for a in found] == list(events) \
        else [f"told: {found}"]
    for a in found:
        if a["source"] != "inbox" or a["event"] == "no-space" and not (
                a["count"] > 0 and "limits.free_space" in a["text"] and
                "make room" in a["what_to_do"]):
            wrong.append(f"it says {a}")
        if a["event"] == "recovered" and a["was"] != "no-space":
            wrong.append(f"after {a}")
    return wrong


def story(w, name):
    return w.run("why", name, "--json").lines()


def fill(path, leave):
    """All but so many bytes of a filesystem."""
    with open(path, "wb") as f:
        st = os.statvfs(path)
        f.write(bytes(st.f_bavail * st.f_frsize - leave))


def free(path):
    st = os.statvfs(path)
    return st.f_bavail * st.f_frsize


# ---- one pass ----


def nightly():
    w = configured("nightly", "5MiB")
    zone = Memory(w.zone, "8m")
    for i in range(3):
        w.put(f"big{i}.csv", noise(2 << 20, i))
    w.put("small.csv", b"a\n1\n")
    run = w.run()
    wrong = said(run, 5, "no space", "limits.free_space keeps 5.0 MiB",
                 "names that wait: 2")
    if free(w.zone) < 5 << 20:
        wrong.append(f"{free(w.zone)} bytes are left")
    if len(w.visible()) != 2:
        wrong.append(f"landed: {w.visible()}")
    world.check("a pass takes what fits, leaves the rest and says so", wrong)
    waiting = [n for n in ("big0.csv", "big1.csv", "big2.csv")
               if story(w, n)[-1].get("state") == "pending"]
    before = [story(w, n) for n in waiting]
    run = w.run()
    wrong = said(run, 5, "no space", "names that wait: 2")
    if [story(w, n) for n in waiting] != before:
        wrong.append(f"the stories grew: {before}")
    world.check("the next one too, and stories do not grow", wrong)
    world.check("status says so", stands(w, "limits.free_space keeps 5.0 MiB"))
    world.check("an alert tells it, once", told(w, "no-space"))
    zone.remount("size=64m")
    run = w.run()
    world.check("with room again, everything lands once",
                ended_well(run) + w.whole(w.sources()) + w.strangers())
    world.check("and that it is over",
                told(w, "no-space", "recovered") + stands(w, None))
    zone.close()


def state_too():
    w = configured("state-too", "1MiB")
    state = Memory(f"{w.base}/state", "4m")
    fill(f"{w.base}/state/filler", 600 << 10)
    w.put("a.csv", b"a\n1\n")
    run = w.run()
    wrong = said(run, 5, "no space", "the state")
    if w.visible():
        wrong.append("it landed")
    world.check("the filesystem of the state counts as well", wrong)
    os.unlink(f"{w.base}/state/filler")
    run = w.run()
    world.check("and what waited for it lands, which is told",
                ended_well(run) + w.whole(w.sources()) +
                told(w, "no-space", "recovered"))
    state.close()


# ---- the daemon ----


class Daemon:
    def __init__(self, w):
        self.w = w
        self.log = f"{w.base}/log"
        with open(self.log, "wb") as log:
            self.p = subprocess.Popen(
                [os.path.abspath(world.LANDFALL), "run"], cwd=w.base,
                stderr=log)

    def events(self, event):
        with open(self.log, encoding="utf-8") as f:
            return [line for line in f if f" event={event} " in line]

    def cpu(self):
        """Seconds it has used."""
        with open(f"/proc/{self.p.pid}/stat", encoding="ascii") as f:
            field = f.read().rsplit(")", 1)[1].split()
        return (int(field[11]) + int(field[12])) / os.sysconf("SC_CLK_TCK")

    def end(self):
        self.p.terminate()
        try:
            return self.p.wait(20)
        except subprocess.TimeoutExpired:
            self.p.kill()
            self.p.wait()
            return None


def until(what, seconds=30):
    end = time.monotonic() + seconds
    while not what():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def settled(w, n):
    """All n names of the inbox have a story."""
    lines = w.run("status", "--json").lines()
    return bool(lines) and \
        lines[0]["sources"]["inbox"]["counts"]["pending"] == n


def all_day():
    w = configured("all-day", "auto")
    zone = Memory(w.zone, "32m")
    # auto is a twentieth: 1.6 MiB. Less is left.
    fill(f"{w.zone}/_filler", 1 << 20)
    for i in range(WAITING):
        w.put(f"{i}.csv", b"a\n%d\n" % i)
    d = Daemon(w)
    wrong = []
    if not until(lambda: d.events("no-space")):
        wrong.append("it does not say so")
    if not until(lambda: settled(w, WAITING)):
        wrong.append("names have no disposition: " +
                     w.run("status", "--json").out)
    for i in range(WAITING, WAITING + 50):
        w.put(f"{i}.csv", b"a\n%d\n" % i)
    if not until(lambda: settled(w, WAITING + 50)):
        wrong.append("what comes meanwhile is not seen")
    world.check("a daemon goes on looking and lands nothing", wrong)
    used = d.cpu()
    time.sleep(3)
    used = d.cpu() - used
    wrong = [] if used < 0.3 else [f"{used} s of CPU in 3 s of waiting"]
    if len(d.events("no-space")) != 1 or d.events("pending"):
        with open(d.log, encoding="utf-8") as f:
            wrong.append(f.read()[-2000:])
    world.check("it says so once, and waits without work", wrong)
    if not until(lambda: paged(w)):
        world.not_ok("nobody is told")
    world.check("an alert tells it once", told(w, "no-space"))
    os.unlink(f"{w.zone}/_filler")
    wrong = []
    if not until(lambda: len(w.visible()) == WAITING + 50, 40):
        wrong.append(f"{len(w.visible())} have landed")
    if len(d.events("space-again")) != 1:
        wrong.append("it does not say so")
    world.check("with room again, all lands by itself",
                wrong + w.whole(w.sources()))
    until(lambda: len(paged(w)) > 1)
    world.check("and that it is over", told(w, "no-space", "recovered"))
    if d.end() != 0:
        world.not_ok("it ends well")
    if len(story(w, "0.csv")) != 2:
        world.not_ok("one line while it waited", story(w, "0.csv"))
    zone.close()


def main():
    if os.geteuid() != 0 or subprocess.run(
            ["unshare", "-m", "true"], check=False,
            stderr=subprocess.DEVNULL).returncode != 0:
        world.skip("mounting a small disk needs root")
    nightly()
    state_too()
    all_day()
    world.end()


if __name__ == "__main__":
    main()
