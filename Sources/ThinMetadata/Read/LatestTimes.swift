/// The two latest times that leaves and devices of a pool have, each counted once: a time that only
/// one of them has can be damaged.
package struct LatestTimes: Sendable {
  package private(set) var latest: UInt32 = 0
  /// The latest of all others.
  package private(set) var second: UInt32 = 0

  init() {}

  /// Those of devices alone. A time that no mapping has room for was never the pool's.
  init(of devices: [ThinDevice]) {
    for details in devices.compactMap(\.details) {
      let times = [details.creationTime, details.snapshottedTime]
      note(times.filter { $0 <= Mapping.timeMaximum }.max() ?? 0)
    }
  }

  /// Takes in the latest time of one more leaf or device.
  mutating func note(_ time: UInt32) {
    if time > latest {
      (latest, second) = (time, latest)
    } else {
      second = max(second, time)
    }
  }

  mutating func merge(_ other: LatestTimes) {
    note(other.latest)
    note(other.second)
  }

  /// The latest time as far as another one bears it out: at most one more than the second.
  var borneOut: UInt32 { second < latest ? second + 1 : latest }
}
