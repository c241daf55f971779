#!/usr/bin/env python3
"""The parts of kmap.sh that run outside of the machine, and the comparison.

kmap.py compare DUMP.xml MAPPINGS   is thin_dump's XML what the kernel found? Status 0 if it is
kmap.py number FILE SIZE COUNT      makes a data device; each block begins with its number + 1
kmap.py collect OUTPUT RESULT MAPPINGS   makes what kmap.sh leaves, of what its machine left
"""
import os
import struct
import sys
import xml.etree.ElementTree

LIMIT = 120000  # virtual blocks of each device, also in kmap.sh
SECTOR = 512


def number(path, size, count):
    with open(path, "wb") as file:
        os.ftruncate(file.fileno(), int(size) * int(count))
        for block in range(int(count)):
            os.pwrite(file.fileno(), struct.pack("<Q", block + 1), block * int(size))


def collect(output, result, mappings):
    sound = True
    with open(output, errors="replace") as lines, open(result, "rb") as file, \
            open(mappings, "w") as out:
        for line in lines:
            if not line.startswith("@@DEVICE "):
                continue
            device, mapped, end, probed, offset = map(int, line.split()[1:])
            file.seek(offset * SECTOR)
            sectors, found = file.read(probed * SECTOR), 0
            for block in range(probed):
                value = struct.unpack_from("<Q", sectors, block * SECTOR)[0]
                if value:
                    print(device, block, value - 1, file=out)
                    found += 1
            if probed == end and found != mapped:
                print(f"  device {device}: details count {mapped} blocks, the kernel found {found}")
                sound = False
    return sound


def expanded(element, definitions):
    """(virtual block, data block) of all mappings in an element; shared ones are put in place."""
    for child in element:
        get = child.attrib.get
        if child.tag == "single_mapping":
            yield int(get("origin_block")), int(get("data_block"))
        elif child.tag == "range_mapping":
            origin, data = int(get("origin_begin")), int(get("data_begin"))
            for i in range(int(get("length"))):
                yield origin + i, data + i
        elif child.tag == "ref":
            yield from expanded(definitions[get("name")], definitions)


def compare(dump, mappings):
    root = xml.etree.ElementTree.parse(dump).getroot()
    definitions = {element.get("name"): element for element in root.iter("def")}
    dumped = {(int(device.get("dev_id")), *mapping) for device in root.iter("device")
              for mapping in expanded(device, definitions) if mapping[0] < LIMIT}
    with open(mappings) as lines:
        found = {tuple(map(int, line.split())) for line in lines}
    print(f"  {len(dumped)} mappings dumped, {len(found)} found by the kernel, "
          f"{len(dumped & found)} in both")
    for mapping in sorted(dumped ^ found)[:5]:
        print("  only", "dumped:" if mapping in dumped else "found:", *mapping)
    return dumped == found


actions = {"compare": compare, "number": number, "collect": collect}
if len(sys.argv) < 2 or sys.argv[1] not in actions:
    sys.exit(__doc__)
sys.exit(1 if actions[sys.argv[1]](*sys.argv[2:]) is False else 0)
