internal import PersistentData

extension Grafting {
  /// Gives trees back to the devices whose entry is lost.
  mutating func adopt(
    _ orphans: [Deficits.Candidate], _ pool: inout PoolReading, _ census: BlockCensus
  ) {
    var adoption = Adoption(orphans, pool, census)
    adoption.match()
    pool.reader.devices = adoption.devices
    adopted = (adopted + adoption.adopted).sorted()
    keepMadeUpDevices(adoption.rest, &pool.reader, avoiding: adoption.oldIDs)
  }

  /// A tree in use that can't be matched is kept under an id of its own, so that its blocks are
  /// not given out again.
  ///
  /// A snapshot starts with its origin's tree. When one of the two is first written to, it gets a
  /// new tree, most often of the same size, and then only a list of devices written since tells
  /// which one: trees, details and mappings look the same for both.
  ///
  /// `known`: ids that devices once had, and some may still have.
  private mutating func keepMadeUpDevices(
    _ blocks: [MetadataBlock], _ reader: inout PoolReader, avoiding known: Set<UInt64>
  ) {
    var id = DeviceDetails.deviceIDMaximum
    let taken = known.union(reader.devices.map(\.id))
    for block in blocks {
      while taken.contains(id), id > 0 { id -= 1 }
      guard id > 0 else { return }
      reader.devices.append(ThinDevice(id: id, root: block, details: nil))
      madeUpDevices.append(id)
      id -= 1
    }
    reader.devices.sort { $0.id < $1.id }
  }
}
