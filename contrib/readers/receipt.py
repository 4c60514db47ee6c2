#!/usr/bin/env python3
"""receipt.py RECEIPT --vkey VKEY [--file FILE]: is this receipt genuine?

For whoever was given one. It needs nothing of the zone but the ledger's key
(its _ledger/vkey, which you keep: the text, or a file with it) and checks
  the proof      (C2SP tlog-proof): that the checkpoint in it is signed by
                 this key, and that the ledger it speaks for has the entry at
                 this place (RFC 6962);
  the receipt    that it says what the entry says;
  the file       that these are the bytes it speaks of.
Exit status: 0 it is, 4 it is not, 1 usage. What it does not show: that the
ledger still has the entry. An auditor asks the zone for that.
"""
import base64
import json
import os
import re
import sys
from hashlib import file_digest, sha256

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from verify import need, read_checkpoint, read_vkey  # noqa: E402

SAID = ("bytes_sha256", "disposition", "file", "file_sha256", "generation",
        "index", "landed_at", "name", "reason", "records", "size", "source")


def root_of(entry, index, size, path):
    """RFC 9162, section 2.1.3.2."""
    need(0 <= index < size, "the ledger is not as long as that")
    at, last, h = index, size - 1, sha256(b"\0" + entry).digest()
    for other in path:
        need(last > 0, "the proof is too long")
        if at & 1 or at == last:
            h = sha256(b"\1" + other + h).digest()
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            h = sha256(b"\1" + h + other).digest()
        at, last = at >> 1, last >> 1
    need(last == 0, "the proof is too short")
    return h


def check(receipt, vkey, path=None):
    head, _, note = receipt["proof"].partition("\n\n")
    lines = re.fullmatch(r"c2sp\.org/tlog-proof@v1\n(?:extra .*\n)?"
                         r"index (\d+)((?:\n[A-Za-z0-9+/=]+)*)", head)
    need(lines, "the proof is not one")
    size, root = read_checkpoint(note, vkey)
    hashes = [base64.b64decode(x, validate=True)
              for x in lines[2].split("\n")[1:]]
    entry = receipt["entry"].encode()
    need(root_of(entry, int(lines[1]), size, hashes) == root,
         "the entry is not in the ledger that was signed")
    said = json.loads(entry)
    need(int(lines[1]) == said["index"] and size == receipt["tree_size"],
         "the proof is of another entry")
    for key in SAID:
        need(receipt.get(key) == said.get(key), f"{key} is not what the ledger says")
    if path is not None:
        with open(path, "rb") as f:
            need(file_digest(f, "sha256").hexdigest() ==
                 receipt["bytes_sha256"], f"{path} has other bytes")
    return said


def main(path, vkey, file=None):
    try:
        with open(path, encoding="utf-8") as f:
            said = check(json.load(f), vkey, file)
    except Exception as e:  # pylint: disable=broad-except
        print(f"{path}: {e}")
        return 4
    print(f"{path}: {said['disposition']} {said['landed_at']}, "
          f"entry {said['index']} of {said['source']}")
    return 0


if __name__ == "__main__":
    USAGE = "usage: receipt.py RECEIPT --vkey VKEY [--file FILE]"
    words = sys.argv[1:]
    if len(words) not in (3, 5) or words[1] != "--vkey" or \
            words[3:4] not in ([], ["--file"]):
        sys.exit(USAGE)
    sys.exit(main(words[0], read_vkey(words[2], USAGE), *words[4:]))
