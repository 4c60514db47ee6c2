"""Rows about partners' servers: landing over SFTP beside what people use.

A real sshd on a loopback port (tests/servers/sshd.py); round trips come from
the delay proxy (tests/servers/proxy.py). Imported by `run`, whose Bench does
the timing.
"""

import contextlib
import os
import signal
import statistics
import subprocess
import sys
import time

MIB = 1 << 20
class Lost(Exception):
    """Not all of it landed."""


SERVERS = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                       "..", "servers")
OLD = time.time() - 3 * 86400  # one look is enough

SOURCE = """\
  s:
    sftp:
      host: 127.0.0.1
      port: {port}
      user: {user}
      key: {{file: {server}/ed25519}}
      known_hosts: {server}/known
      path: {folder}
      connections: {connections}
    format: csv
"""


def median(samples, what="wall"):
    return statistics.median(getattr(s, what) for s in samples)


@contextlib.contextmanager
def python_server(script, folder, *args):
    """One of tests/servers while the block lasts; its port."""
    os.makedirs(folder, exist_ok=True)
    ready = os.path.join(folder, "port")
    if script == "proxy.py" and os.path.exists(ready):
        os.unlink(ready)
    with open(os.path.join(folder, "out"), "wb") as out:
        child = subprocess.Popen(
            [sys.executable, os.path.join(SERVERS, script), folder, *args],
            stdin=subprocess.DEVNULL, stdout=out, stderr=out)
    try:
        wait = ready if script == "proxy.py" else folder + "/up"
        for _ in range(1200):
            if os.path.exists(wait) or child.poll() is not None:
                break
            time.sleep(0.05)
        with open(ready) as f:
            yield int(f.read())
    finally:
        child.send_signal(signal.SIGTERM)
        child.wait()


class Partner:
    """The server, perhaps behind a proxy, and the ways to it."""

    def __init__(self, bench, server, port):
        self.b, self.server, self.port = bench, server, port
        with open(server + "/user") as f:
            self.user = f.read().strip()
        with open(server + "/known_hosts") as f, \
                open(server + "/known", "w") as to:
            for line in f:
                host, rest = line.split(" ", 1)
                to.write("[127.0.0.1]:%d %s" % (port, rest))
        self.ssh = ["-i", server + "/ed25519", "-o", "IdentitiesOnly=yes",
                    "-o", "UserKnownHostsFile=" + server + "/known",
                    "-F", "/dev/null"]

    def zone(self, folder, connections=4):
        config = self.b.zone()
        with open(config) as f:
            text = f.read()
        with open(config, "w") as f:
            f.write(text[:text.index("sources:") + 9])
            f.write(SOURCE.format(port=self.port, user=self.user,
                                  server=self.server, folder=folder,
                                  connections=connections))
        return config

    def landed(self, folder, files, connections=4):
        config = self.zone(folder, connections)
        try:
            self.b.settle()
            sample = self.b.landfall("run", "--once", "-c", config)
            found = len(self.b.landings(config))
            if found != files:
                raise Lost("%d of %d landed" % (found, files))
            return sample
        finally:
            self.b.remove_zone(config)

    def sftp(self, command, then="", to=""):
        """`sftp` in batch mode, and what a script does behind it."""
        batch = self.b.path("batch")
        with open(batch, "w") as f:
            f.write(command + "\n")
        return self.b.script(
            'b=$1 p=$2 u=$3 to=$4; shift 4; sftp -q -b "$b" -P "$p" "$@" '
            '"$u@127.0.0.1"; ' + then,
            batch, str(self.port), self.user, to, *self.ssh)

    def rclone(self, folder, to, transfers=16):
        return self.b.time(
            "rclone", "--config", "/dev/null", "copy",
            ":sftp:" + folder, to, "--sftp-host", "127.0.0.1",
            "--sftp-port", str(self.port), "--sftp-user", self.user,
            "--sftp-key-file", self.server + "/ed25519",
            "--sftp-known-hosts-file", self.server + "/known",
            "--sftp-disable-hashcheck", "--transfers", str(transfers))

    def lftp(self, folder, to):
        connect = "ssh -a -x " + " ".join(self.ssh)
        return self.b.time(
            "lftp", "-c",
            'set sftp:connect-program "%s"; '
            "open -u %s, sftp://127.0.0.1:%d; mirror --parallel=4 %s %s" %
            (connect, self.user, self.port, folder, to))

    def fresh(self, name="got"):
        self.b.made += 1
        path = self.b.path("%s%d" % (name, self.b.made))
        os.mkdir(path)
        return path


@contextlib.contextmanager
def partner(b, delay=0):
    server = b.path("sshd")
    with python_server("sshd.py", server) as port:
        if not delay:
            yield Partner(b, server, port)
            return
        with python_server("proxy.py", b.path("proxy"), str(port),
                           "--delay", str(delay)) as behind:
            yield Partner(b, server, behind)


def add_large(b, name, size):
    folder = b.path("sshd/files/" + name)
    os.makedirs(folder, exist_ok=True)
    f = b.generate("sshd/files/%s/large.csv" % name, "mixed", size)
    os.utime(f, (OLD, OLD))


