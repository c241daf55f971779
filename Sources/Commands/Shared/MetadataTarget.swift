internal import PersistentData

/// The device-mapper targets that there are tools for.
enum MetadataTarget: String, CaseIterable {
  case thin
  case cache
  case era

  /// "the metadata of …"
  var owner: String {
    switch self {
    case .thin: "a thin pool"
    case .cache: "a cache"
    case .era: "an era device"
    }
  }

  var superblock: any SuperblockFormat.Type {
    switch self {
    case .thin: MetadataTarget.thinSuperblock
    case .cache: MetadataTarget.cacheSuperblock
    case .era: MetadataTarget.eraSuperblock
    }
  }

  /// "none of the blocks leads to …"
  var shortOwner: String { self == .thin ? "a pool" : owner }

  /// "don't activate the …"
  var activated: String {
    switch self {
    case .thin: "pool"
    case .cache: "cache"
    case .era: "era device"
    }
  }

  /// Where LVM keeps the metadata of VG/POOL; `nil` if LVM doesn't support the target.
  var place: String? {
    switch self {
    case .thin: MetadataTarget.thinPlace
    case .cache:
      "/dev/mapper/VG-POOL_cmeta, where a dash inside VG or POOL is doubled ('lvs -a VG' shows it)"
    case .era: nil
    }
  }

  /// `thin_check`, `era_dump`
  func tool(_ job: String) -> String { "\(rawValue)_\(job)" }

  init?(superblockKind: BlockKind) {
    let targets = MetadataTarget.allCases.filter { $0.superblock.kind == superblockKind }
    guard let target = targets.first else { return nil }
    self = target
  }
}
