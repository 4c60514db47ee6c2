#!/usr/bin/env python3
"""The parts of landing files that never change: frames.py [--index] ZONE

For each landing file of a zone one line: its path and a SHA-256 over its data
frames (compressed, as they lie in the file) and its record index. With --index
over the index alone. Cut by the seek table at the end of the file: see
include/landfall/format.h.
"""
import hashlib
import os
import struct
import sys


def parts(data):
    """The frames before the seek table, as the seek table cuts them."""
    count, descriptor, magic = struct.unpack("<IBI", data[-9:])
    assert magic == 0x8F92EAB1 and descriptor == 0
    at = len(data) - 9 - 8 * count - 8
    kind, length = struct.unpack_from("<II", data, at)
    assert kind == 0x184D2A5E and length == 8 * count + 9
    sizes = [struct.unpack_from("<II", data, at + 8 + 8 * i)[0]
             for i in range(count)]
    assert sum(sizes) == at
    offset = 0
    for size in sizes:
        yield data[offset:offset + size]
        offset += size


def main(zone, only_index):
    for folder, _, names in sorted(os.walk(zone)):
        for name in sorted(n for n in names if n.endswith(".zst")):
            path = os.path.join(folder, name)
            with open(path, "rb") as f:
                frames = list(parts(f.read()))
            index = [f for f in frames if f[8:12] == b"LFIX"]
            assert len(index) == 1 and frames[-1][8:12] == b"LFPV"
            kept = index if only_index else frames[:-1]
            print(os.path.relpath(path, zone),
                  hashlib.sha256(b"".join(kept)).hexdigest())


main(sys.argv[-1], "--index" in sys.argv[1:-1])
