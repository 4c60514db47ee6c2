"""Partners: what they do to drops, and a journal of it to judge by.

A writer has names of its own, so it knows what lies under each of them. Its
journal has one line for each fact, written before the deed where the deed
could be seen at once:

    may  s n h   from now on name n of source s may be found with these bytes
    is   s n h   it is complete, and lies there until further notice
    not  s n h   its partner is about to change, rename or remove it
    took s n h   its partner finds it gone, and did not do that

What `is` and then never `not`, and what was taken, must have landed. What
never `may` must not.
"""
import json
import os
import re
import time
import urllib.parse

import world

# Two changes within one tick of the clock have one time, as far as older
# kernels tell: then nobody can see the second.
FINE_TIMES = tuple(map(int, re.findall(r"\d+", os.uname().release)[:2])) \
    >= (6, 13)
FOLDERS = ("", "", "a/", "a/b/", "\u00fc c/", "own/")


class Journal:
    """Facts of one writer: in a file that others can read, or in memory."""

    def __init__(self, path=None):
        self.may, self.must = set(), set()
        self.file = open(path, "a", encoding="ascii") if path else None

    def say(self, fact, source, name, data):
        key = (source, os.fsencode(name), world.sha256(data))
        self.take(fact, key)
        if self.file:
            self.file.write(json.dumps(
                [fact, source, urllib.parse.quote(key[1]), key[2]]) + "\n")
            self.file.flush()

    def take(self, fact, key):
        self.may.add(key)
        if fact in ("is", "took"):
            self.must.add(key)
        elif fact == "not":
            self.must.discard(key)

    @classmethod
    def read(cls, path):
        j = cls()
        with open(path, encoding="ascii") as f:
            for line in f:
                fact, source, name, sha = json.loads(line)
                j.take(fact, (source, urllib.parse.unquote_to_bytes(name),
                              sha))
        return j


