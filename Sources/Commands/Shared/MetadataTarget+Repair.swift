internal import PersistentData

/// The commands to type for damaged metadata; words in capitals are for the user to fill in.
extension MetadataTarget {
  /// The commands when there is no superblock, with what a repair has to be told.
  ///
  /// `blockCount`: the size of the new device or file.
  func search(_ input: String, blockCount: UInt64, isFailing: Bool = false) -> [String] {
    let copy = "  " + CopyCommand.text(input, isFailing: isFailing)
    switch self {
    case .thin:
      return MetadataTarget.searchOfPool(
        input, blockCount: blockCount, isFailing: isFailing)
    case .cache:
      let options = "--data-block-size SECTORS --nr-cache-blocks N --policy POLICY"
      return [
        "A repair looks for the cache in the other blocks. It needs these numbers from LVM; N is "
          + "the size of the cache divided by the chunk size:", copy,
        "  lvs -a --units s -o lv_name,lv_size,chunksize,cachepolicy VG",
        "  cache_repair --dry-run -i COPY \(options)",
        "  truncate -s \(blockCount * 4)K NEW    (or NEW is a device)",
        "  cache_repair -i COPY -o NEW \(options)",
      ]
    case .era:
      let options = "--data-block-size SECTORS --nr-blocks N --current-era ERA"
      return [
        "A repair looks for the eras in the other blocks. Give it what only the superblock had: "
          + "the block size, as in the device's table, the number of blocks of the origin, and an "
          + "era no lower than the last one:", copy,
        "  era_repair --dry-run -i COPY \(options)",
        "  truncate -s \(blockCount * 4)K NEW    (or NEW is a device)",
        "  era_repair -i COPY -o NEW \(options)",
      ]
    }
  }

  /// The commands that write new metadata for a cache or an era device.
  func repair(_ input: String, blockCount: UInt64, isFailing: Bool) -> [String] {
    let copy = "  " + CopyCommand.text(input, isFailing: isFailing)
    let lvm =
      self == .cache
      ? [
        "With LVM, deactivate the cached volume and write new metadata like this:",
        "  lvconvert --repair VG/POOL", "Without LVM:",
      ] : []
    return [
      "Don't activate the \(activated). Keep a copy of this metadata, and see what a repair would "
        + "bring back:", copy, "  \(tool("repair")) --dry-run -i COPY",
    ] + lvm + [
      "  truncate -s \(blockCount * 4)K NEW    (or NEW is a device)",
      "  \(tool("repair")) -i COPY -o NEW",
    ]
  }

  /// The commands that mend leaks and needs_check.
  func mending(_ input: String) -> [String] {
    let lvm =
      self == .cache
      ? [
        "To mend it with LVM, deactivate the cached volume and activate it again:",
        "  lvchange -an VG/LV",
        "  lvchange -ay --config "
          + "'global/cache_check_options=[\"-q\",\"--clear-needs-check-flag\"]' VG/LV",
      ] : []
    return lvm + [
      "To mend it in a file, or a device that can be written to:",
      "  \(tool("check")) --auto-repair \(ShellWord(input))",
    ]
  }
}
