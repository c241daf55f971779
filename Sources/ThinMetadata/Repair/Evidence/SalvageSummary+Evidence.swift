extension SalvageSummary {
  /// What was assumed about a pool that contradicts itself.
  static func forEvidence(_ grafting: Grafting) -> [String] {
    var lines: [String] = []
    if grafting.isSuperblockReplaced {
      lines.append(
        "The superblock is older than the pool, as if an earlier one had been written back: the "
          + "newest state that the device still holds was taken. Compare devices and transaction "
          + "id with what you remember before the pool is written to.")
    }
    if grafting.isOpen {
      lines.append(
        "This is DOUBTFUL: blocks contradict each other, and which of them are wrong can't be "
          + "told. What is contradicted was left out; check the rest before you trust it.")
    }
    if grafting.hasUnproven {
      lines.append(
        "Devices that are not as large as their details say were left out, except for what other "
          + "devices confirm; '--accept likely' keeps them. Some of it may be WRONG: write it to "
          + "another NEW, and check the data.")
    }
    return lines
  }
}
