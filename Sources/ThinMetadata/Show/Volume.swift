internal import PersistentData

extension PoolPicture {
  /// A thin device.
  package struct Volume: Sendable {
    package let id: UInt64
    /// What LVM calls it, or `device N`.
    package let name: String
    package let details: DeviceDetails?
    /// As thin_ls counts; `nil` where damage hides some.
    package let mapped: UInt64?
    /// Blocks that no other device maps.
    package let alone: UInt64?
    /// Mappings that can be read; `nil` for volumes that are not told apart.
    package let readable: UInt64?
    package let pieces: UInt64
    /// Whether all of its mappings can be read.
    package let isWhole: Bool
    /// The device that it is a snapshot of, as far as sharing and times tell: a place in `volumes`.
    package let origin: Int?

    /// `nil` where not all mappings can be read.
    package var meanPiece: UInt64? {
      mapped.map { pieces == 0 ? 0 : ($0 + pieces / 2) / pieces }
    }
  }
}

extension PoolPicture.Volume {
  init(
    _ device: ListedDevice, _ index: Int, _ survey: SharingSurvey, _ reader: PoolReader,
    _ history: PoolPicture.History, isWhole: Bool, origin: Int?
  ) {
    id = device.id
    name = device.name ?? "device \(device.id)"
    details = device.details
    mapped = device.counts?.mapped
    alone = device.counts?.exclusive
    self.isWhole = isWhole
    let mappings = history.mappings[index]
    readable = mappings.isEmpty && mapped != 0 ? nil : mappings.reduce(0, +)
    pieces = reader.devices[index].root.map { survey.pieces.count(below: $0, reader.mappings) } ?? 0
    self.origin = origin
  }
}
