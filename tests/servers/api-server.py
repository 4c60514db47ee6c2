#!/usr/bin/env python3
"""api-server.py DIR: an API whose answers a test decides, on loopback.

DIR/port   gets the port once it listens
DIR/data   JSON: {"PATH": [RECORD, ...]}, read again for each request; each
           PATH is a list, in pages. A record's "at" is what since and until
           ask for: since <= at < until
DIR/rules  JSON: [{"match": PATTERN, "times": N, "do": FAULT, ...}], read when
           it changes; the first that matches method and URL, and has times
           left, decides. "each": once for each URL instead. "body", or in
           hexadecimal "bytes", are the answer's, "repeat" times; "raw" is
           all that is sent. Then DIR/"data", if it is there, becomes DIR/data
DIR/tls    PEM, a certificate and its key: it speaks https
DIR/bodies what was sent with POST, a line for each request
DIR/log    a line for each request: time, method, URL, status, authorization

Pages: ?page=N&size=N, linked by RFC 8288, each {"data": [...], "next": URL}
with records exactly as their bytes stand in DIR/data, one after the other.
size may be called per_page or limit; ?offset=N begins at that record, and the
answer then has the "total" instead of links.
It ends when whoever started it does.
"""
import gzip
import http.server
import json
import os
import re
import socket
import ssl
import struct
import sys
import threading
import time
import urllib.parse

HOME = sys.argv[1]
lock = threading.Lock()
rules, rules_at = [], None


def load_rules():
    global rules, rules_at
    path = os.path.join(HOME, "rules")
    at = os.stat(path).st_mtime_ns if os.path.exists(path) else None
    if at != rules_at:
        rules_at, rules = at, []
        if at is not None:
            with open(path) as f:
                rules = json.load(f)
    return rules


def find_rule(what):
    with lock:
        for rule in load_rules():
            if rule.get("each"):
                met = rule.setdefault("met", set())
                if what not in met and re.search(rule["match"], what):
                    met.add(what)
                    return rule
            elif re.search(rule["match"], what) and rule.get("times", 1) > 0:
                rule["times"] = rule.get("times", 1) - 1
                return rule
    return {}


def records(path):
    """The list's records as (value, bytes as they stand in the file)."""
    with open(os.path.join(HOME, "data"), encoding="utf-8") as f:
        text = f.read()
    decoder = json.JSONDecoder()
    key = json.dumps(path) + ": ["
    at = text.find(key)
    found = []
    if at < 0:
        return found
    at += len(key)
    while True:
        while text[at] in " \n\t,":
            at += 1
        if text[at] == "]":
            return found
        value, end = decoder.raw_decode(text, at)
        found.append((value, text[at:end]))
        at = end


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *args):
        pass

    def note(self, status):
        with lock, open(os.path.join(HOME, "log"), "a") as f:
            f.write(f"{time.time():.3f} {self.command} {self.path} {status} "
                    f"{self.headers.get('Authorization', '-')}\n")

    def answer(self, status, body, headers=(), rule=None):
        rule = rule or {}
        fault = rule.get("do")
        if fault == "slow":
            time.sleep(rule.get("seconds", 0.5))
        self.note(status)
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        for name, value in list(headers) + rule.get("headers", []):
            self.send_header(name, value)
        if fault == "truncated-gzip" or rule.get("gzip"):
            body = gzip.compress(body)
            self.send_header("Content-Encoding", "gzip")
            if fault == "truncated-gzip":
                body = body[:-6]
        if fault in ("stall", "drip"):
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            if fault == "stall":
                self.wfile.write(b"1\r\n" + body[:1] + b"\r\n")
                time.sleep(rule.get("seconds", 5))
                self.close_connection = True
                return
            for i in range(0, len(body), 50):
                piece = body[i:i + 50]
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
                time.sleep(0.01)
            self.wfile.write(b"0\r\n\r\n")
            return
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if fault == "reset":
            self.wfile.write(body[:len(body) // 2])
            self.wfile.flush()
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                       struct.pack("ii", 1, 0))
            self.close_connection = True
            self.connection.close()
            return
        if fault == "cut":
            self.wfile.write(body[:len(body) // 2])
            self.close_connection = True
            return
        self.wfile.write(body)

    def page(self, path, query, rule):
        since, until = query.get("since", [""])[0], query.get("until", [""])[0]
        found = [text for value, text in records(path)
                 if (not since or value["at"] >= since)
                 and (not until or value["at"] < until)]
        size = int(next((query[n][0] for n in ("size", "per_page", "limit")
                         if n in query), "3"))
        if "offset" in query:
            at = int(query["offset"][0])
            body = f'{{"data": [{", ".join(found[at:at + size])}], ' \
                   f'"total": {len(found)}}}'
            self.answer(200, body.encode(), (), rule)
            return
        number = int(query.get("page", ["1"])[0])
        part = found[(number - 1) * size:number * size]
        headers, after = [], "null"
        if number * size < len(found) or rule.get("do") == "more":
            query["page"] = [str(number + 1)]
            if rule.get("do") == "loop":
                query["page"] = [str(number)]
            to = f"{path}?{urllib.parse.urlencode(query, doseq=True)}"
            if rule.get("do") == "elsewhere":
                to = rule["to"] + to
            headers.append(("Link", f'<{to}>; rel="next"'))
            after = json.dumps(to)
        body = ('{"data": [' + ", ".join(part) + f'], "next": {after}}}')
        if rule.get("do") == "lost-path":
            body = body.replace('"data"', '"date"', 1)
        if rule.get("do") == "empty":
            # What it would have had comes under another URL.
            query["page"], query["again"] = [str(number)], ["yes"]
            to = f"{path}?{urllib.parse.urlencode(query, doseq=True)}"
            headers, body = [("Link", f'<{to}>; rel="next"')], '{"data": []}'
        self.answer(200, body.encode(), headers, rule)

    def send_raw(self, rule):
        self.note("raw")
        self.wfile.write(bytes.fromhex(rule["raw"]) * rule.get("repeat", 1))
        self.close_connection = True

    def respond(self):
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        if self.command == "POST":
            with lock, open(os.path.join(HOME, "bodies"), "ab") as f:
                f.write(body + b"\n")
        url = urllib.parse.urlsplit(self.path)
        rule = find_rule(f"{self.command} {self.path}")
        body = bytes.fromhex(rule["bytes"]) if "bytes" in rule else \
            rule.get("body", "{}").encode()
        if "raw" in rule:
            self.send_raw(rule)
        elif {"status", "body", "bytes"} & set(rule):
            self.answer(rule.get("status", 200),
                        body * rule.get("repeat", 1), (), rule)
        else:
            self.page(url.path, urllib.parse.parse_qs(url.query), rule)
        if "data" in rule and os.path.exists(os.path.join(HOME, rule["data"])):
            os.rename(os.path.join(HOME, rule["data"]),
                      os.path.join(HOME, "data"))

    do_GET = do_POST = respond


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        pass


def main():
    server = Server(("127.0.0.1", 0), Handler)
    if os.path.exists(os.path.join(HOME, "tls")):
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(os.path.join(HOME, "tls"))
        # The handshake is for the connection's own thread.
        server.socket = tls.wrap_socket(server.socket, server_side=True,
                                        do_handshake_on_connect=False)
    with open(os.path.join(HOME, "port.new"), "w") as f:
        f.write(str(server.server_address[1]))
    os.rename(os.path.join(HOME, "port.new"), os.path.join(HOME, "port"))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    parent = os.getppid()
    while os.getppid() == parent:
        time.sleep(0.5)


main()
