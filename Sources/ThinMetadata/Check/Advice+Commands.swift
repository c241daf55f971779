internal import PersistentData

extension Advice {
  /// What to type next, in lines that can be copied; capitals stand for what only the person knows.
  package enum Commands {
    /// Where LVM has the metadata of a pool.
    package static let component =
      "/dev/mapper/VG-POOL_tmeta, where a dash inside VG or POOL is doubled ('lvchange -ay "
      + "VG/POOL_tmeta' shows it while the pool is inactive)"

    private static let deactivate =
      "  lvchange -an VG/THIN1 VG/THIN2 VG/POOL VG/POOL_tmeta    (those that are active)"
    private static let activate = "  lvchange -ay VG/POOL    (then its volumes)"

    static let volumeNames = "'lvs -o lv_name,thin_id VG' tells which volume is which device."

    static func mending(_ input: String) -> [String] {
      [
        "To mend it with LVM:",
        runsThis("check"),
        deactivate,
        "  lvchange -ay --config 'global/thin_check_options=[\"-q\",\"--clear-needs-check-flag\"]' "
          + "VG/POOL    (then its volumes)",
        "To mend it in a file, or a device that can be written to (LVM's POOL_tmeta can't):",
        "  thin_check --auto-repair \(ShellWord(input))",
      ]
    }

    /// `blockCount`: of the device or file that is to be made.
    static func repair(
      _ input: String, blockCount: UInt64, isFailing: Bool = false
    ) -> [String] {
      [
        "Don't activate the pool. Keep a copy of this metadata, and see what a repair would bring "
          + "back:",
        "  " + CopyCommand.text(input, isFailing: isFailing),
        "  thin_repair --dry-run -i COPY",
        "To write new metadata with LVM:",
        runsThis("repair"),
        deactivate, "  lvconvert --repair VG/POOL", activate,
        "The old metadata stays as VG/POOL_metaN: keep it until your data is checked. Without LVM:",
        "  truncate -s \(blockCount * 4)K NEW    (or NEW is a device)",
        "  thin_repair -i COPY -o NEW",
      ]
    }

    /// Where there is no superblock: LVM knows what a repair has to be told.
    package static func search(
      _ input: String, blockCount: UInt64, isFailing: Bool = false
    ) -> [String] {
      ["A repair looks for the pool in the other blocks. It needs two numbers from LVM:"]
        + byHand(
          input, blockCount: blockCount, isFailing, fields: "chunksize,transaction_id",
          "SECTORS and ID", "--data-block-size SECTORS --transaction-id ID")
    }

    /// Where the superblock is there and its data block size can't be right.
    static func withDataBlockSize(
      _ input: String, blockCount: UInt64, isFailing: Bool
    ) -> [String] {
      ["Don't activate the pool. A repair needs the right size, which LVM knows:"]
        + byHand(
          input, blockCount: blockCount, isFailing, fields: "chunksize", "SECTORS",
          "--data-block-size SECTORS")
    }

    /// A repair that LVM can't do by itself. `fields`: those of lvs that show `numbers`, which are
    /// the values of `options`.
    private static func byHand(
      _ input: String, blockCount: UInt64, _ isFailing: Bool, fields: String, _ numbers: String,
      _ options: String
    ) -> [String] {
      [
        "  " + CopyCommand.text(input, isFailing: isFailing),
        "  lvs --noheadings --nosuffix --units s -o \(fields) VG/POOL    (\(numbers))",
        "  thin_repair --dry-run -i COPY \(options)",
        "  lvcreate -L \(blockCount * 4)K -n NEW VG",
        "  thin_repair -i COPY -o /dev/VG/NEW \(options)",
        "  thin_check /dev/VG/NEW    (go on only if it is sound)", deactivate,
        "  lvconvert --swapmetadata --poolmetadata VG/NEW VG/POOL", activate,
        "VG/NEW then holds the old metadata: keep it until your data is checked.",
      ]
    }

    /// Replaces the metadata snapshot while the pool goes on.
    package static let newSnapshot = [
      "  dmsetup message VG-POOL-tpool 0 release_metadata_snap",
      "  dmsetup message VG-POOL-tpool 0 reserve_metadata_snap",
    ]

    static func newTransaction(_ input: String, blockCount: UInt64) -> [String] {
      [
        "  thin_dump \(ShellWord(input)) -o XML",
        "  truncate -s \(blockCount * 4)K NEW    (or NEW is a device)",
        "  thin_restore -i XML -o NEW --transaction-id N",
      ]
    }

    static let findingSize = [
      "  lvs -a -o lv_name,lv_size,devices --units k VG    (how large is [POOL_tmeta]?)",
      "  vgcfgrestore --list VG    (files that say how large it was)",
    ]

    private static func runsThis(_ job: String) -> String {
      "  lvmconfig --type full global/thin_\(job)_executable    (must name this program; if it "
        + "doesn't, set it in lvm.conf)"
    }
  }
}
