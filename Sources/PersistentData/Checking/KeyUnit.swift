/// What the keys of a site count, with the name used in JSON.
package enum KeyUnit: String, CaseIterable, Sendable {
  case device
  case virtualBlock = "virtual_block"
  case dataBlock = "data_block"
  case metadataBlock = "metadata_block"
  /// Bitmaps of a space map, from 0; each counts 16,320 blocks.
  case bitmap
  /// Blocks of an array, from 0.
  case arrayBlock = "array_block"
  case cacheBlock = "cache_block"
  case discardBlock = "discard_block"
  case originBlock = "origin_block"
  case era

  /// The singular name used in messages.
  var name: String { rawValue.replacing("_", with: " ") }
}
