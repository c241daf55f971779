internal import PersistentData
internal import ThinMetadata

extension PoolPicture {
  /// The state of the metadata, in a word.
  var verdict: String {
    switch report.findings.worst {
    case .error: "damaged"
    case .leak: "leaking"
    case .warning, .note, nil: "sound"
    }
  }

  /// The size of `blocks` data blocks, in words.
  func size(_ blocks: UInt64) -> String {
    let bytes = blocks.multipliedReportingOverflow(by: blockBytes)
    return ByteCount.text(bytes.overflow ? .max : bytes.partialValue)
  }

  func size(_ blocks: UInt64?) -> String { blocks.map { size($0) } ?? "?" }

  /// "41 %"; only nothing at all is "0 %".
  func percent(_ part: UInt64, of whole: UInt64) -> String {
    if whole == 0 || part == 0 { return "0 %" }
    let share = Int(Double(part) / Double(whole) * 1000)
    return share < 1 ? "<0.1 %" : share < 100 ? "\(share / 10).\(share % 10) %" : "\(share / 10) %"
  }

  /// The pool in a few lines.
  var summary: [String] {
    let used = space.mapped + space.doubtful
    let metadataUsed = metadata.blockCount - metadata[.free] - metadata[.old] - metadata[.unknown]
    return [
      "transaction \(report.transactionID ?? pool.transactionID), time \(pool.time), blocks of "
        + "\(ByteCount.text(blockBytes)), \(volumes.count) volume\(volumes.count == 1 ? "" : "s")"
        + (isOfSnapshot ? "; as of the metadata snapshot" : ""),
      "data \(size(space.total)): \(size(used)) used (\(percent(used, of: space.total))), "
        + "\(size(space.free)) free",
      "metadata \(ByteCount.text(metadata.blockCount * 4096)): "
        + "\(percent(metadataUsed, of: metadata.blockCount)) used"
        + (oldStateCount > 0 ? "; \(oldStateCount) old states are still there" : ""),
    ]
  }

  /// The parts of the data device; some only if they exist.
  var parts: [(name: String, blocks: UInt64?, about: String)] {
    var parts: [(name: String, blocks: UInt64?, about: String)] = [
      ("exclusive", space.exclusive, "mapped by one volume alone"),
      ("shared", space.shared, "mapped by several volumes"),
    ]
    if space.exclusive == nil {
      parts = [("mapped", space.mapped, "mapped; by how many volumes is not known")]
    }
    if space.snapshotOnly > 0 {
      parts.append(("held", space.snapshotOnly, "mapped by the metadata snapshot alone"))
    }
    parts.append(("doubtful", space.doubtful, "in use, but nothing readable maps it"))
    if space.untold > 0 {
      parts.append(("untold", space.untold, "its bitmap can't be read"))
    }
    parts.append(("free", space.free, "not in use"))
    return parts
  }

  /// The first few names of those who share.
  func names(_ sharers: Sharers, atMost limit: Int) -> [String] {
    var names = sharers.volumes.prefix(limit).map { volumes[$0].name }
    if sharers.volumes.count > limit { names.append("\(sharers.volumes.count - limit) more") }
    if sharers.hasOthers { names.append("others") }
    if sharers.hasSnapshot { names.append("metadata snapshot") }
    return names
  }

  /// Indices of the volumes that get a row, ascending: those that map most. If there are many
  /// volumes, those that map nothing get none.
  func notable(atMost limit: Int) -> [Int] {
    let isMany = volumes.count > 40
    let order = volumes.indices.filter { !isMany || volumes[$0].mapped != 0 }.sorted { one, other in
      (volumes[other].mapped ?? .max, one) < (volumes[one].mapped ?? .max, other)
    }
    return order.prefix(limit).sorted()
  }

  /// By volume, a number for its colour: neighbouring rows differ.
  func colours(_ shown: [Int]) -> [Int] {
    var colours = Array(volumes.indices)
    for (row, volume) in shown.enumerated() { colours[volume] = row }
    return colours
  }

  /// A line about the volumes without a row; `nil` if all have one.
  func rest(_ shown: [Int]) -> String? {
    let rest = volumes.count - shown.count
    if rest == 0 { return nil }
    let empty = volumes.count { $0.mapped == 0 }
    return volumes.count > 40 && empty >= rest
      ? "\(rest) more volumes map nothing." : "\(rest) more volumes map less, or nothing."
  }

  /// Volumes with their depth as snapshots of snapshots, each after its origin.
  func family(of shown: [Int]) -> [(volume: Int, depth: Int)] {
    let shown = Set(shown)
    var children: [Int: [Int]] = [:]
    for (index, volume) in volumes.enumerated() {
      if let origin = volume.origin { children[origin, default: []].append(index) }
    }
    var list: [(volume: Int, depth: Int)] = []
    var waiting = volumes.indices.filter { volumes[$0].origin == nil }.reversed().map { ($0, 0) }
    while let (index, depth) = waiting.popLast() {
      if shown.contains(index) { list.append((index, depth)) }
      for child in children[index, default: []].reversed() { waiting.append((child, depth + 1)) }
    }
    return list
  }
}

extension MetadataMap.Kind {
  var name: String {
    switch self {
    case .free: "free"
    case .superblock: "superblock"
    case .deviceList: "list of devices"
    case .details: "details of devices"
    case .mappingNode: "mappings, inner nodes"
    case .mappingLeaf: "mappings, leaves"
    case .dataSpaceMap: "data space map"
    case .metadataSpaceMap: "metadata space map"
    case .snapshot: "metadata snapshot"
    case .damaged: "damaged"
    case .unreached: "in use, reached by nothing"
    case .old: "free, with an old state"
    case .unknown: "not known"
    }
  }

  /// The character for a cell in text.
  var sign: Character {
    switch self {
    case .free: "."
    case .superblock: "S"
    case .deviceList: "D"
    case .details: "T"
    case .mappingNode: "N"
    case .mappingLeaf: "m"
    case .dataSpaceMap: "a"
    case .metadataSpaceMap: "b"
    case .snapshot: "H"
    case .damaged: "X"
    case .unreached: "?"
    case .old: "o"
    case .unknown: "-"
    }
  }
}