def add_small(b, name, files, size=4096):
    folder = b.path("sshd/files/" + name)
    os.makedirs(folder)
    text = b.generate("bytes", "mixed", files * size, b.seed())
    with open(text, "rb") as f:
        for i in range(files):
            path = os.path.join(folder, "orders_%06d.csv" % i)
            with open(path, "wb") as to:
                to.write(f.read(size))
            os.utime(path, (OLD, OLD))
    b.remove(text)


def rate(samples, size):
    return "{:.1f} MB/s".format(size / median(samples) / 1e6)


def large(b, rows):
    """One large file, on the spot."""
    size = (64 if b.quick else 512) * MIB
    with partner(b) as p:
        add_large(b, "large", size)
        got = b.path("got.csv")

        def get(then=""):
            sample = p.sftp("get large/large.csv " + got, then, got)
            for left in (got, got + ".zst"):
                if os.path.exists(left):
                    b.remove(left)
            return sample

        a, plain, script = b.alternate(
            lambda: p.landed("large", 1), get,
            lambda: get('sha256sum "$to"; zstd -q -3 -T2 "$to"; '
                        'sha256sum "$to.zst"'))
    for row, peer in zip(rows, (plain, script)):
        row.ours, row.peer = rate(a, size), rate(peer, size)
        ratio = median(a) / median(peer)
        row.judge(ratio, ratio <= row.must)


def far_large(b, rows):
    """One file at a round trip of 40 ms."""
    size = 64 * MIB
    with partner(b, 20) as p:
        add_large(b, "far", size)
        got = b.path("got.csv")

        def get():
            sample = p.sftp("get far/large.csv " + got)
            b.remove(got)
            return sample

        a, *peers = b.alternate(lambda: p.landed("far", 1), get,
                                lambda: p.rclone("far", p.fresh()))
    for row, peer in zip(rows, peers):
        row.ours, row.peer = rate(a, size), rate(peer, size)
        ratio = median(peer) / median(a)
        row.judge(ratio, ratio >= row.must)


def far_small(b, rows):
    """Many small files at a round trip of 40 ms."""
    files = 500
    with partner(b, 20) as p:
        add_small(b, "farsmall", files)
        a, peer = b.alternate(lambda: p.landed("farsmall", files),
                              lambda: p.rclone("farsmall", p.fresh()))
    row = rows[0]
    row.ours = "{:.2f} s".format(median(a))
    row.peer = "{:.2f} s".format(median(peer))
    ratio = median(peer) / median(a)
    row.judge(ratio, ratio >= row.must)


def small(b, rows):
    """Very many small files, on the spot."""
    files = 1000 if b.quick else 5000
    with partner(b) as p:
        add_small(b, "small", files)
        a, peer = b.alternate(lambda: p.landed("small", files),
                              lambda: p.lftp("small", p.fresh()))
    row = rows[0]
    row.ours = "{:.0f} us/file".format(median(a) / files * 1e6)
    row.peer = "{:.0f} us/file".format(median(peer) / files * 1e6)
    ratio = median(peer) / median(a)
    row.judge(ratio, ratio >= row.must)


def known(b, rows):
    """A folder of many names, nothing new."""
    names = 10000 if b.quick else 100000
    with partner(b) as p:
        folder = b.path("sshd/files/known")
        os.makedirs(folder)
        for i in range(names):
            path = os.path.join(folder, "orders_%06d.csv" % i)
            with open(path, "wb") as f:
                f.truncate(1 + i % 4096)
            os.utime(path, (OLD, OLD))
        config = p.zone("known", 1)
        b.time(b.tool("tests/bench/fill"), config, "drop")
        a, peer = b.alternate(
            lambda: b.landfall("run", "--once", "-c", config),
            lambda: p.sftp("ls -l known"))
    took, memory = rows
    took.ours = "{:.2f} s".format(median(a))
    took.peer = "{:.2f} s".format(median(peer))
    ratio = median(a) / median(peer)
    took.judge(ratio, ratio <= took.must)
    peak = max(s.peak for s in a) / MIB
    memory.ours, memory.peer = "{:.1f} MiB".format(peak), "-"
    memory.judge(peak, peak <= memory.must, "{:.1f} MiB")


GROUPS = [
    (large, [("sftp: 512 MiB, landed / sftp get", 1.4, "<= 1.4 x"),
             ("sftp: 512 MiB, landed / get; sha256sum; zstd; sha256sum", 0.6,
              "<= 0.6 x")]),
    (far_large, [("sftp: 64 MiB at 40 ms, landed / sftp get", 3, ">= 3 x"),
                 ("sftp: 64 MiB at 40 ms, landed / rclone", 2.5,
                  ">= 2.5 x")]),
    (far_small, [("sftp: 500 files of 4 KiB at 40 ms, landed / rclone "
                  "--transfers 16", 3, ">= 3 x")]),
    (small, [("sftp: 5,000 files of 4 KiB, landed / lftp mirror "
              "--parallel=4", 1.0, ">= 1.0 x")]),
    (known, [("sftp: a look at 100,000 names, nothing new / sftp ls -l", 1.2,
              "<= 1.2 x"),
             ("sftp: peak memory of that look", 64, "<= 64 MiB")]),
]
