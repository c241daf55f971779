package import PersistentData

/// Why a pool could not be written out.
package enum DumpError: Error {
  /// The metadata is damaged; the findings say where.
  case damaged(Findings)
  case output(ByteSink.Failure)
}

/// Writes a pool as text: XML, or for people to read.
package struct Dump {
  package var format = TextFormat.xml
  /// Devices to write; all when empty.
  package var devices: Set<UInt64> = []
  /// Write devices without their mappings.
  package var skipsMappings = false
  /// Numbers given by the user, which override the pool's.
  package var overrides = PoolOverrides()

  package init() {}

  /// Writes sound metadata; stops at the first error, the text then being incomplete.
  package func write(_ reader: PoolReader, to sink: ByteSink) throws(DumpError) {
    // A device that only one of the two lists has would come out empty, or not at all.
    let findings = reader.findingsOfLists
    guard findings.worst != .error else { throw .damaged(findings) }
    try write(
      header(of: reader),
      reader.devices.compactMap { device in
        device.details.map { (DeviceHeader(id: device.id, details: $0), device.root) }
      }, from: reader, to: sink, toleratingDamage: false)
  }

  /// The pool's numbers as they are written.
  package func header(of reader: PoolReader) -> PoolHeader {
    var pool = reader.header
    // What a metadata snapshot doesn't know is taken from the live pool.
    pool.dataBlockCount = reader.dataBlockCount
    overrides.apply(to: &pool)
    return pool
  }

  func write(
    _ pool: PoolHeader, _ all: [(header: DeviceHeader, root: MetadataBlock?)],
    from reader: PoolReader, _ kept: KeptRuns = KeptRuns(), to sink: ByteSink,
    toleratingDamage: Bool
  ) throws(DumpError) {
    let chosen = all.filter { devices.isEmpty || devices.contains($0.header.id) }
      .map { ($0.header, skipsMappings ? nil : $0.root) }
    let sharing =
      format.sharesRuns
      ? LeafSharing(
        reader.mappings, roots: chosen.compactMap(\.1), blockCount: reader.usage.blockCount) : nil
    var stream = LeafStream(pool, chosen, in: reader.mappings, sharing: sharing)
    let format = format
    var joiner = TextJoiner(format, sink)
    let isWhole = !skipsMappings && chosen.count == all.count
    let kept = isWhole ? (kept.isEmpty ? reader.scatteredRuns() : kept) : KeptRuns()
    // Leaves that are written out for each device can't be counted beforehand.
    let isCounted = isWhole && sharing != nil
    reader.file.progress.begin(
      "writing the dump", total: isCounted ? reader.mappings.leafCount : 0)
    try stream.run(reading: reader.file, reader.limits, kept) { reader, chunk in
      TextPiece(reader.readRuns(chunk), format)
    } consume: { (piece) throws(DumpError) in
      if !toleratingDamage, piece.findings.worst == .error { throw .damaged(piece.findings) }
      try joiner.add(piece)
    }
    try joiner.finish()
  }
}

/// Keeps the mappings of the leaves that it is given.
private struct KeepingVisitor: LeafVisitor {
  var leaf: MappingLeaf
  private(set) var part = KeptRuns.Part()
  private(set) var findings = Findings()

  init(leaf: MappingLeaf) { self.leaf = leaf }

  mutating func visit(_ node: BTreeNode, _ reference: NodeReference) {
    if leaf.read(node, reference, upTo: KeptRuns.runsAtMost, findings: &findings) {
      part.keep(leaf.runs, of: reference.block, keysFrom: reference.first)
    }
  }
}

/// A chunk as text, except for the runs at its edges.
private struct TextPiece: Sendable {
  let findings: Findings
  let startsWithLeaf: Bool
  let head: MappingRun?
  let text: [UInt8]
  let tail: MappingRun?

  init(_ decoded: ChunkOfRuns, _ format: TextFormat) {
    var writer = ThinTextWriter(format, mayContinue: decoded.chunk.startsWithLeaf)
    decoded.replay(into: &writer)
    findings = decoded.findings
    startsWithLeaf = decoded.chunk.startsWithLeaf
    head = writer.head
    tail = writer.tail
    text = writer.takeText()
  }
}

/// Puts pieces together, joining runs that continue from one piece into the next.
private struct TextJoiner: ~Copyable {
  private let sink: ByteSink
  private var writer: ThinTextWriter
  private var open: MappingRun?

  init(_ format: TextFormat, _ sink: ByteSink) {
    self.sink = sink
    writer = ThinTextWriter(format)
  }

  mutating func add(_ piece: TextPiece) throws(DumpError) {
    // A piece that is one single run has it in `tail`; its edges are all there is.
    let isOneRun = piece.startsWithLeaf && piece.head == nil && piece.text.isEmpty
    if isOneRun {
      if let run = piece.tail { try extend(run) }
      return
    }
    if let head = piece.head { try extend(head) }
    try close()
    try write(piece.text)
    open = piece.tail
  }

  mutating func finish() throws(DumpError) { try close() }

  private mutating func extend(_ run: MappingRun) throws(DumpError) {
    if open?.join(run) == true { return }
    try close()
    open = run
  }

  private mutating func close() throws(DumpError) {
    guard let run = open else { return }
    open = nil
    writer.write(run)
    try write(writer.takeText())
  }

  private func write(_ text: [UInt8]) throws(DumpError) {
    do { try sink.write(text) } catch { throw .output(error) }
  }
}

extension PoolReader {
  /// The mappings of leaves that are better read before their turn, in the order of the device.
  fileprivate func scatteredRuns() -> KeptRuns {
    guard mappings.hasScatteredLeaves else { return KeptRuns() }
    // Damage is found and reported in its turn.
    var walk = mappings
    var findings = Findings()
    let visitors = walk.readLeaves(where: isLive, findings: &findings) {
      KeepingVisitor(leaf: MappingLeaf(limits))
    }
    let isSound = ([findings] + visitors.map(\.findings)).allSatisfy { $0.worst != .error }
    return isSound
      ? KeptRuns(visitors.map(\.part), blockCount: usage.blockCount) : KeptRuns()
  }

  /// What the chosen superblock says of the pool.
  package var header: PoolHeader {
    let chosen = chosenSuperblock
    var header = PoolHeader(
      time: chosen.time, transactionID: chosen.transactionID,
      dataBlockSectors: chosen.dataBlockSectors, dataBlockCount: chosen.dataSpaceMap.blockCount)
    header.needsCheck = chosen.needsCheck
    header.version = chosen.version
    return header
  }
}
