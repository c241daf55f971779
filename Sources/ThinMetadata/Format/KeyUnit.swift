package import PersistentData

extension Finding {
  /// The finding as people read it: keys are called what they count.
  package var line: String { text(keyName: KeyUnit(of: self)?.name ?? "key") }
}

/// What the keys of a finding's place count, by the name that programs see.
package enum KeyUnit: String, CaseIterable, Sendable {
  case device
  case virtualBlock = "virtual_block"
  case dataBlock = "data_block"
  case metadataBlock = "metadata_block"
  /// Bitmaps of a space map, from 0; each counts 16,320 blocks.
  case bitmap

  /// The name that people see, of one of them.
  var name: String { rawValue.replacing("_", with: " ") }

  /// `nil` where the place is no part of a tree or a space map.
  package init?(of finding: Finding) {
    let isIndex =
      finding.rule == .bitmapSuperfluous || finding.site.structure.hasSuffix(" index")
    switch finding.site.order {
    case PoolReader.Structure.topLevel.order, PoolReader.Structure.details.order: self = .device
    case PoolReader.Structure.mapping.order: self = .virtualBlock
    case PoolReader.Structure.dataSpaceMapOrder: self = isIndex ? .bitmap : .dataBlock
    case PoolReader.Structure.metadataSpaceMapOrder: self = isIndex ? .bitmap : .metadataBlock
    default: return nil
    }
  }
}
