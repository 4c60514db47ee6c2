"""A small landfall installation, and what must be true of it at any time.

Everything is read from the bytes, with nothing of landfall's own: landing
files by libzstd, the ledger from its tiles, SHA256SUMS as text. The catalog
is not looked at; it is a cache.
"""
import atexit
import base64
import collections
import ctypes
import ctypes.util
import hashlib
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.parse
import zipfile

SRCDIR = os.environ.get("SRCDIR") or os.path.dirname(os.path.dirname(
    os.path.dirname(os.path.abspath(__file__))))
LANDFALL = os.environ.get("LANDFALL") or f"{SRCDIR}/build/landfall"
SOAK = os.environ.get("SOAK") == "yes" or "--soak" in sys.argv
TIMEOUT = 20  # seconds after which a run counts as hung

ORIGIN = "fault.test/landing"
CONFIG = """\
zone: {base}zone
state: {base}state
origin: fault.test/landing
level: 1
limits: {{workers: {workers}, free_space: 0}}
sources:
  inbox:
    drop: {{path: {inbox}}}
    format: csv
    ready: {{stable: 0s}}
"""

# ---- what a script says ----

failures = 0


def ok(name):
    print(f"ok - {name}", flush=True)


def not_ok(name, *lines):
    global failures
    failures += 1
    for line in lines:
        print("# " + str(line).replace("\n", "\n# "))
    print(f"not ok - {name}", flush=True)


def check(name, problems):
    """One test: there is no problem."""
    if problems:
        not_ok(name, *problems[:40])
    else:
        ok(name)


def skip(reason):
    print(reason)
    sys.exit(77)


def end():
    sys.exit(1 if failures else 0)


# ---- places ----

# What was mounted or made elsewhere is taken down also when we are stopped.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))


def fast_place():
    """A directory for what needs no disk: a fault or a kill leaves the same
    in memory, and an fsync there costs nothing."""
    free = 0
    if os.path.isdir("/dev/shm") and os.access("/dev/shm", os.W_OK):
        st = os.statvfs("/dev/shm")
        free = st.f_bavail * st.f_frsize
    if free < 512 << 20:
        return os.path.abspath("worlds")
    place = tempfile.mkdtemp(prefix="landfall.", dir="/dev/shm")
    atexit.register(shutil.rmtree, place, True)
    return place


# ---- programs ----


def tracer():
    """Compiles tracer.c into the current directory; its path."""
    path = os.path.abspath("tracer")
    if not os.path.exists(path):
        compiler = shutil.which("cc") or skip("no C compiler for tracer.c")
        if os.uname().machine != "x86_64":
            skip("tracer.c is written for x86-64")
        subprocess.run(
            [compiler, "-std=gnu17", "-D_GNU_SOURCE", "-O2", "-o", path,
             os.path.join(SRCDIR, "tests/fault/tracer.c")], check=True)
    return path


class Run:
    """One run of a program, to its end."""

    def __init__(self, argv, cwd, timeout=None):
        self.hung = False
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            p = subprocess.Popen(argv, cwd=cwd, stdin=subprocess.DEVNULL,
                                 stdout=out, stderr=err)
            try:
                self.status = p.wait(timeout or TIMEOUT)
            except subprocess.TimeoutExpired:
                p.kill()
                p.wait()
                self.hung, self.status = True, -1
            out.seek(0)
            err.seek(0)
            self.out = out.read().decode("utf-8", "replace")
            self.err = err.read().decode("utf-8", "replace")

    def lines(self):
        """The objects of --json; a last line that is cut is nobody's."""
        return json_lines(self.out)

    def __str__(self):
        return f"status {self.status}: {self.err.strip() or self.out.strip()}"


def json_lines(text):
    found = []
    for line in text.splitlines():
        try:
            found.append(json.loads(line))
        except ValueError:
            pass
    return found


def landfall(cwd, *args, before=()):
    return Run([*before, os.path.abspath(LANDFALL), *args], cwd)


# ---- reading a landing file ----

_zstd = ctypes.CDLL(ctypes.util.find_library("zstd") or "libzstd.so.1")
_zstd.ZSTD_decompress.restype = ctypes.c_size_t
_zstd.ZSTD_decompress.argtypes = [
    ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t]
_zstd.ZSTD_isError.argtypes = [ctypes.c_size_t]
_room = ctypes.create_string_buffer(8 << 20)


def decode(data):
    """The bytes of a landing file (8 MiB at most); None: it is not whole."""
    n = _zstd.ZSTD_decompress(_room, len(_room), data, len(data))
    if not data or _zstd.ZSTD_isError(n):
        return None
    return ctypes.string_at(_room, n)


