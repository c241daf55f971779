internal import PersistentData

/// Which mappings are possible: the one place where that is decided, for check, dump and repair.
struct MappingRules: Sendable {
  /// Metadata of version 2 has dirty bits elsewhere.
  private let hasDirtyFlags: Bool
  /// One past the last origin block that the discard bitset covers; the highest number when it
  /// tells nothing.
  ///
  /// It is written at a clean end only, so after a crash an origin may have grown past it.
  private let originEnd: UInt64
  /// What values look like that break no rule.
  let form: NumberScan.Form
  /// One past the last origin block whose last sector has a number.
  private static let originLimit: UInt64 = 1 << 44

  init(_ superblock: CacheSuperblock) {
    let covered = superblock.discardBlockCount.multipliedReportingOverflow(
      by: superblock.discardBlockSectors)
    let blockSectors = UInt64(superblock.dataBlockSectors)
    self.init(
      hasDirtyFlags: superblock.version == 1,
      originEnd: covered.overflow || covered.partialValue == 0 || blockSectors == 0
        ? .max : covered.partialValue / blockSectors)
  }

  /// For an array whose version and origin are not known.
  static let ofAnyVersion = MappingRules(hasDirtyFlags: true, originEnd: .max)

  private init(hasDirtyFlags: Bool, originEnd: UInt64) {
    self.hasDirtyFlags = hasDirtyFlags
    self.originEnd = originEnd
    form = NumberScan.Form(
      flagBits: CacheMapping.flagBits, valid: CacheMapping.validFlag,
      marked: CacheMapping.dirtyFlag,
      checked: CacheMapping.flags & ~(hasDirtyFlags ? CacheMapping.dirtyFlag : 0),
      end: min(originEnd, MappingRules.originLimit) << CacheMapping.flagBits)
  }

  /// The rule that the value of a cache block breaks, if any.
  func brokenRule(by value: UInt64) -> Rule? {
    if isSound(value) { return nil }
    let mapping = CacheMapping(value)
    guard mapping.isValid else { return value == 0 ? nil : .mappingOfUnusedBlock }
    if mapping.unknownFlags != 0 || mapping.isDirty && !hasDirtyFlags {
      return .mappingFlagsUnknown
    }
    return mapping.originBlock >= MappingRules.originLimit
      ? .originBlockOutOfRange : .originBlockBeyondDiscards
  }

  /// Whether the value is that of a mapping that breaks no rule, as nearly all are.
  func isSound(_ value: UInt64) -> Bool {
    value & form.checked == form.valid && value < form.end
  }

  /// Whether a value can't be that of a cache block.
  func isError(_ value: UInt64) -> Bool { brokenRule(by: value)?.severity == .error }

  /// Reports what is wrong with the value of a cache block, if anything.
  func report(
    _ value: UInt64, of cacheBlock: UInt64, in block: UInt64? = nil, entry: Int? = nil,
    into findings: inout Findings
  ) {
    guard let rule = brokenRule(by: value) else { return }
    let origin: Evidence = "origin block \(CacheMapping(value).originBlock)"
    let (found, expected): (Evidence, Evidence) =
      switch rule {
      case .mappingOfUnusedBlock: ("value \(value)", "0")
      case .originBlockOutOfRange: (origin, .below(MappingRules.originLimit))
      case .originBlockBeyondDiscards: (origin, .below(originEnd))
      default: ("value \(value)", .none)
      }
    findings.report(
      rule,
      at: CacheReader.Structure.mappings.site(
        block: block, entry: entry, keys: cacheBlock...cacheBlock),
      found: found, expected: expected)
  }
}
