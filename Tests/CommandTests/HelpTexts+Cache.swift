extension HelpTexts {
  static let cache: [String: String] = [
    "cache_check": """
    OVERVIEW: Check the metadata of a cache.

    USAGE: cache_check [OPTION ...] FILE

    ARGUMENTS:
      FILE                    The metadata device or file.

    OPTIONS:
      --super-block-only      Check the superblock only.
      -f, --format FORMAT     How to report. (values: text, json; default: text)
      --ignore-non-fatal-errors
                              Let leaks pass: exit 0.
      --auto-repair           When there is no error, mend in place what can be
                              mended.
      --undo-file FILE        Before mending, keep what is overwritten in this new
                              file.
      --undo FILE             Put back what an undo file kept; nothing is checked.
      --clear-needs-check-flag
                              The same as --auto-repair; LVM passes this one.
      --skip-mappings         Leave out the mappings, the dirty bits and the space
                              map.
      --skip-hints            Leave out the hints and the space map.
      --skip-discards         Leave out the discards and the space map.
      -q, --quiet             Say nothing; the exit status tells.
      --version               Show the version.
      -h, --help              Show help information.

    EXIT STATUS: 0 sound, or done; 1 damaged; 64 wrong command line; 65 not
      metadata; 66 no such input; 73 output refused; 74 I/O error.

    'man cache_check' tells more.

    """,
    "cache_dump": """
    OVERVIEW: Write the metadata of a cache as text.

    USAGE: cache_dump [OPTION ...] FILE

    ARGUMENTS:
      FILE                    The metadata device or file.

    OPTIONS:
      -o, --output FILE       Write to this file instead of standard output.
      -r, --repair            Write what is left of damaged metadata.
      --data-block-size SECTORS
                              Sectors in a data block, where the metadata can't
                              tell.
      --nr-cache-blocks COUNT
                              Blocks of the cache, where the metadata can't tell.
      --policy NAME           The cache's policy, where the metadata can't tell.
      --metadata-version NUMBER
                              The form of the metadata, 1 or 2, where it can't tell.
      -q, --quiet             Say nothing; the exit status tells.
      --version               Show the version.
      -h, --help              Show help information.

    EXIT STATUS: 0 sound, or done; 1 damaged; 64 wrong command line; 65 not
      metadata; 66 no such input; 73 output refused; 74 I/O error.

    'man cache_dump' tells more.

    """,
    "cache_generate_metadata": """
    OVERVIEW: Make up metadata of a cache, to test and measure with.

    USAGE: cache_generate_metadata [OPTION ...] --output FILE

    OPTIONS:
      -o, --output FILE       The file to make, or a metadata device.
      --cache-block-size SECTORS
                              Sectors in a cache block. (default: 128)
      --nr-cache-blocks BLOCKS
                              Blocks of the cache. (default: 10240)
      --nr-origin-blocks BLOCKS
                              Blocks of the origin. (default: 1048576)
      --percent-resident PERCENT
                              Percent of the cache that is in use. (default: 80)
      --percent-dirty PERCENT
                              Percent of these that are dirty. (default: 50)
      --hotspot-size BLOCKS   Blocks of the origin that are cached side by side.
                              (default: 1)
      --metadata-version METADATA-VERSION
                              The form of the metadata: 2 keeps dirty bits apart
                              from the mappings. (values: 1, 2; default: 2)
      --omit-clean-shutdown   Make metadata as after a crash: the kernel takes every
                              block for dirty.
      --seed NUMBER           Random seed: the same number makes the same cache.
                              (default: 1)
      --size BLOCKS           Blocks of 4 KiB in the file. (default: what is needed
                              and some more)
      --force                 Overwrite what is there.
      -q, --quiet             Say nothing; the exit status tells.
      --version               Show the version.
      -h, --help              Show help information.

    EXIT STATUS: 0 sound, or done; 1 damaged; 64 wrong command line; 65 not
      metadata; 66 no such input; 73 output refused; 74 I/O error.

    'man cache_generate_metadata' tells more.

    """,
    "cache_metadata_size": """
    OVERVIEW: Say how large a cache's metadata has to be.

    Sizes are in sectors of 512 bytes, or end in a unit: b, s, k, m, g, t, p, e, or
    K, M, G, T, P, E for powers of 1000.

    USAGE: cache_metadata_size [OPTION ...]

    OPTIONS:
      --nr-blocks COUNT       Blocks of the cache.
      --device-size SIZE      The size of the fast device, with --block-size.
      --block-size SIZE       The size of a block, a multiple of 32 KiB, with
                              --device-size.
      --max-hint-width BYTES  What the policy keeps of each block. (default: 4)
      -u, --unit UNIT         The unit of the answer. (default: s)
      -n, --numeric-only FORM
                              Print the number alone, or with the unit's letter or
                              name. (values: plain, short, long)
      -q, --quiet             Say nothing; the exit status tells.
      --version               Show the version.
      -h, --help              Show help information.

    EXIT STATUS: 0 sound, or done; 1 damaged; 64 wrong command line; 65 not
      metadata; 66 no such input; 73 output refused; 74 I/O error.

    'man cache_metadata_size' tells more.

    """,
    "cache_repair": """
    OVERVIEW: Write new cache metadata from what is left of the old.

    USAGE: cache_repair [OPTION ...] --input FILE --output FILE
           cache_repair [OPTION ...] --input FILE --dry-run

    OPTIONS:
      -i, --input FILE        The damaged metadata; it is only read.
      -o, --output FILE       The metadata device or file to overwrite.
      --dry-run               Write no metadata, only say what would come back.
      --report FILE           Write what came back and what did not to this file, as
                              JSON.
      --data-block-size SECTORS
                              Sectors in a data block, where the metadata can't
                              tell.
      --nr-cache-blocks COUNT
                              Blocks of the cache, where the metadata can't tell.
      --policy NAME           The cache's policy, where the metadata can't tell.
      --metadata-version NUMBER
                              The form of the metadata, 1 or 2, where it can't tell.
      -q, --quiet             Say nothing; the exit status tells.
      --version               Show the version.
      -h, --help              Show help information.

    EXIT STATUS: 0 sound, or done; 1 damaged; 64 wrong command line; 65 not
      metadata; 66 no such input; 73 output refused; 74 I/O error.

    'man cache_repair' tells more.

    """,
    "cache_restore": """
    OVERVIEW: Write the metadata of a cache from XML.

    USAGE: cache_restore [OPTION ...] --input FILE --output FILE

    OPTIONS:
      -i, --input FILE        The XML, a file or a pipe.
      -o, --output FILE       The metadata device or file to overwrite.
      --metadata-version METADATA-VERSION
                              The form of the metadata: 2 keeps dirty bits apart
                              from the mappings. (values: 1, 2; default: 2)
      --omit-clean-shutdown   Write metadata as after a crash: the kernel takes
                              every block for dirty.
      -q, --quiet             Say nothing; the exit status tells.
      --version               Show the version.
      -h, --help              Show help information.

    EXIT STATUS: 0 sound, or done; 1 damaged; 64 wrong command line; 65 not
      metadata; 66 no such input; 73 output refused; 74 I/O error.

    'man cache_restore' tells more.

    """,
    "cache_writeback": """
    OVERVIEW: Write dirty blocks of a cache to its origin.

    USAGE: cache_writeback [OPTION ...] --metadata-device FILE --origin-device FILE
              --fast-device FILE

    OPTIONS:
      --metadata-device FILE  The cache's metadata device or file.
      --origin-device FILE    The slow device, which is written to.
      --fast-device FILE      The device that holds the cached blocks.
      --origin-device-offset SECTORS
                              Where the origin starts on its device. (default: 0)
      --fast-device-offset SECTORS
                              Where the first block is on the fast device. (default:
                              0)
      --buffer-size-meg MIB   Memory for data under way. (default: 64)
      --list-failed-blocks    List the blocks that could not be written back.
      --no-metadata-update    Leave the metadata as it is: blocks stay dirty.
      --retry-count COUNT     How often a block that fails is tried again. (default:
                              0)
      --dry-run               Say what would be written, and write nothing.
      -q, --quiet             Say nothing; the exit status tells.
      --version               Show the version.
      -h, --help              Show help information.

    EXIT STATUS: 0 sound, or done; 1 damaged; 64 wrong command line; 65 not
      metadata; 66 no such input; 73 output refused; 74 I/O error.

    'man cache_writeback' tells more.

    """,
  ]
}
