import Foundation
import PersistentData
import TestSupport
import Testing
import ThinMetadata

/// A damaged image, what was salvaged of it, and the new metadata written from that.
struct Rescue {
  let salvage: Salvage
  let output: MetadataImage

  /// Repairs `image` into a device large enough. Throws what the repair throws.
  init(
    _ image: MetadataImage, overriding overrides: PoolOverrides = PoolOverrides(),
    accepting acceptance: Provenance = .proven, dropsOverwritten: Bool = false
  ) throws {
    let scratch = try Scratch()
    let input = try image.open(scratch, .read, .salvage, name: "input")
    salvage = try Salvage(
      input, overriding: overrides, accepting: acceptance, dropsOverwritten: dropsOverwritten)
    let size = (2 * image.blockCount + 64) * MetadataBlock.size
    let path = try scratch.blank("output", bytes: size)
    try salvage.restore(to: try BlockFile(path, .write))
    output = try MetadataImage(file: path)
  }

  /// Repairs an image whose superblock is lost; a person knows the sizes.
  init(
    withoutSuperblock image: MetadataImage, sizedLike other: MetadataImage? = nil,
    keepingBlock0: Bool = false
  ) throws {
    let superblock = (other ?? image).superblock
    var overrides = PoolOverrides()
    overrides.dataBlockSectors = superblock.dataBlockSectors
    overrides.dataBlockCount = superblock.dataSpaceMap.blockCount
    var damaged = image
    if !keepingBlock0 { damaged.zero(0) }
    try self.init(damaged, overriding: overrides)
  }

  /// New metadata has to be sound, whatever was wrong with the old.
  func expectSound(_ place: Comment, allowing allowed: Set<Rule> = []) throws {
    let findings = try output.check().findings.sorted.filter {
      $0.rule.severity > .note && !allowed.contains($0.rule)
    }
    #expect(findings.isEmpty, "\(place): \(findings)")
  }
}

/// Mappings as far as they matter: which data block, and how new. A mapping that is older than it
/// was is safe; at most it makes the kernel copy a block that is not shared.
func isTrue(_ mappings: [UInt64: Mapping], to known: [UInt64: Mapping]) -> Bool {
  mappings.allSatisfy { key, mapping in
    known[key].map { $0.dataBlock == mapping.dataBlock && $0.time >= mapping.time } ?? false
  }
}

extension MetadataImage {
  /// What can be reached when `lost` can't be read: devices from both trees, with the mappings
  /// whose leaves are reached. A device is there when either tree has it.
  func mappings(without lost: Set<UInt64>) -> [UInt64: [UInt64: Mapping]] {
    var reached: [UInt64: [UInt64: Mapping]] = [:]
    for leaf in leaves(below: superblock.detailsRoot, without: lost) {
      for device in leaf.keys { reached[device] = [:] }
    }
    for top in leaves(below: superblock.mappingRoot, without: lost) {
      for (device, root) in zip(top.keys, top.values) {
        reached[device] = leaves(below: root, without: lost).reduce(into: [:]) { all, leaf in
          for (key, value) in zip(leaf.keys, leaf.values) { all[key] = Mapping(value) }
        }
      }
    }
    return reached
  }

  private func leaves(below root: UInt64, without lost: Set<UInt64>) -> [ImageNode] {
    if lost.contains(root) { return [] }
    let node = node(root)
    return node.isLeaf ? [node] : node.values.flatMap { leaves(below: $0, without: lost) }
  }

  /// Blocks that the metadata space map calls allocated, but for the superblock.
  var allocatedBlocks: [UInt64] {
    let map = metadataMap
    return (1..<blockCount).filter { count($0, in: map) > 0 }.map(UInt64.init)
  }

  var allDetails: [UInt64: DeviceDetails] {
    devices.reduce(into: [:]) { $0[$1.id] = details($1.id) }
  }
}
