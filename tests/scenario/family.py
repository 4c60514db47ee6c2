"""Memory of a process and all that it started, as they are now.

Pages that several of them have are counted once: each has its share of them
(the kernel's "Pss"). A child that has not executed its program yet has the
memory of its parent, and is passed over.
"""
import os


def share(pid):
    with open(f"/proc/{pid}/smaps_rollup") as f:
        for line in f:
            if line.startswith("Pss:"):
                return int(line.split()[1]) << 10
    return 0


def memory(pid, parent=None):
    """Bytes; 0 of one that is gone."""
    total = 0
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as f:
            words = f.read()
        if words == parent:
            return 0
        total = share(pid)
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children") as f:
                total += sum(memory(int(c), words) for c in f.read().split())
    except OSError:
        pass
    return total
