import Foundation
import PersistentData
import TestSupport
import Testing
import ThinMetadata

/// A device taken back from an old state, and the new metadata with it.
struct Undelete {
  let recovery: Recovery
  let output: MetadataImage
  /// What came back.
  let back: [UInt64: Mapping]
  /// All that is there besides.
  let others: [UInt64: [UInt64: Mapping]]

  init(
    _ device: UInt64, from root: MetadataBlock, of image: MetadataImage, as newID: UInt64? = nil,
    overriding overrides: PoolOverrides = PoolOverrides()
  ) throws {
    let scratch = try Scratch()
    let input = try image.open(scratch, .read, .salvage, name: "input")
    let salvage = try Salvage(input, overriding: overrides)
    recovery = try Recovery(of: device, from: root, in: input, beside: salvage, as: newID)
    let size = (3 * image.blockCount + 64) * MetadataBlock.size
    let path = try scratch.blank("output", bytes: size)
    try recovery.restore(to: try BlockFile(path, .write))
    output = try MetadataImage(file: path)
    var all = output.mappings
    back = all.removeValue(forKey: recovery.device.id) ?? [:]
    others = all
  }

  func expectSound(_ place: Comment, allowing allowed: Set<Rule> = []) throws {
    let findings = try output.check().findings.sorted.filter {
      $0.rule.severity > .note && !allowed.contains($0.rule)
    }
    #expect(findings.isEmpty, "\(place): \(findings)")
  }
}

extension MetadataImage {
  /// Who maps each data block: the live devices' trees and the metadata snapshot's.
  var mappingsByDataBlock: [UInt64: [(key: UInt64, time: UInt32)]] {
    var lists = [superblock.mappingRoot]
    if superblock.heldRoot != 0 {
      lists.append(withBlock(superblock.heldRoot) { Superblock($0).mappingRoot })
    }
    let roots = lists.flatMap { leaves(below: $0) }.flatMap(\.values)
    let distinct = Set(roots.flatMap { leaves(below: $0) }.map(\.block))
    return distinct.reduce(into: [:]) { all, block in
      let leaf = node(block)
      for (key, value) in zip(leaf.keys, leaf.values) {
        let mapping = Mapping(value)
        all[mapping.dataBlock, default: []].append((key, mapping.time))
      }
    }
  }

  /// The mappings of an old tree, whose nodes may be gone: those below nodes that are sound, and
  /// hold keys between their parent's.
  func mappings(
    below root: UInt64, where isIn: (UInt64) -> Bool
  ) -> [UInt64: Mapping] {
    let isSound = withBlock(root) {
      BlockKind(of: $0) == .btreeNode && BTreeNode($0).isSound(in: MetadataBlock(UInt32(root)))
        && BTreeNode($0).valueSize == 8
    }
    guard isSound else { return [:] }
    let node = node(root)
    guard node.keys.allSatisfy(isIn) else { return [:] }
    if node.isLeaf {
      return Dictionary(uniqueKeysWithValues: zip(node.keys, node.values.map { Mapping($0) }))
    }
    return node.keys.indices.reduce(into: [:]) { all, index in
      let end = index + 1 < node.keys.count ? node.keys[index + 1] : nil
      let child = mappings(below: node.values[index]) { key in
        key >= node.keys[index] && (end.map { key < $0 } ?? true) && isIn(key)
      }
      all.merge(child) { first, _ in first }
    }
  }
}

/// Blocks as tests name them.
extension MetadataBlock: ExpressibleByIntegerLiteral {
  package init(integerLiteral number: UInt32) { self.init(number) }
}
