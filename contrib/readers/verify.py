#!/usr/bin/env python3
"""Verify a landfall zone: verify.py ZONE [--vkey VKEY]

Everything is recomputed from the bytes: the signed checkpoint (C2SP
signed-note, Ed25519), the tree (RFC 6962, C2SP tlog-tiles), each landing file
(its SHA-256, its contents, its structure) and SHA256SUMS. Python's standard
library and the zstd program are all it needs; it shares nothing with landfall.

One line for each finding, "note:" for what is only worth knowing, a summary
last. Exit status: 0 all is well, 4 damage, 1 usage. Without --vkey the key is
the zone's own, which shows damage but not forgery: name the key you know.
"""
import base64
import hashlib
import json
import mmap
import os
import re
import stat
import struct
import subprocess
import sys

findings = 0


def finding(where, what):
    global findings
    findings += 1
    print(f"{where}: {what}")


class Bad(Exception):
    """What is wrong, in words; the caller knows where."""


def need(holds, what):
    if not holds:
        raise Bad(what)


def sha256(data):
    return hashlib.sha256(data).digest()


# ---- Ed25519 (RFC 8032 section 5.1.7), affine and unhurried ----

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P


def point(raw):
    """The curve point that 32 bytes encode (section 5.1.3)."""
    y = int.from_bytes(raw, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * pow(2, (P - 1) // 4, P) % P
    need(y < P and x * x % P == square and (x or not sign), "not a point")
    return (P - x if x & 1 != sign else x), y


def add(a, b):
    (x1, y1), (x2, y2) = a, b
    t = D * x1 * x2 * y1 * y2
    return ((x1 * y2 + x2 * y1) * pow(1 + t, -1, P) % P,
            (y1 * y2 + x1 * x2) * pow(1 - t, -1, P) % P)


def times(n, a):
    sum = (0, 1)
    while n:
        if n & 1:
            sum = add(sum, a)
        a, n = add(a, a), n >> 1
    return sum


BASE = point((4 * pow(5, -1, P) % P).to_bytes(32, "little"))


def ed25519_verify(public, message, signature):
    if len(signature) != 64:
        return False
    s = int.from_bytes(signature[32:], "little")
    h = hashlib.sha512(signature[:32] + public + message).digest()
    h = int.from_bytes(h, "little") % ORDER
    try:
        return s < ORDER and times(s, BASE) == add(
            point(signature[:32]), times(h, point(public)))
    except Bad:
        return False


# ---- the ledger ----

def b64(text):
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        raise Bad("bad base64")


def read_vkey(text):
    """<name>+<key ID>+<base64 of 0x01 and the key>"""
    name, key_id, data = (text.strip().split("+", 2) + ["", ""])[:3]
    raw = b64(data)
    need(len(raw) == 33 and raw[0] == 1, "not an Ed25519 vkey")
    need(sha256(name.encode() + b"\n" + raw)[:4].hex() == key_id,
         "the vkey's key ID is not that of its key")
    return name, raw[1:]


def read_checkpoint(raw, vkey):
    """(size, root) of the signed note, which must be signed by vkey."""
    name, public = read_vkey(vkey)
    text, blank, signatures = raw.rpartition(b"\n\n")
    need(blank and raw.endswith(b"\n"), "not a signed note")
    text += b"\n"
    good = False
    key_id = sha256(name.encode() + b"\n\x01" + public)[:4]
    for line in signatures.decode().splitlines():
        m = re.fullmatch("— ([^ +]+) ([A-Za-z0-9+/=]+)", line)
        need(m, "malformed signature line")
        blob = b64(m[2])
        if m[1] == name and blob[:4] == key_id:
            need(ed25519_verify(public, text, blob[4:]),
                 f"the signature by {name} is wrong")
            good = True
    need(good, f"no signature by {name} with the expected key")
    lines = text.decode().split("\n")
    need(len(lines) >= 4 and lines[0] and
         re.fullmatch("0|[1-9][0-9]{0,19}", lines[1]), "not a checkpoint")
    root = b64(lines[2])
    need(len(root) == 32, "the root is not 32 bytes")
    return int(lines[1]), root


def fold(hashes):
    """RFC 6962 section 2.1: pair neighbours, an odd last one moves up."""
    while len(hashes) > 1:
        pairs = [sha256(b"\x01" + a + b)
                 for a, b in zip(hashes[::2], hashes[1::2])]
        hashes = pairs + hashes[len(pairs) * 2:]
    return hashes[0] if hashes else sha256(b"")


def tile(ledger, level, index, width):
    """(path, bytes) of a tile or bundle; a partial one may be full by now."""
    n = f"{index % 1000:03}"
    while index >= 1000:
        index //= 1000
        n = f"x{index % 1000:03}/{n}"
    path = f"tile/{level}/{n}"
    partial = f"{path}.p/{width}" if width < 256 else path
    for candidate in (partial, path):
        try:
            with open(os.path.join(ledger, candidate), "rb") as f:
                return candidate, f.read(256 * 65537 + 1)
        except FileNotFoundError:
            pass
    raise Bad(f"_ledger/{partial}: missing")


def read_entries(ledger, size):
    for first in range(0, size, 256):
        width = min(256, size - first)
        path, raw = tile(ledger, "entries", first // 256, width)
        there = width if ".p/" in path else 256
        at = 0
        for i in range(there):
            n = int.from_bytes(raw[at:at + 2], "big")
            need(at + 2 + n <= len(raw), f"_ledger/{path}: cut in entry {i}")
            if i < width:
                yield raw[at + 2:at + 2 + n]
            at += 2 + n
        need(at == len(raw), f"_ledger/{path}: bytes behind its last entry")


def check_tiles(ledger, leaves):
    level, row = 0, leaves
    while row:
        for first in range(0, len(row), 256):
            want = row[first:first + 256]
            path, raw = tile(ledger, level, first // 256, len(want))
            there = len(want) if ".p/" in path else 256
            if len(raw) != 32 * there:
                finding(f"_ledger/{path}", f"not {32 * there} bytes")
            elif raw[:32 * len(want)] != b"".join(want):
                finding(f"_ledger/{path}",
                        "is not what the level below hashes to")
        row = [fold(row[i:i + 256]) for i in range(0, len(row) - 255, 256)]
        level += 1


def check_ledger(zone, vkey):
    """The entries, as dictionaries, of a ledger that is what was signed."""
    ledger = os.path.join(zone, "_ledger")
    try:
        if vkey is None:
            with open(os.path.join(ledger, "vkey")) as f:
                vkey = f.read(512)
        with open(os.path.join(ledger, "checkpoint"), "rb") as f:
            size, root = read_checkpoint(f.read(65537), vkey)
    except (Bad, OSError, ValueError) as e:
        finding("_ledger/checkpoint", e)
        return []
    entries, leaves = [], []
    try:
        for raw in read_entries(ledger, size):
            leaves.append(sha256(b"\x00" + raw))
            entries.append(raw)
        if fold(leaves) != root:
            finding("_ledger/checkpoint",
                    "the entries do not hash to the signed root")
        check_tiles(ledger, leaves)
    except (Bad, OSError) as e:
        finding("_ledger", e)
    return [parsed for i, raw in enumerate(entries)
            if (parsed := read_entry(i, raw)) is not None]


def canonical(v):
    """The one spelling of a JSON value: keys sorted, no spaces, UTF-8."""
    if isinstance(v, dict):
        keys = sorted(v, key=str.encode)
        return "{" + ",".join(canonical(k) + ":" + canonical(v[k])
                              for k in keys) + "}"
    if isinstance(v, list):
        return "[" + ",".join(map(canonical, v)) + "]"
    if isinstance(v, str):
        short = {'"': '\\"', "\\": "\\\\",
                 "\n": "\\n", "\r": "\\r", "\t": "\\t"}
        return '"' + "".join(
            short.get(c) or (f"\\u{ord(c):04x}" if c < " " else c)
            for c in v) + '"'
    return json.dumps(v)


def read_json(raw):
    try:
        v = json.loads(raw.decode())
        need(isinstance(v, dict), "not a JSON object")
        need(canonical(v).encode() == raw, "not in canonical form")
        return v
    except (ValueError, RecursionError):
        raise Bad("not JSON")


FIELDS = {"bytes_sha256": str, "disposition": str, "file": str,
          "file_sha256": str, "generation": int, "index": int,
          "landed_at": str, "name": str, "records": int, "size": int,
          "source": str}


def read_entry(i, raw):
    try:
        v = read_json(raw)
        need(isinstance(v.get("disposition"), str), "without disposition")
        need(v.get("index") == i, f"says it is entry {v.get('index')}")
        if v["disposition"] in FILES | REFERENCES:
            for key, kind in FIELDS.items():
                need(type(v.get(key)) is kind, f"bad or no {key}")
        return v
    except Bad as e:
        finding(f"_ledger: entry {i}", e)


# ---- a landing file ----

def frame_length(m, at, end):
    """(bytes, content size) of the zstd frame at `at` (RFC 8878, 3.1.1)."""
    need(m[at:at + 4] == b"\x28\xb5\x2f\xfd", f"no zstd frame at byte {at}")
    need(at + 9 <= end, "cut in a frame header")
    flags, p = m[at + 4], at + 5
    single = flags >> 5 & 1
    need(flags & 8 == 0 and flags & 3 == 0, "reserved bit or dictionary")
    if not single:
        need(m[p] <= 13 << 3, "a window of more than 8 MiB")
        p += 1
    width = (single, 2, 4, 8)[flags >> 6]
    need(width, "a frame without content size")
    content = int.from_bytes(m[p:p + width], "little")
    content += 256 if width == 2 else 0
    p += width
    last = 0
    while not last:
        need(p + 3 <= end, "cut in a block")
        head = int.from_bytes(m[p:p + 3], "little")
        last, kind, size = head & 1, head >> 1 & 3, head >> 3
        need(kind != 3, "a reserved block type")
        p += 3 + (1 if kind == 1 else size)
    need(flags & 4 or content == 0, "a frame without checksum")
    return p + (4 if flags & 4 else 0) - at, content


def read_seek_table(m):
    """[(compressed, decompressed)] of all frames before the table."""
    need(len(m) >= 17, "too short")
    count, descriptor, magic = struct.unpack_from("<IBI", m, len(m) - 9)
    need(magic == 0x8F92EAB1, "no seek table at the end")
    need(descriptor == 0, "a seek table of an unknown kind")
    start = len(m) - 17 - 8 * count
    need(count <= 1 << 24 and start >= 0, "a seek table larger than the file")
    need(struct.unpack_from("<II", m, start) == (0x184D2A5E, 8 * count + 9),
         "the seek table's own frame is wrong")
    rows = list(struct.iter_unpack("<II", m[start + 8:len(m) - 9]))
    need(sum(row[0] for row in rows) == start,
         "the seek table does not add up to the file")
    return rows


def payload(m, at, length, tag):
    magic, size = struct.unpack_from("<II", m, at)
    need(magic == 0x184D2A5D and size == length - 8 and
         m[at + 8:at + 12] == tag, f"no {tag.decode()} frame")
    body = m[at + 8:at + length]
    need(len(body) >= 8 and body[4:6] == b"\x01\x00",
         f"{tag.decode()} of another version")
    return body


def check_index(body, frames, size, about):
    """LFIX against the data frames and the provenance."""
    need(len(body) >= 32, "LFIX is too short")
    records, malformed, n, exceptions = struct.unpack_from("<QQII", body, 8)
    need(n == frames, f"LFIX has {n} frames, the file {frames}")
    need(len(body) == 32 + 16 * n + 32 * exceptions, "LFIX's length is wrong")
    before = 0
    for first, here, _ in struct.iter_unpack("<QII", body[32:32 + 16 * n]):
        need(first == before, "LFIX's record numbers do not add up")
        before += here
    need(before == records, "LFIX's records do not add up")
    end = bad = 0
    for offset, length, record, count, kind, _ in struct.iter_unpack(
            "<QQQIHH", body[32 + 16 * n:]):
        need(offset >= end and length > 0 and offset + length <= size and
             record <= records and count > 0, "LFIX has a wrong exception")
        end = offset + length
        bad += count if kind >= 16 else 0
    need(bad == malformed, "LFIX's malformed records do not add up")
    need((records, malformed) == (about.get("records"),
                                  about.get("malformed")),
         "LFIX and the provenance disagree")


# What a provenance need not have.
TEXTS = {"drift", "header_sha256", "reason", "released", "totals"}


def check_structure(m, entry):
    rows = read_seek_table(m)
    need(len(rows) >= 3, "fewer frames than a landing file has")
    *data, index, provenance = rows
    at, sizes = 0, []
    for i, (length, content) in enumerate(data):
        found = frame_length(m, at, at + length)
        need(found == (length, content),
             f"frame {i} is {found[0]} bytes of {found[1]}, "
             f"the seek table says {length} of {content}")
        sizes.append(content)
        at += length
    if len(data) > 1:
        need(sizes[0] == 0, "several data frames and no empty one before")
        need(0 not in sizes[1:], "an empty frame among the data")
        sizes = sizes[1:]
        need(len(sizes) > 1, "an empty first frame before a single one")
    need(index[1] == provenance[1] == 0, "skippable frames with content")
    lfix = payload(m, at, index[0], b"LFIX")
    about = read_json(payload(m, at + index[0], provenance[0], b"LFPV")[8:])
    for key in "bytes_sha256", "size", "records", "source", "name", "generation":
        need(about.get(key) == entry[key],
             f"provenance and ledger disagree on {key}")
    for key in TEXTS & about.keys():
        need(type(about[key]) is str, f"the provenance has a bad {key}")
    need(about.get("settles") == entry.get("settles"),
         "provenance and ledger disagree on what it settles")
    need(("reason" in about) == (entry["disposition"] == "quarantined"),
         "only what is quarantined has a reason in its provenance")
    need(sum(sizes) == entry["size"], "the frames do not add up to the size")
    check_index(lfix, len(sizes), entry["size"], about)


def check_contents(path, entry):
    """What `zstd -dc` makes of the file, in any case a few MiB at a time."""
    h, size = hashlib.sha256(), 0
    with subprocess.Popen(["zstd", "-dcq", "--", path],
                          stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE) as run:
        while part := run.stdout.read(1 << 20):
            h.update(part)
            size += len(part)
        why = run.stderr.read().decode(errors="replace").strip()
    need(run.returncode == 0, f"zstd: {why.rpartition(': ')[2] or 'failed'}")
    need(size == entry["size"], f"holds {size} bytes, not {entry['size']}")
    need(h.hexdigest() == entry["bytes_sha256"],
         "its contents are not what was delivered")


def check_file(zone, entry):
    """SHA-256 of the file, or None when there is no such file."""
    path = os.path.join(zone, entry["file"])
    with open(path, "rb") as f:
        sum = hashlib.sha256()
        while part := f.read(1 << 20):
            sum.update(part)
        sum = sum.hexdigest()
        checks = [lambda: need(sum == entry["file_sha256"],
                               "is not the file that was landed"),
                  lambda: check_contents(path, entry)]
        if os.fstat(f.fileno()).st_size > 0:
            m = mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ)
            checks.append(lambda: check_structure(m, entry))
        for check in checks:
            try:
                check()
            except (Bad, IndexError, struct.error) as e:
                finding(entry["file"], e)
    return sum


# ---- the zone ----

FILES = {"landed", "new-version", "quarantined"}
REFERENCES = {"duplicate", "rejected"}  # each to the file of another entry


def list_zone(zone):
    """Paths of the files that deliveries may be, without the zone's own."""
    for root, dirs, names in os.walk(zone, onerror=lambda e: finding(zone, e)):
        if root == zone:
            dirs[:] = [d for d in dirs if d not in ("_ledger", "_staging")]
        for name in sorted(names):
            path = os.path.relpath(os.path.join(root, name), zone)
            if not stat.S_ISREG(os.lstat(os.path.join(root, name)).st_mode):
                finding(path, "is not a regular file")
            else:
                yield path


def read_sums(zone, path):
    """{file: SHA-256} of one SHA256SUMS."""
    sums = {}
    with open(os.path.join(zone, path), encoding="utf-8",
              errors="surrogateescape", newline="\n") as f:
        for n, line in enumerate(f, 1):
            m = re.fullmatch("([0-9a-f]{64})  ([^/\n]+)\n", line)
            if not m or m[2] in sums:
                finding(path, f"line {n}: {'malformed' if not m else 'double'}")
            else:
                sums[m[2]] = m[1]
    return {os.path.join(os.path.dirname(path), k): v for k, v in sums.items()}


def check_zone(zone, vkey):
    entries = check_ledger(zone, vkey)
    there = set(list_zone(zone))
    summed, sums = {}, {p for p in there if p.endswith("/SHA256SUMS")}
    for path in sorted(sums):
        summed.update(read_sums(zone, path))
    there -= sums
    landed, quarantined = {}, {}
    for e in entries:
        where = f"_ledger: entry {e['index']}"
        if "settles" in e:
            settled = quarantined.get(e["settles"])
            if settled != e.get("bytes_sha256"):
                finding(where, f"settles entry {e['settles']}, which did "
                        "not quarantine these bytes")
        if e["disposition"] in REFERENCES:
            if e["file"] not in there:
                finding(where, f"{e['disposition']}: {e['file']} is missing")
        elif e["disposition"] not in FILES:
            print(f"note: {where}: disposition {e['disposition']!r}")
        elif e["file"] in landed:
            finding(where, f"{e['file']} has been landed before")
        else:
            landed[e["file"]] = e
        if e["disposition"] == "quarantined":
            quarantined[e["index"]] = e["bytes_sha256"]
    for path in sorted(there | summed.keys() | landed.keys()):
        if path not in there:
            finding(path, "missing")
            continue
        sum = None
        if path not in landed:
            finding(path, "no ledger entry knows this file")
        else:
            try:
                sum = check_file(zone, landed[path])
            except OSError as e:
                finding(path, e.strerror)
        if path not in summed:
            finding(path, "not in SHA256SUMS")
        elif sum is not None and summed[path] != sum:
            finding(path, "is not what SHA256SUMS says")
    print(f"{zone}: {len(entries)} entries, {len(landed)} files, "
          f"{findings} finding{'' if findings == 1 else 's'}")


def main(args):
    vkey = None
    if len(args) == 3 and args[1] == "--vkey":
        vkey = args.pop()
        args.pop()
    if len(args) != 1 or args[0].startswith("-") or not os.path.isdir(args[0]):
        print("usage: verify.py ZONE [--vkey VKEY]", file=sys.stderr)
        return 1
    check_zone(args[0], vkey)
    return 4 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
