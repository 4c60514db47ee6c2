#!/usr/bin/env -S python3 -B
"""SIGKILL at random moments, while an API goes on changing.

    kill-api.py [--soak] [--kills N] [--seed N]

An API commits records all the time: new keys, new bytes of old keys, several
in one millisecond, some of them late. `landfall run --once` polls three lists
of it again and again, and is killed, or its child is, after a random time or
a random answer, behind which it may be about to land what it has:

    events   windows of time, in pages, with a look back
    feed     the API's own cursor, kept with the pages
    export   jobs: created, polled, downloaded

After each run no position is ahead of what has landed, and nothing is visible
that was never committed. At the end, after a run left in peace, the set of
(key, bytes) that landed is the set that was ever committed, and each of them
is new once, no more and no less: all that is late here is so within the look
back, which is as far as that is promised. A job that was asked about is never
created a second time.
"""
import calendar
import contextlib
import http.server
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

import world
from world import SOAK, World


def argument(name, default):
    return int(sys.argv[sys.argv.index(name) + 1]) if name in sys.argv \
        else default


KILLS = argument("--kills", 1000 if SOAK else 30)
SEED = argument("--seed", 20261129)
PAGE = 5
FEED = 50  # in a page of the feed: faster than what comes meanwhile
COMMITS = 20  # during one run at most, so that each can come to its end
LATE = 0.8  # seconds; less than the lookback
STREAMS = ("events", "feed", "export")
HUNG = 3 * world.TIMEOUT

CONFIG = """\
zone: zone
state: state
origin: fault.test/landing
level: 1
limits: {{free_space: 0}}
sources:
  api:
    base_url: http://127.0.0.1:{port}
    auth: {{type: none}}
    retry: {{max_attempts: 4, base: 10ms, max: 20ms}}
    streams:
      events:
        request: {{path: /events, query: {{since: "{{{{window.start}}}}",
          until: "{{{{window.end}}}}"}}}}
        records: "$.data[*]"
        key: $.id
        pagination: {{type: link, next: {{body: $.next}}}}
        incremental: {{cursor: $.at, format: epoch_ms, granularity: 1ms,
          start: "{start}",
          lookback: 2s, window: 10s}}
      feed:
        request: {{path: /feed, query: {{cursor: "{{{{page.token}}}}"}}}}
        records: "$.data[*]"
        key: $.id
        pagination: {{type: token, next: {{body: $.after}},
          done: {{body: $.end}}}}
        incremental: {{kind: token, commit: page, start: "{start}"}}
      export:
        job:
          create: {{method: POST, path: /jobs, form: {{
            since: "{{{{window.start}}}}", until: "{{{{window.end}}}}"}}}}
          id: {{body: $.id}}
          poll: {{request: {{path: "/jobs/{{{{job.id}}}}"}},
            status: {{body: $.state}}, done: [done], failed: [failed],
            every: 10ms}}
          download: {{path: "/jobs/{{{{job.id}}}}/rows"}}
        decode: [jsonl]
        records: $
        key: $.id
        incremental: {{cursor: $.at, format: epoch_ms, granularity: 1ms,
          start: "{start}",
          lookback: 2s}}
"""


class Hung(Exception):
    """A run that comes neither to an answer nor to its end."""


