"""vendor.py - what the mocks of vendors' APIs share.

A mock is NAME.py DIR, on loopback:

DIR/port    gets the port once it listens
DIR/now     seconds since 1970 that it takes for now; the clock's without it
DIR/served  a line for each record in an answer that was sent whole:
            STREAM KEY SHA256, the sum of the record's bytes without
            a line end
DIR/all     the same of each record that it has
DIR/log     a line for each request: METHOD TARGET STATUS
DIR/faults  JSON: [{"match": RE, "times": N, "status": S, "headers": {},
            "body": TEXT}], read for each request; the first whose RE is found
            in "METHOD TARGET" and has times left answers instead. "cut": the
            right answer, and the connection is reset in the middle of it

It ends when whoever started it does. Records are bytes: what is served is what
stands in them, spaces, double keys and all.
"""
import hashlib
import http.server
import json
import os
import re
import socket
import struct
import sys
import threading
import time
import urllib.parse

HOME = sys.argv[1]
lock = threading.Lock()
used = {}


def now():
    path = os.path.join(HOME, "now")
    if os.path.exists(path):
        with open(path, encoding="ascii") as f:
            return float(f.read())
    return time.time()


def note(name, line):
    with lock, open(os.path.join(HOME, name), "a", encoding="utf-8") as f:
        f.write(line + "\n")


def find_fault(what):
    path = os.path.join(HOME, "faults")
    if not os.path.exists(path):
        return None
    with open(path, encoding="utf-8") as f:
        faults = json.load(f)
    with lock:
        for i, fault in enumerate(faults):
            if re.search(fault["match"], what) and used.get(i, 0) < fault.get("times", 1):
                used[i] = used.get(i, 0) + 1
                return fault
    return None


class Record:
    """Bytes with a key and a time; stream is whose they are."""

    def __init__(self, stream, key, at, raw):
        self.stream, self.key, self.at = stream, str(key), at
        self.raw = raw if isinstance(raw, bytes) else raw.encode()


def line_of(r):
    return "%s %s %s" % (r.stream, r.key, hashlib.sha256(r.raw.rstrip(b"\n")).hexdigest())


# What a copy through a parser would change.
ODD = [
    '"n": 9007199254740993',
    '"n": 1e400',
    '"n" :1.10',
    '"n":1, "n":2',
    '"n": "\\u0000\\u00e9\\/"',
    '"n": "é\\r\\n, \\"quoted\\""',
    '"z": 1,\n  "a": [ ]',
]


def odd(i):
    return ODD[(i if isinstance(i, int) else sum(map(ord, i))) % len(ODD)]


def iso(t, ms=False):
    text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(t))
    return text + (".%03d" % int(t * 1000 % 1000) if ms else "") + "Z"


def parse_iso(text):
    m = re.fullmatch(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?Z", text)
    if not m:
        raise ValueError(text)
    import calendar
    whole = calendar.timegm(time.strptime(m[1], "%Y-%m-%dT%H:%M:%S"))
    return whole + float(m[2] or 0)


class Limiter:
    """Fixed windows: [(requests, seconds)]."""

    def __init__(self, *windows):
        self.windows = [[n, per, 0, 0.0] for n, per in windows]

    def wait(self):
        """0: go on; else seconds until the window ends."""
        at = time.monotonic()
        for w in self.windows:
            if at - w[3] >= w[1]:
                w[2], w[3] = 0, at
        for w in self.windows:
            if w[2] >= w[0]:
                return w[3] + w[1] - at
        for w in self.windows:
            w[2] += 1
        return 0


class Refused(Exception):
    def __init__(self, status, body, headers=None):
        super().__init__(status)
        self.status, self.body, self.headers = status, body, headers or {}


class Vendor(http.server.BaseHTTPRequestHandler):
    """answer() returns (body, records, headers) or raises Refused."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    media = "application/json"

    def log_message(self, *args):
        pass

    def origin(self):
        return "http://127.0.0.1:%d" % self.server.server_port

    def query(self):
        return urllib.parse.parse_qs(self.url.query, keep_blank_values=True)

    def one(self, name, fallback=None):
        values = self.query().get(name)
        if values and len(values) > 1:
            raise Refused(400, '{"error": "%s is given twice"}' % name)
        return values[0] if values else fallback

    def send(self, status, body, headers, cut=False):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if "Content-Type" not in headers:
            self.send_header("Content-Type", self.media)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        note("log", "%s %s %d" % (self.command, self.path, status))
        if cut:
            self.wfile.write(body[:len(body) // 2])
            self.wfile.flush()
            self.connection.setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            return False
        self.wfile.write(body)
        return True

    def handle_any(self):
        self.url = urllib.parse.urlsplit(self.path)
        length = int(self.headers.get("Content-Length", 0))
        self.body = self.rfile.read(length)
        fault = find_fault("%s %s" % (self.command, self.path)) or {}
        if "status" in fault:
            self.send(fault["status"], fault.get("body", "").encode(),
                      fault.get("headers", {}))
            return
        try:
            with lock_of_data:
                body, records, headers = self.answer()
        except Refused as e:
            self.send(e.status, e.body.encode(), e.headers)
            return
        if isinstance(body, str):
            body = body.encode()
        if self.send(200, body, headers, fault.get("cut", False)):
            for r in records:
                note("served", line_of(r))

    do_GET = do_POST = do_PATCH = do_DELETE = handle_any


lock_of_data = threading.RLock()


def join(records):
    return b",\n ".join(r.raw for r in records)


def main(handler, *records):
    for r in (r for some in records for r in some):
        note("all", line_of(r))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    path = os.path.join(HOME, "port")
    with open(path + ".tmp", "w", encoding="ascii") as f:
        f.write(str(server.server_port))
    os.rename(path + ".tmp", path)
    parent = os.getppid()
    while os.getppid() == parent:
        time.sleep(0.5)
