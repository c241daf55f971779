package import PersistentData

/// Emits cache metadata as events, in the order of a dump: what a kernel that activates the cache
/// works with.
///
/// After an unclean shutdown that means: every mapping is dirty, and there are no hints. Dirty bits
/// that say otherwise are out of date, and data would be lost if they were trusted.
package struct CacheEmitter: Sendable {
  package init() {}

  /// Stops at the first error; what was emitted so far is then incomplete.
  package func emit<Events: CacheEvents & ~Copyable>(
    _ reader: inout CacheReader, to events: inout Events
  ) throws(ReadError<Events.Failure>) {
    guard reader.findings.worst != .error else { throw .damaged(reader.findings) }
    let superblock = reader.superblock
    do throws(Events.Failure) { try events.begin(CacheHeader(superblock)) } catch {
      throw .listener(error)
    }
    try sayMappings(&reader, to: &events)
    if superblock.isCleanShutdown { try emitHints(&reader, to: &events) }
    do throws(Events.Failure) { try events.end() } catch { throw .listener(error) }
  }

  private func sayMappings<Events: CacheEvents & ~Copyable>(
    _ reader: inout CacheReader, to events: inout Events
  ) throws(ReadError<Events.Failure>) {
    let superblock = reader.superblock
    var dirty: Bitset?
    if superblock.isCleanShutdown, var bits = reader.dirtyBits {
      dirty = Bitset(&bits, findings: &reader.findings)
    }
    guard var array = reader.mappings else { return }
    let rules = MappingRules(superblock)
    var findings = reader.findings
    try array.forEachChunk(of: UInt64.self, findings: &findings) {
      (chunk, findings) throws(ReadError<Events.Failure>) in
      var findings = findings
      for (index, value) in chunk.values.enumerated() where value != 0 {
        let cacheBlock = chunk.first + UInt64(index)
        if rules.isError(value) {
          rules.report(value, of: cacheBlock, into: &findings)
          continue
        }
        let mapping = CacheMapping(value)
        let isDirty =
          !superblock.isCleanShutdown || (dirty.map { $0[cacheBlock] } ?? mapping.isDirty)
        let said = CacheBlockMapping(
          cacheBlock: cacheBlock, originBlock: mapping.originBlock, isDirty: isDirty)
        do throws(Events.Failure) { try events.mapping(said) } catch { throw .listener(error) }
      }
      guard findings.worst != .error else { throw .damaged(findings) }
    }
    reader.findings = findings
  }

  /// Emits the hints of blocks in use; others are left over from what the blocks held before.
  private func emitHints<Events: CacheEvents & ~Copyable>(
    _ reader: inout CacheReader, to events: inout Events
  ) throws(ReadError<Events.Failure>) {
    guard var hints = reader.hints, var mappings = reader.mappings else { return }
    do throws(Events.Failure) { try events.beginHints() } catch { throw .listener(error) }
    let rules = MappingRules(reader.superblock)
    let visitors = mappings.readBlocks(findings: &reader.findings) { MappingVisitor(rules) }
    let isMapped = Bitset(visitors, \.mapped, of: mappings)
    var findings = reader.findings
    try hints.forEachChunk(of: UInt32.self, findings: &findings) {
      (chunk, findings) throws(ReadError<Events.Failure>) in
      guard findings.worst != .error else { throw .damaged(findings) }
      for (index, value) in chunk.values.enumerated() {
        let cacheBlock = chunk.first + UInt64(index)
        guard isMapped[cacheBlock] else { continue }
        do throws(Events.Failure) { try events.hint(value, of: cacheBlock) } catch {
          throw .listener(error)
        }
      }
    }
    reader.findings = findings
  }
}

extension CacheHeader {
  package init(_ superblock: CacheSuperblock) {
    self.init(
      dataBlockSectors: superblock.dataBlockSectors, cacheBlockCount: superblock.cacheBlockCount,
      policy: superblock.policy, hintSize: superblock.policyHintSize)
  }
}
