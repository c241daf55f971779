package import PersistentData

/// What the keys of a finding's place count, by the name that programs see.
package enum KeyUnit: String, CaseIterable, Sendable {
  case device
  case virtualBlock = "virtual_block"
  case dataBlock = "data_block"
  case metadataBlock = "metadata_block"
  /// Bitmaps of a space map, from 0; each counts 16,320 blocks.
  case bitmap

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