def sha256(data):
    return hashlib.sha256(data).hexdigest()


# ---- the ledger ----


class Damage(Exception):
    pass


def tile_name(n):
    name = f"{n % 1000:03d}"
    while n >= 1000:
        n //= 1000
        name = f"x{n % 1000:03d}/{name}"
    return name


def tree_root(leaves):
    if not leaves:
        return hashlib.sha256(b"").digest()
    while len(leaves) > 1:
        pairs = [hashlib.sha256(b"\1" + leaves[i] + leaves[i + 1]).digest()
                 for i in range(0, len(leaves) - 1, 2)]
        # RFC 6962: what has no partner moves up as it is.
        leaves = pairs + leaves[len(leaves) & ~1:]
    return leaves[0]


def read_ledger(zone):
    """The entries a stranger finds, in order; Damage when they do not hash
    to the checkpoint's root."""
    with open(f"{zone}/_ledger/checkpoint", encoding="utf-8") as f:
        head = f.read().split("\n")
    size, root = int(head[1]), base64.b64decode(head[2])
    texts, leaves = [], []
    for n in range((size + 255) // 256):
        width = min(256, size - n * 256)
        path = f"{zone}/_ledger/tile/entries/{tile_name(n)}"
        if width < 256 and not os.path.exists(path):
            path += f".p/{width}"
        try:
            with open(path, "rb") as f:
                data = f.read()
        except OSError as e:
            raise Damage(f"ledger of {size}: {e}") from e
        at = 0
        for _ in range(width):
            length = int.from_bytes(data[at:at + 2], "big")
            texts.append(data[at + 2:at + 2 + length])
            leaves.append(hashlib.sha256(b"\0" + texts[-1]).digest())
            at += 2 + length
    if tree_root(leaves) != root:
        raise Damage(f"the {size} ledger entries do not hash to the root")
    return [json.loads(t) for t in texts]


# ---- a world ----


def key_of(entry):
    return (entry["source"], urllib.parse.unquote_to_bytes(entry["name"]),
            entry["bytes_sha256"])


def members(data):
    """What a zip that was delivered brings: [(name, sha256)]."""
    with zipfile.ZipFile(io.BytesIO(data)) as z:
        return [(n, sha256(z.read(n))) for n in z.namelist()]


class World:
    def __init__(self, base):
        self.base = os.path.abspath(base)
        self.zone = f"{self.base}/zone"
        self.inbox = f"{self.base}/inbox"
        self.known = {}  # (path, inode, size) -> (sha of file, of bytes)

    @classmethod
    def create(cls, base, workers=1, inbox="inbox", below=""):
        """A new one by `landfall init`, with a configuration that can be
        copied with it."""
        w = cls(base)
        run = landfall(".", "init", w.base + "/" + below, "--origin", ORIGIN)
        if run.status != 0:
            raise RuntimeError(f"init: {run}")
        if below:
            w.zone = f"{w.base}/{below}zone"
            os.makedirs(w.inbox, exist_ok=True)
        w.configure(workers, inbox, below)
        return w

    def configure(self, workers=1, inbox="inbox", below=""):
        with open(f"{self.base}/landfall.yaml", "w", encoding="utf-8") as f:
            f.write(CONFIG.format(workers=workers, inbox=inbox, base=below))

    def drops(self):
        """{source: the folder it looks at}"""
        return {"inbox": self.inbox}

    def copy(self, base):
        subprocess.run(["cp", "-a", self.base, base], check=True)
        return World(base)

    def remove(self):
        shutil.rmtree(self.base, ignore_errors=True)

    def put(self, name, data):
        """As a careful partner does: another name, then the right one."""
        path = os.path.join(self.inbox, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path + ".part", "wb") as f:
            f.write(data)
        os.rename(path + ".part", path)

    def run(self, *args, before=()):
        return landfall(self.base, *(args or ("run", "--once", "--json")),
                        before=before)

    def sources(self):
        """What lies in the drops: {(source, name, sha256)}."""
        found = set()
        for source, drop in self.drops().items():
            for folder, _, files in os.walk(drop):
                for f in files:
                    path = os.path.join(folder, f)
                    name = os.fsencode(os.path.relpath(path, drop))
                    with open(path, "rb") as g:
                        data = g.read()
                    found.add((source, name, sha256(data)))
                    if f.endswith(".zip"):
                        found |= {(source, name + b"!/" + member.encode(), sha)
                                  for member, sha in members(data)}
        return found

    # What must be true, as lists of what is not.

    def visible(self):
        """{path below the zone: (sha256 of the file, of its bytes)} of all
        that a reader can see; the bytes' is None when it is not whole."""
        found = {}
        for folder, dirs, files in os.walk(self.zone):
            if folder == self.zone:
                dirs[:] = [d for d in dirs if d not in ("_staging", "_ledger")]
            for f in files:
                if not f.endswith(".zst"):
                    continue
                path = os.path.join(folder, f)
                st = os.stat(path)
                key = (path, st.st_ino, st.st_size, st.st_ctime_ns)
                if key not in self.known:
                    with open(path, "rb") as g:
                        data = g.read()
                    raw = decode(data)
                    self.known[key] = (sha256(data),
                                       None if raw is None else sha256(raw))
                found[os.path.relpath(path, self.zone)] = self.known[key]
        return found

    def half(self, delivered):
        """Anything visible that is not whole, or never was delivered."""
        wrong = []
        for path, (_, raw) in self.visible().items():
            if raw is None:
                wrong.append(f"visible but not whole: {path}")
            elif raw not in delivered:
                wrong.append(f"visible but never delivered: {path}")
        return wrong

    def claims(self, lines):
        """What a run said it had landed, and has not."""
        visible = self.visible()
        return [f"said to be {line['disposition']}, but is not there: {line}"
                for line in lines
                if line.get("disposition") in ("landed", "new-version")
                and visible.get(line["file"], ("", ""))[1] !=
                line["bytes_sha256"]]

    def whole(self, wanted):
        """Settled: each (source, name, sha256) of wanted landed exactly once,
        and zone, sums and ledger say the same."""
        try:
            entries = read_ledger(self.zone)
        except (Damage, OSError, ValueError) as e:
            return [str(e)]
        wrong = []
        visible = self.visible()
        landed = [e for e in entries
                  if e["disposition"] in ("landed", "new-version")]
        times = {}
        for i, e in enumerate(entries):
            if e["index"] != i:
                wrong.append(f"entry {i} says it is {e['index']}")
            key = key_of(e)
            times[key] = times.get(key, 0) + 1
        for key in wanted:
            if times.get(key, 0) == 0:
                wrong.append(f"lost: {key}")
        wrong += [f"{n} times in the ledger: {key}"
                  for key, n in times.items() if n > 1]
        count = {}
        for e in landed:
            count[e["file"]] = count.get(e["file"], 0) + 1
            if visible.get(e["file"]) != (e["file_sha256"],
                                          e["bytes_sha256"]):
                wrong.append(f"not as its entry says: {e['file']}")
        for path in visible:
            if count.get(path, 0) != 1:
                wrong.append(f"{count.get(path, 0)} entries: {path}")
        raws = collections.Counter(
            (path.split("/")[0], raw) for path, (_, raw) in visible.items())
        wrong += [f"landed {n} times in {source}: bytes {raw}"
                  for (source, raw), n in raws.items() if n > 1]
        return wrong + self.sums(visible)

    def sums(self, visible):
        wrong = []
        for folder in {os.path.dirname(p) for p in visible}:
            mine = sorted(f"{s}  {os.path.basename(p)}\n"
                          for p, (s, _) in visible.items()
                          if os.path.dirname(p) == folder)
            try:
                with open(f"{self.zone}/{folder}/SHA256SUMS",
                          encoding="utf-8") as f:
                    found = sorted(f.readlines())
            except OSError as e:
                found = [str(e)]
            if found != mine:
                wrong.append(f"{folder}/SHA256SUMS has {len(found)} lines, "
                             f"the folder {len(mine)} files, or they differ")
        return wrong

    def verified(self):
        run = self.run("verify", "--deep")
        return [] if run.status == 0 else [f"landfall verify: {run}{run.out}"]

    def strangers(self):
        """`landfall verify` and the independent verifier find nothing."""
        wrong = self.verified()
        reader = os.path.join(SRCDIR, "contrib/readers/verify.py")
        if os.path.exists(reader):
            run = Run([sys.executable, reader, self.zone], self.base, 600)
            if run.status != 0:
                wrong.append(f"verify.py: {run}{run.out}")
        return wrong

    def stock_tools(self):
        """zstd and sha256sum alone agree."""
        wrong = []
        for folder, dirs, files in os.walk(self.zone):
            if folder == self.zone:
                dirs[:] = [d for d in dirs if d not in ("_staging", "_ledger")]
            if "SHA256SUMS" in files:
                run = Run(["sha256sum", "-c", "--strict", "--quiet",
                           "SHA256SUMS"], folder, 120)
                if run.status != 0:
                    wrong.append(f"sha256sum -c in {folder}: {run}")
            names = [f for f in files if f.endswith(".zst")]
            if names:
                run = Run(["zstd", "-tq", *names], folder, 120)
                if run.status != 0:
                    wrong.append(f"zstd -t in {folder}: {run}")
        return wrong
