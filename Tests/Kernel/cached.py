#!/usr/bin/env python3
"""cached.py DUMP ORIGIN FAST TRUTH: do an origin and its cache still have all that was written?

DUMP is what cache_dump says of the cache's metadata. ORIGIN, with what FAST has of the blocks that
are dirty laid over it, has to be TRUTH, byte for byte. Prints how many blocks are dirty.
"""
import re
import sys

dump, origin_path, fast_path, truth_path = sys.argv[1:]
text = open(dump).read()
size = int(re.search(r'block_size="(\d+)"', text)[1]) * 512
with open(origin_path, "rb") as file:
    origin = bytearray(file.read())
with open(fast_path, "rb") as file:
    fast = file.read()
dirty = 0
for cached, block in re.findall(r'cache_block="(\d+)" origin_block="(\d+)" dirty="true"', text):
    first = int(cached) * size
    origin[int(block) * size : (int(block) + 1) * size] = fast[first : first + size]
    dirty += 1
with open(truth_path, "rb") as file:
    truth = file.read()
if origin != truth:
    wrong = [at // size for at in range(0, len(truth), size)
             if origin[at : at + size] != truth[at : at + size]]
    sys.exit(f"{len(wrong)} blocks don't have what was written, {wrong[0]} the first")
print(dirty)
