/// How a mapping of a repaired pool is known to be true, the surest first.
package enum Provenance: Int, Comparable, CaseIterable, Sendable {
  /// Reached from the roots.
  case intact
  /// In a sound leaf whose parent was lost; the space map and the devices' numbers of mappings say
  /// whose it is. Or in all leaves that may have stood there.
  case grafted
  /// In a lost leaf; nothing else agrees with what is left.
  case proven
  /// In a lost leaf, as older copies of it tell; nothing speaks against it.
  case likely
  /// In a lost leaf; it fits, but so may others.
  case guessed

  package static func < (first: Self, second: Self) -> Bool { first.rawValue < second.rawValue }
}
