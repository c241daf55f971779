internal import PersistentData

/// How many mappings a device misses, and in which lost nodes they stood.
struct MissingMappings: Sendable {
  let device: UInt64
  /// Whether it belongs to the live pool, and not only to the metadata snapshot.
  let isLive: Bool
  /// The lost nodes that its tree leads to, in key order.
  let nodes: [MetadataBlock]
  /// Whether a pointer of its tree leads nowhere, so that it isn't known what it hides.
  let hasLostPointers: Bool
  /// `nil` where no details tell.
  let count: UInt64?
}

extension PoolReading {
  /// What devices miss, those of the metadata snapshot too; those that miss nothing are left out.
  var missingMappings: [MissingMappings] {
    let totals = counts.totals
    return (reader.devices + reader.heldDevices).enumerated().compactMap { index, device in
      guard let root = device.root, totals[below: root].hasDamage else { return nil }
      var nodes: [MetadataBlock] = []
      var hasLostPointers = false
      reader.mappings.forEachBottom(below: root, entering: { totals[below: $0].hasDamage }) {
        guard case .hole(let block, _) = $0 else { return }
        if let block { nodes.append(block) } else { hasLostPointers = true }
      }
      let kept = totals[below: root].entryCount
      let count = device.details.flatMap { details in
        details.mappedBlocks >= kept ? details.mappedBlocks - kept : nil
      }
      return MissingMappings(
        device: device.id, isLive: index < reader.devices.count, nodes: nodes,
        hasLostPointers: hasLostPointers, count: count)
    }
  }

  /// Whether every device whose tree is whole has as many mappings as its details say.
  var hasCredibleDetails: Bool {
    let totals = counts.totals
    return (reader.devices + reader.heldDevices).allSatisfy { device in
      guard let root = device.root, let details = device.details else { return false }
      let total = totals[below: root]
      return total.hasDamage || total.entryCount == details.mappedBlocks
    }
  }
}
