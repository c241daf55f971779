import PersistentData
import ThinMetadata

extension DamageCase {
  /// Sets a field of the superblock.
  private static func superblock<Value>(
    _ rule: Rule, _ name: String, _ field: Field<Value>, _ value: Value
  ) -> DamageCase {
    DamageCase(rule, name) { image in
      image.set(0, as: .thinSuperblock, field, to: value)
      return Site("superblock", order: 0)
    }
  }

  static let superblocks = [
    superblock(.superblockWrongMagic, "one off", Superblock.Layout.magic, Superblock.magic + 1),
    superblock(.superblockUnknownVersion, "3", Superblock.Layout.version, 3),
    superblock(.superblockUnknownVersion, "0", Superblock.Layout.version, 0),
    superblock(.superblockUnknownFlags, "flag 2", Superblock.Layout.flags, 2),
    superblock(.superblockUnknownFlags, "compat 1", Superblock.Layout.compatibleFlags, 1),
    superblock(.unsupportedFeatures, "incompat 1", Superblock.Layout.incompatibleFlags, 1),
    superblock(.unsupportedFeatures, "compat_ro 4", Superblock.Layout.readOnlyCompatibleFlags, 4),
    superblock(.dataBlockSizeInvalid, "none", Superblock.Layout.dataBlockSectors, 0),
    superblock(.dataBlockSizeInvalid, "no multiple", Superblock.Layout.dataBlockSectors, 129),
    superblock(
      .dataBlockSizeInvalid, "too large", Superblock.Layout.dataBlockSectors, 2_097_152 + 128),
    superblock(.metadataBlockSizeInvalid, "16", Superblock.Layout.metadataBlockSectors, 16),
    superblock(.blockWrongNumber, "a superblock in block 1", Superblock.Layout.block, 1),
    superblock(.poolTimeTooLarge, "one more than fits", Superblock.Layout.time, 1 << 24),
    DamageCase(.snapshotUnlikePool, "its time is later", of: held, entails: heldNotes) { image in
      let time = image.superblock.time
      image.set(
        image.superblock.heldRoot, as: .thinSuperblock, Superblock.Layout.time, to: time + 1)
      return Site("metadata snapshot", order: 1)
    },
    DamageCase(
      .snapshotUnlikePool, "its data blocks are larger", of: held, entails: heldNotes
    ) { image in
      let sectors = image.superblock.dataBlockSectors
      image.set(
        image.superblock.heldRoot, as: .thinSuperblock, Superblock.Layout.dataBlockSectors,
        to: 2 * sectors)
      return Site("metadata snapshot", order: 1)
    },
    DamageCase(
      .snapshotUnlikePool, "it has a space map", of: held, entails: heldNotes
    ) { image in
      let field = SpaceMapRoot.Layout.bitmapRoot.shifted(by: Superblock.Layout.dataSpaceMap)
      image.set(image.superblock.heldRoot, as: .thinSuperblock, field, to: 7)
      return Site("metadata snapshot", order: 1)
    },
    DamageCase(.metadataSizeInFuture, "formatted larger than it is") { image in
      image.set(
        0, as: .thinSuperblock, Superblock.Layout.metadataBlockCount,
        to: UInt64(image.blockCount) + 1)
      return Site("superblock", order: 0)
    },
  ]

  /// A metadata snapshot is held here, which is noted whatever else is.
  private static let held = "thin/metadata-snapshot"
  private static let heldNotes: Set = [Rule.metadataSnapshotHeld]

  /// Changes the details of the first device that the metadata snapshot has in a leaf of its own.
  private static func setHeldDetails(
    in image: inout MetadataImage, _ body: (inout DeviceDetails) -> Void
  ) -> Site {
    let copy = image.withBlock(image.superblock.heldRoot) { Superblock($0) }
    let leaf = image.leaves(below: copy.detailsRoot)[0]
    let offset = leaf.valueOffset(0)
    var details = image.details(in: leaf.block, at: offset)
    body(&details)
    image.edit(leaf.block, as: .btreeNode) { details.encode(into: &$0, at: offset) }
    return Site("metadata snapshot", order: 1, device: leaf.keys[0])
  }

  /// Where findings about a device as a whole are.
  private static func details(_ device: UInt64) -> Site {
    Site("details tree", order: 3, device: device)
  }

  private static func setDetails(
    _ device: UInt64, in image: inout MetadataImage, _ body: (inout DeviceDetails) -> Void
  ) {
    var details = image.details(device)
    body(&details)
    let (block, offset) = image.detailsPlace(device)
    image.edit(block, as: .btreeNode) { details.encode(into: &$0, at: offset) }
  }

