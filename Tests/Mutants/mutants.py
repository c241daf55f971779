#!/usr/bin/env python3
"""mutants.py DMMETA [--runs N] [--seed N] [--minutes N]

Whatever the metadata of a cache or an era device says, a tool that reads it ends in order: without
a crash, in 2 seconds of CPU time, with 64 MiB of memory. Fixtures are changed in some fields of
some blocks, whose checksums are made right again, and given to every tool that reads metadata;
dumps of them are changed and given to the tools that restore. Each tool gets N of them (20,000).

Prints what fell, with the number that brings it back: --seed NUMBER --runs 1. Status 1 if any did.
"""
import argparse
import collections
import concurrent.futures
import os
import random
import re
import struct
import subprocess
import sys
import tempfile
import time

project = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
sys.path.insert(0, os.path.join(project, "Tests/Kernel"))
import metadata
from metadata import BLOCK

SALTS = {
    **metadata.SALTS, "index": 160478, "array": 595846735, "cache": 9031977, "era": 146538381}
# Statuses that mean something.
STATUSES = {0, 1, 64, 65, 66, 73, 74}
SECONDS, MIB = 2, 64
# Dumps larger than this would make for slow runs, and have nothing that others lack.
LARGEST_DUMP = 1 << 20

# What each tool is called with: {in} is the mutant, {out} a file as large as its image.
READERS = {
    "cache": [
        "cache_check {in}", "cache_check --auto-repair {in}", "cache_dump {in}",
        "cache_dump --repair {in}", "cache_repair -i {in} -o {out}",
        "cache_writeback --dry-run --metadata-device {in} --origin-device {data}"
        " --fast-device {out}",
    ],
    "era": [
        "era_check {in}", "era_check --auto-repair {in}",
        "era_dump {in}", "era_dump --logical {in}",
        "era_repair -i {in} -o {out}", "era_invalidate --written-since 2 {in}",
    ],
}
RESTORERS = {
    "cache": ["cache_restore -i {in} -o {out}"], "era": ["era_restore -i {in} -o {out}"]}
NUMBERS = [0, 1, 2, 3, 63, 64, 255, 508, 509, 510, 1018, 4095, 4096, 1 << 31, (1 << 32) - 1,
           1 << 32, 1 << 44, 1 << 48, 1 << 63, (1 << 64) - 1]


