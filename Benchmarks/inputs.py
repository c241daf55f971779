"""The metadata that is measured: names, and what thin_generate_metadata makes them of."""

import re

BLOCK = 4096

SMALL = {
    "small-shared": "--devices 4 --snapshots 9 --segments 70 --leaves 8 --diverge 7 --size 8192",
    "small-frag": "--devices 16 --segments 32 --leaves 8 --run-max 2 --gap 1 --data permuted"
    " --size 8192",
}
MEDIUM = {
    "medium-shared": "--devices 8 --snapshots 9 --segments 270 --leaves 16 --diverge 27"
    " --size 81920",
}
LARGE = {
    "medium-frag": "--devices 64 --segments 64 --leaves 16 --run-max 2 --gap 1 --data permuted"
    " --size 81920",
    "large-shared": "--devices 16 --snapshots 9 --segments 540 --leaves 16 --diverge 54"
    " --size 327680",
    "large-shuffled": "--devices 16 --snapshots 9 --segments 540 --leaves 16 --diverge 54"
    " --size 327680 --scattered",
}
# Caches and era devices: what kind, and what its generate_metadata makes them of.
ARRAYS_SMALL = {
    "a cache of 1 Mi blocks": (
        "cache", "--nr-cache-blocks 1048576 --nr-origin-blocks 16777216"),
    "an era device of 2 Mi blocks": ("era", "--nr-blocks 2097152 --nr-writesets 1"),
}
ARRAYS_LARGE = {
    "a cache of 8 Mi blocks": (
        "cache", "--nr-cache-blocks 8388608 --nr-origin-blocks 134217728"),
    "an era device of 16 Mi blocks": ("era", "--nr-blocks 16777216 --nr-writesets 1"),
}
# Restored, by the peer if there is one, from the XML of what is made.
RESTORED = {
    "medium-shared, restored": MEDIUM["medium-shared"],
    "50,000 devices of a mapping": "--devices 50000 --segments 1 --mappings 1",
}
# Far from the ordinary, each in one way.
GROWTH = {
    "10,000 snapshots of a device": "--snapshots 10000 --segments 16 --leaves 4 --diverge 1",
    "1,000,000 devices of a mapping": "--devices 1000000 --segments 1 --mappings 1",
    "a device of 100,000,000 mappings": "--segments 100 --mappings 1000000",
    "16 GiB of metadata, hardly used": "--segments 4 --size 4161600",
}


def number(block, offset, size):
    return int.from_bytes(block[offset : offset + size], "little")


def data_blocks(path):
    """Blocks of the data device: what the root of its space map, at 64, begins with."""
    with open(path, "rb") as file:
        return number(file.read(BLOCK), 64, 8)


def find_leaf(path):
    """A block that is a full leaf of a mapping tree, from the middle of what is in use."""
    with open(path, "rb") as file:
        file.seek(0)
        superblock = file.read(BLOCK)
        # The metadata space map's root stands at 192: blocks, then blocks in use.
        block = number(superblock, 200, 8) // 2
        while True:
            file.seek(block * BLOCK)
            node = file.read(BLOCK)
            # A leaf, 252 entries of 252, values of eight bytes.
            if [number(node, at, 4) for at in (4, 16, 20, 24)] == [2, 252, 252, 8]:
                return block
            block += 1


def forget_snapshots(source, target):
    """Copies XML, and has no device know that it was snapshotted: all such times have to be told."""
    with open(source, encoding="utf-8") as lines, open(target, "w", encoding="utf-8") as copy:
        for line in lines:
            copy.write(re.sub(r'snap_time="[0-9]+"', 'snap_time="0"', line))


def zero_block(path, block):
    with open(path, "r+b") as file:
        file.seek(block * BLOCK)
        file.write(bytes(BLOCK))
