internal import PersistentData

/// Works out what lost leaves stored, from data blocks that are short of references.
///
/// If exactly as many references are missing as devices miss mappings, nothing has leaked, and
/// every missing reference belongs to a lost leaf: what a survivor says about it is then proven.
/// Otherwise some of them leaked, and it isn't known which.
struct LeafClaims {
  private(set) var lost: LostLeaves
  private var deficits: DataDeficits
  private let survivors: Survivors
  /// Whether all missing references belong to lost leaves.
  private var isExact = false
  /// Claims by leaf and virtual block, and by leaf and data block.
  private var byKey: [[UInt64: LeafClaim]]
  private var byData: [[UInt64: UInt64]]
  /// Leaves with more claims than they have room for.
  private var overfull: Set<Int> = []

  init(_ lost: LostLeaves, _ deficits: DataDeficits, _ survivors: Survivors) {
    self.lost = lost
    self.deficits = deficits
    self.survivors = survivors
    byKey = Array(repeating: [:], count: lost.leaves.count)
    byData = byKey.map { _ in [:] }
    dropCertainLeaks()
    isExact = isEverythingAccountedFor
    claimFromSurvivors()
  }

  /// The leaves with all claims that were made.
  var result: LostLeaves {
    var result = lost
    for index in result.leaves.indices {
      result.leaves[index].claims = byKey[index].values.sorted { $0.key < $1.key }
    }
    return result
  }

  private func leaves(with key: UInt64) -> [Int] {
    lost.leaves.indices.filter { lost.leaves[$0].keys.contains(key) }
  }

  /// Drops blocks whose mappings all stand at a virtual block that no lost leaf can have had.
  private mutating func dropCertainLeaks() {
    for block in deficits.shared {
      guard let witness = survivors.witnesses[block], witness.isUnanimous else { continue }
      if leaves(with: witness.key).isEmpty { deficits.drop(block) }
    }
  }

  private var isEverythingAccountedFor: Bool {
    guard deficits.isWhole, survivors.isRegular, lost.hasAllCounts else { return false }
    return lost.leaves.map { $0.mappingCount ?? 0 }.cappedSum == deficits.total
  }

  // MARK: Survivors

  private mutating func claimFromSurvivors() {
    var isContradictory = false
    for block in deficits.shared.sorted() {
      guard let witness = survivors.witnesses[block], witness.isUnanimous else { continue }
      let places = leaves(with: witness.key)
      // As many leaves as references: each has one. With more leaves, it isn't known which.
      guard UInt64(places.count) == deficits.missing[block] else {
        if UInt64(places.count) < deficits.missing[block, default: 0] { isContradictory = true }
        continue
      }
      let mapping = Mapping(dataBlock: block, time: witness.time)
      for index in places where !claim(witness.key, mapping, in: index, .proven) {
        isContradictory = true
      }
    }
    guard !isExact || isContradictory else { return }
    for index in byKey.indices {
      let isLikely = !overfull.contains(index) && survivors.isRegular
      for key in byKey[index].keys {
        byKey[index][key]?.provenance = isLikely ? .likely : .guessed
      }
    }
    isExact = false
  }

  /// How many mappings a leaf can have stored.
  private func room(_ index: Int) -> Int {
    let capacity = UInt64(BTreeNode.maximumEntries(valueSize: Mapping.valueSize))
    return Int(min(capacity, lost.leaves[index].mappingCount ?? capacity))
  }

  /// Records a claim, unless its virtual or its data block already has one, or the leaf is full.
  private mutating func claim(
    _ key: UInt64, _ mapping: Mapping, in index: Int, _ provenance: Provenance
  ) -> Bool {
    guard byKey[index][key] == nil, byData[index][mapping.dataBlock] == nil else { return false }
    guard byKey[index].count < room(index) else {
      overfull.insert(index)
      return false
    }
    byKey[index][key] = LeafClaim(key: key, mapping: mapping, provenance: provenance)
    byData[index][mapping.dataBlock] = key
    return true
  }

