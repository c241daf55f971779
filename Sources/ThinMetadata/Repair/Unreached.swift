internal import PersistentData

extension PoolReader {
  /// Whether the metadata space map has leaves with mappings in use that this reader has not
  /// reached, or can't tell for some. Reads the whole device.
  var hasUnreachedMappings: Bool {
    // Unreached leaves may belong to the lost metadata snapshot, which is an older state.
    if hasLostHeldTrees { return false }
    let census = BlockCensus(file, purpose: "looking for mappings in all blocks")
    let deficits = Deficits(self, census)
    return census.nodes.all.contains { node in
      node.isLeafOfNumbers && node.entryCount > 0 && census.pointers[node.block] == nil
        && !usage.isClaimed(node.block) && deficits.isInUse(node.block) != false
    }
  }
}
