#!/usr/bin/env python3
"""What the demo needs to know of metadata, found apart from the tools that it shows.

mappings.py leaves IMAGE          two leaves of mappings, by block number, to be damaged
mappings.py flip IMAGE BLOCK      flips one bit in the middle of a block
mappings.py compare BEFORE AFTER  compares two dumps mapping by mapping; fails if one is wrong,
                                  or if more is lost than one leaf can hold
"""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../Kernel"))
import metadata
from metadata import BLOCK, Image

LEAF_ENTRIES = (BLOCK - 32) // 16


def leaves(image, node):
    """The leaves below a node, from left to right."""
    if not image.is_internal(node):
        yield node
        return
    for index in range(image.entries(node)):
        yield from leaves(image, image.child(node, index))


def choose_leaves(path):
    """Two leaves of the first device, apart from each other."""
    image = Image(path)
    devices = image.first_leaf(image.u64(metadata.MAPPING_TREE))
    all_leaves = list(leaves(image, image.child(devices, 0)))
    print(all_leaves[len(all_leaves) // 3], all_leaves[len(all_leaves) * 2 // 3])


def flip(path, block):
    with open(path, "r+b") as file:
        file.seek(block * BLOCK + BLOCK // 2)
        byte = file.read(1)[0]
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte ^ 16]))


def mappings(path):
    """All mappings of a dump: (device, virtual block) to (data block, time)."""
    found = {}
    for line in open(path):
        numbers = {name: int(value) for name, value in re.findall(r'(\w+)="(\d+)"', line)}
        if "dev_id" in numbers:
            device = numbers["dev_id"]
        elif "mapping" in line:
            first = numbers.get("origin_begin", numbers.get("origin_block"))
            data = numbers.get("data_begin", numbers.get("data_block"))
            for index in range(numbers.get("length", 1)):
                found[device, first + index] = (data + index, numbers["time"])
    return found


def compare(before_path, after_path):
    before, after = mappings(before_path), mappings(after_path)
    right = sum(after.get(key) == value for key, value in before.items())
    lost = sorted(key for key in before if key not in after)
    wrong = len(after) - right
    print(f"mappings before the damage  {len(before):8}")
    print(f"came back as they were      {right:8}")
    print(f"lost                        {len(lost):8}")
    print(f"wrong, or never there       {wrong:8}")
    for device in sorted({device for device, _ in lost}):
        blocks = [block for owner, block in lost if owner == device]
        print(f"  lost of device {device}: virtual blocks {blocks[0]}..{blocks[-1]}")
    print("The zeroed leaf was shared by these devices; the flipped bit was turned back.")
    sharers = len({device for device, _ in before})
    sys.exit(1 if wrong or len(lost) > LEAF_ENTRIES * sharers else 0)


if len(sys.argv) == 3 and sys.argv[1] == "leaves":
    choose_leaves(sys.argv[2])
elif len(sys.argv) == 4 and sys.argv[1] == "flip":
    flip(sys.argv[2], int(sys.argv[3]))
elif len(sys.argv) == 4 and sys.argv[1] == "compare":
    compare(sys.argv[2], sys.argv[3])
else:
    sys.exit(__doc__)
