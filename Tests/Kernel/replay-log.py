#!/usr/bin/env python3
"""Cuts a log of dm-log-writes to what the device was in the course of it.

replay-log.py LOG list               one line for each entry
replay-log.py LOG trim               shortens the file LOG to its used part
replay-log.py LOG cut SIZE N OUT     the device, SIZE bytes, after the first N entries
replay-log.py LOG each SIZE COMMAND  runs COMMAND IMAGE after each write, from the
                                     first superblock on; fails if one of them does

The log starts with a sector {u64 magic, u64 version, u64 entries, u32 sector size}. An entry is a
sector {u64 sector, u64 sectors, u64 flags, u64 length of the mark, mark}, then its data, if any.
"""
import itertools
import os
import struct
import subprocess
import sys
import tempfile

MAGIC = 0x6a736677736872
DISCARD, MARK = 4, 8  # flags; 1 is flush, 2 FUA, 16 metadata


class Log:
    def __init__(self, path):
        self.file = open(path, "rb")
        magic, _, self.count, self.sector = struct.unpack("<QQQI", self.file.read(28))
        if magic != MAGIC:
            sys.exit(f"{path}: not a log of dm-log-writes")

    def entries(self):
        """(number, first sector, sectors, flags, data or mark) of each entry."""
        self.file.seek(self.sector)
        for number in range(self.count):
            head = self.file.read(self.sector)
            first, sectors, flags, length = struct.unpack_from("<QQQQ", head)
            if flags & MARK:
                data = head[32:32 + length].rstrip(b"\0")
            elif flags & DISCARD:
                data = bytes(sectors * self.sector)
            else:
                data = self.file.read(sectors * self.sector)
            yield number, first, sectors, flags, data

    def images(self, size):
        """(entry, device after it) for each entry."""
        image = bytearray(size)
        for entry in self.entries():
            _, first, _, flags, data = entry
            if not flags & MARK:
                image[first * self.sector:first * self.sector + len(data)] = data
            yield entry, image


def list_entries(log):
    for number, first, sectors, flags, data in log.entries():
        mark = " " + data.decode() if flags & MARK else ""
        print(f"{number}: sector {first}, {sectors} sectors, flags {flags}{mark}")


def trim(log, path):
    for _ in log.entries():
        pass
    os.truncate(path, log.file.tell())


def cut(log, size, count, out):
    image = bytes(size)
    for _, image in itertools.islice(log.images(size), count):
        pass
    with open(out, "wb") as file:
        file.write(image)


def each(log, size, command):
    formatted, runs, failures = False, 0, 0
    with tempfile.NamedTemporaryFile() as file:
        for (number, first, sectors, flags, _), image in log.images(size):
            if flags & MARK or not sectors:
                continue
            formatted = formatted or first == 0
            if not formatted:
                continue
            file.seek(0)
            file.write(image)
            file.flush()
            run = subprocess.run(command + [file.name], capture_output=True, text=True)
            runs += 1
            if run.returncode:
                failures += 1
                print(f"after entry {number} (sector {first}): status {run.returncode}")
                print((run.stdout + run.stderr).rstrip())
    print(f"{runs} runs, {failures} failures")
    return failures == 0


def main(path, action, *rest):
    log = Log(path)
    if action == "list":
        list_entries(log)
    elif action == "trim":
        trim(log, path)
    elif action == "cut":
        cut(log, int(rest[0]), int(rest[1]), rest[2])
    elif action == "each":
        return each(log, int(rest[0]), list(rest[1:]))
    else:
        sys.exit(__doc__)
    return True


if len(sys.argv) < 3:
    sys.exit(__doc__)
sys.exit(0 if main(*sys.argv[1:]) else 1)
