internal import PersistentData

extension Grafting {
  /// Internal nodes that may lack children: made anew, and not to the last, or without some of
  /// their pointers.
  var partialNodes: Set<MetadataBlock> {
    Set(nodes.filter { !$0.gaps.isEmpty }.map(\.block)).union(contestedNodes)
  }

  /// Has trees read as if their leaves were lost that are not as large as their details say, where
  /// that is not all that is wrong; but not what other devices have whose trees are.
  ///
  /// One block that lies is found out by what it contradicts. Of two, or beside a lost one, each
  /// can make up for what would tell of the other. Then a tree has to be borne out as a whole.
  ///
  /// `wasClean`: whether nothing was contradicted before nodes were made anew.
  mutating func leaveOutUnproven(
    _ pool: inout PoolReading, wasClean: Bool
  ) throws(IOError) -> Bool {
    let judgement = PoolJudgement(pool, partial: partialNodes)
    var odd: [ThinDevice] = []
    if !wasClean, isOpen || judgement.hasMoreAtOddsThanDetails {
      odd = judgement.devicesAtOdds.filter { device in
        guard let before = device.details?.mappedBlocks else { return false }
        // What was left out may be what is missing.
        return judgement.total(of: device) > before
          || contradicted(below: device.root, pool.reader).leftOut.isEmpty
      }
    }
    odd += devicesOfExchanged(pool.reader)
    if odd.isEmpty { return false }
    isOpen = true
    if acceptance >= .likely {
      doubtfulDetails.formUnion(odd.map(\.id))
      return false
    }
    let borneOut = judgement.nodesBorneOut(butFor: odd)
    var leaves: [MetadataBlock: [ClosedRange<UInt64>]] = [:]
    for root in odd.compactMap(\.root) {
      pool.reader.mappings.forEachBottom(
        below: root, entering: { !borneOut.contains($0) }
      ) { bottom in
        guard case .leaf(let leaf, let keys?) = bottom, !borneOut.contains(leaf) else { return }
        leaves[leaf, default: []].append(keys)
      }
    }
    hasUnproven = !leaves.isEmpty
    for (leaf, keys) in leaves { leftOut[leaf, default: []] += keys.joined }
    pool.counts = try pool.reader.leaveOut(
      Dictionary(uniqueKeysWithValues: leaves.keys.map { ($0, [0...UInt64.max]) }))
    pool.dataDifferences = nil
    return true
  }

  /// Where nodes were made anew and mappings are then newer than devices that share them allow:
  /// the devices that have these nodes, or others that may have led to what was put in.
  ///
  /// A kernel leaves no such times. So a child was put into the wrong node, as an older one that
  /// leads to another's children makes it seem.
  private func devicesOfExchanged(_ reader: PoolReader) -> [ThinDevice] {
    let made = nodes.filter { $0.tree == .mapping }.map(\.block)
    guard !made.isEmpty, !reader.snapshottedTimesTooLow.isEmpty else { return [] }
    let skeleton = reader.mappings.skeleton
    let places = made.compactMap { skeleton.index(of: $0) }.map { skeleton.nodes[$0] }
    let suspects = Set(
      skeleton.nodes.filter { node in
        places.contains {
          $0.height == node.height && $0.first <= node.last && node.first <= $0.last
        }
      }.map(\.block))
    return (reader.devices + reader.heldDevices).filter { device in
      guard let root = device.root else { return false }
      return !suspects.isDisjoint(with: reader.mappings.internalNodes(below: root))
    }
  }
}

extension PoolJudgement {
  /// Whether nodes are lost or contradicted, and not only numbers in the details.
  fileprivate var hasMoreAtOddsThanDetails: Bool {
    if hasMisfitsOnly, !hasNodesOutOfPlace, !reader.hasHoles { return false }
    return reader.hasHoles || hasTreesAtOdds || !surplusBlocks.isEmpty || !surplusMapBlocks.isEmpty
      || !surplusData.isEmpty || hasTooMany
  }

  fileprivate func total(of device: ThinDevice) -> UInt64 {
    device.root.map { reader.mappingTotals[below: $0].entryCount } ?? 0
  }

  /// The nodes and leaves of mapping trees that any device has which is not among some, or
  /// otherwise at odds with its details.
  func nodesBorneOut(butFor others: [ThinDevice] = []) -> Set<MetadataBlock> {
    let odd = Set(devicesAtOdds + others)
    let skeleton = reader.mappings.skeleton
    var found: Set<MetadataBlock> = []
    var open = (reader.devices + reader.heldDevices).filter { !odd.contains($0) }
      .compactMap(\.root)
    while let block = open.popLast() {
      guard found.insert(block).inserted, let index = skeleton.index(of: block) else { continue }
      for entry in skeleton.nodes[index].entries where skeleton.children[entry] != 0 {
        open.append(MetadataBlock(skeleton.children[entry]))
      }
    }
    return found
  }
}