class Api:
    """What was committed, in order, and what is asked."""

    def __init__(self, rng):
        self.rng = rng
        self.lock = threading.Lock()
        self.log = []  # (when: seconds, at: ms, text of the record)
        self.jobs = []  # {"rows", "asked": times, "window"}
        self.twice = []  # windows of jobs that had been asked about
        self.stop = threading.Event()
        self.left = COMMITS
        self.answers = self.wanted = 0
        self.reached = threading.Event()

    def commit(self):
        with self.lock:
            now = time.time()
            at = now - (self.rng.random() * LATE
                        if self.rng.random() < 0.2 else 0)
            for _ in range(self.rng.choice((1, 1, 1, 2, 7))):
                key = len(self.log) if self.rng.random() < 0.8 else \
                    self.rng.randrange(len(self.log) + 1)
                self.log.append((now, int(at * 1000), json.dumps(
                    {"id": key, "at": int(at * 1000),
                     "n": self.rng.getrandbits(64)})))

    def go_on(self):
        while not self.stop.wait(self.rng.random() * 0.02):
            if self.left > 0:
                self.left -= 1
                self.commit()

    def begin(self, answers):
        """A run begins; tells when it has got so many answers."""
        with self.lock:
            self.left, self.answers, self.wanted = COMMITS, 0, answers
            self.reached.clear()

    def answered(self):
        with self.lock:
            self.answers += 1
            if self.answers == self.wanted:
                self.reached.set()

    def between(self, query):
        since, until = int(query["since"]), int(query["until"])
        return [text for _, at, text in self.log if since <= at < until]

    def events(self, query):
        found = self.between(query)
        at = int(query.get("at", 0))
        after = None
        if at + PAGE < len(found):
            after = "/events?" + urllib.parse.urlencode(
                {**query, "at": at + PAGE})
        return '{"data":[%s],"next":%s}' % (
            ",".join(found[at:at + PAGE]), json.dumps(after))

    def feed(self, query):
        at = int(query.get("cursor") or 0)
        rows = [text for _, _, text in self.log[at:at + FEED]]
        return '{"data":[%s],"after":"%d","end":%s}' % (
            ",".join(rows), at + len(rows),
            "true" if at + len(rows) == len(self.log) else "false")

    def create(self, form):
        # Until now, which is later each time: where it begins tells.
        window = (form["since"], form["until"])
        self.twice += [window for job in self.jobs
                       if job["window"][0] == window[0] and job["asked"] > 0]
        self.jobs.append({"rows": self.between(form), "asked": 0,
                          "window": window})
        return '{"id":"%d"}' % len(self.jobs)

    def answer(self, path, query):
        parts = path.strip("/").split("/")
        with self.lock:
            if parts[0] == "events":
                return self.events(query)
            if parts[0] == "feed":
                return self.feed(query)
            if len(parts) == 1:
                return self.create(query)
            job = self.jobs[int(parts[1]) - 1]
            if parts[-1] == "rows":
                return "".join(row + "\n" for row in job["rows"])
            job["asked"] += 1
            return '{"state":"%s"}' % ("done" if job["asked"] > 1
                                       else "under way")


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    api = None

    def log_message(self, *args):
        pass

    def respond(self):
        url = urllib.parse.urlsplit(self.path)
        sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        query = dict(urllib.parse.parse_qsl(url.query or sent.decode()))
        body = self.api.answer(url.path, query).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.api.answered()

    do_GET = do_POST = respond


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass  # who asked was killed


class Landed:
    """What can be seen in the zone, by stream: texts of records."""

    def __init__(self, zone):
        self.zone = zone
        self.files = {}
        self.found = {s: set() for s in STREAMS}

    def look(self):
        """Reads what is new there; what is wrong with it."""
        wrong = []
        for stream in STREAMS:
            for folder, _, files in os.walk(f"{self.zone}/api.{stream}"):
                for f in files:
                    path = os.path.join(folder, f)
                    if not f.endswith(".zst") or path in self.files:
                        continue
                    self.files[path] = stream
                    with open(path, "rb") as g:
                        raw = world.decode(g.read())
                    if raw is None:
                        wrong.append(f"visible but not whole: {path}")
                    else:
                        self.found[stream].update(rows_of(raw.decode()))
        return wrong


def rows_of(text):
    """The records in the bodies of a landing file, as they stand there."""
    decoder = json.JSONDecoder()
    for line in text.split("\n"):
        if not line.startswith('{"data":['):
            if line:
                yield line
            continue
        at = len('{"data":[')
        while line[at] != "]":
            _, end = decoder.raw_decode(line, at)
            yield line[at:end]
            at = end + (line[end] == ",")


def positions(w):
    """{stream: position} as status tells them."""
    run = w.run("status", "--json")
    try:
        streams = json.loads(run.out)["sources"]["api"].get("streams") or []
    except (ValueError, KeyError):
        return {"status": f"{run}"}
    return {s["stream"]: s["position"] for s in streams if s["position"]}


def seconds(text):
    """RFC 3339, with what of its fraction Python can read."""
    whole, _, fraction = text.rstrip("Z").partition(".")
    return calendar.timegm(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) + \
        float("0." + (fraction or "0"))


def ahead(stands, landed, log):
    """Positions that promise more than has landed."""
    wrong = []
    for stream, position in stands.items():
        if stream not in STREAMS:
            wrong.append(f"{stream}: {position}")
            continue
        if stream == "feed":
            due = [text for _, _, text in log[:int(position)]]
        else:
            until = seconds(position)
            due = [text for when, _, text in log if when < until - 0.002]
        lost = [text for text in due if text not in landed.found[stream]]
        if lost:
            wrong.append(f"{stream}: at {position}, and {len(lost)} of "
                         f"{len(due)} have not landed: {lost[0]}")
    return wrong


def children(pid):
    found = []
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children") as f:
                found += map(int, f.read().split())
    except OSError:
        pass
    return found


