/// Bytes of the data device, and where devices have them.
package struct FoundPlaces: Sendable {
  package struct User: Hashable, Sendable {
    package let device: UInt64
    /// In the device.
    package let byte: UInt64
  }

  package struct Place: Hashable, Sendable {
    package let byte: UInt64
    /// By device.
    package let users: [User]
  }

  package let places: [Place]

  /// `bytes`: of the data device, in blocks that `map` asks about.
  package init(_ bytes: [UInt64], _ map: inout ReverseMap, blockSize: UInt64) {
    let size = max(1, blockSize)
    var users: [UInt64: [User]] = [:]
    for byte in bytes { users[byte] = [] }
    let wanted = users.keys.sorted()
    map.forEachRun { run in
      for byte in wanted where byte / size >= run.dataBegin && byte / size < run.dataEnd {
        let block = run.virtualBegin &+ (byte / size - run.dataBegin)
        users[byte]?.append(User(device: run.device, byte: block &* size &+ byte % size))
      }
    }
    places = bytes.map { byte in
      Place(
        byte: byte,
        users: users[byte, default: []].sorted { ($0.device, $0.byte) < ($1.device, $1.byte) })
    }
  }
}
