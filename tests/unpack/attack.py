#!/usr/bin/env python3
"""Archives that mean harm, byte by byte; nothing but the standard library.

    attack.py DIR [--soak]

writes them into DIR, and DIR/attacks.json, a list of

    {"file": NAME, "end": "end" or "bad-item" or null (either will do),
     "says": what the last text must have in it (or null),
     "files": how many files come out whole, at most,
     "spoiled": how many members are said to be damaged (or null),
     "findings": how many findings there are (or null),
     "options": [options of tests/unpack/one]}

Whatever becomes of one, nothing may appear anywhere, no limit may be passed,
and the reader must end.
"""
import bz2
import gzip
import io
import json
import lzma
import os
import struct
import sys
import tarfile
import zipfile
import zlib

KIB = 1 << 10
MIB = 1 << 20


# ---- zip, by hand ----

class Entry:
    """One member; what the local header, the directory and the descriptor
    say can each be a lie."""

    def __init__(self, name, data=b"", method=8, flags=0, packed=None,
                 local=None, central=None, mode=0o100644, descriptor=None,
                 extra=b"", local_extra=None, local_name=None, at=None):
        self.name = name
        if packed is None:
            deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
            packed = (deflate.compress(data) + deflate.flush()
                      if method == 8 else data)
        self.packed = packed
        self.truth = {"flags": flags, "method": method,
                      "crc": zlib.crc32(data), "packed": len(packed),
                      "size": len(data)}
        self.local = dict(self.truth, **(local or {}))
        self.central = dict(self.truth, **(central or {}))
        self.mode = mode
        self.descriptor = descriptor
        self.extra = extra
        self.local_extra = extra if local_extra is None else local_extra
        self.local_name = name if local_name is None else local_name
        self.at = at        # what the directory says of its offset

    def header(self):
        f = self.local
        return struct.pack("<4sHHHHHIIIHH", b"PK\3\4", 45, f["flags"],
                           f["method"], 0, 0x5821, f["crc"], f["packed"],
                           f["size"], len(self.local_name),
                           len(self.local_extra)
                           ) + self.local_name + self.local_extra

    def entry(self, offset):
        f = self.central
        return struct.pack("<4sHHHHHHIIIHHHHHII", b"PK\1\2", 3 << 8 | 45, 45,
                           f["flags"], f["method"], 0, 0x5821, f["crc"],
                           f["packed"], f["size"], len(self.name),
                           len(self.extra), 0, f.get("disk", 0), 0,
                           self.mode << 16,
                           offset if self.at is None else self.at
                           ) + self.name + self.extra


def zip_end(n, size, offset, comment=b"", disk=0, here=None):
    return struct.pack("<4sHHHHIIH", b"PK\5\6", disk, disk,
                       n if here is None else here, n, size, offset,
                       len(comment)) + comment


def make_zip(entries, before=b"", between=b"", end=None, behind=b""):
    out, offsets = bytearray(before), []
    for e in entries:
        offsets.append(len(out))
        out += e.header() + e.packed
        if e.descriptor is not None:
            out += e.descriptor
        out += between
    at = len(out)
    for e, offset in zip(entries, offsets):
        out += e.entry(offset)
    size = len(out) - at
    if end is None:
        out += zip_end(len(entries), size, at)
    else:
        out += end(len(entries), size, at)
    return bytes(out + behind)


def zip64_end(n, size, offset, said=None, locator=None):
    said = said or {}
    record = struct.pack("<4sQHHIIQQQQ", b"PK\6\6", 44, 45, 45, 0, 0,
                         said.get("n", n), said.get("n", n),
                         said.get("size", size), said.get("offset", offset))
    where = offset + size if locator is None else locator
    return record + struct.pack("<4sIQI", b"PK\6\7", 0, where, 1) + \
        zip_end(0xffff, 0xffffffff, 0xffffffff)


# ---- tar, by hand ----