class Writer:
    """Works on drops, {source: folder}, under names that begin with tag.
    Bytes are new each time, but for duplicates."""

    def __init__(self, drops, rng, journal, tag="", most=10 ** 9,
                 places=False):
        self.drops, self.rng, self.journal = drops, rng, journal
        self.tag, self.most = tag, most
        self.places = places and FINE_TIMES
        self.names = {source: {} for source in drops}  # name -> bytes
        self.source = next(iter(drops))
        self.n = 0
        self.own = f"{tag}own/"  # nobody else writes there, so it can move

    # ---- what is done to one file ----

    def path(self, name):
        return os.path.join(self.drops[self.source], name)

    def say(self, fact, name, data):
        self.journal.say(fact, self.source, name, data)

    def here(self):
        return self.names[self.source]

    def gone(self, name):
        """It was there, and somebody else has taken it."""
        self.say("took", name, self.here().pop(name))

    def put(self, name, data):
        """As a careful partner does: another name, then the right one."""
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path + ".part", "wb") as f:
            f.write(data)
        if self.rng.random() < 0.2:  # an upload that keeps its old time
            os.utime(path + ".part", (10 ** 9, 10 ** 9))
        if name in self.here():
            if not os.path.exists(path):
                self.gone(name)
            else:
                self.say("not", name, self.here()[name])
        self.say("may", name, data)
        os.rename(path + ".part", path)
        self.say("is", name, data)
        self.here()[name] = data

    def rows(self):
        self.n += 1
        row = b"%s%d,%d,x\n" % (self.tag.encode(), self.n,
                                self.rng.getrandbits(60))
        size = self.rng.choice((100, 1000, 1000, 10000, 10000, 100 << 10))
        return row * (1 + self.rng.randrange(size) // len(row))

    def new_name(self):
        self.n += 1
        folder = self.rng.choice(FOLDERS)
        if folder == "own/":
            folder = self.own
        return f"{folder}{self.tag}{self.n}.csv"

    def pick(self):
        return self.rng.choice(list(self.here()))

    # ---- what a partner does ----

    def add(self):
        self.put(self.new_name(), self.rows())

    def grow(self):
        """Under its name from the first byte."""
        name, data = self.new_name(), b""
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        self.say("may", name, data)
        with open(path, "xb", buffering=0) as f:
            for _ in range(self.rng.randrange(1, 6)):
                more = self.rows()
                self.say("may", name, data + more)
                f.write(more)
                data += more
                time.sleep(self.rng.random() / 100)
        self.say("is", name, data)
        self.here()[name] = data

    def replace(self):
        self.put(self.pick(), self.rows())

    def hurry(self):
        """One after another, each on its heels: whoever takes one away must
        have taken that one in."""
        name = self.new_name()
        for _ in range(self.rng.randrange(3, 10)):
            self.put(name, b"%s!%d\n" % (self.tag.encode(),
                                         self.rng.getrandbits(60)))
            time.sleep(self.rng.random() / 40)

    def two_places(self):
        """Changed in place, at its beginning and then at its end, again and
        again: who reads one before and the other after has read what never
        was."""
        name, row = self.new_name(), self.rows()
        data = bytearray(row * ((2 << 20) // len(row) + 1))
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        self.say("may", name, data)
        with open(path + ".part", "xb", buffering=0) as f:
            f.write(data)
            os.rename(path + ".part", path)
            for _ in range(self.rng.randrange(4, 12)):
                # Long enough to be looked at, and then in one go.
                time.sleep(self.rng.random() / 30)
                new = [b"%020d" % self.rng.getrandbits(60) for _ in "ab"]
                data[:20] = new[0]
                self.say("may", name, data)
                data[-20:] = new[1]
                self.say("may", name, data)
                os.pwrite(f.fileno(), new[0], 0)
                os.pwrite(f.fileno(), new[1], len(data) - 20)
        self.say("is", name, data)
        self.here()[name] = bytes(data)

    def same_size(self):
        """New bytes; size, time and name are those of the old ones."""
        name = self.pick()
        self.n += 1
        old, new = self.here()[name], b"%s!%d;" % (self.tag.encode(), self.n)
        if len(old) < len(new):
            return
        new += old[len(new):]
        path = self.path(name)
        self.say("not", name, old)
        try:
            st = os.stat(path)
        except FileNotFoundError:
            self.gone(name)
            return
        with open(path + ".part", "wb") as f:
            f.write(new)
        os.utime(path + ".part", ns=(st.st_atime_ns, st.st_mtime_ns))
        self.say("may", name, new)
        os.rename(path + ".part", path)
        self.say("is", name, new)
        self.here()[name] = new

    def append(self):
        name = self.pick()
        old, more = self.here()[name], self.rows()
        self.say("not", name, old)
        try:
            f = open(os.open(self.path(name), os.O_WRONLY | os.O_APPEND),
                     "wb", buffering=0)
        except FileNotFoundError:
            self.gone(name)
            return
        with f:
            self.say("may", name, old + more)
            f.write(more)
        self.say("is", name, old + more)
        self.here()[name] = old + more

    def duplicate(self):
        self.put(self.new_name(), self.here()[self.pick()])

    def again(self):
        name = self.pick()
        self.put(name, self.here()[name])

    def rename(self):
        name, new = self.pick(), self.new_name()
        data = self.here()[name]
        os.makedirs(os.path.dirname(self.path(new)), exist_ok=True)
        self.say("not", name, data)
        self.say("may", new, data)
        try:
            os.rename(self.path(name), self.path(new))
        except FileNotFoundError:
            self.gone(name)
            return
        self.say("is", new, data)
        self.here()[new] = self.here().pop(name)

    def remove(self):
        name = self.pick()
        data = self.here()[name]
        self.say("not", name, data)
        try:
            os.unlink(self.path(name))
        except FileNotFoundError:
            self.gone(name)
            return
        del self.here()[name]

    def move_folder(self):
        old, new = self.own, f"{self.tag}own{self.n}/"
        for source, names in self.names.items():
            self.source = source
            inside = [n for n in names if n.startswith(old)]
            for name in inside:
                self.say("not", name, names[name])
                if not os.path.exists(self.path(name)):
                    self.gone(name)
                else:
                    self.say("may", new + name[len(old):], names[name])
            try:
                os.rename(self.path(old), self.path(new))
            except FileNotFoundError:
                continue
            # What is not here now may have landed under either name.
            for name in set(inside) & set(names):
                moved, data = new + name[len(old):], names.pop(name)
                if os.path.exists(self.path(moved)):
                    self.say("is", moved, data)
                    names[moved] = data
        self.own = new

    def work(self):
        self.source = self.rng.choice(list(self.drops))
        if not self.here():
            self.add()
        elif len(self.here()) > self.most:
            self.remove()
        elif self.places and self.rng.random() < 0.1:
            self.two_places()
        else:
            self.rng.choice((
                self.add, self.add, self.grow, self.replace, self.same_size,
                self.append, self.duplicate, self.again, self.rename,
                self.remove, self.move_folder, self.hurry))()
