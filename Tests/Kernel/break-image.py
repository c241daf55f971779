#!/usr/bin/env python3
"""break-image.py IN OUT HOW: thin metadata, sound until now, broken on purpose.

A test of the tests: accept.sh has to refuse all of these but the last three: keys and counts of
mappings only a comparison can see (the kernel trusts them). HOW is one of
  leaf-bit            a bit of a mapping leaf is flipped; its checksum is wrong
  superblock-bit      a bit of the superblock is flipped; its checksum is wrong
  data-count-low      a mapped data block has ref count 0
  data-count-high     a free data block has ref count 1: it is leaked
  metadata-count-low  a mapping leaf has ref count 0
  keys-swapped        the first two keys of a mapping leaf have changed places
  mapped-count        the first device's details claim a block too many
  needs-check         the flag is set: nothing is wrong, but somebody has to look
"""
import sys

import metadata
from metadata import BLOCK, Image


def set_count(image, bitmap, number, count):
    """Sets a 2-bit ref count; the lower of its two bits in the word is the count's high bit."""
    offset = bitmap * BLOCK + 16 + number // 32 * 8
    shift = number % 32 * 2
    word = image.u64(offset) & ~(3 << shift)
    image.set_u64(offset, word | (count >> 1 | (count & 1) << 1) << shift)
    image.seal(bitmap, "bitmap")


def main(source, target, how):
    image = Image(source)
    devices = image.first_leaf(image.u64(metadata.MAPPING_TREE))
    leaf = image.first_leaf(image.child(devices, 0))
    if how == "leaf-bit":
        image.bytes[image.value_offset(leaf, 3)] ^= 4
    elif how == "superblock-bit":
        image.bytes[metadata.TRANSACTION] ^= 1
    elif how in ("data-count-low", "data-count-high"):
        data = metadata.DATA_SPACE_MAP
        # The index entries begin with the number of their bitmap block.
        index = image.first_leaf(image.u64(data + metadata.BITMAP_ROOT))
        bitmap = image.child(index, 0)
        if how == "data-count-low":
            set_count(image, bitmap, image.child(leaf, 0) >> 24, 0)
        else:
            in_bitmap = (BLOCK - 16) * 4
            free = min(image.u64(data + metadata.BLOCKS), in_bitmap) - 5
            set_count(image, bitmap, free, 1)
            allocated = data + metadata.ALLOCATED
            image.set_u64(allocated, image.u64(allocated) + 1)
            image.seal(0, "superblock")
    elif how == "metadata-count-low":
        index = image.u64(metadata.METADATA_SPACE_MAP + metadata.BITMAP_ROOT)
        set_count(image, image.u64(index * BLOCK + 16), leaf, 0)
    elif how == "keys-swapped":
        first, second = image.key_offset(leaf, 0), image.key_offset(leaf, 1)
        a, b = image.u64(first), image.u64(second)
        image.set_u64(first, b)
        image.set_u64(second, a)
        image.seal(leaf, "node")
    elif how == "mapped-count":
        details = image.first_leaf(image.u64(metadata.DETAILS_TREE))
        offset = image.value_offset(details, 0)
        image.set_u64(offset, image.u64(offset) + 1)
        image.seal(details, "node")
    elif how == "needs-check":
        image.bytes[metadata.FLAGS] |= 1
        image.seal(0, "superblock")
    else:
        sys.exit(__doc__)
    with open(target, "wb") as file:
        file.write(image.bytes)


if len(sys.argv) != 4:
    sys.exit(__doc__)
main(*sys.argv[1:])
