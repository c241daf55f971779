"""Measures what changes a pool's data device: thin_shrink beside dd, and thin_trim."""
import os
import random
import shutil
import subprocess

import measure

BLOCK_SECTORS = 128
BLOCK_SIZE = BLOCK_SECTORS * 512
# What is moved: 750 MiB, all of it, from the upper half of the data device to the lower one.
MOVED_BLOCKS = 12000
# What is trimmed: 16 TiB, with a mapped block between one free range and the next.
TRIMMED_BLOCKS = 2**44 // BLOCK_SIZE
TRIMMED_RANGES = 200_000

MOVES_HEAD = "| data | on | thin_shrink: wall s | CPU s | MiB | dd: wall s | CPU s |\n|---|---|" \
    + "--:|" * 5
TRIM_HEAD = "| data | wall s | CPU s | MiB |\n|---|--:|--:|--:|"


def in_one_piece():
    return [(0, MOVED_BLOCKS, MOVED_BLOCKS)]


def in_pieces():
    """One to 64 blocks each, anywhere in the upper half."""
    chance = random.Random(1)
    pieces, at = [], 0
    while at < MOVED_BLOCKS:
        length = min(chance.randint(1, 64), MOVED_BLOCKS - at)
        pieces.append((MOVED_BLOCKS + at, length))
        at += length
    chance.shuffle(pieces)
    runs, at = [], 0
    for data, length in pieces:
        runs.append((at, data, length))
        at += length
    return runs


def xml(data_blocks, runs):
    """The pool of one device with runs of (virtual block, data block, length)."""
    yield (f'<superblock uuid="" time="0" transaction="1" data_block_size="{BLOCK_SECTORS}"'
           f' nr_data_blocks="{data_blocks}">\n')
    yield (f'<device dev_id="1" mapped_blocks="{sum(length for *_, length in runs)}"'
           ' transaction="0" creation_time="0" snap_time="0">\n')
    for origin, data, length in runs:
        yield (f'<range_mapping origin_begin="{origin}" data_begin="{data}" length="{length}"'
               ' time="0"/>\n')
    yield "</device>\n</superblock>\n"


class Moves:
    """Pools made in a folder, and what is measured with them."""

    def __init__(self, bench, folder):
        self.bench = bench
        self.metadata, self.output, self.data = (
            os.path.join(folder, file) for file in ("metadata", "output", "data"))

    def restore(self, data_blocks, runs, megabytes):
        text = self.output
        with open(text, "w", encoding="ascii") as file:
            file.writelines(xml(data_blocks, runs))
        self.make_sparse(self.metadata, megabytes << 20)
        subprocess.run([self.bench.options.program, "thin_restore", "-q", "-i", text,
                        "-o", self.metadata], check=True)

    def make_sparse(self, path, size):
        with open(path, "wb") as file:
            file.truncate(size)

    def shrink(self, runs, is_on_disk):
        """Moves all data to the lower half, as dd does it in one large copy."""
        self.restore(2 * MOVED_BLOCKS, runs, 4)
        half = MOVED_BLOCKS * BLOCK_SIZE
        with open(self.data, "wb") as file:
            file.truncate(half)
            file.seek(half)
            for _ in range(MOVED_BLOCKS):
                file.write(os.urandom(BLOCK_SIZE))
            os.fsync(file.fileno())

        def prepare(_):
            # What lies at its new place already is not written again.
            subprocess.run(["fallocate", "--punch-hole", "--length", str(half), self.data],
                           check=True)
            self.make_sparse(self.output, os.path.getsize(self.metadata))
            if is_on_disk:
                measure.drop_caches([self.data])

        commands = [
            [self.bench.options.program, "thin_shrink", "--binary", "-q", "-i", self.metadata,
             "-o", self.output, "--data", self.data, "--nr-blocks", str(MOVED_BLOCKS)],
            [shutil.which("dd"), f"if={self.data}", f"of={self.data}", "bs=8M",
             "iflag=skip_bytes", f"skip={half}", "conv=notrunc,fsync"],
        ]
        return self.bench.in_turn(commands, self.bench.runs, prepare)

    def trim(self):
        step = TRIMMED_BLOCKS // TRIMMED_RANGES
        self.restore(TRIMMED_BLOCKS, [(index, index * step, 1) for index in range(TRIMMED_RANGES)],
                     256)
        command = [self.bench.options.program, "thin_trim", "-q", "--metadata-dev", self.metadata,
                   "--data-dev", self.data]
        return self.bench.in_turn(
            [command], self.bench.runs, lambda _: self.make_sparse(self.data, 2**44))[0]


def report(bench, memory, disk):
    """Prints both tables."""
    print(MOVES_HEAD)
    for place, folder in ("tmpfs", memory), ("disk", disk):
        moves = Moves(bench, folder)
        for name, runs in ("in one piece", in_one_piece()), ("in pieces", in_pieces()):
            ours, copy = moves.shrink(runs, is_on_disk=place == "disk")
            if ours.status or copy.status:
                raise SystemExit(f"thin_shrink ended with {ours.status}, dd with {copy.status}")
            print(f"| 750 MiB {name} | {place} | {ours.wall:.3f} | {ours.cpu:.3f} |"
                  f" {ours.memory:.0f} | {copy.wall:.3f} | {copy.cpu:.3f} |", flush=True)
        bench.clear(folder)
    print(f"\nDiscarding what is free:\n\n{TRIM_HEAD}")
    moves = Moves(bench, memory)
    done = moves.trim()
    if done.status:
        raise SystemExit(f"thin_trim ended with {done.status}")
    print(f"| 16 TiB, sparse, on tmpfs; {TRIMMED_RANGES:,} free ranges | {done.wall:.3f} |"
          f" {done.cpu:.3f} | {done.memory:.0f} |", flush=True)
    bench.clear(memory)
