/// What each tool answers to `--help`, whole.
enum HelpTexts {
  static let all = [thin, show, data, cache, era].reduce([:]) { $0.merging($1) { text, _ in text } }

  private static let thin: [String: String] = [
    "thin_check": """
    OVERVIEW: Check the metadata of a thin pool.

    USAGE: thin_check [OPTION ...] FILE

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
      --skip-mappings         Leave out the mappings and the space maps.
      -m, --metadata-snap     Check the metadata snapshot.
      --override-mapping-root BLOCK
                              Check the mappings below this block.
      --override-details-root BLOCK
                              Check the details below this block.
      -q, --quiet             Say nothing; the exit status tells.
      --version               Show the version.
      -h, --help              Show help information.

    EXIT STATUS: 0 sound, or done; 1 damaged; 64 wrong command line; 65 not
      metadata; 66 no such input; 73 output refused; 74 I/O error.

    'man thin_check' tells more.

    """,
    "thin_delta": """
    OVERVIEW: Tell in which blocks two thin devices differ.

    USAGE: thin_delta [OPTION ...] --thin1 ID --thin2 ID FILE
           thin_delta [OPTION ...] --root1 BLOCK --root2 BLOCK FILE

    ARGUMENTS:
      FILE                    The metadata device or file; it is only read.

    OPTIONS:
      --thin1, --snap1 ID     The device on the left.
      --thin2, --snap2 ID     The device on the right.
      --root1 BLOCK           The device on the left, by its tree's root.
      --root2 BLOCK           The device on the right, by its tree's root.
      -m, --metadata-snap     Compare what the metadata snapshot has.
      --verbose               Write the data blocks too.
      --skip-same             Leave out, and don't read, what is the same.
      -f, --format FORMAT     How to write it. (values: xml, json; default: xml)
      --compat VERSION        Write XML as that version did. (values: 0.9)
      -q, --quiet             Say nothing; the exit status tells.
      --version               Show the version.
      -h, --help              Show help information.

    EXIT STATUS: 0 sound, or done; 1 damaged; 64 wrong command line; 65 not
      metadata; 66 no such input; 73 output refused; 74 I/O error.

    'man thin_delta' tells more.

    """,
    "thin_dump": """
    OVERVIEW: Write the metadata of a thin pool as text.

    USAGE: thin_dump [OPTION ...] FILE

    ARGUMENTS:
      FILE                    The metadata device or file.

    OPTIONS:
      -f, --format FORMAT     How to write it. (values: xml, human_readable;
                              default: xml)
      -r, --repair            Skip what is damaged and write what can be reached.
      -m, --metadata-snap     Dump the metadata snapshot.
      -o, --output FILE       Write to this file instead of standard output.
      --dev-id ID             Only this device; can be repeated.
      --skip-mappings         Leave out the mappings.
      --compat VERSION        Write XML as that version did: no shared parts, flags
                              always given. (values: 0.9)
      --accept SURETY         With --repair, how sure mappings of lost blocks must
                              be. (values: proven, likely, guessed)
      --data-block-size SECTORS
                              Sectors in a data block, where the metadata can't
                              tell.
      --nr-data-blocks COUNT  The data device has at least this many blocks.
      --transaction-id ID     The pool's transaction id is at least this.
      -q, --quiet             Say nothing; the exit status tells.
      --version               Show the version.
      -h, --help              Show help information.

    EXIT STATUS: 0 sound, or done; 1 damaged; 64 wrong command line; 65 not
      metadata; 66 no such input; 73 output refused; 74 I/O error.

    'man thin_dump' tells more.

    """,
    "thin_generate_metadata": """
    OVERVIEW: Make up metadata of a pool, to test and measure with.

    USAGE: thin_generate_metadata [OPTION ...] --output FILE

    OPTIONS:
      -o, --output FILE       The file to make, or a metadata device.
      --devices, --origins COUNT
                              Devices that are not snapshots. (default: 1)
      --snapshots COUNT       Snapshots of each such device. (default: 0)
      --segments COUNT        Segments of each device; a snapshot shares them one by
                              one. (default: 16)
      --leaves COUNT          Leaves of each segment, of 252 mappings each.
                              (default: 4)
      --mappings COUNT        Mappings of each segment, instead of --leaves.
      --diverge COUNT         Segments that each snapshot has of its own, chosen at
                              random. (default: 0)
      --change PERCENT        Percent of each snapshot's blocks that are its own,
                              here and there.
      --run-min BLOCKS        Blocks in the shortest run of mappings. (default: 1)
      --run-max BLOCKS        Blocks in the longest run of mappings. (default: 32)
      --gap BLOCKS            Virtual blocks without mapping after one run in four.
                              (default: 4)
      --data ORDER            How runs lie on the data device. (values: sequential,
                              permuted; default: sequential)
      --scattered             Scatter the leaves on the metadata device, as in an
                              aged pool.
      --seed NUMBER           Random seed: the same number makes the same pool.
                              (default: 1)
      --size BLOCKS           Blocks of 4 KiB in the file. (default: what is needed
                              and some more)
      --data-block-size SECTORS
                              Sectors in a data block. (default: 128)
      --force                 Overwrite what is there.
      -q, --quiet             Say nothing; the exit status tells.
      --version               Show the version.
      -h, --help              Show help information.

    EXIT STATUS: 0 sound, or done; 1 damaged; 64 wrong command line; 65 not
      metadata; 66 no such input; 73 output refused; 74 I/O error.

    'man thin_generate_metadata' tells more.

    """,
    "thin_ls": """
    OVERVIEW: List devices; tell what deleting some would free.

    Fields: DEV, NAME, MAPPED_BLOCKS, EXCLUSIVE_BLOCKS, SHARED_BLOCKS,
    HIGHEST_BLOCK, MAPPED_SECTORS, EXCLUSIVE_SECTORS, SHARED_SECTORS,
    HIGHEST_SECTOR, MAPPED_BYTES, EXCLUSIVE_BYTES, SHARED_BYTES, HIGHEST_BYTE,
    MAPPED, EXCLUSIVE, SHARED, HIGHEST_MAPPED, TRANSACTION, CREATE_TIME, SNAP_TIME.

    USAGE: thin_ls [OPTION ...] FILE

    ARGUMENTS:
      FILE                    The metadata device or file; it is only read.

    OPTIONS:
      -m, --metadata-snap     List what the metadata snapshot has.
      --no-headers            Leave out the line of headings.
      -o FIELDS               The fields to list, separated by commas.
      --format FORMAT         How to list; or fields, as with -o. (values: text,
                              json)
      --free-if-deleted IDS   Tell how many blocks come free when these devices are
                              deleted together.
      --names FILE            Names of volumes: what 'lvs -o lv_name,thin_id VG' or
                              vgcfgbackup wrote; - is stdin.
      --pool POOL             The pool, if the names are those of several.
      -q, --quiet             Say nothing; the exit status tells.
      --version               Show the version.
      -h, --help              Show help information.

    EXIT STATUS: 0 sound, or done; 1 damaged; 64 wrong command line; 65 not
      metadata; 66 no such input; 73 output refused; 74 I/O error.

    'man thin_ls' tells more.

    """,
    "thin_metadata_pack": """
    OVERVIEW: Pack metadata into a small file.

    The metadata of a thin pool, a cache or an era device.

    USAGE: thin_metadata_pack [OPTION ...] --input FILE --output FILE

    OPTIONS:
      -i, --input FILE        The metadata device or file; it is only read.
      -o, --output FILE       The file to make.
      --include-damaged       Pack blocks with bad checksums as well;
                              thin_metadata_unpack puts them back.
      -f, --force             Don't ask before metadata is overwritten.
      -q, --quiet             Say nothing; the exit status tells.
      --version               Show the version.
      -h, --help              Show help information.

    EXIT STATUS: 0 sound, or done; 1 damaged; 64 wrong command line; 65 not
      metadata; 66 no such input; 73 output refused; 74 I/O error.

    'man thin_metadata_pack' tells more.

    """,
    "thin_metadata_size": """
    OVERVIEW: Say how large a pool's metadata device has to be.

    Sizes are in sectors of 512 bytes, or end in a unit: b, s, k, m, g, t, p, e, or
    K, M, G, T, P, E for powers of 1000.

    USAGE: thin_metadata_size [OPTION ...] --block-size SIZE --pool-size SIZE
              --max-thins COUNT

    OPTIONS:
      -b, --block-size SIZE   The size of a data block, a multiple of 64 KiB.
      -s, --pool-size SIZE    The size of the data device.
      -m, --max-thins COUNT   Thin devices, snapshots among them.
      --snapshots COUNT       Snapshots that will be kept of each device, beside it.
      --change PERCENT        Percent of a device's blocks that change from one
                              snapshot to the next.
      -u, --unit UNIT         The unit of the answer. (default: s)
      -n, --numeric-only FORM
                              Print the number alone, or with the unit's letter or
                              name. (values: plain, short, long)
      -q, --quiet             Say nothing; the exit status tells.
      --version               Show the version.
      -h, --help              Show help information.

    EXIT STATUS: 0 sound, or done; 1 damaged; 64 wrong command line; 65 not
      metadata; 66 no such input; 73 output refused; 74 I/O error.

    'man thin_metadata_size' tells more.

    """,
    "thin_metadata_unpack": """
    OVERVIEW: Unpack metadata that thin_metadata_pack has packed.

    USAGE: thin_metadata_unpack [OPTION ...] --input FILE --output FILE

    OPTIONS:
      -i, --input FILE        The packed file; it is only read.
      -o, --output FILE       The file to make, or a metadata device to overwrite.
      -f, --force             Don't ask before something is overwritten.
      -q, --quiet             Say nothing; the exit status tells.
      --version               Show the version.
      -h, --help              Show help information.

    EXIT STATUS: 0 sound, or done; 1 damaged; 64 wrong command line; 65 not
      metadata; 66 no such input; 73 output refused; 74 I/O error.

    'man thin_metadata_unpack' tells more.

    """,
    "thin_repair": """
    OVERVIEW: Write new metadata from what is left of the old.

    USAGE: thin_repair [OPTION ...] --input FILE --output FILE
           thin_repair [OPTION ...] --input FILE --dry-run

    OPTIONS:
      -i, --input FILE        The damaged metadata; it is only read.
      -o, --output FILE       The metadata device or file to overwrite.
      --dry-run               Write no metadata, only say what would come back.
      --report FILE           Write what came back and what did not to this file, as
                              JSON.
      --accept SURETY         How sure mappings of lost blocks must be. (values:
                              proven, likely, guessed; default: proven)
      --drop-overwritten      Leave out mappings whose data has certainly been
                              overwritten.
      --data-block-size SECTORS
                              Sectors in a data block, where the metadata can't
                              tell.
      --nr-data-blocks COUNT  The data device has at least this many blocks.
      --transaction-id ID     The pool's transaction id is at least this.
      -q, --quiet             Say nothing; the exit status tells.
      --version               Show the version.
      -h, --help              Show help information.

    EXIT STATUS: 0 sound, or done; 1 damaged; 64 wrong command line; 65 not
      metadata; 66 no such input; 73 output refused; 74 I/O error.

    'man thin_repair' tells more.

    """,
    "thin_restore": """
    OVERVIEW: Write the metadata of a thin pool from XML.

    USAGE: thin_restore [OPTION ...] --input FILE --output FILE

    OPTIONS:
      -i, --input FILE        The XML, a file or a pipe.
      -o, --output FILE       The metadata device or file to overwrite.
      --data-block-size SECTORS
                              Sectors in a data block, where the metadata can't
                              tell.
      --nr-data-blocks COUNT  The data device has at least this many blocks.
      --transaction-id ID     The pool's transaction id is at least this.
      -q, --quiet             Say nothing; the exit status tells.
      --version               Show the version.
      -h, --help              Show help information.

    EXIT STATUS: 0 sound, or done; 1 damaged; 64 wrong command line; 65 not
      metadata; 66 no such input; 73 output refused; 74 I/O error.

    'man thin_restore' tells more.

    """,
    "thin_rmap": """
    OVERVIEW: Tell which devices have some data blocks or bytes.

    USAGE: thin_rmap [OPTION ...] --region B..E FILE
           thin_rmap [OPTION ...] --byte-offset OFFSET FILE

    ARGUMENTS:
      FILE                    The metadata device or file; it is only read.

    OPTIONS:
      --region B..E           Data blocks from B up to, but without, E; can be
                              repeated.
      --byte-offset OFFSET    A byte of the data device, or a sector: 12345s; can be
                              repeated.
      -m, --metadata-snap     Look at the metadata snapshot.
      -f, --format FORMAT     How to list. (values: text, json; default: text)
      --names FILE            Names of volumes: what 'lvs -o lv_name,thin_id VG' or
                              vgcfgbackup wrote; - is stdin.
      --pool POOL             The pool, if the names are those of several.
      -q, --quiet             Say nothing; the exit status tells.
      --version               Show the version.
      -h, --help              Show help information.

    EXIT STATUS: 0 sound, or done; 1 damaged; 64 wrong command line; 65 not
      metadata; 66 no such input; 73 output refused; 74 I/O error.

    'man thin_rmap' tells more.

    """,
    "thin_roots": """
    OVERVIEW: List the old states that are left; undelete devices.

    USAGE: thin_roots [OPTION ...] FILE
           thin_roots [OPTION ...] --recover ID --from BLOCK --output FILE FILE

    ARGUMENTS:
      FILE                    The metadata device or file; it is only read.

    OPTIONS:
      -i, --input FILE        The same.
      --all                   List all states, not only those with something to go
                              back to.
      --recover ID            Recover this device, by its id in the old state, or
                              all; an id can be repeated.
      --from BLOCK            The old state to take it from: a root from the list.
      -o, --output FILE       The metadata device or file to overwrite.
      --as ID                 The one device's id in the output; unless given, the
                              highest one that is free.
      --data-block-size SECTORS
                              Sectors in a data block, where the metadata can't
                              tell.
      --nr-data-blocks COUNT  The data device has at least this many blocks.
      --transaction-id ID     The pool's transaction id is at least this.
      -q, --quiet             Say nothing; the exit status tells.
      --version               Show the version.
      -h, --help              Show help information.

    EXIT STATUS: 0 sound, or done; 1 damaged; 64 wrong command line; 65 not
      metadata; 66 no such input; 73 output refused; 74 I/O error.

    'man thin_roots' tells more.

    """,
  ]
}
