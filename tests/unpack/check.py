#!/usr/bin/env python3
"""Runs tests/unpack/one over archives and compares what it says with what it
should; prints "ok - NAME" and "not ok - NAME" lines.

    check.py ONE attacks|tools|damage [--soak]

Works in the current directory, which must be empty.
"""
import hashlib
import io
import json
import os
import resource
import shutil
import subprocess
import sys
import tarfile
import urllib.parse
import zipfile

HERE = os.path.dirname(os.path.abspath(__file__))
ONE, SOAK = sys.argv[1], "--soak" in sys.argv[3:]
failed = []


def ok(name, problems):
    for p in problems:
        print("# %s" % p)
    print("%sok - %s" % ("not " if problems else "", name))
    sys.stdout.flush()
    if problems:
        failed.append(name)


def run(files, options=()):
    """What was said, one list of members and an end for each file."""
    done = subprocess.run([ONE, *options, *files], stdout=subprocess.PIPE,
                          timeout=600)
    if done.returncode != 0:
        raise SystemExit("one ended with %d" % done.returncode)
    result, members = [], []
    for line in done.stdout.splitlines():
        said = json.loads(line)
        if "end" in said:
            result.append((members, said))
            members = []
        else:
            members.append(said)
    return result


def whole(members):
    return [m for m in members if m.get("type") == "file" and "sha256" in m]


# ---- attacks ----

def problems_of(attack, members, end):
    found = []
    texts = [m["text"] for m in members if "text" in m]
    texts.append(end.get("text", ""))
    if attack["end"] and end["end"] != attack["end"]:
        found.append("%s: ended with %s" % (attack["file"], end))
    if end["end"] not in ("end", "bad-item"):
        found.append("%s: %s" % (attack["file"], end))
    if attack["says"] and not any(attack["says"] in t for t in texts):
        found.append("%s: nothing says '%s': %s" % (
            attack["file"], attack["says"], texts[-3:]))
    if end["end"] == "bad-item" and not end["text"]:
        found.append("%s: nothing is said" % attack["file"])
    spoiled = len([m for m in members if "text" in m])
    if attack["spoiled"] is not None and spoiled != attack["spoiled"]:
        found.append("%s: %d spoiled" % (attack["file"], spoiled))
    size = os.path.getsize("a/" + attack["file"])
    if end["bytes"] > max(10 << 20, 200 * size):
        found.append("%s: %d bytes came out" % (attack["file"], end["bytes"]))
    findings = [m for m in members if m.get("type") == "finding"]
    if attack["findings"] is not None and \
            len(findings) != attack["findings"]:
        found.append("%s: %d findings" % (attack["file"], len(findings)))
    if len(whole(members)) > attack["files"] and attack["findings"] is None:
        found.append("%s: %d files came out" % (
            attack["file"], len(whole(members))))
    return found


def processor():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def attacks():
    os.mkdir("a")
    os.mkdir("empty")
    subprocess.run([sys.executable, os.path.join(HERE, "attack.py"), "a"] +
                   (["--soak"] if SOAK else []), check=True)
    with open("a/attacks.json") as f:
        wanted = json.load(f)
    problems, peak, longest = [], 0, 0
    for attack in wanted:
        options = ["empty" if o == "." else o for o in attack["options"]]
        began = processor()
        for members, end in run(["a/" + attack["file"]], options):
            # Nothing limits the memory of a sanitizer's build.
            if "peak_kib" in end or "memory" not in attack["file"]:
                problems += problems_of(attack, members, end)
            peak = max(peak, end.get("peak_kib", 0))
        longest = max(longest, processor() - began)
    ok("%d attacks end as they should" % len(wanted), problems)
    ok("for none two processes needed more than 96 MiB (%d)" % (peak >> 10),
       [] if peak < 96 << 10 else ["%d KiB" % peak])
    ok("none took more than 10 s of a processor (%.1f)" % longest,
       [] if longest < 10 else ["%.1f s" % longest])
    ok("nothing was written", [str(f) for f in os.listdir("empty")] +
       [f for f in ("/tmp/landfall-escaped", "../up.csv", "up.csv")
        if os.path.lexists(f)])


