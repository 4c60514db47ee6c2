#!/usr/bin/env python3
"""verify.py ZONE [--vkey VKEY]: does this landfall zone hold what was landed?

A second statement of the format, made from its specifications: no code is
shared with landfall. It needs Python 3.11 and the zstd program, and checks
  the signature  of _ledger/checkpoint (C2SP signed-note, Ed25519);
  the entries    (C2SP tlog-tiles, RFC 6962), tile/0 and the signed root;
  each entry     its index; what is landed, new-version or quarantined has a
                 file of its own, duplicate and rejected name a file there is;
                 an archive that is unpacked has one if it was kept as well,
                 and names again the entry of the same archive if it has not;
  each file      its SHA-256, what `zstd -dc` makes of it, and that frames,
                 seek table, record index LFIX and provenance LFPV agree;
  SHA256SUMS     names the files of its directory, and no file is unknown.
Tiles above tile/0, and records in their places, are for `landfall verify`.

One line for each finding, "note:" for entries of other kinds, a summary last.
Exit status: 0 all is well, 4 findings, 1 usage. The zone's own key can show
damage, not forgery: give the VKEY you know, the text or a file that holds it.
Nothing should land meanwhile.
"""
import base64
import hashlib
import json
import mmap
import os
import pathlib
import re
import shutil
import struct
import subprocess
import sys
from hashlib import sha256

AGREED = {"bytes_sha256", "generation", "name", "records", "size", "source"}
findings = []


def finding(where, what):
    findings.append(where)
    print(ascii(f"{where}: {what}")[1:-1])


def need(holds, what):
    if not holds:
        raise ValueError(what)


