extension HelpTexts {
  static let era: [String: String] = [
    "era_check": """
    OVERVIEW: Check the metadata of an era device.

    USAGE: era_check [OPTION ...] FILE

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
      -q, --quiet             Say nothing; the exit status tells.
      --version               Show the version.
      -h, --help              Show help information.

    EXIT STATUS: 0 sound, or done; 1 damaged; 64 wrong command line; 65 not
      metadata; 66 no such input; 73 output refused; 74 I/O error.

    'man era_check' tells more.

    """,
    "era_dump": """
    OVERVIEW: Write the metadata of an era device as text.

    USAGE: era_dump [OPTION ...] FILE

    ARGUMENTS:
      FILE                    The metadata device or file.

    OPTIONS:
      --logical               Merge the writesets into the eras of blocks, and write
                              no writesets.
      -o, --output FILE       Write to this file instead of standard output.
      -r, --repair            Write what is left of damaged metadata.
      --data-block-size SECTORS
                              Sectors in a block, where the metadata can't tell.
      --nr-blocks COUNT       Blocks of the origin, where the metadata can't tell.
      --current-era ERA       The current era is at least this.
      -q, --quiet             Say nothing; the exit status tells.
      --version               Show the version.
      -h, --help              Show help information.

    EXIT STATUS: 0 sound, or done; 1 damaged; 64 wrong command line; 65 not
      metadata; 66 no such input; 73 output refused; 74 I/O error.

    'man era_dump' tells more.

    """,
    "era_generate_metadata": """
    OVERVIEW: Make up era metadata, to test and measure with.

    USAGE: era_generate_metadata [OPTION ...] --output FILE

    OPTIONS:
      -o, --output FILE       The file to make, or a metadata device.
      --block-size SECTORS    Sectors in a block. (default: 128)
      --nr-blocks BLOCKS      Blocks of the origin. (default: 10240)
      --current-era ERA       The era that the device is in. (default: 32)
      --nr-writesets COUNT    Archived writesets; the last is the current era's.
                              (default: 2)
      --percent-written PERCENT
                              Percent of the blocks that each era wrote. (default:
                              10)
      --run-max BLOCKS        Blocks in the longest run of them. (default: 32)
      --seed NUMBER           Random seed: the same number makes the same metadata.
                              (default: 1)
      --size BLOCKS           Blocks of 4 KiB in the file. (default: what is needed
                              and some more)
      --force                 Overwrite what is there.
      -q, --quiet             Say nothing; the exit status tells.
      --version               Show the version.
      -h, --help              Show help information.

    EXIT STATUS: 0 sound, or done; 1 damaged; 64 wrong command line; 65 not
      metadata; 66 no such input; 73 output refused; 74 I/O error.

    'man era_generate_metadata' tells more.

    """,
    "era_invalidate": """
    OVERVIEW: List blocks that may have been written since an era.

    USAGE: era_invalidate [OPTION ...] FILE --written-since ERA

    ARGUMENTS:
      FILE                    The metadata device or file.

    OPTIONS:
      --written-since ERA     Blocks written in this era or later.
      --metadata-snapshot     Look at the metadata snapshot; the device may be in
                              use.
      -o, --output FILE       Write to this file instead of standard output.
      -q, --quiet             Say nothing; the exit status tells.
      --version               Show the version.
      -h, --help              Show help information.

    EXIT STATUS: 0 sound, or done; 1 damaged; 64 wrong command line; 65 not
      metadata; 66 no such input; 73 output refused; 74 I/O error.

    'man era_invalidate' tells more.

    """,
    "era_repair": """
    OVERVIEW: Write new era metadata from what is left of the old.

    USAGE: era_repair [OPTION ...] --input FILE --output FILE
           era_repair [OPTION ...] --input FILE --dry-run

    OPTIONS:
      -i, --input FILE        The damaged metadata; it is only read.
      -o, --output FILE       The metadata device or file to overwrite.
      --dry-run               Write no metadata, only say what would come back.
      --report FILE           Write what came back and what did not to this file, as
                              JSON.
      --data-block-size SECTORS
                              Sectors in a block, where the metadata can't tell.
      --nr-blocks COUNT       Blocks of the origin, where the metadata can't tell.
      --current-era ERA       The current era is at least this.
      -q, --quiet             Say nothing; the exit status tells.
      --version               Show the version.
      -h, --help              Show help information.

    EXIT STATUS: 0 sound, or done; 1 damaged; 64 wrong command line; 65 not
      metadata; 66 no such input; 73 output refused; 74 I/O error.

    'man era_repair' tells more.

    """,
    "era_restore": """
    OVERVIEW: Write the metadata of an era device from XML.

    USAGE: era_restore [OPTION ...] --input FILE --output FILE

    OPTIONS:
      -i, --input FILE        The XML, a file or a pipe.
      -o, --output FILE       The metadata device or file to overwrite.
      -q, --quiet             Say nothing; the exit status tells.
      --version               Show the version.
      -h, --help              Show help information.

    EXIT STATUS: 0 sound, or done; 1 damaged; 64 wrong command line; 65 not
      metadata; 66 no such input; 73 output refused; 74 I/O error.

    'man era_restore' tells more.

    """,
  ]
}
