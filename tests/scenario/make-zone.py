#!/usr/bin/env python3
"""Make a small zone, as format.h and C2SP describe one: make-zone.py ZONE

A fixture for readers, made without landfall's code: one object of several
frames, one of one frame, an empty one, a quarantined one, and a ledger of
more than one tile. Needs zstd and openssl.
"""
import base64
import hashlib
import json
import os
import struct
import subprocess
import sys
import tempfile

NAME = "ledger.example.com/fixture"


def sha256(data):
    return hashlib.sha256(data).digest()


def run(*command, data=b""):
    return subprocess.run(command, input=data, stdout=subprocess.PIPE,
                          check=True).stdout


def line(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"),
                      ensure_ascii=False).encode()


def write(path, data):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(data)


def compress(data):
    # Through a file: zstd writes a content size only when it knows one.
    with tempfile.NamedTemporaryFile() as f:
        f.write(data)
        f.flush()
        return run("zstd", "-qc", "--check", f.name)


def skippable(magic, body):
    return struct.pack("<II", magic, len(body)) + body


def landing_file(data, cut, about, malformed):
    """Frames of `cut` bytes; every line is a record, `malformed` at the end
    are not."""
    parts = [data[i:i + cut] for i in range(0, len(data), cut)] or [b""]
    frames = [(compress(p), len(p)) for p in parts]
    if len(parts) > 1:
        frames.insert(0, (bytes.fromhex("28b52ffd2000010000"), 0))
    first, rows = 0, b""
    ordinary = data.count(b"\n") - malformed
    for p in parts:
        here = min(p.count(b"\n"), ordinary - first)
        rows += struct.pack("<QII", first, here, 0)
        first += here
    exceptions = b""
    if malformed:
        at = len(data)
        for _ in range(malformed):
            at = data.rfind(b"\n", 0, at - 1) + 1
        exceptions = struct.pack("<QQQIHH", at, len(data) - at, ordinary,
                                 malformed, 18, 0)
    index = b"LFIX" + struct.pack("<HHQQII", 1, 0, ordinary, malformed,
                                  len(parts), len(exceptions) // 32)
    frames.append((skippable(0x184D2A5D, index + rows + exceptions), 0))
    about = dict(about, records=ordinary, malformed=malformed)
    frames.append((skippable(0x184D2A5D,
                             b"LFPV\x01\x00\x00\x00" + line(about)), 0))
    table = b"".join(struct.pack("<II", len(f), n) for f, n in frames)
    table += struct.pack("<IBI", len(frames), 0, 0x8F92EAB1)
    return b"".join(f for f, _ in frames) + skippable(0x184D2A5E, table)


def tree_hash(leaves):
    """RFC 6962 section 2.1, by its recursive definition."""
    if len(leaves) < 2:
        return leaves[0] if leaves else sha256(b"")
    k = 1
    while 2 * k < len(leaves):
        k *= 2
    return sha256(b"\x01" + tree_hash(leaves[:k]) + tree_hash(leaves[k:]))


def write_tiles(ledger, entries):
    leaves = [sha256(b"\x00" + e) for e in entries]
    bundles = [struct.pack(">H", len(e)) + e for e in entries]
    level, rows = 0, [("entries", bundles), ("0", leaves)]
    while rows:
        kind, row = rows.pop()
        for i in range(0, len(row), 256):
            part = row[i:i + 256]
            tail = "" if len(part) == 256 else f".p/{len(part)}"
            write(f"{ledger}/tile/{kind}/{i // 256:03}{tail}", b"".join(part))
        if kind != "entries":
            level += 1
            up = [tree_hash(row[i:i + 256])
                  for i in range(0, len(row) - 255, 256)]
            rows += [(str(level), up)] if up else []
    return tree_hash(leaves)


def write_checkpoint(ledger, size, root):
    with tempfile.TemporaryDirectory() as d:
        key, text, out = d + "/key", d + "/text", d + "/signature"
        run("openssl", "genpkey", "-algorithm", "ed25519", "-out", key)
        public = run("openssl", "pkey", "-in", key, "-pubout",
                     "-outform", "DER")[-32:]
        write(ledger + "/key.pub.pem",
              run("openssl", "pkey", "-in", key, "-pubout"))
        note = f"{NAME}\n{size}\n{base64.b64encode(root).decode()}\n"
        write(text, note.encode())
        run("openssl", "pkeyutl", "-sign", "-inkey", key, "-rawin",
            "-in", text, "-out", out)
        with open(out, "rb") as f:
            signature = f.read()
    raw = b"\x01" + public
    key_id = sha256(NAME.encode() + b"\n" + raw)[:4]
    write(ledger + "/vkey", b"%s+%s+%s\n" % (
        NAME.encode(), key_id.hex().encode(), base64.b64encode(raw)))
    signature = base64.b64encode(key_id + signature).decode()
    write(ledger + "/checkpoint", f"{note}\n— {NAME} {signature}\n".encode())


def main(zone):
    objects = [
        ("acme", "landed", "big.csv", 2_500_000, 0, 1 << 20),
        ("acme", "landed", "small%20%C3%BC.csv", 100, 0, 1 << 20),
        ("acme", "landed", "empty.csv", 0, 0, 1 << 20),
        ("beta", "new-version", "two.csv", 5000, 7, 2000),
        ("_quarantine/acme", "quarantined", "bad.csv", 900, 9, 1 << 20),
    ]
    entries, sums = [], {}
    for where, disposition, name, size, malformed, cut in objects:
        data = b"".join(b"%d,%d\n" % (i, i * i) for i in range(size // 9))
        about = {"bytes_sha256": sha256(data).hex(), "generation": 1,
                 "name": name, "size": len(data),
                 "source": os.path.basename(where), "evidence": "\u00fc\n"}
        if disposition == "quarantined":
            about["reason"] = "9 of 100 are bad"
        raw = landing_file(data, cut, about, malformed)
        folder = f"{where}/dt=2026-11-23"
        file = f"{name}.{about['bytes_sha256'][:12]}.zst"
        write(f"{zone}/{folder}/{file}", raw)
        sums.setdefault(folder, []).append(f"{sha256(raw).hex()}  {file}\n")
        entries.append({
            "bytes_sha256": about["bytes_sha256"], "disposition": disposition,
            "file": f"{folder}/{file}", "file_sha256": sha256(raw).hex(),
            "generation": 1, "landed_at": "2026-11-23T01:02:03Z",
            "name": name, "records": data.count(b"\n") - malformed,
            "size": len(data), "source": about["source"]})
    for folder, lines in sums.items():
        write(f"{zone}/{folder}/SHA256SUMS", "".join(lines).encode())
    entries += [dict(entries[1], disposition="duplicate", name=f"again-{i}")
                for i in range(299)]
    entries.append(dict(entries[4], disposition="rejected", settles=4,
                        reason="rejected entry 4 by ann"))
    entries.append({"disposition": "configured", "source": "acme"})
    entries = [line(dict(e, index=i)) for i, e in enumerate(entries)]
    ledger = zone + "/_ledger"
    write_checkpoint(ledger, len(entries), write_tiles(ledger, entries))
    write(zone + "/_staging/0001", b"half a file")


main(sys.argv[1])