def tar_header(name, size=0, kind=b"0", link=b"", **more):
    h = bytearray(512)

    def put(at, text):
        h[at:at + len(text)] = text

    put(0, name[:100])
    put(100, b"0000644\0")
    put(108, b"0000000\0")
    put(116, b"0000000\0")
    put(124, more.get("size_field", b"%011o\0" % size))
    put(136, b"07346545000\0")
    put(156, kind)
    put(157, link[:100])
    put(257, b"ustar\0" b"00")
    put(329, b"0000000\0")
    put(337, b"0000000\0")
    put(345, more.get("prefix", b"")[:155])
    put(148, b" " * 8)
    put(148, b"%06o\0 " % sum(h))
    return bytes(h)


def pad(data):
    return data + b"\0" * (-len(data) % 512)


def tar_member(name, data=b"", **more):
    return tar_header(name, len(data), **more) + pad(data)


def pax(records, wide=False):
    """wide: its size in base 256, as GNU writes what is large."""
    body = b""
    for key, value in records:
        n = len(key) + len(value) + 3
        while len(b"%d" % n) + len(key) + len(value) + 3 != n:
            n = len(b"%d" % n) + len(key) + len(value) + 3
        body += b"%d %s=%s\n" % (n, key, value)
    if wide:
        return tar_member(b"pax", body, kind=b"x", size_field=b"\x80" +
                          len(body).to_bytes(11, "big"))
    return tar_member(b"pax", body, kind=b"x")


END = b"\0" * 1024


# ---- the attacks ----

