#!/usr/bin/env python3
"""superblock.py IMAGE: what accept.sh and kmap.sh need to know of it, as shell assignments."""
import os
import sys

import metadata
from metadata import Image


def thin(image):
    try:
        ids = ",".join(map(str, image.keys(image.u64(metadata.DETAILS_TREE))))
    except Exception:
        ids = ""  # damaged: the kernel shall have its say
    return {
        "kind": "thin",
        "block": image.u32(metadata.DATA_BLOCK_SECTORS),
        "blocks": image.u64(metadata.DATA_SPACE_MAP + metadata.BLOCKS),
        "used": image.u64(metadata.DATA_SPACE_MAP + metadata.ALLOCATED),
        "transaction": image.u64(metadata.TRANSACTION),
        "ids": ids,
    }


def cache(image):
    discard_block, discard_blocks = image.u64(216), image.u64(224)  # sectors, count
    # One that was never resumed, or never suspended, doesn't know all of it: anything will do.
    return {
        "kind": "cache",
        "block": image.u32(232),
        "blocks": image.u32(240) or 512,
        "version": image.u32(40),
        "policy": image.bytes[44:60].rstrip(b"\0").decode() or "smq",
        "origin": discard_block * discard_blocks or 16777216,
    }


def era(image):
    block, blocks, current = image.u32(172), image.u32(180), image.u32(184)
    return {"kind": "era", "block": block, "blocks": blocks or 16384, "era": current}


readers = {metadata.THIN: thin, metadata.CACHE: cache, metadata.ERA: era}
image = Image(sys.argv[1])
reader = readers.get(image.u64(32))
if not reader:
    sys.exit(f"{sys.argv[1]}: no superblock of thin, cache or era metadata")
for name, value in {**reader(image), "bytes": os.path.getsize(sys.argv[1])}.items():
    print(f"{name}={value}")
