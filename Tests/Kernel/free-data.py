#!/usr/bin/env python3
"""free-data.py fill METADATA DATA, free-data.py judge METADATA DATA FIRST COUNT

`fill` writes something to all data blocks that no device maps, and prints the middle third of the
longest range of them, as shell assignments. `judge` ends with 0 if all such blocks read as zeroes,
but for COUNT from FIRST on, which still have what was written.
"""
import os
import sys

import metadata
from metadata import Image

FILLING = 0xA5


def free_blocks(image):
    mapped = image.mapped_data()
    count = image.u64(metadata.DATA_SPACE_MAP + metadata.BLOCKS)
    return [block for block in range(count) if block not in mapped]


def longest_range(blocks):
    best = start = 0, 0
    for block in blocks:
        start = (start[0], start[1] + 1) if sum(start) == block else (block, 1)
        best = max(best, start, key=lambda found: found[1])
    return best


def main(job, path, data, *kept):
    image = Image(path)
    size = image.u32(metadata.DATA_BLOCK_SECTORS) * 512
    free = free_blocks(image)
    with open(data, "r+b" if job == "fill" else "rb") as file:
        if job == "fill":
            for block in free:
                os.pwrite(file.fileno(), bytes([FILLING]) * size, block * size)
            first, count = longest_range(free)
            print(f"first={first + count // 3} count={count // 3}")
            return 0 if count >= 3 else 2
        first, count = map(int, kept)
        wrong = [block for block in free if os.pread(file.fileno(), size, block * size)
                 != bytes([FILLING if first <= block < first + count else 0]) * size]
    if wrong:
        print(f"not as they have to be: {wrong[:20]} of {len(free)} free blocks", file=sys.stderr)
    return 1 if wrong or not free else 0


sys.exit(main(*sys.argv[1:]))