# ---- what other programs make ----

CONTENTS = {
    b"orders.csv": b"id;name\n" + b"".join(
        b"%d;M\xc3\xbcller\r\n" % i for i in range(5000)),
    b"empty.csv": b"",
    b"d/e/f.bin": bytes(range(256)) * 2000,
    b"with space.txt": b"x",
    "ümläut.csv".encode(): b"utf-8 name\n",
    b"latin-\xe9.csv": b"latin-1 name\n",
    b"l" * 180 + b".csv": b"a long name\n",
}


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def make_files():
    os.mkdir("files")
    for name, data in CONTENTS.items():
        path = os.path.join(b"files", name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(data)


def compare(archive, members, end, contents=None, inside=()):
    """Problems of an archive that should hold just these, whatever the order
    and with folders allowed; inside: the names of the archives around."""
    contents = CONTENTS if contents is None else contents
    if end["end"] != "end":
        return ["%s: %s" % (archive, end)]
    found, got = [], {}
    for m in members:
        name = urllib.parse.unquote_to_bytes(m["name"])
        while name.startswith(b"./"):
            name = name[2:]
        around = [urllib.parse.unquote(c["name"]) for c in m["in"]]
        if m["type"] == "file" and around == list(inside):
            got[name] = (m.get("bytes"), m.get("sha256"))
        elif m["type"] not in ("folder", "archive"):
            found.append("%s: %s" % (archive, m))
    want = {n: (len(d), sha256(d)) for n, d in contents.items()}
    for name in want.keys() | got.keys():
        if want.get(name) != got.get(name):
            found.append("%s: %r: %s, and should be %s" % (
                archive, name, got.get(name), want.get(name)))
    return found


COMPRESSORS = [("gz", ["gzip", "-c"]), ("bz2", ["bzip2", "-c"]),
               ("xz", ["xz", "-c"]), ("zst", ["zstd", "-q", "-c"])]


def sh(*argv, **more):
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL, **more)


def pipe(argv, data):
    return subprocess.run(argv, input=data, stdout=subprocess.PIPE,
                          check=True).stdout


def write(name, data):
    with open(name, "wb") as f:
        f.write(data)
    return name


def by_tar():
    for form in ("ustar", "pax", "gnu", "v7", "oldgnu"):
        names = sorted(n for n in CONTENTS
                       if form not in ("v7", "ustar") or len(n) < 100)
        with open("list", "wb") as f:
            f.write(b"\0".join(names))
        sh("tar", "-cf", form + ".tar", "--format=" + form, "-C", "files",
           "--null", "-T", "list")
        with open(form + ".tar", "rb") as f:
            data = f.read()
        yield form + ".tar", names
        for suffix, argv in COMPRESSORS:
            yield write("%s.tar.%s" % (form, suffix), pipe(argv, data)), names
    sh("tar", "-cf", "folders.tar", "-C", "files", ".")
    yield "folders.tar", None
    sh("tar", "-cSf", "sparse.tar", "-C", "files", ".")
    yield "sparse.tar", None


def by_zip():
    if not shutil.which("zip"):
        print("# no zip here: its archives are not tried")
        return
    for name, options in [("deflated", []), ("stored", ["-0"]), ("best", ["-9"]),
                          ("bzip2", ["-Z", "bzip2"]), ("no-extra", ["-X"]),
                          ("zip64", ["-fz"]), ("streamed", ["-fd"])]:
        sh("zip", "-q", "-r", *options, "../%s.zip" % name, ".", cwd="files")
        yield name + ".zip", None
    # To a pipe: sizes stand behind the data.
    with open("piped.zip", "wb") as f:
        subprocess.run(["zip", "-q", "-r", "-", "."], cwd="files", stdout=f,
                       check=True)
    yield "piped.zip", None
    sh("zip", "-q", "-r", "grown.zip", "d", "orders.csv", cwd="files")
    os.rename("files/grown.zip", "grown.zip")
    sh("zip", "-q", "-r", "-g", "../grown.zip", ".", cwd="files")
    yield "grown.zip", None


