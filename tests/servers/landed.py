#!/usr/bin/env python3
"""landed.py LANDFALL CONFIG SOURCE DIR: is what the mock of DIR served landed?

Every record that DIR/served tells of must stand in the zone under its stream,
byte for byte, and nothing else may; exit status 1 and a line for each that
does not.
"""
import base64
import hashlib
import json
import os
import subprocess
import sys

landfall, config, source, home = sys.argv[1:5]


def run(*args):
    return subprocess.run([landfall, *args, "-c", config, "--json"], check=True,
                          stdout=subprocess.PIPE).stdout.decode("utf-8", "surrogateescape")


def raw(record):
    if "raw_b64" in record:
        return base64.b64decode(record["raw_b64"])
    return record["raw"].encode("utf-8")


served = {}
with open(os.path.join(home, "served"), encoding="utf-8") as f:
    for line in f:
        stream, key, digest = line.split()
        served[stream, digest] = key
landed, copies, fresh = {}, 0, {}
zone = os.path.join(os.path.dirname(os.path.abspath(config)), "zone")
for line in run("ls").splitlines():
    name = json.loads(line)["file"]
    if not name.startswith(source + "."):
        continue
    stream = name.split("/")[0][len(source) + 1:]
    for text in run("cat", os.path.join(zone, name), "--records").splitlines():
        record = json.loads(text)
        digest = hashlib.sha256(raw(record)).hexdigest()
        landed[stream, digest] = landed.get((stream, digest), 0) + 1
wrong = 0
also = {s for s, _ in served if s.endswith("_included")}
for (stream, digest), key in sorted(served.items()):
    if stream.endswith("_ids"):
        continue
    where = stream.removesuffix("_included") if stream in also else stream
    if (where, digest) not in landed:
        print("served and not landed: %s %s" % (stream, key))
        wrong += 1
known = {(s.removesuffix("_included"), d) for s, d in served}
for stream, digest in landed:
    if (stream, digest) not in known:
        print("landed and never served: %s %s" % (stream, digest))
        wrong += 1
print("%d served, %d landed, %d wrong" % (len(served), len(landed), wrong))
sys.exit(1 if wrong else 0)
