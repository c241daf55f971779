/// Arrays of one shape, read together: those of a superblock and of a metadata snapshot share
/// blocks, and each block is read and counted once.
package struct StoredArrays: Sendable {
  /// An array to read: where its index tree starts, and how many entries it has.
  package struct Root: Hashable, Sendable {
    package let pointer: UInt64
    package let entryCount: UInt64

    package init(_ pointer: UInt64, entryCount: UInt64) {
      self.pointer = pointer
      self.entryCount = entryCount
    }
  }

  private let shape: ArrayShape
  private let file: BlockFile
  private let index: LeafContents<UInt64>
  /// Each block has one place in all of the arrays.
  private var places: ArrayPlaces

  /// Reads the index trees of arrays, counts the references to their roots and blocks in `usage`,
  /// and reports what is wrong with them. Array blocks are not read yet.
  ///
  /// A root given twice in `roots` has two references.
  package init(
    _ shape: ArrayShape, roots: [Root], in file: BlockFile, usage: inout BlockUsage,
    findings: inout Findings
  ) {
    self.shape = shape
    self.file = file
    places = ArrayPlaces(blockCount: file.blockCount)
    index = LeafContents(
      shape.indexTree, roots: roots.map(\.pointer), in: file, usage: &usage, findings: &findings
    ) { leaf, entry in leaf.value(entry) }
    guard let first = roots.first else { return }
    for (place, pointer, _) in index.distinctEntries(telling: first.pointer) {
      claim(pointer, for: place, &usage, &findings)
    }
    var seen: Set<Root> = []
    var tails: Set<UInt64> = []
    for root in roots where seen.insert(root).inserted {
      let (entries, lost) = index.entries(below: root.pointer)
      let array = array(root, entries)
      array.reportMissing(known: entries.map(\.0), hidden: lost, into: &findings)
      if let tail = tail(of: array, entries), tails.insert(tail).inserted {
        checkTail(tail, into: &findings)
      }
    }
  }

  /// The one block that may be left past the last when an array shrinks.
  private func tail(of array: StoredArray, _ entries: [(UInt64, UInt64)]) -> UInt64? {
    let end = shape.blockCount(for: array.entryCount)
    guard let (place, pointer) = entries.last(where: { $0.0 <= end }), place == end,
      isHome(pointer, of: place)
    else { return nil }
    return pointer
  }

  /// Whether a block's one place in the arrays is this.
  private func isHome(_ pointer: UInt64, of place: UInt64) -> Bool {
    MetadataBlock(pointer: pointer, count: file.blockCount).flatMap { places[$0] } == place
  }

  /// Reports what is wrong with a block that was left behind. Its values are unused, but the kernel
  /// reads the block when it drops it.
  private func checkTail(_ pointer: UInt64, into findings: inout Findings) {
    guard let home = MetadataBlock(pointer: pointer, count: file.blockCount) else { return }
    let site = shape.site(block: pointer)
    var faults = Findings()
    do throws(IOError) {
      try file.withBlock(home) { bytes in
        let kind = BlockKind(of: bytes)
        guard kind == .array else {
          return faults.reportKind(kind, expected: .array, at: site)
        }
        let block = ArrayBlock(bytes)
        let wanted = min(block.entryCount, shape.valuesPerBlock)
        _ = block.check(home: home, shape: shape, wanted: wanted, at: site, into: &faults)
      }
    } catch {
      faults.report(.blockUnreadable, at: site, found: Evidence(words: error.description))
    }
    guard let fault = faults.sorted.first else { return }
    findings.report(.arrayTailDamaged, at: site, found: Evidence(words: fault.rule.entry.fault))
  }

  /// One of the arrays that were read.
  package func array(_ root: Root) -> StoredArray {
    array(root, index.entries(below: root.pointer).entries)
  }

  private func array(_ root: Root, _ entries: [(UInt64, UInt64)]) -> StoredArray {
    // A size from disk is trusted only as far as there are blocks.
    let wanted = shape.blockCount(for: root.entryCount)
    let end = entries.last { $0.0 < wanted }.map { $0.0 + 1 } ?? 0
    var blocks = [MetadataBlock?](repeating: nil, count: Int(min(end, file.blockCount)))
    for (place, pointer) in entries where place < blocks.count && isHome(pointer, of: place) {
      blocks[Int(place)] = MetadataBlock(pointer: pointer, count: file.blockCount)
    }
    return StoredArray(shape, entryCount: root.entryCount, blocks: blocks, in: file)
  }

  /// Counts a reference to an array block, and notes its place.
  private mutating func claim(
    _ pointer: UInt64, for place: UInt64, _ usage: inout BlockUsage, _ findings: inout Findings
  ) {
    let first = place.multipliedReportingOverflow(by: shape.entriesPerBlock)
    let keys = first.overflow ? nil : first.partialValue...first.partialValue
    guard let block = usage.follow(pointer, from: shape.site(keys: keys), &findings) else { return }
    // Different leaves of the arrays' indexes may lead to a shared block.
    if places[block] == place { return }
    let isFirst = usage.claim(
      block, for: shape.name, at: shape.site(block: pointer, keys: keys), &findings)
    if isFirst { places[block] = place }
  }
}

extension StoredArray {
  /// Reports places missing from the index that no damage hides, and places beyond the end.
  ///
  /// `known`: ascending. A shrinking array leaves one block past the last, so that isn't reported.
  ///
  /// Source: Linux, drivers/md/persistent-data/dm-array.c, `shrink`.
  fileprivate func reportMissing(
    known: [UInt64], hidden: [ClosedRange<UInt64>], into findings: inout Findings
  ) {
    let end = shape.blockCount(for: entryCount)
    var missing: [ClosedRange<UInt64>] = []
    var next: UInt64 = 0
    for place in known where place < blocks.count {
      if place > next { missing.append(next...place - 1) }
      next = max(next, place + 1)
    }
    if next < end { missing.append(next...end - 1) }
    for places in missing.flatMap({ $0.removing(hidden.common(with: [$0])) }) {
      let first = places.lowerBound * shape.entriesPerBlock
      // The end of the last block may overflow.
      let end = (places.upperBound + 1).multipliedReportingOverflow(by: shape.entriesPerBlock)
      let last = (end.overflow ? entryCount : min(entryCount, end.partialValue)) - 1
      findings.report(.arrayBlockMissing, at: shape.site(keys: first...last))
    }
    for place in known where place > end {
      findings.report(.arrayBlockBeyondEnd, at: shape.site(), found: "block \(place) of the array")
    }
  }
}