def by_zipfile():
    for name, method in [("py-stored", zipfile.ZIP_STORED),
                         ("py-deflated", zipfile.ZIP_DEFLATED),
                         ("py-bzip2", zipfile.ZIP_BZIP2),
                         ("py-lzma", zipfile.ZIP_LZMA)]:
        names = [n for n in CONTENTS if not b"\xe9" in n]
        with zipfile.ZipFile(name + ".zip", "w", method) as z:
            for n in names:
                z.writestr(n.decode(), CONTENTS[n])
        yield name + ".zip", names
    # Where it cannot seek, and with sizes of 8 bytes.
    out = io.BytesIO()
    out.seekable = lambda: False
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        for n in names:
            with z.open(zipfile.ZipInfo(n.decode()), "w",
                        force_zip64=True) as f:
                f.write(CONTENTS[n])
    yield write("py-piped.zip", out.getvalue()), names
    # CP437, as programs wrote it that know no flag for UTF-8.
    with zipfile.ZipFile("cp437.zip", "w") as z:
        z.writestr("ascii.csv", b"x")
    with open("cp437.zip", "rb") as f:
        data = f.read()
    yield write("cp437.zip", data.replace(b"ascii.csv", b"\x81\x94\x84ii.csv")
                ), {b"\x81\x94\x84ii.csv": b"x"}


def singles():
    data = CONTENTS[b"orders.csv"]
    for suffix, argv in COMPRESSORS:
        for n in (1, 3):
            name = "orders-%d.csv.%s" % (n, suffix)
            yield write(name, pipe(argv, data) * n), \
                {b"orders-%d.csv" % n: data * n}
        yield write("nothing.csv." + suffix, pipe(argv, b"")), \
            {b"nothing.csv": b""}
    yield write("named.gz", pipe(["gzip", "-c"], data)), {b"named": data}
    yield write("nothing-said", pipe(["gzip", "-c"], data)), \
        {b"nothing-said": data}
    for options in (["-1"], ["-19"], ["--long=27"], ["--no-check"],
                    ["--format=zstd", "-T2"]):
        yield write("o%s.csv.zst" % "".join(options).replace("=", ""),
                    pipe(["zstd", "-q", "-c", *options], data)), \
            {b"o%s.csv" % "".join(options).replace("=", "").encode(): data}


def check_corpus(name, corpus, options=()):
    problems, n = [], 0
    for archive, names in corpus:
        contents = names if isinstance(names, dict) else \
            names and {k: CONTENTS[k] for k in names}
        for members, end in run([archive], options):
            problems += compare(archive, members, end, contents)
        n += 1
    ok("%s: %d archives" % (name, n), problems)


def inside_others():
    """Every kind in every kind of container."""
    inner = {"in.tar": None, "in.zip": None}
    sh("tar", "-cf", "in.tar", "-C", "files", ".")
    with zipfile.ZipFile("in.zip", "w", zipfile.ZIP_DEFLATED) as z:
        for n, d in CONTENTS.items():
            if b"\xe9" not in n:
                z.writestr(n.decode(), d)
    with open("in.tar", "rb") as f:
        tar = f.read()
    for suffix, argv in COMPRESSORS:
        inner[write("in.tar." + suffix, pipe(argv, tar))] = None
    os.mkdir("spool")
    problems = []
    for name in inner:
        contents = {n: d for n, d in CONTENTS.items()
                    if name != "in.zip" or b"\xe9" not in n}
        sh("tar", "-cf", "outer.tar", name)
        outers = ["outer.tar"]
        with open("outer.tar", "rb") as f:
            tar = f.read()
        for suffix, argv in COMPRESSORS:
            outers.append(write("outer.tar." + suffix, pipe(argv, tar)))
        with zipfile.ZipFile("outer.zip", "w") as z:
            z.write(name)
        outers.append("outer.zip")
        for outer in outers:
            for members, end in run([outer], ["--spool", "spool"]):
                problems += compare("%s in %s" % (name, outer), members, end,
                                    contents, [name])
                with open(name, "rb") as f:
                    data = f.read()
                archive = [m for m in members if m["type"] == "archive"]
                if [m["sha256"] for m in archive] != [sha256(data)]:
                    problems.append("%s in %s: %s" % (name, outer, archive))
    ok("archives in archives: %d ways" % (len(inner) * 6),
       problems + os.listdir("spool"))