def wait_for(p, api, answers, seconds):
    """So many seconds behind that answer, or its end, whatever comes first;
    Hung, when neither does."""
    end = time.monotonic() + HUNG
    while answers and p.poll() is None and not api.reached.wait(0.01):
        if time.monotonic() > end:
            raise Hung
    try:
        p.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


def killed_run(w, api, answers, after, child):
    """Runs, and kills it, or its children; (status, what it said, how many
    were killed)."""
    killed = 0
    api.begin(answers)
    with tempfile.TemporaryFile() as out:
        p = subprocess.Popen([os.path.abspath(world.LANDFALL), "run", "--once",
                              "--quiet"], cwd=w.base, stdout=out, stderr=out,
                             stdin=subprocess.DEVNULL)
        try:
            if not wait_for(p, api, answers, after):
                for pid in children(p.pid) if child else [p.pid]:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, 9)
                        killed += 1
            p.wait(HUNG)
        except (Hung, subprocess.TimeoutExpired):
            p.send_signal(6)
            p.wait()
        out.seek(0)
        return p.returncode, out.read().decode(), killed


def not_new_once(w, landed, ever):
    """Records that are not marked as new exactly once in their stream."""
    wrong = []
    times = {s: dict.fromkeys(ever, 0) for s in STREAMS}
    for path, stream in landed.files.items():
        run = w.run("cat", path, "--records", "--new")
        if run.status != 0:
            wrong.append(f"cat {path}: {run}")
        for text in run.out.splitlines():
            times[stream][text] = times[stream].get(text, 0) + 1
    return wrong + [f"{stream}: {n} times new: {x}"
                    for stream, found in times.items()
                    for x, n in found.items() if n != 1]


def main():
    rng = random.Random(SEED)
    api = Api(random.Random(SEED + 1))
    Handler.api = api
    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    w = World.create(os.path.join(world.fast_place(), "world"))
    with open(f"{w.base}/landfall.yaml", "w", encoding="utf-8") as f:
        f.write(CONFIG.format(
            port=server.server_address[1],
            start=time.strftime("%Y-%m-%dT%H:%M:%SZ",
                                time.gmtime(time.time() - 60))))
    landed = Landed(w.zone)
    api.commit()
    committer = threading.Thread(target=api.go_on)
    committer.start()
    wrong, runs, killed, childless, whole = [], 0, 0, 0, 0
    typical, most = 0.2, 10
    while killed + childless < KILLS and len(wrong) <= 10:
        began = time.monotonic()
        child = rng.random() < 0.15
        if rng.random() < 0.3:
            kill = 0, rng.uniform(0, 1.1) * typical
        else:
            kill = rng.randrange(1, most + 1), rng.random() ** 2 * 0.03
        runs += 1
        status, out, n = killed_run(w, api, *kill, child)
        most = max(10, most - 1, api.answers)
        killed += status == -9
        childless += child and n > 0
        if status == 0:
            whole += 1
            if not child:
                typical += (time.monotonic() - began - typical) / 4
        elif status == -9:
            typical *= 1.02
        else:
            wrong.append(f"run {runs} ended with {status}: {out}")
        # Positions first: what lands meanwhile can only be more.
        stands = positions(w)
        wrong += [f"run {runs}: {x}" for x in landed.look() +
                  ahead(stands, landed, list(api.log))]
    api.stop.set()
    committer.join()
    world.check(f"{runs} runs, {killed} killed, {childless} without their "
                f"child, {whole} at their end: no position is ahead of what "
                f"landed (--seed {SEED})", wrong)
    world.check("both were killed", [] if killed and childless else
                [f"{killed} runs, {childless} children"])

    run = w.run("run", "--once", "--quiet")
    world.check("a run left in peace lands the rest",
                [] if run.status == 0 else [str(run)])
    wrong = landed.look()
    stands = positions(w)
    wrong += ahead(stands, landed, api.log)
    wrong += [f"{s}: it has no position" for s in STREAMS if s not in stands]
    ever = {text for _, _, text in api.log}
    for stream, found in landed.found.items():
        wrong += [f"{stream}: lost: {x}" for x in sorted(ever - found)]
        wrong += [f"{stream}: never committed: {x}"
                  for x in sorted(found - ever)]
    world.check(f"what landed, in {len(landed.files)} files, is what was ever "
                f"committed, {len(ever)} records", wrong)
    world.check("each is new once", not_new_once(w, landed, ever))
    world.check(f"of {len(api.jobs)} jobs none that was asked about was "
                "created again", [str(x) for x in api.twice])
    world.check("verify agrees", w.strangers())
    world.end()


if __name__ == "__main__":
    main()