class Fixture:
    """An image, which of its blocks hold what, and its dump."""

    def __init__(self, path, program):
        self.family = os.path.basename(os.path.dirname(path))
        self.name = os.path.basename(path)[: -len(".img.xz")]
        packed = subprocess.run(["xz", "-dc", path], capture_output=True, check=True)
        self.image = metadata.Image.__new__(metadata.Image)
        self.image.bytes = bytearray(packed.stdout)
        self.kinds = {}
        for block in range(len(self.image.bytes) // BLOCK):
            start = block * BLOCK
            if not any(self.image.bytes[start : start + 64]):
                continue
            stored = self.image.u32(start)
            self.image.seal(block, "node")
            salt = self.image.u32(start) ^ SALTS["node"] ^ stored
            struct.pack_into("<I", self.image.bytes, start, stored)
            kind = next((kind for kind, value in SALTS.items() if value == salt), None)
            if kind:
                self.kinds[block] = kind
        with tempfile.NamedTemporaryFile() as file:
            file.write(self.image.bytes)
            file.flush()
            done = subprocess.run(
                [program, f"{self.family}_dump", file.name], capture_output=True, check=True)
        self.dump = done.stdout if len(done.stdout) <= LARGEST_DUMP else None

    def mutant(self, chance):
        """Some blocks that are changed, by number."""
        changed = {}
        blocks = list(self.kinds)
        for _ in range(chance.choice((1, 1, 1, 2, 3))):
            # The first blocks lead to all others.
            block = chance.choice(blocks[:12] if chance.random() < 0.5 else blocks)
            start = block * BLOCK
            content = bytearray(changed.get(block, self.image.bytes[start : start + BLOCK]))
            self.change(content, chance)
            changed[block] = self.sealed(content, self.kinds[block])
        return changed

    def change(self, content, chance):
        # Headers first: most of what is read depends on them.
        end = chance.choice((32, 64, 300, BLOCK))
        for _ in range(chance.choice((1, 1, 2, 4))):
            at = chance.randrange(4, end)
            how = chance.randrange(6)
            if how == 0:
                content[at] ^= 1 << chance.randrange(8)
            elif how == 1:
                content[at] = chance.randrange(256)
            elif how == 2:
                struct.pack_into("<I", content, at // 4 * 4, chance.choice(NUMBERS) & 0xFFFFFFFF)
            elif how == 3:
                at = min(at // 8 * 8, BLOCK - 8)
                struct.pack_into("<Q", content, at, chance.choice(NUMBERS))
            elif how == 4:
                at = min(at // 8 * 8, BLOCK - 8)
                struct.pack_into("<Q", content, at, chance.choice(list(self.kinds)))
            else:
                other = chance.choice(list(self.kinds)) * BLOCK
                content[:] = self.image.bytes[other : other + BLOCK]

    @staticmethod
    def sealed(content, kind):
        image = metadata.Image.__new__(metadata.Image)
        image.bytes = content
        image.seal(0, "node")
        crc = image.u32(0) ^ SALTS["node"] ^ SALTS[kind]
        struct.pack_into("<I", content, 0, crc)
        return content

    def mutated_dump(self, chance):
        """Lines that are left out, doubled or swapped, numbers and bytes that are others."""
        lines = self.dump.split(b"\n")
        for _ in range(chance.choice((1, 1, 2, 4))):
            at = chance.randrange(len(lines))
            how = chance.randrange(7)
            if how == 0:
                del lines[at : at + chance.choice((1, 1, 50))]
                lines = lines or [b""]
            elif how == 1:
                lines.insert(chance.randrange(len(lines)), lines[at])
            elif how in (2, 3):
                numbers = list(re.finditer(rb"\d+", lines[at]))
                if numbers:
                    found = chance.choice(numbers)
                    text = str(chance.choice(NUMBERS + [1 << 64, -1])).encode()
                    lines[at] = lines[at][: found.start()] + text + lines[at][found.end() :]
            elif how == 4 and lines[at]:
                line = bytearray(lines[at])
                line[chance.randrange(len(line))] = chance.randrange(256)
                lines[at] = bytes(line)
            elif how == 5:
                lines = lines[: at + 1]
            else:
                lines[at] = lines[at].replace(b'"/>', chance.choice((b'">', b'"/><', b'&lt;"/>')))
        return b"\n".join(lines)


def run(launch, words):
    """Runs a tool; returns what is wrong with how it ended, or None."""
    done = subprocess.run([launch, "60", *words], capture_output=True, text=True, check=True)
    _, cpu, memory, status = map(int, done.stdout.split())
    if status not in STATUSES:
        return f"ended with {status}"
    if cpu > SECONDS * 1_000_000:
        return f"took {cpu / 1e6:.1f} s of CPU time"
    return f"took {memory // 1024} MiB" if memory > MIB * 1024 else None


class Judge:
    def __init__(self, options, launch, fixtures, folder):
        self.options = options
        self.launch = launch
        self.fixtures = fixtures
        self.folder = folder
        self.counts = collections.Counter()
        self.fallen = 0

    def judge(self, seed, job, files, replace=lambda: None):
        replace()
        wrong = run(self.launch, [self.options.program, *job.format(**files).split()])
        if wrong:
            self.fallen += 1
            print(f"{job.split()[0]} {wrong}: --seed {seed} --runs 1 ({job})", flush=True)
        self.counts[job] += 1

    def one(self, seed):
        """One mutant of each family, for all tools of it."""
        chance = random.Random(seed)
        for family in READERS:
            fixture = chance.choice([f for f in self.fixtures if f.family == family])
            mutant = fixture.mutant(chance)
            with tempfile.TemporaryDirectory(dir=self.folder) as folder:
                files = {key: os.path.join(folder, key) for key in ("in", "out", "data")}
                with open(files["in"], "wb") as file:
                    file.write(fixture.image.bytes)
                for key in ("out", "data"):
                    with open(files[key], "wb") as file:
                        file.truncate(len(fixture.image.bytes))

                def replace():
                    with open(files["in"], "r+b") as file:
                        for block, content in mutant.items():
                            file.seek(block * BLOCK)
                            file.write(content)
                for job in READERS[family]:
                    self.judge(seed, job, files, replace)
                dumps = [f for f in self.fixtures if f.family == family and f.dump]
                with open(files["in"], "wb") as file:
                    file.write(chance.choice(dumps).mutated_dump(chance))
                for job in RESTORERS[family]:
                    self.judge(seed, job, files)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--runs", type=int, default=20_000)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--minutes", type=float, help="stop after so long, however many there were")
    options = parser.parse_args()
    options.program = os.path.abspath(options.program)
    os.environ["SWIFT_BACKTRACE"] = "enable=no"
    seed = options.seed if options.seed is not None else random.randrange(1 << 32)
    print(f"seed {seed}", flush=True)
    folder = os.path.join(project, "fixtures/kernel")
    fixtures = [
        Fixture(os.path.join(folder, family, file), options.program)
        for family in READERS for file in sorted(os.listdir(os.path.join(folder, family)))]
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.path.isdir("/dev/shm") else None) as work:
        launch = os.path.join(work, "launch")
        source = os.path.join(project, "Benchmarks/Launch/main.c")
        subprocess.run(["clang", "-O1", "-o", launch, source], check=True)
        judge = Judge(options, launch, fixtures, work)
        start = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as workers:
            limit = options.minutes and start + options.minutes * 60

            def work_on(number):
                if not limit or time.monotonic() < limit:
                    judge.one(seed + number)
            for _ in workers.map(work_on, range(options.runs)):
                pass
    for job, count in sorted(judge.counts.items()):
        print(f"{count:7} {job}")
    print(f"{judge.fallen} of {sum(judge.counts.values())} runs fell, in "
          f"{(time.monotonic() - start) / 60:.0f} minutes")
    sys.exit(1 if judge.fallen else 0)


main()
