/// What each tool answers to `--help`, whole.
enum HelpTexts {
  static let all: [String: String] = [
    "thin_check": """
    OVERVIEW: Check the metadata of a thin pool.

    USAGE: thin_check [<options>] <input>

    ARGUMENTS:
      <input>                 The metadata device or file.

    OPTIONS:
      --super-block-only      Check the superblock only.
      --skip-mappings         Leave out the mappings and the space maps.
      -m, --metadata-snap     Check the metadata snapshot.
      --override-mapping-root <override-mapping-root>
                              Check the mappings below this block.
      --override-details-root <override-details-root>
                              Check the details below this block.
      -f, --format <format>   text or json. (default: text)
      --ignore-non-fatal-errors
                              Let leaks pass: exit 0.
      --auto-repair           When there is no error, mend in place what can be
                              mended and clear needs_check.
      --clear-needs-check-flag
                              The same as --auto-repair; LVM passes this one.
      --undo-file <undo-file> Before mending, keep what is overwritten in this new
                              file.
      --undo <undo>           Put back what an undo file kept; nothing is checked.
      -q, --quiet             Say nothing; the exit status tells.
      --version               Show the version.
      -h, --help              Show help information.


    """,
    "thin_delta": """
    OVERVIEW: Tell in which blocks two thin devices differ.

    USAGE: thin_delta <input> [--thin1 <id>] [--thin2 <id>] [--root1 <block>] [--root2 \
    <block>] [--metadata-snap] [--verbose] [--skip-same] [--format <format>] [--compat \
    <compat>] [--quiet]

    ARGUMENTS:
      <input>                 The metadata device or file; it is only read.

    OPTIONS:
      --thin1, --snap1 <id>   The device on the left.
      --thin2, --snap2 <id>   The device on the right.
      --root1 <block>         The device on the left, by its tree's root.
      --root2 <block>         The device on the right, by its tree's root.
      -m, --metadata-snap     Compare what the metadata snapshot has.
      --verbose               Tell the data blocks too.
      --skip-same             Leave out, and don't read, what is the same.
      -f, --format <format>   xml or json. (default: xml)
      --compat <compat>       0.9: write XML as that version did.
      -q, --quiet             Say nothing; the exit status tells.
      --version               Show the version.
      -h, --help              Show help information.


    """,
    "thin_dump": """
    OVERVIEW: Write the metadata of a thin pool as text.

    USAGE: thin_dump [<options>] <input>

    ARGUMENTS:
      <input>                 The metadata device or file.

    OPTIONS:
      -f, --format <format>   xml or human_readable. (default: xml)
      -r, --repair            Go round damage and write what can be reached.
      -m, --metadata-snap     Dump the metadata snapshot.
      -o, --output <output>   Write to this file instead of standard output.
      --dev-id <dev-id>       Only this device; can be repeated.
      --skip-mappings         Leave out the mappings.
      --compat <compat>       Write XML as version 0.9 did: no shared parts, flags
                              always given.
      --accept <accept>       With --repair, how sure mappings of lost blocks must
                              be: proven, likely or guessed.
      --data-block-size <data-block-size>
                              Sectors in a data block, where the metadata can't
                              tell.
      --nr-data-blocks <nr-data-blocks>
                              The data device has at least so many blocks.
      --transaction-id <transaction-id>
                              The pool's transaction id is at least this.
      -q, --quiet             Say nothing; the exit status tells.
      --version               Show the version.
      -h, --help              Show help information.


    """,
    "thin_generate_metadata": """
    OVERVIEW: Make up metadata of a thin pool, to test and measure with.

    USAGE: thin_generate_metadata [<options>] --output <output>

    OPTIONS:
      -o, --output <output>   The file to make, or a metadata device.
      --devices, --origins <devices>
                              Devices that are no snapshots. (default: 1)
      --snapshots <snapshots> Snapshots of each such device. (default: 0)
      --segments <segments>   Segments of each device; a snapshot shares them one
                              by one. (default: 16)
      --leaves <leaves>       Leaves of each segment, of 252 mappings each.
                              (default: 4)
      --mappings <mappings>   Mappings of each segment, instead of --leaves.
      --diverge <diverge>     Segments that each snapshot has of its own, chosen at
                              random. (default: 0)
      --change <change>       Percent of each snapshot's blocks that are its own,
                              here and there.
      --run-min <run-min>     Blocks in the shortest run of mappings. (default: 1)
      --run-max <run-max>     Blocks in the longest run of mappings. (default: 32)
      --gap <gap>             Virtual blocks without mapping after one run in four.
                              (default: 4)
      --data <data>           How runs lie on the data device: sequential or
                              permuted. (values: sequential, permuted; default:
                              sequential)
      --scattered             Scatter the leaves on the metadata device, as in an
                              aged pool.
      --seed <seed>           Other numbers make other pools; the same makes the
                              same. (default: 1)
      --size <size>           Blocks of 4 KiB in the file. (default: what is needed
                              and some more)
      --data-block-size <data-block-size>
                              Sectors in a data block. (default: 128)
      --force                 Overwrite what is there.
      -q, --quiet             Say nothing; the exit status tells.
      --version               Show the version.
      -h, --help              Show help information.


    """,
    "thin_ls": """
    OVERVIEW: List the devices of a thin pool; tell what deleting some would free.

    Fields: DEV, NAME, MAPPED_BLOCKS, EXCLUSIVE_BLOCKS, SHARED_BLOCKS,
    HIGHEST_BLOCK, MAPPED_SECTORS, EXCLUSIVE_SECTORS, SHARED_SECTORS,
    HIGHEST_SECTOR, MAPPED_BYTES, EXCLUSIVE_BYTES, SHARED_BYTES, HIGHEST_BYTE,
    MAPPED, EXCLUSIVE, SHARED, HIGHEST_MAPPED, TRANSACTION, CREATE_TIME, SNAP_TIME.

    USAGE: thin_ls <input> [--metadata-snap] [--no-headers] [-o <fields>] [--format \
    <format>] [--free-if-deleted <ids>] [--names <file>] [--pool <pool>] [--quiet]

    ARGUMENTS:
      <input>                 The metadata device or file; it is only read.

    OPTIONS:
      -m, --metadata-snap     List what the metadata snapshot has.
      --no-headers            Leave out the line of headings.
      -o <fields>             The fields to list, separated by commas.
      --format <format>       text or json; or fields, as with -o.
      --free-if-deleted <ids> Tell how many blocks come free when these devices are
                              deleted together.
      --names <file>          Names of volumes: what 'lvs -o lv_name,thin_id VG' or
                              vgcfgbackup wrote; - is stdin.
      --pool <pool>           The pool meant, where the names are those of several.
      -q, --quiet             Say nothing; the exit status tells.
      --version               Show the version.
      -h, --help              Show help information.


    """,
    "thin_metadata_pack": """
    OVERVIEW: Pack the metadata of a thin pool, a cache or an era device into a
    small file.

    USAGE: thin_metadata_pack --input <input> --output <output> [--include-damaged] \
    [--force] [--quiet]

    OPTIONS:
      -i, --input <input>     The metadata device or file; it is only read.
      -o, --output <output>   The file to make.
      --include-damaged       Pack blocks with bad checksums as well;
                              thin_metadata_unpack puts them back.
      -f, --force             Don't ask before metadata is overwritten.
      -q, --quiet             Say nothing; the exit status tells.
      --version               Show the version.
      -h, --help              Show help information.


    """,
    "thin_metadata_size": """
    OVERVIEW: Say how large the metadata device of a thin pool has to be.

    Sizes are in sectors of 512 bytes, or end in a unit: b, s, k, m, g, t, p, e, or
    K, M, G, T, P, E for powers of 1000.

    USAGE: thin_metadata_size --block-size <block-size> --pool-size <pool-size> \
    --max-thins <max-thins> [--snapshots <snapshots>] [--change <change>] [--unit \
    <unit>] [--numeric-only <numeric-only>] [--quiet]

    OPTIONS:
      -b, --block-size <block-size>
                              The size of a data block, a multiple of 64 KiB.
      -s, --pool-size <pool-size>
                              The size of the data device.
      -m, --max-thins <max-thins>
                              Thin devices, snapshots among them.
      --snapshots <snapshots> Snapshots that will be kept of each device, beside it.
      --change <change>       Percent of a device's blocks that change from one
                              snapshot to the next.
      -u, --unit <unit>       The unit of the answer. (default: s)
      -n, --numeric-only <numeric-only>
                              Print the number alone, or with the unit's letter or
                              name (short, long).
      -q, --quiet             Say nothing; the exit status tells.
      --version               Show the version.
      -h, --help              Show help information.


    """,
    "thin_metadata_unpack": """
    OVERVIEW: Unpack metadata that thin_metadata_pack has packed.

    USAGE: thin_metadata_unpack --input <input> --output <output> [--force] [--quiet]

    OPTIONS:
      -i, --input <input>     The packed file; it is only read.
      -o, --output <output>   The file to make, or a metadata device to overwrite.
      -f, --force             Don't ask before anything of worth is overwritten.
      -q, --quiet             Say nothing; the exit status tells.
      --version               Show the version.
      -h, --help              Show help information.


    """,
    "thin_repair": """
    OVERVIEW: Write new metadata from what is left of damaged thin-pool metadata.

    USAGE: thin_repair --input <input> [--output <output>] [--dry-run] [--accept \
    <accept>] [--drop-overwritten] [--report <report>] [--data-block-size \
    <data-block-size>] [--nr-data-blocks <nr-data-blocks>] [--transaction-id \
    <transaction-id>] [--quiet]

    OPTIONS:
      -i, --input <input>     The damaged metadata; it is only read.
      -o, --output <output>   The metadata device or file to overwrite.
      --dry-run               Write no metadata, only say what would come back.
      --accept <accept>       How sure mappings of lost blocks must be: proven,
                              likely or guessed. (default: proven)
      --drop-overwritten      Leave out mappings whose data has certainly been
                              overwritten.
      --report <report>       Write what came back and what did not to this file,
                              as JSON.
      --data-block-size <data-block-size>
                              Sectors in a data block, where the metadata can't
                              tell.
      --nr-data-blocks <nr-data-blocks>
                              The data device has at least so many blocks.
      --transaction-id <transaction-id>
                              The pool's transaction id is at least this.
      -q, --quiet             Say nothing; the exit status tells.
      --version               Show the version.
      -h, --help              Show help information.


    """,
    "thin_restore": """
    OVERVIEW: Write the metadata of a thin pool from XML.

    USAGE: thin_restore --input <input> --output <output> [--data-block-size \
    <data-block-size>] [--nr-data-blocks <nr-data-blocks>] [--transaction-id \
    <transaction-id>] [--quiet]

    OPTIONS:
      -i, --input <input>     The XML, a file or a pipe.
      -o, --output <output>   The metadata device or file to overwrite.
      --data-block-size <data-block-size>
                              Sectors in a data block, where the metadata can't
                              tell.
      --nr-data-blocks <nr-data-blocks>
                              The data device has at least so many blocks.
      --transaction-id <transaction-id>
                              The pool's transaction id is at least this.
      -q, --quiet             Say nothing; the exit status tells.
      --version               Show the version.
      -h, --help              Show help information.


    """,
    "thin_rmap": """
    OVERVIEW: Tell which thin devices have some blocks or bytes of the data device.

    USAGE: thin_rmap <input> [--region <B..E> ...] [--byte-offset <offset> ...] \
    [--metadata-snap] [--format <format>] [--names <file>] [--pool <pool>] [--quiet]

    ARGUMENTS:
      <input>                 The metadata device or file; it is only read.

    OPTIONS:
      --region <B..E>         Data blocks from B up to, but without, E; can be
                              repeated.
      --byte-offset <offset>  A byte of the data device, or a sector: 12345s; can
                              be repeated.
      -m, --metadata-snap     Look at the metadata snapshot.
      -f, --format <format>   text or json. (default: text)
      --names <file>          Names of volumes: what 'lvs -o lv_name,thin_id VG' or
                              vgcfgbackup wrote; - is stdin.
      --pool <pool>           The pool meant, where the names are those of several.
      -q, --quiet             Say nothing; the exit status tells.
      --version               Show the version.
      -h, --help              Show help information.


    """,
    "thin_roots": """
    OVERVIEW: List the old states that thin-pool metadata still holds; undelete
    devices.

    USAGE: thin_roots [<file>] [--input <input>] [--all] [--recover <recover> ...] [--from \
    <from>] [--output <output>] [--as <as>] [--data-block-size <data-block-size>] \
    [--nr-data-blocks <nr-data-blocks>] [--transaction-id <transaction-id>] [--quiet]

    ARGUMENTS:
      <file>                  The metadata device or file; it is only read.

    OPTIONS:
      -i, --input <input>     The same.
      --all                   List all states, not only those with something to go
                              back to.
      --recover <recover>     Take this device back: its id in the old state, or
                              all; an id can be repeated.
      --from <from>           The old state to take it from: a root from the list.
      -o, --output <output>   The metadata device or file to overwrite.
      --as <as>               The one device's id in the output; unless given, the
                              highest one that is free.
      --data-block-size <data-block-size>
                              Sectors in a data block, where the metadata can't
                              tell.
      --nr-data-blocks <nr-data-blocks>
                              The data device has at least so many blocks.
      --transaction-id <transaction-id>
                              The pool's transaction id is at least this.
      -q, --quiet             Say nothing; the exit status tells.
      --version               Show the version.
      -h, --help              Show help information.


    """,
  ]
}