def cases(soak):
    def case(file, data, end="bad-item", says=None, files=0, spoiled=None,
             findings=None, options=()):
        return {"file": file, "data": data, "end": end, "says": says,
                "files": files, "spoiled": spoiled, "findings": findings,
                "options": list(options)}

    good = Entry(b"a.csv", b"id;n\n1;2\n")

    # Names that lead elsewhere, in every spelling: findings, if they are,
    # and otherwise names like any other.
    ways_out = [b"../up.csv", b"a/../../up.csv", b"..", b"a/..", b"../",
                b"..\\up.csv", b"a\\..\\..\\up.csv", b"/etc/up.csv",
                b"//etc/up.csv", b"\\up.csv", b"\\\\host\\share\\up.csv",
                b"C:\\up.csv", b"c:/up.csv", b"./../up.csv", b"a\0b.csv",
                b"../\xff.csv", b""]
    harmless = [b"....//up.csv", b"..%2fup.csv", b"%2e%2e/up.csv",
                b"\xc0\xae\xc0\xae/up.csv", b"..;/up.csv", b"...",
                b"\xe2\x80\xa5/up.csv", b". ./up.csv", b"~/up.csv",
                b"$HOME/up.csv", b"CON", b"a:b.csv", b" ", b"-rf",
                b"a\nb.csv", b"\x1b[2J.csv", b"|sh", b"`id`.csv"]
    yield case("names-out.zip",
               make_zip([Entry(n, b"x" * 40) for n in ways_out]),
               end="end", findings=len(ways_out))
    yield case("names-odd.zip",
               make_zip([Entry(n, b"x" * 40) for n in harmless]),
               end="end", findings=0, files=len(harmless))
    # A NUL ends a name in a tar header.
    tar_out = [n for n in ways_out if n and b"\0" not in n and n != b"../"]
    yield case("names-out.tar",
               b"".join(tar_member(n, b"x" * 40) for n in tar_out) + END,
               end=None, says=None)
    yield case("names-out-pax.tar",
               b"".join(pax([(b"path", n)]) + tar_member(b"x", b"y" * 40)
                        for n in tar_out) + END, end="end",
               findings=len(tar_out))
    # Not in those that extend it.
    nul = [b"a.csv\0", b"a.csv\0/../../up.csv", b"\0"]
    yield case("names-nul-pax.tar",
               b"".join(pax([(b"path", n)]) + tar_member(b"x", b"y" * 40)
                        for n in nul) +
               pax([(b"path", b"big" * 200000 + b"\0x")]) +
               tar_member(b"x", b"y") + END, end=None)
    yield case("names-nul.tar",
               b"".join(pax([(b"path", n)]) + tar_member(b"x", b"y" * 40)
                        for n in nul) +
               pax([(b"SCHILY.xattr.user.x", b"a\0b"), (b"path", b"b.csv")]) +
               tar_member(b"x", b"y" * 40) +
               tar_member(b"././@LongLink", b"n.csv\0up.csv\0", kind=b"L") +
               tar_member(b"x", b"y") +
               tar_member(b"././@LongLink", b"m.csv\0\0", kind=b"L") +
               tar_member(b"x", b"y") +
               pax([(b"path", nul[1])], True) + tar_member(b"x", b"y") +
               tar_member(b"volume", kind=b"V") +
               pax([(b"path", nul[1])]) + tar_member(b"x", b"y") + END,
               end="end", findings=len(nul) + 3, files=2)
    yield case("names-odd.tar",
               b"".join(tar_member(n, b"x" * 40) for n in harmless) + END,
               end="end", findings=0, files=len(harmless))
    yield case("prefix-out.tar",
               tar_member(b"up.csv", b"x", prefix=b"/etc") +
               tar_member(b"up.csv", b"x", prefix=b"a/..") + END,
               end="end", findings=2)

    # Links, then a write through them; devices.
    yield case("symlink-write.tar",
               tar_header(b"d", kind=b"2", link=b"/tmp") +
               tar_member(b"d/landfall-escaped", b"x") + END,
               end="end", findings=1, files=1)
    yield case("symlink-file.tar",
               tar_header(b"a.csv", kind=b"2", link=b"/tmp/landfall-escaped") +
               tar_member(b"a.csv", b"x") + END,
               end="end", findings=1, files=1)
    yield case("symlink.zip",
               make_zip([Entry(b"d", b"/tmp", mode=0o120777),
                         Entry(b"d/landfall-escaped", b"x")]),
               end="end", findings=1, files=1)
    yield case("hardlink.tar",
               tar_header(b"a", kind=b"1", link=b"/etc/passwd") +
               tar_header(b"b", kind=b"1", link=b"../../etc/shadow") + END,
               end="end", findings=2)
    yield case("hardlink-data.tar",
               pax([(b"linkpath", "/etc/ü".encode()), (b"size", b"3")]) +
               tar_member(b"a", b"xyz", kind=b"1", link=b"b") + END,
               end="end", findings=1)
    yield case("devices.tar",
               b"".join(tar_header(b"dev%d" % i, kind=k)
                        for i, k in enumerate([b"3", b"4", b"6"])) + END,
               end="end", findings=3)
    yield case("devices.zip",
               make_zip([Entry(b"c", mode=0o020666), Entry(b"b", mode=0o060666),
                         Entry(b"p", mode=0o010666),
                         Entry(b"s", mode=0o140666)]),
               end="end", findings=4)
    yield case("folder-with-bytes.zip",
               make_zip([Entry(b"d/", b"x" * 99, mode=0o040755)]),
               end="end", findings=1)

    # Bombs.
    zeros = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = b"".join(zeros.compress(bytes(MIB)) for _ in range(24))
    bomb += zeros.flush()
    flat = Entry(b"bomb", packed=bomb)
    for f in (flat.local, flat.central):
        f["size"] = 24 * MIB
        f["crc"] = zlib.crc32(bytes(24 * MIB))
    yield case("ratio.zip", make_zip([flat]), says="max_ratio")
    lying = Entry(b"bomb", packed=bomb)
    for f in (lying.local, lying.central):
        f["size"] = 1000
    yield case("ratio-lying.zip", make_zip([lying]))
    small = Entry(b"bomb", bytes(4 * MIB))
    yield case("grace.zip", make_zip([small]), end="end", files=1)
    yield case("ratio.gz", gzip.compress(bytes(24 * MIB)),
               says="max_ratio")
    yield case("ratio.bz2", bz2.compress(bytes(24 * MIB)),
               says="max_ratio")
    yield case("ratio.xz", lzma.compress(bytes(24 * MIB)),
               says="max_ratio")
    yield case("ratio.tar.gz",
               gzip.compress(tar_header(b"bomb", 24 * MIB) + bytes(24 * MIB) +
                             END), says="max_ratio")
    yield case("member-bytes.gz", gzip.compress(os.urandom(3 * MIB), 1),
               says="max_member", options=["--member", "2000000"])
    yield case("total-bytes.tar",
               b"".join(tar_member(b"%d" % i, bytes(MIB // 2))
                        for i in range(8)) + END,
               says="max_bytes", files=4,
               options=["--total", "2100000"])
    many = 50000 if soak else 12000
    yield case("many-empty.zip",
               make_zip([Entry(b"%d" % i, method=0) for i in range(many)]),
               says="max_members", options=["--members", "10000"])
    yield case("many-empty-allowed.zip",
               make_zip([Entry(b"%d" % i, method=0) for i in range(many)]),
               end="end", files=many)
    yield case("many-empty.tar",
               b"".join(tar_header(b"%d" % i) for i in range(many)) + END,
               says="max_members", files=10000,
               options=["--members", "10000"])
    # Sparse: a hole of 8 EiB in a few bytes.
    yield case("sparse.tar",
               pax([(b"GNU.sparse.major", b"0"), (b"GNU.sparse.minor", b"1"),
                    (b"GNU.sparse.name", b"hole"),
                    (b"GNU.sparse.size", b"9000000000000000000"),
                    (b"GNU.sparse.numblocks", b"1"),
                    (b"GNU.sparse.map", b"0,1")]) +
               tar_member(b"hole", b"x") + END)

    # Kernels that many entries share (bamsoftware.com/hacks/zipbomb).
    yield case("overlap-same.zip", overlap_same(), says="overlap")
    yield case("overlap-quoted.zip", overlap_quoted(), says="overlap")

    # Archives in archives.
    spool = ["--spool", "."]
    yield case("nested.zip", nested(6), says="max_depth", options=spool)
    yield case("nested-42.zip", nested_wide(5, 4), says="max_depth",
               options=spool)
    yield case("nested-ratio.zip",
               make_zip([Entry(b"in.zip", make_zip([flat]))]),
               end="end", spoiled=1, says="max_ratio", options=spool)
    yield case("nested-mixed.zip", nested_mixed(), says="max_depth",
               options=spool)
    yield case("nested.gz", gzip_layers(9), says="max_depth",
               options=spool)
    yield case("quine.zip", quine(), says="max_depth", options=spool)
    yield case("droste.zip", droste(), says="max_depth", options=spool)
    yield case("nested-bad.zip",
               make_zip([Entry(b"in.zip", b"PK\3\4 is none"), good]),
               end="end", files=1, spoiled=1, options=spool)
    yield case("inside-nowhere.zip",
               make_zip([Entry(b"in.zip", make_zip([good]))]),
               says="no place")

    # Directory and local headers disagree.
    def lie(name, says, **how):
        return case("lie-%s.zip" % name,
                    make_zip([good, Entry(b"b.csv", b"y" * 50, **how)]),
                    says=says)

    yield lie("name", "about its name", local_name=b"c.csv")
    yield lie("name-length", "about its name", local_name=b"b.csv.exe")
    yield lie("size", "about its size", local={"size": 49})
    yield lie("packed", "about its size", local={"packed": 3})
    yield lie("crc", "about its CRC", local={"crc": 1})
    yield lie("method", "about its method", local={"method": 0})
    yield lie("flags", "about its flags", local={"flags": 1})
    # One member cannot be had; the archive around it can.
    def spoil(name, says, **how):
        return case("spoiled-%s.zip" % name,
                    make_zip([good, Entry(b"b.csv", b"y" * 50, **how),
                              Entry(b"c.csv", b"z" * 50)]),
                    end="end", says=says, files=2, spoiled=1)

    yield spoil("crc", "CRC", local={"crc": 1}, central={"crc": 1})
    yield spoil("data", None, packed=b"\xff" * 40)
    yield spoil("short", None, packed=b"\3\0",)
    yield spoil("strong", "strong encryption", flags=1 << 6)
    yield spoil("masked", "strong encryption", flags=1 << 13)
    yield spoil("encrypted", "no password", flags=1)
    yield spoil("method", None, method=77)
    yield lie("stored", "two sizes", method=0, local={"size": 51},
              central={"size": 51})
    yield lie("descriptor-missing", "behind its data", flags=8,
              local={"crc": 0, "packed": 0, "size": 0})
    yield lie("descriptor", "behind its data", flags=8,
              local={"crc": 0, "packed": 0, "size": 0},
              descriptor=struct.pack("<4sIII", b"PK\7\10", 1, 2, 3))
    yield lie("disk", "another file", central={"disk": 3})
    yield lie("beyond", "reach into", local={"packed": 1 << 30},
              central={"packed": 1 << 30})

    # The directory points anywhere.
    for i, at in enumerate([1, 3, 40, 0x7fffffff, 0xfffffffe]):
        yield case("offset-%d.zip" % i,
                   make_zip([good, Entry(b"b", b"z", at=at)]))

    def place(name, says=None, **field):
        def end(n, size, offset):
            return zip_end(field.get("n", n), field.get("size", size),
                           field.get("offset", offset),
                           disk=field.get("disk", 0), here=field.get("here"))
        return case("end-%s.zip" % name, make_zip([good], end=end), says=says)

    yield place("offset", "does not end where", offset=0)
    yield place("offset-far", "does not end where", offset=0x7fffffff)
    yield place("size", "does not end where", size=1)
    yield place("size-far", "does not end where", size=0x7fffffff)
    yield place("more", n=2)
    yield place("fewer", "behind the last", n=0)
    yield place("many", n=65534)
    yield place("disk", "split over", disk=1)
    yield place("here", "split over", here=0)
    yield place("saturated", "zip64", n=0xffff)
    yield case("end-behind.zip", make_zip([good], behind=b"x"),
               says="does not reach")
    yield case("end-comment.zip",
               make_zip([good], end=lambda n, s, o: zip_end(n, s, o, b"c" * 9)),
               end="end", files=1)
    yield case("end-twice.zip", two_ends(good), says="two ends")
    yield case("end-none.zip", good.header() + good.packed, says="truncated")
    yield case("hidden.zip",
               make_zip([good], between=Entry(b"hidden", b"h").header() + b"h"),
               says="does not know")
    yield case("stub.zip", make_zip([good], before=b"#!/bin/sh\n"),
               end="bad-item")
    yield case("duplicate.zip", make_zip([good, Entry(b"a.csv", b"other")]),
               says="came before", files=1)
    yield case("duplicate.tar", tar_member(b"a", b"1") + tar_member(b"a", b"2")
               + END, says="came before", files=1)

    # Zip64.
    wide = struct.pack("<HHQQ", 1, 16, 9, len(good.packed))
    full = {"packed": 0xffffffff, "size": 0xffffffff}
    yield case("zip64.zip",
               make_zip([Entry(b"a.csv", b"id;n\n1;2\n", local=full,
                               central=full, extra=wide)], end=zip64_end),
               end="end", files=1)
    for name, extra in [
            ("sizes", struct.pack("<HHQQ", 1, 16, 1 << 62, len(good.packed))),
            ("packed", struct.pack("<HHQQ", 1, 16, 9, 1 << 62)),
            ("wrap", struct.pack("<HHQQ", 1, 16, 9, (1 << 64) - 20)),
            ("short", struct.pack("<HHQ", 1, 8, 9)),
            ("none", b""),
            ("twice", wide + wide),
            ("beyond", struct.pack("<HH", 1, 9999))]:
        yield case("zip64-%s.zip" % name,
                   make_zip([Entry(b"a.csv", b"id;n\n1;2\n", local=full,
                                   central=full, extra=extra)]))
    for name, said in [("n", {"n": 1 << 40}), ("n-2", {"n": 2}),
                       ("size", {"size": 1 << 63}),
                       ("offset", {"offset": (1 << 64) - 1})]:
        yield case("zip64-end-%s.zip" % name, make_zip(
            [good], end=lambda n, s, o, said=said: zip64_end(n, s, o, said)))
    for name, at in [("0", 0), ("far", 1 << 62), ("wrap", (1 << 64) - 1)]:
        yield case("zip64-locator-%s.zip" % name, make_zip(
            [good], end=lambda n, s, o, at=at: zip64_end(n, s, o, None, at)),
            says="locator")

    # Names that are too long.
    yield case("name-65535.zip", make_zip([Entry(b"n" * 65535, b"x")]),
               says="a name of 65535 bytes")
    yield case("name-65536.tar",
               pax([(b"path", b"n" * 65536)]) + tar_member(b"x", b"y") + END,
               says="a name of 65536 bytes")
    yield case("name-65536-gnu.tar",
               tar_member(b"././@LongLink", b"n" * 65536 + b"\0", kind=b"L") +
               tar_member(b"x", b"y") + END, says="a name of 65536 bytes")
    yield case("name-huge-pax.tar",
               pax([(b"path", b"n" * (2 * MIB))]) + tar_member(b"x", b"y") +
               END)

    # Tar that is not what it says.
    yield case("no-end.tar", tar_member(b"a", b"x"), says="no end mark",
               files=1)
    yield case("half-end.tar", tar_member(b"a", b"x") + bytes(512),
               says="no end mark", files=1)
    yield case("behind-end.tar", tar_member(b"a", b"x") + END +
               tar_member(b"hidden", b"x") + END, says="behind its end",
               files=1)
    yield case("size-beyond.tar", tar_header(b"a", 10**9) + END)
    yield case("size-negative.tar",
               tar_member(b"a", b"x", size_field=b"-0000000001\0") + END,
               end=None)
    yield case("size-binary.tar",
               tar_header(b"a", size_field=b"\x80" + b"\xff" * 11) + END,
               end=None)
    yield case("checksum.tar", tar_member(b"a", b"x") +
               tar_member(b"b", b"x").replace(b"ustar", b"ustaR") + END,
               files=1)
    yield case("pax-loop.tar", pax([(b"path", b"a")]) * 1000 +
               tar_member(b"x", b"y") + END, end=None, files=1)
    yield case("gzip-behind.tar.gz", gzip.compress(
        tar_member(b"a", b"x") + END) + b"something", says="behind its end",
        files=1)
    yield case("gzip-crc.gz", flip(gzip.compress(b"hello" * 99), -6))
    yield case("gzip-length.gz", flip(gzip.compress(b"hello" * 99), -2))
    yield case("said-tar.tar.gz", gzip.compress(b"id;n\n" * 200),
               says="its name says tar")
    yield case("said-zip.zip", b"id;n\n1;2\n", says="its name says zip")
    yield case("empty.zip", b"")
    yield case("xz-memory.xz", xz_with_window(), end="bad-item")


def flip(data, at):
    data = bytearray(data)
    data[at] ^= 1
    return bytes(data)


def overlap_same():
    """Two names, one local header."""
    e = Entry(b"a", b"x" * 1000)
    other = Entry(b"a", b"x" * 1000, at=0)
    out = bytearray(e.header() + e.packed)
    at = len(out)
    out += e.entry(0) + other.entry(0)
    return bytes(out + zip_end(2, len(out) - at, at))


def overlap_quoted():
    """Each member's data begin with a stored block that quotes the next
    local header, down to one kernel which all share."""
    kernel = zlib.compressobj(9, zlib.DEFLATED, -15)
    data = kernel.compress(bytes(KIB)) + kernel.flush()
    entries, blob, size = [], data, KIB
    tail = bytearray()
    plain = bytes(KIB)
    for i in reversed(range(30)):
        e = Entry(b"%02d" % i, plain, packed=blob)
        entries.insert(0, (e, e.header()))
        quoted = e.header()
        blob = struct.pack("<BHH", 0, len(quoted),
                           len(quoted) ^ 0xffff) + quoted + blob
        plain = quoted + plain
    first, header = entries[0]
    tail = header + first.packed
    out, offset = bytearray(tail), 0
    at = len(out)
    for e, header in entries:
        out += e.entry(offset)
        offset += len(header) + 5
    return bytes(out + zip_end(len(entries), len(out) - at, at))


def nested(depth):
    data = make_zip([Entry(b"a.csv", b"x")])
    for i in range(depth):
        data = make_zip([Entry(b"%d.zip" % i, data)])
    return data


def nested_wide(depth, width):
    data = make_zip([Entry(b"a.csv", bytes(MIB))])
    for i in range(depth):
        data = make_zip([Entry(b"%d-%d.zip" % (i, j), data)
                         for j in range(width)])
    return data


def nested_mixed():
    data = tar_member(b"a.csv", b"x") + END
    data = gzip.compress(data)
    data = make_zip([Entry(b"a.tar.gz", data)])
    data = lzma.compress(tar_member(b"a.zip", data) + END)
    data = bz2.compress(tar_member(b"a.tar.xz", data) + END)
    return make_zip([Entry(b"a.tar.bz2", data)])


def gzip_layers(n):
    data = b"x" * 100
    for _ in range(n):
        data = gzip.compress(data)
    return data


def two_ends(good):
    inner = make_zip([Entry(b"other", b"o")])
    return make_zip([good], end=lambda n, s, o: zip_end(
        n, s, o, inner))


def xz_with_window():
    """A stream that asks for a window of 1.5 GiB."""
    data = bytearray(lzma.compress(b"x" * 1000, preset=0))
    # Block header: size, flags, filter 0x21, one property byte.
    at = data.index(b"\x21\x01", 12)
    data[at + 2] = 39
    size = (data[12] + 1) * 4
    data[12 + size - 4:12 + size] = struct.pack(
        "<I", zlib.crc32(bytes(data[12:12 + size - 4])))
    return bytes(data)


class Bits:
    """Deflate's order of bits (RFC 1951 3.1.1)."""

    def __init__(self):
        self.bits = []

    def value(self, v, n):
        self.bits += [v >> i & 1 for i in range(n)]

    def code(self, v, n):
        self.bits += [v >> i & 1 for i in reversed(range(n))]

    def bytes(self):
        self.bits += [0] * (-len(self.bits) % 8)
        return bytes(sum(b << i for i, b in enumerate(self.bits[at:at + 8]))
                     for at in range(0, len(self.bits), 8))


LENGTHS = [(257 + i, 3 + i, 0) for i in range(8)] + [
    (265 + 4 * e + i, 11 + 8 * ((1 << e) - 1) + (i << e + 1), e + 1)
    for e in range(5) for i in range(4)]
DISTANCES = [(i, 1 + i, 0) for i in range(4)] + [
    (4 + 2 * e + i, 5 + 4 * ((1 << e) - 1) + (i << e + 1), e + 1)
    for e in range(13) for i in range(2)]


def copy(bits, length, distance):
    symbol, base, extra = [t for t in LENGTHS if t[1] <= length][-1]
    if symbol < 280:
        bits.code(symbol - 256, 7)
    else:
        bits.code(symbol - 280 + 0xc0, 8)
    bits.value(length - base, extra)
    symbol, base, extra = [t for t in DISTANCES if t[1] <= distance][-1]
    bits.code(symbol, 5)
    bits.value(distance - base, extra)


def literal(n):
    """A stored block of n bytes, which follow: 5 bytes."""
    return struct.pack("<BHH", 0, n, n ^ 0xffff)


def repeat(n):
    """The last n bytes of output once more, and an empty stored block to be
    at a whole byte again: 10 bytes."""
    b = Bits()
    b.value(0, 1)
    b.value(1, 2)
    copy(b, n - 3, n)
    copy(b, 3, n)
    b.code(0, 7)
    b.value(0, 3)
    out = b.bytes() + b"\0\0\xff\xff"
    assert len(out) == 10
    return out


def repeat_last(n):
    b = Bits()
    b.value(1, 1)
    b.value(1, 2)
    copy(b, n, n)
    b.code(0, 7)
    return b.bytes()


def quine_of(crc, size, packed, spare):
    """The archive, should these be its numbers. The construction is Russ
    Cox's (https://research.swtch.com/zip), with repeats of 10 bytes instead
    of 5 and a gap of 5 to make up for it."""
    numbers = {"crc": crc, "size": size, "packed": packed}
    e = Entry(b"r.zip", packed=b"", local=numbers, central=numbers)
    head, directory = e.header(), e.entry(0)
    tail = directory + zip_end(1, len(directory), len(head) + packed)
    gap = literal(0)
    n = 30
    first = literal(len(head) + 5)
    again = repeat(len(head) + 5)
    same = repeat(n) + literal(n)
    k = next(k for k in range(len(tail), 258)
             if len(repeat_last(k)) + len(tail) == k)
    last = repeat_last(k)
    ahead = repeat(15) + literal(k)
    code = (first + head + first + again + literal(10) + again +
            literal(5) + literal(10) + gap +
            literal(n) + again + literal(5) + literal(10) + gap + literal(n) +
            repeat(n) +
            literal(n) + same + same +
            repeat(n) +
            literal(n) + spare + ahead +
            repeat(15) +
            literal(k) + last + tail + last)
    return head, code, tail


def quine():
    """A zip whose one member unpacks to the very zip."""
    for i in range(256):
        spare = b"quine" + bytes(9) + bytes([i])
        head, code, tail = quine_of(0, 0, 0, spare)
        size, packed = len(head + code + tail), len(code)

        def crc_if(crc):
            return zlib.crc32(b"".join(quine_of(crc, size, packed, spare)))

        # The sum of an archive with the sum x in it is an affine function of
        # x: solve for the one that is its own.
        zero = crc_if(0)
        rows = []
        columns = [crc_if(1 << b) ^ zero ^ 1 << b for b in range(32)]
        for bit in range(32):
            row = sum((columns[b] >> bit & 1) << b for b in range(32))
            rows.append([row, zero >> bit & 1])
        x, solved = 0, 0
        for b in range(32):
            pivot = [r for r in rows[solved:] if r[0] >> b & 1]
            if not pivot:
                break
            rows.remove(pivot[0])
            for r in rows:
                if r[0] >> b & 1:
                    r[0] ^= pivot[0][0]
                    r[1] ^= pivot[0][1]
            rows.insert(solved, pivot[0])
            solved += 1
        if solved < 32:
            continue
        for b, r in enumerate(rows):
            x |= r[1] << b
        data = b"".join(quine_of(x, size, packed, spare))
        with zipfile.ZipFile(io.BytesIO(data)) as z:
            assert z.read("r.zip") == data
        return data
    raise AssertionError("no quine")


def droste():
    """An archive that holds archives to a depth nobody would store, made
    cheap: each level is one stored member more."""
    data = make_zip([Entry(b"r.zip", b"PK\5\6" + bytes(18), method=0)])
    for _ in range(200):
        data = make_zip([Entry(b"r.zip", data, method=0)])
    return data


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    where, soak = sys.argv[1], "--soak" in sys.argv[2:]
    told = []
    for c in cases(soak):
        with open(os.path.join(where, c["file"]), "wb") as f:
            f.write(c.pop("data"))
        told.append(c)
    with open(os.path.join(where, "attacks.json"), "w") as f:
        json.dump(told, f, indent=1)


if __name__ == "__main__":
    main()
