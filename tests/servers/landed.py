#!/usr/bin/env python3
"""landed.py LANDFALL CONFIG SOURCE DIR STREAM...: did what the mock has land?

Every record of these streams that DIR/all tells of, and every one of any
stream that DIR/served does, must stand in the zone under its stream, byte for
byte; nothing that was not served may. Related records
(STREAM_included) are not looked at. Exit status 1 and a line for each that is not so.
"""
import base64
import hashlib
import json
import os
import subprocess
import sys

landfall, config, source, home = sys.argv[1:5]
streams = sys.argv[5:]


def run(*args):
    return subprocess.run([landfall, *args, "-c", config, "--json"], check=True,
                          stdout=subprocess.PIPE).stdout.decode("utf-8", "surrogateescape")


def raw(record):
    if "raw_b64" in record:
        return base64.b64decode(record["raw_b64"])
    return record["raw"].encode("utf-8")


def read(name):
    with open(os.path.join(home, name), encoding="utf-8") as f:
        return {(stream, digest): key for stream, key, digest in (line.split() for line in f)}


served = read("served")
have = {k: v for k, v in read("all").items() if k[0] in streams}
landed = {}
zone = os.path.join(os.path.dirname(os.path.abspath(config)), "zone")
for line in run("ls").splitlines():
    name = json.loads(line)["file"]
    if not name.startswith(source + "."):
        continue
    stream = name.split("/")[0][len(source) + 1:]
    for text in run("cat", os.path.join(zone, name), "--records").splitlines():
        record = json.loads(text)
        digest = hashlib.sha256(raw(record).rstrip(b"\n")).hexdigest()
        landed[stream, digest] = landed.get((stream, digest), 0) + 1
wrong = 0
for (stream, digest), key in sorted(served.items()):
    if not stream.endswith(("_ids", "_included")) and (stream, digest) not in landed:
        print("served and not landed: %s %s" % (stream, key))
        wrong += 1
for (stream, digest), key in sorted(have.items()):
    if (stream, digest) not in landed:
        print("there and not landed: %s %s" % (stream, key))
        wrong += 1
for stream, digest in landed:
    if (stream, digest) not in served:
        print("landed and never served: %s %s" % (stream, digest))
        wrong += 1
print("%d there, %d served, %d landed, %d wrong" % (len(have), len(served), len(landed), wrong))
sys.exit(1 if wrong else 0)
