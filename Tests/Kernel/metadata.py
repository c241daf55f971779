"""As much of the on-disk format as the scripts here need, apart from any tool under test."""
import struct

BLOCK = 4096
# Magic numbers, in a superblock at offset 32.
THIN, CACHE, ERA = 27022010, 0o6142003, 2126579579

# Superblock of thin metadata: offsets.
FLAGS, TRANSACTION, HELD_ROOT = 4, 48, 56
DATA_SPACE_MAP, METADATA_SPACE_MAP = 64, 192  # each a space map root, see below
MAPPING_TREE, DETAILS_TREE, DATA_BLOCK_SECTORS = 320, 328, 336

# Space map root: offsets.
BLOCKS, ALLOCATED, BITMAP_ROOT = 0, 8, 16

# What is mixed into the checksum of a block of each kind.
SALTS = {"superblock": 160774, "node": 121107, "bitmap": 240779}


def _table():
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
        yield value


_CRC = list(_table())


class Image:
    """The bytes of a metadata device."""

    def __init__(self, path):
        with open(path, "rb") as file:
            self.bytes = bytearray(file.read())

    def u32(self, offset):
        return struct.unpack_from("<I", self.bytes, offset)[0]

    def u64(self, offset):
        return struct.unpack_from("<Q", self.bytes, offset)[0]

    def set_u64(self, offset, value):
        struct.pack_into("<Q", self.bytes, offset, value)

    def seal(self, block, kind):
        """Makes a block's checksum right: CRC-32C, not inverted at its end."""
        start, crc = block * BLOCK, 0xFFFFFFFF
        for byte in self.bytes[start + 4:start + BLOCK]:
            crc = _CRC[(crc ^ byte) & 255] ^ crc >> 8
        struct.pack_into("<I", self.bytes, start, crc ^ SALTS[kind])

    # B-tree nodes, by block number: a header of 32 bytes, keys, values.

    def is_internal(self, node):
        return self.u32(node * BLOCK + 4) & 1

    def entries(self, node):
        return self.u32(node * BLOCK + 16)

    def key_offset(self, node, index):
        return node * BLOCK + 32 + 8 * index

    def value_offset(self, node, index):
        """For values of 8 bytes, or the first one."""
        return self.key_offset(node, self.u32(node * BLOCK + 20) + index)

    def child(self, node, index):
        return self.u64(self.value_offset(node, index))

    def first_leaf(self, node):
        while self.is_internal(node):
            node = self.child(node, 0)
        return node

    def keys(self, node):
        """The keys of all leaves below a node."""
        for index in range(self.entries(node)):
            if self.is_internal(node):
                yield from self.keys(self.child(node, index))
            else:
                yield self.u64(self.key_offset(node, index))

    def values(self, node):
        """The values of all leaves below a node."""
        for index in range(self.entries(node)):
            if self.is_internal(node):
                yield from self.values(self.child(node, index))
            else:
                yield self.child(node, index)

    def mapped_data(self):
        """The data blocks that any device of a pool maps."""
        return {value >> 24 for tree in self.values(self.u64(MAPPING_TREE))
                for value in self.values(tree)}