def tools():
    make_files()
    check_corpus("tar", by_tar())
    check_corpus("zip", by_zip())
    check_corpus("zipfile", by_zipfile())
    # zstd --long=27 wants a window of 128 MiB.
    check_corpus("single files", singles(), ["--memory", str(144 << 20)])
    inside_others()


# ---- damage ----

def small_archives():
    """One of each kind, small enough to be cut and flipped at every byte."""
    data = {"a.csv": b"id;n\n1;2\n", "b.csv": bytes(range(200))}
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", bufsize=512) as t:
        for name, content in data.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            t.addfile(info, io.BytesIO(content))
    tar = out.getvalue()[:2 * 512 + 2 * 512 + 1024]
    for method in (zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", method) as z:
            for name, content in data.items():
                z.writestr(name, content)
        yield "x%d.zip" % method, out.getvalue(), data
    yield "x.tar", tar, data
    for suffix, argv in COMPRESSORS:
        check = ["--check"] if suffix == "zst" else []
        yield "x.tar." + suffix, pipe(argv + check, tar), data
        yield "x.csv." + suffix, pipe(argv + check, data["b.csv"]), \
            {"x.csv": data["b.csv"]}


def in_batches(variants):
    """(file name, what was said) for each variant (number, bytes)."""
    variants = list(variants)
    os.mkdir("damaged")
    for i in range(0, len(variants), 500):
        files = [write("damaged/%d" % n, d) for n, d in variants[i:i + 500]]
        for (n, _), said in zip(variants[i:i + 500], run(files)):
            yield n, said
        for f in files:
            os.unlink(f)
    os.rmdir("damaged")


def truncated(name, data, step):
    found = []
    for n, (members, end) in in_batches(
            (n, data[:n]) for n in range(0, len(data), step)):
        if end["end"] != "bad-item" and not any("text" in m for m in members):
            found.append("%s cut at %d: %s" % (name, n, end))
        for m in members:
            if m.get("type") == "file" and "." not in m["name"] and \
                    "sha256" in m:
                found.append("%s cut at %d: whole: %s" % (name, n, m))
    return found


def flipped(name, data, contents, step):
    """What ends well must be what it was; only a bare tar has no sums."""
    sums = {sha256(d) for d in contents.values()}
    found = []

    def variants():
        for n in range(0, len(data), step):
            d = bytearray(data)
            d[n] ^= 1 << n % 8
            yield n, bytes(d)

    for n, (members, end) in in_batches(variants()):
        if end["end"] not in ("end", "bad-item"):
            found.append("%s flipped at %d: %s" % (name, n, end))
        if name == "x.tar":
            continue
        for m in whole(members):
            if m["sha256"] not in sums:
                found.append("%s flipped at %d: %s" % (name, n, m))
    return found


def damage():
    cut, flips, n = [], [], 0
    for name, data, contents in small_archives():
        step = 1 if SOAK else len(data) // 40 + 1
        cut += truncated(name, data, step)
        flips += flipped(name, data, contents, step)
        n += 1
    ok("%d archives cut short are never whole" % n, cut)
    ok("%d archives with a flipped bit give no wrong bytes" % n, flips)


if __name__ == "__main__":
    {"attacks": attacks, "tools": tools, "damage": damage}[sys.argv[2]]()
    sys.exit(1 if failed else 0)
