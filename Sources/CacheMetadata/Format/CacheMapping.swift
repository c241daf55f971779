/// What the mapping array stores for a cache block: the origin block whose data it holds.
///
/// Source: Linux, drivers/md/dm-cache-metadata.c, `pack_value`.
package struct CacheMapping: Hashable, Sendable {
  static let flagBits: UInt64 = 16
  static let validFlag: UInt64 = 1
  static let dirtyFlag: UInt64 = 2
  /// All flags, those that mean nothing among them.
  static let flags: UInt64 = 1 << flagBits - 1
  /// One past the largest origin block that a value has room for.
  package static let originBlockEnd: UInt64 = 1 << 48

  package let originBlock: UInt64
  /// Whether the cache block holds anything.
  package let isValid: Bool
  /// Whether it differs from the origin; metadata of version 2 keeps that in a bitset instead.
  package let isDirty: Bool
  /// Flags that mean nothing.
  package let unknownFlags: UInt64

  package init(_ value: UInt64) {
    originBlock = value >> CacheMapping.flagBits
    isValid = value & CacheMapping.validFlag != 0
    isDirty = value & CacheMapping.dirtyFlag != 0
    unknownFlags = value & CacheMapping.flags & ~(CacheMapping.validFlag | CacheMapping.dirtyFlag)
  }

  package init(originBlock: UInt64, isDirty: Bool) {
    self.originBlock = originBlock
    isValid = true
    self.isDirty = isDirty
    unknownFlags = 0
  }

  /// The same mapping, not dirty.
  var clean: CacheMapping { CacheMapping(value & ~CacheMapping.dirtyFlag) }

  /// As it stands on disk; 0 for a cache block that holds nothing.
  package var value: UInt64 {
    guard isValid else { return 0 }
    let flags = CacheMapping.validFlag | (isDirty ? CacheMapping.dirtyFlag : 0)
    return originBlock << CacheMapping.flagBits | flags
  }
}
