extension SalvageSummary {
  /// Whose data is gone, or may be, and what became of the mappings that led to it.
  static func forOverwrittenData(_ salvage: Salvage) -> [String] {
    let data = salvage.overwrittenData
    let lines = Advice.lines(for: data, sectors: UInt64(salvage.header.dataBlockSectors))
    if lines.isEmpty { return [] }
    let hasCertain = data.devices.contains { !$0.certain.isEmpty }
    let fate =
      if !hasCertain {
        "All these mappings are kept."
      } else if salvage.dropsOverwritten {
        "Mappings whose data has been overwritten are left out, and read as zeroes; those whose "
          + "data may have been are kept."
      } else {
        "All these mappings are kept, and read other volumes' data where theirs has been "
          + "overwritten; 'thin_repair --drop-overwritten' leaves such mappings out, so that "
          + "they read as zeroes."
      }
    return lines + [
      Advice.causeOfOverwrittenData, fate,
      "The new metadata doesn't show which they were: note these ranges, keep the old metadata, "
        + "and compare the data with a backup.",
    ]
  }
}