def is_signed(text, signature, key):
    """Ed25519, RFC 8032 section 5.1; nothing is secret, so at any pace."""
    p, order = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
    d = -121665 * pow(121666, -1, p)

    def point(raw):
        y = int.from_bytes(raw, "little")
        sign, y = y >> 255, y % 2**255
        square = (y * y - 1) * pow(d * y * y + 1, -1, p) % p
        x = pow(square, (p + 3) // 8, p)
        if x * x % p != square:
            x = x * pow(2, (p - 1) // 4, p) % p
        need(y < p and x * x % p == square and x >= sign, "not a point")
        return (x if x & 1 == sign else p - x), y

    def add(a, b):
        (x1, y1), (x2, y2) = a, b
        t = d * x1 * x2 * y1 * y2
        return ((x1 * y2 + x2 * y1) * pow(1 + t, -1, p) % p,
                (y1 * y2 + x1 * x2) * pow(1 - t, -1, p) % p)

    def times(n, a):
        half = times(n >> 1, add(a, a)) if n else (0, 1)
        return add(half, a) if n & 1 else half

    r, s = signature[:32], int.from_bytes(signature[32:], "little")
    h = int.from_bytes(hashlib.sha512(r + key + text).digest(), "little")
    base = point((4 * pow(5, -1, p) % p).to_bytes(32, "little"))
    return len(signature) == 64 and s < order and (
        times(s, base) == add(point(r), times(h % order, point(key))))


def read_vkey(given, usage):
    """The text <name>+<key ID>+<base64>: itself, or what a file holds."""
    text, what = given, "neither a file nor a key"
    if os.path.exists(given):
        what = "holds no key"
        try:
            with open(given, "rb") as f:
                text = f.read(4096).decode("ascii", "replace")
        except OSError as e:
            text, what = "", e.strerror
    if not re.fullmatch(r"[^\s+]+\+[0-9a-f]{8}\+[A-Za-z0-9+/=]+\s*", text):
        sys.exit(f"{usage}\n--vkey {given!a}: {what}; a key is "
                 "NAME+ID+BASE64, as in _ledger/vkey")
    return text


def read_checkpoint(note, vkey):
    """(size, root) of a note that <name>+<key ID>+<base64> has signed."""
    name, key_id, key = vkey.strip().split("+", 2)
    key = base64.b64decode(key, validate=True)
    need(key[:1] == b"\1" and len(key) == 33 and key_id == sha256(
        name.encode() + b"\n" + key).hexdigest()[:8], "not an Ed25519 vkey")
    text, _, signatures = note.rpartition("\n\n")
    found = re.findall(f"^\u2014 {re.escape(name)} (.*)\n", signatures, re.M)
    found = [base64.b64decode(blob, validate=True) for blob in found]
    found = [blob[4:] for blob in found if blob[:4].hex() == key_id]
    need(text and found, f"no signature by {name} with the expected key")
    need(all(is_signed(text.encode() + b"\n", blob, key[1:])
             for blob in found), f"the signature by {name} is wrong")
    return int(text.split("\n")[1]), base64.b64decode(text.split("\n")[2])


def read_tile(zone, level, n, width):
    """A tile, perhaps a partial one; that may have grown full by now."""
    path = f"{n % 1000:03}"
    while n := n // 1000:
        path = f"x{n % 1000:03}/{path}"
    path = f"{zone}/_ledger/tile/{level}/{path}"
    partial = f"{path}.p/{width}"
    with open(partial if os.path.exists(partial) else path, "rb") as f:
        return f.read(1 << 25)


def read_ledger(zone, size, root):
    entries, row = [], []
    for first in range(0, size, 256):
        bundle, at, width = [], 0, min(256, size - first)
        raw = read_tile(zone, "entries", first // 256, width)
        while at < len(raw):
            end = at + 2 + int.from_bytes(raw[at:at + 2], "big")
            bundle.append(raw[at + 2:end])
            at = end
        need(at == len(raw) and len(bundle) in (width, 256),
             f"{width} entries from {first} on are cut or too many")
        leaves = [sha256(b"\0" + e).digest() for e in bundle[:width]]
        raw = read_tile(zone, 0, first // 256, width)
        if (raw[:32 * width] != b"".join(leaves) or
                len(raw) not in (32 * width, 8192)):
            finding("_ledger/tile/0", f"wrong from entry {first} on")
        entries += bundle[:width]
        row += leaves
    while len(row) > 1:  # RFC 6962 section 2.1: an odd last one moves up
        pairs = [sha256(b"\1" + left + right).digest()
                 for left, right in zip(row[::2], row[1::2])]
        row = pairs + row[2 * len(pairs):]
    if (row or [sha256().digest()])[0] != root:
        finding("_ledger/checkpoint", "the entries do not hash to its root")
    return entries


def check_bytes(f, entry):
    if hashlib.file_digest(f, "sha256").hexdigest() != entry["file_sha256"]:
        finding(entry["file"], "is not the file that was landed")
    f.seek(0)
    h, size = sha256(), 0
    with subprocess.Popen(["zstd", "-dcq", "--memory=8MB"], stdin=f,
                          stdout=subprocess.PIPE) as run:
        while part := run.stdout.read(1 << 20):
            h.update(part)
            size += len(part)
    if run.returncode or (h.hexdigest(), size) != (entry["bytes_sha256"],
                                                   entry["size"]):
        finding(entry["file"], "does not decompress to what was delivered")


def check_structure(f, entry):
    m = memoryview(mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ))
    count, kind, magic = struct.unpack_from("<IBI", m, len(m) - 9)
    need((kind, magic) == (0, 0x8F92EAB1), "no seek table at the end")
    start, at, size = len(m) - 17 - 8 * count, 0, 0
    need(count > 2 and start >= 0 and struct.unpack_from("<II", m, start) ==
         (0x184D2A5E, 8 * count + 9), "its seek table has a wrong length")
    lfix = lfpv = b""
    for i, row in enumerate(struct.iter_unpack("<II", m[start + 8:-9])):
        need(i >= count - 2 or m[at:at + 4] == b"\x28\xb5\x2f\xfd" and
             (i > 0 or count == 3 or row[1] == 0), f"no frame at byte {at}")
        lfix, lfpv = lfpv, m[at:at + row[0]]
        at, size = at + row[0], size + row[1]
    need((at, size) == (start, entry["size"]), "seek table does not add up")
    for frame, tag in (lfix, b"LFIX"), (lfpv, b"LFPV"):
        need(struct.unpack_from("<II4sH", frame) ==
             (0x184D2A5D, len(frame) - 8, tag, 1), f"no {tag.decode()} frame")
    records, malformed, frames, spans = struct.unpack_from("<QQII", lfix, 16)
    need(frames == count - 2 - (count > 3) and
         len(lfix) == 40 + 16 * frames + 32 * spans, "LFIX: wrong length")
    rows = struct.iter_unpack("<QII", lfix[40:40 + 16 * frames])
    need(records == sum(row[1] for row in rows), "LFIX does not add up")
    need(len(lfpv) <= 16 + 2**20, "LFPV is too long")
    about = json.loads(bytes(lfpv[16:]))
    need(about.get("records") == records and
         about.get("malformed") == malformed, "LFIX and LFPV disagree")
    for key in sorted(AGREED):
        need(about.get(key) == entry[key], f"LFPV, ledger disagree on {key}")


def check_entry(i, entry, there, landed, unpacked):
    need(entry.get("index") == i, f"says it is entry {entry.get('index')}")
    kind, file = entry["disposition"], entry.get("file")
    if kind == "unpacked":
        unpacked[i] = entry["bytes_sha256"]
    if "again" in entry:
        need(unpacked.get(entry["again"]) == entry["bytes_sha256"],
             f"entry {entry['again']} did not unpack the same archive")
    if file is None and (kind == "unpacked" or "again" in entry):
        need(AGREED - {"records"} <= entry.keys(), "lacks a key")
    elif kind in ("landed", "new-version", "quarantined", "unpacked"):
        need(AGREED | {"file_sha256"} <= entry.keys(), "lacks a key")
        need(landed.setdefault(file, entry) is entry, f"{file} once more")
    elif kind in ("duplicate", "rejected"):
        need(file in there, f"refers to {file}, which is missing")
    else:
        print(f"note: _ledger: entry {i}: disposition {kind!a}")


def check_zone(zone, entries):
    there, landed, unpacked, lines = set(), {}, {}, {}
    for folder, inner, names in os.walk(
            zone, onerror=lambda e: finding(e.filename, e.strerror)):
        if folder == zone:
            inner[:] = set(inner) - {"_ledger", "_staging"}
        for path in (os.path.join(folder, name) for name in names + inner):
            if os.path.isfile(path) and not os.path.islink(path):
                there.add(os.path.relpath(path, zone))
            elif os.path.islink(path) or not os.path.isdir(path):
                finding(os.path.relpath(path, zone), "is not a regular file")
    for i, raw in enumerate(entries):
        try:
            check_entry(i, json.loads(raw), there, landed, unpacked)
        except Exception as e:
            finding(f"_ledger: entry {i}", e)
    for file, entry in landed.items():
        folder, name = os.path.split(file)
        lines.setdefault(f"{folder}/SHA256SUMS", []).append(
            f"{entry['file_sha256']}  {name}\n".encode())
        if file not in there:
            finding(file, "is missing")
            continue
        try:
            with open(f"{zone}/{file}", "rb") as f:
                check_bytes(f, entry)
                check_structure(f, entry)
        except Exception as e:
            finding(file, e)
    for path, wanted in sorted(lines.items()):
        found = pathlib.Path(zone, path).read_bytes() if path in there else b""
        found = found.splitlines(keepends=True)
        if sorted(found) != sorted(wanted):
            finding(path, "is not the list of what was landed here")
    for path in sorted(there - landed.keys() - lines.keys()):
        finding(path, "no ledger entry names this file")
    return len(landed)


def main(zone, vkey=None):
    entries, files = [], 0
    try:
        ledger = pathlib.Path(zone, "_ledger")
        if vkey is None:
            vkey = (ledger / "vkey").read_text(encoding="utf-8")
        note = (ledger / "checkpoint").read_bytes().decode()
        entries = read_ledger(zone, *read_checkpoint(note, vkey))
        files = check_zone(zone, entries)
    except Exception as e:
        finding("_ledger", f"{e}; the files were not checked")
    print(f"{zone}: {len(entries)} entries, {files} files, "
          f"{len(findings)} finding{'s' * (len(findings) != 1)}")
    return 4 if findings else 0


if __name__ == "__main__":
    USAGE = "usage: verify.py ZONE [--vkey VKEY]"
    if not (sys.argv[2:3] == ["--vkey"] and len(sys.argv) == 4 or
            len(sys.argv) == 2) or not os.path.isdir(sys.argv[1]):
        sys.exit(USAGE)
    if not shutil.which("zstd"):
        sys.exit("verify.py: nothing was checked: install the zstd program")
    sys.exit(main(sys.argv[1], *(read_vkey(x, USAGE) for x in sys.argv[3:])))
