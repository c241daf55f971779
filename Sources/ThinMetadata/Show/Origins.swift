internal import PersistentData

/// Which device each is a snapshot of. No pool stores that; it is inferred from times and sharing.
///
/// Taking a snapshot raises the pool's time, and gives that time to the snapshot and to its origin.
/// So an origin is older and was snapshotted then or later; if then, it is certainly the origin. If
/// several were snapshotted later, the snapshot has all that the origin had by that time, except
/// what was written or discarded in the snapshot since.
struct Origins {
  /// The most counts that are added up; in pools with more, sharing alone has to decide.
  private static let maxCounts = 4_000_000

  private let devices: [ThinDevice]
  private let sharing: ArraySlice<PoolPicture.Sharers>
  /// By device: mappings by time, ascending.
  private var written: [[(time: UInt32, count: UInt64)]]

  init(_ devices: [ThinDevice], _ survey: SharingSurvey, _ sharing: [PoolPicture.Sharers]) {
    self.devices = devices
    // The largest sets decide; the more devices, the fewer sets are looked at, to stay quick.
    self.sharing = sharing.prefix(max(64, 4_000_000 / max(1, devices.count * devices.count)))
    written = Array(repeating: [], count: devices.count)
    if survey.times.count * survey.told.count > Origins.maxCounts { return }
    var times: [[UInt32: UInt64]] = Array(repeating: [:], count: devices.count)
    for (key, count) in survey.times where key.set != SharerSets.tooMany {
      for member in survey.sets.members(Int(key.set)) where member < survey.others {
        times[survey.told[member]][key.time, default: 0] += count
      }
    }
    written = times.map { $0.sorted { $0.key < $1.key }.map { ($0.key, $0.value) } }
  }

  /// The origin of a device: a place among the devices.
  func origin(of index: Int) -> Int? {
    guard let time = devices[index].details?.creationTime, time > 0 else { return nil }
    let common = common(index, before: time)
    if let certain = common.keys.first(where: { devices[$0].details?.snapshottedTime == time }) {
      return certain
    }
    // A device with little in common may lack little, too, so it is left out.
    let highest = common.values.max() ?? 0
    return common.filter { $0.value * 2 >= highest }.min { one, other in
      (lacked(of: one.key, one.value, time), other.value, one.key)
        < (lacked(of: other.key, other.value, time), one.value, other.key)
    }?.key
  }

  /// Blocks that a device shares with each possible origin.
  private func common(_ index: Int, before time: UInt32) -> [Int: UInt64] {
    var common: [Int: UInt64] = [:]
    for set in sharing where set.volumes.contains(sorted: index) {
      for other in set.volumes where other != index {
        guard let details = devices[other].details, details.creationTime < time,
          details.snapshottedTime >= time
        else { continue }
        common[other, default: 0] += set.blocks
      }
    }
    return common
  }

  /// How many of the blocks that a device had before a time are not among the common ones.
  private func lacked(of index: Int, _ common: UInt64, _ time: UInt32) -> UInt64 {
    let had = written[index].prefix { $0.time < time }.reduce(0) { $0 + $1.count }
    return had - min(had, common)
  }
}

extension [Int] {
  /// Whether an ascending list has a number.
  fileprivate func contains(sorted number: Int) -> Bool {
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if self[middle] < number { low = middle + 1 } else { high = middle }
    }
    return low < count && self[low] == number
  }
}
