#!/usr/bin/env python3
"""laps.py DMMETA KIND COPIES SIZE FOLDER: what comes back of states whose array has lost its index?

COPIES has states of an era device's or a cache's metadata, SIZE bytes each. In each, the root of the
index, which is its only leaf, is zeroed, and what DMMETA repairs is compared with a dump of the sound
state. Fails if a block counts as written too early, if a mapping is another one than it was, or if
no more than half of the states come back whole.

Then the superblock of an era device is lost instead. Repair may refuse in no more than a tenth of
the states, and must not take an older one.
"""
import os
import re
import subprocess
import sys

dmmeta, kind, copies, size, folder = sys.argv[1:]
size = int(size)
root_at = {"era": 208, "cache": 192}[kind]
image, output = folder + "/image", folder + "/out"


def run(tool, *arguments):
    return subprocess.run([dmmeta, tool, *arguments], capture_output=True, text=True)


def dump(path):
    """By block: the last era in which it was written, or the origin block."""
    if kind == "era":
        text = run("era_dump", "--logical", path).stdout
        found = re.findall(r'block="(\d+)" era="(\d+)"', text)
    else:
        text = run("cache_dump", path).stdout
        found = re.findall(r'cache_block="(\d+)" origin_block="(\d+)"', text)
    return {int(block): int(value) for block, value in found}


def is_wrong(found, sound):
    if kind == "era":
        return len(found) != len(sound) or any(found[block] < sound[block] for block in sound)
    return any(sound.get(block) != origin for block, origin in found.items())


def repaired(state, block, *options):
    """What comes back when a block is zeroed; None, with what was said, if nothing does."""
    with open(image, "wb") as target:
        target.write(state)
        target.seek(block * 4096)
        target.write(bytes(4096))
    with open(output, "wb") as target:
        target.truncate(2 * size)
    repair = run(f"{kind}_repair", "-i", image, "-o", output, *options)
    return (dump(output) if repair.returncode == 0 else None), repair.stderr


states = whole = refused = 0
with open(copies, "rb") as file:
    while state := file.read(size):
        root = int.from_bytes(state[root_at : root_at + 8], "little")
        with open(image, "wb") as target:
            target.write(state)
        sound = dump(image)
        # The first states may be from before the array was made.
        if not sound or not 0 < root < size // 4096:
            continue
        found, said = repaired(state, root)
        if found is None:
            sys.exit(f"state {states}: no repair: {said}")
        if is_wrong(found, sound):
            sys.exit(f"state {states}: something wrong comes back: {said}")
        states += 1
        whole += found == sound
        if kind == "era":
            era = int.from_bytes(state[184:188], "little")
            found, said = repaired(state, 0, "--data-block-size", "128", "--current-era", str(era))
            refused += found is None
            if found is not None and is_wrong(found, sound):
                sys.exit(f"state {states}: an older state is taken: {said}")
            if found is not None and "Nothing proves" not in said:
                sys.exit(f"state {states}: a state that was looked for is said to be certain: {said}")
print(f"{whole} of {states} states came back whole")
if kind == "era":
    print(f"without a superblock: {refused} refused")
sys.exit(0 if states > 50 and whole > states / 2 and refused <= states / 10 else 1)