  // MARK: Superseded copies

  /// Adds what superseded copies tell. Copies that fit whole, don't contradict each other and don't
  /// make the leaf larger than it was are likely; of others, what fits is guessed.
  mutating func add(_ copies: [SupersededLeaves.Copy]) {
    for (index, own) in Dictionary(grouping: copies, by: \.leaf).sorted(by: { $0.key < $1.key }) {
      let agreeing = LeafClaims.agreeing(own.filter(\.fitsWhole)).flatMap(\.entries)
      let isLikely = canHold(agreeing, index) && lost.leaves[index].mappingCount != nil
      add(agreeing, index, isLikely ? .likely : .guessed)
      // The better a copy fits, the earlier it is used.
      let rest = own.sorted { $0.entries.count > $1.entries.count }.flatMap(\.entries)
      add(rest, index, .guessed)
    }
  }

  private mutating func add(
    _ entries: [(key: UInt64, mapping: Mapping)], _ index: Int, _ provenance: Provenance
  ) {
    for (key, mapping) in entries where isOpen(key, mapping, index) {
      guard byKey[index].count < room(index) else { return }
      _ = claim(key, mapping, in: index, provenance)
    }
  }

  /// Whether a block is still short of a reference once all claims are counted, and the virtual
  /// block is in this leaf and no other lost one.
  private func isOpen(_ key: UInt64, _ mapping: Mapping, _ index: Int) -> Bool {
    let claimed = byData.reduce(0) { $0 + ($1[mapping.dataBlock] == nil ? 0 : 1) }
    return claimed < deficits.missing[mapping.dataBlock, default: 0] && leaves(with: key) == [index]
  }

  private func canHold(_ entries: [(key: UInt64, mapping: Mapping)], _ index: Int) -> Bool {
    let new = Set(entries.filter { isOpen($0.key, $0.mapping, index) }.map(\.key))
    return byKey[index].keys.count + new.subtracting(byKey[index].keys).count <= room(index)
  }

  /// The copies that no other contradicts, with the same virtual block mapped elsewhere or the same
  /// data block mapped for another one.
  private static func agreeing(_ copies: [SupersededLeaves.Copy]) -> [SupersededLeaves.Copy] {
    var dataOf: [UInt64: Set<UInt64>] = [:]
    var keyOf: [UInt64: Set<UInt64>] = [:]
    for (key, mapping) in copies.flatMap(\.entries) {
      dataOf[key, default: []].insert(mapping.dataBlock)
      keyOf[mapping.dataBlock, default: []].insert(key)
    }
    return copies.filter { copy in
      copy.entries.allSatisfy { key, mapping in
        dataOf[key]?.count == 1 && keyOf[mapping.dataBlock]?.count == 1
      }
    }
  }

  // MARK: What is left over

  /// If everything is accounted for, and a leaf has as many unmapped virtual blocks as there are
  /// references left, they belong together; only for the last one is it sure which to which.
  mutating func fillUp() {
    let open = lost.leaves.indices.filter { byKey[$0].count < room($0) }
    guard isExact, open.count == 1, let index = open.first else { return }
    let blocks = deficits.missing.keys.filter { block in
      !byData.contains { $0[block] != nil } && deficits.missing[block] == 1
        && !deficits.shared.contains(block)
    }.sorted()
    let keys = lost.leaves[index].keys
    guard keys.upperBound - keys.lowerBound < UInt64(room(index)) else { return }
    let free = keys.filter { byKey[index][$0] == nil }
    let isUnguessed = byKey[index].values.allSatisfy { $0.provenance == .proven }
    guard blocks.count == free.count, byKey[index].count + free.count == room(index) else { return }
    for (key, block) in zip(free, blocks) {
      // A block with one reference is not shared, so any time will do.
      let isSure = blocks.count == 1 && isUnguessed
      _ = claim(key, Mapping(dataBlock: block, time: 0), in: index, isSure ? .proven : .guessed)
    }
  }
}