  static let devices = [
    DamageCase(.deviceIDTooLarge, "both trees have an id of 25 bits") { image in
      let top = image.node(image.superblock.mappingRoot)
      let leaf = image.node(image.superblock.detailsRoot)
      let last = top.keys.count - 1
      image.set(top.block, as: .btreeNode, top.key(last), to: 1 << 24)
      image.set(leaf.block, as: .btreeNode, leaf.key(last), to: 1 << 24)
      return details(1 << 24)
    },
    DamageCase(.deviceWithoutDetails, "the last entry of the details tree is gone") { image in
      let leaf = image.node(image.superblock.detailsRoot)
      image.set(
        leaf.block, as: .btreeNode, BTreeNode.Layout.entryCount, to: UInt32(leaf.keys.count - 1))
      return details(leaf.keys[leaf.keys.count - 1])
    },
    DamageCase(
      .deviceWithoutMappings, "the last entry of the mapping tree is gone",
      entails: [.blockLeaked]
    ) { image in
      let leaf = image.node(image.superblock.mappingRoot)
      image.set(
        leaf.block, as: .btreeNode, BTreeNode.Layout.entryCount, to: UInt32(leaf.keys.count - 1))
      return details(leaf.keys[leaf.keys.count - 1])
    },
    DamageCase(.mappedBlocksWrong, "one more than there are") { image in
      let device = image.devices[1].id
      setDetails(device, in: &image) { $0.mappedBlocks += 1 }
      return details(device)
    },
    DamageCase(
      .dataBlockOutOfRange, "a mapping to the block after the last",
      entails: [.blockLeaked, .mappedBlocksWrong]
    ) { image in
      let place = try image.leafPlace
      let value = Mapping(dataBlock: image.superblock.dataSpaceMap.blockCount, time: 0).value
      image.set(place.leaf.block, as: .btreeNode, place.leaf.value(7), to: value)
      return place.site(entry: 7, keys: place.leaf.keys[7]...place.leaf.keys[7])
    },
    DamageCase(.mappingTimeInFuture, "a mapping made after the pool's last snapshot") { image in
      let place = try image.leafPlace
      let mapping = Mapping(place.leaf.values[7])
      let later = Mapping(dataBlock: mapping.dataBlock, time: image.superblock.time + 1)
      image.set(place.leaf.block, as: .btreeNode, place.leaf.value(7), to: later.value)
      return place.site(entry: 7, keys: place.leaf.keys[7]...place.leaf.keys[7])
    },
    DamageCase(.deviceTimeInFuture, "made after the pool's last snapshot") { image in
      let (device, time) = (image.devices[1].id, image.superblock.time)
      setDetails(device, in: &image) {
        $0.creationTime = time + 1
        $0.snapshottedTime = time + 1
      }
      return details(device)
    },
    DamageCase(.deviceTimesReversed, "made after its last snapshot", of: snapshots) { image in
      let (device, time) = (image.devices[1].id, image.superblock.time)
      setDetails(device, in: &image) {
        $0.creationTime = time
        $0.snapshottedTime = time - 1
      }
      return details(device)
    },
    DamageCase(
      .snapshottedTimeTooLow, "a snapshot's leaves are older than its last snapshot, and shared",
      of: manySnapshots
    ) { image in
      let shared = SharingModel(image).latestSharedTimes.sorted { $0.key < $1.key }
      guard let device = shared.first(where: { image.details($0.key).creationTime <= $0.value })
      else { throw NoSuchPlace() }
      setDetails(device.key, in: &image) { $0.snapshottedTime = device.value }
      return details(device.key)
    },
    DamageCase(
      .snapshottedTimeTooLow, "a block that two leaves lead to was mapped since the last snapshot",
      of: snapshots
    ) { image in
      let sharing = SharingModel(image)
      for (device, root) in image.devices {
        let time = image.details(device).snapshottedTime
        for leaf in image.leaves(below: root) where sharing.owners(ofLeaf: leaf.block).count == 1 {
          let mappings = leaf.values.map { Mapping($0) }
          guard let index = mappings.firstIndex(where: sharing.isShared) else { continue }
          let later = Mapping(dataBlock: mappings[index].dataBlock, time: time)
          image.set(leaf.block, as: .btreeNode, leaf.value(index), to: later.value)
          return details(device)
        }
      }
      throw NoSuchPlace()
    },
    DamageCase(
      .mappedBlocksWrong, "in the metadata snapshot alone", of: held, entails: heldNotes
    ) { image in setHeldDetails(in: &image) { $0.mappedBlocks += 1 } },
    DamageCase(.transactionInFuture, "made after the pool's transaction") { image in
      let (device, transaction) = (image.devices[1].id, image.superblock.transactionID)
      setDetails(device, in: &image) { $0.transactionID = transaction + 1 }
      return details(device)
    },
  ]

  static let notes = [
    DamageCase(
      .countsNotJudged, "a leaf is gone, and what it led to", entails: [.blockBadChecksum]
    ) { image in
      image.zero(try image.leafPlace.leaf.block)
      return Site("pool", order: 7)
    },
    superblock(.needsCheck, "the kernel set the flag", Superblock.Layout.flags, 1),
    DamageCase(
      .metadataSnapshotHeld, "as the kernel made it", of: "thin/metadata-snapshot"
    ) { _ in Site("metadata snapshot", order: 1) },
    DamageCase(
      .metadataFull, "as the kernel made it", of: "thin/metadata-full-create"
    ) { _ in Site("pool", order: 7) },
    DamageCase(
      .metadataNearlyFull, "a full device grown a little", of: "thin/metadata-full-create"
    ) { image in
      image = MetadataImage(
        image.bytes + [UInt8](repeating: 0, count: 22 * MetadataBlock.size))
      let count = UInt64(image.blockCount)
      image.editRoot(of: image.metadataMap) { $0.blockCount = count }
      return Site("pool", order: 7)
    },
    DamageCase(
      .formerDevices, "an old leaf of details in a free block", of: "thin/fresh"
    ) { image in
      let other = try MetadataImage(kernel: plain)
      let leaf = other.superblock.detailsRoot
      let block = UInt64(image.blockCount - 1)
      image.edit(block, as: .btreeNode) { bytes in
        other.withBlock(leaf) { node in
          for offset in stride(from: 0, to: MetadataBlock.size, by: 8) {
            bytes[Field<UInt64>(at: offset)] = node[Field<UInt64>(at: offset)]
          }
        }
        bytes[BTreeNode.Layout.block] = block
      }
      return Site("pool", order: 7)
    },
    DamageCase(.dataFull, "as the kernel made it", of: "thin/data-full") { _ in
      Site("pool", order: 7)
    },
  ]
}
