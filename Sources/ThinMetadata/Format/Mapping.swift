internal import PersistentData

/// What a mapping tree stores for a virtual block: the data block that holds its contents, and
/// the pool's time when it was mapped.
///
/// Source: Linux, drivers/md/dm-thin-metadata.c, `pack_block_time`.
package struct Mapping: Hashable, Sendable {
  /// Bits of the time; the data block has the 40 above them.
  package static let timeBits: UInt64 = 24
  package static let timeMaximum: UInt32 = (1 << 24) - 1
  package static let dataBlockMaximum: UInt64 = (1 << 40) - 1
  /// Bytes in the tree's values.
  package static let valueSize = 8

  package let dataBlock: UInt64
  package let time: UInt32

  package init(dataBlock: UInt64, time: UInt32) {
    self.dataBlock = dataBlock
    self.time = time
  }

  package init(_ value: UInt64) {
    dataBlock = value >> Mapping.timeBits
    time = UInt32(value & UInt64(Mapping.timeMaximum))
  }

  /// The highest data block and the latest time in values as a leaf stores them.
  static func bounds(of values: Span<UInt64>) -> Mapping {
    var highest: UInt64 = 0
    var latest: UInt64 = 0
    for index in values.indices {
      let value = UInt64(littleEndian: values[index])
      highest = max(highest, value)
      latest = max(latest, value & UInt64(timeMaximum))
    }
    return Mapping(dataBlock: Mapping(highest).dataBlock, time: UInt32(latest))
  }

  package var value: UInt64 { dataBlock << Mapping.timeBits | UInt64(time) }
}

/// Consecutive virtual blocks that are mapped to as many consecutive data blocks at one time.
package struct MappingRun: Hashable, Joinable, Sendable {
  package var virtualBegin: UInt64
  package var dataBegin: UInt64
  package var length: UInt64
  package var time: UInt32

  package init(virtualBegin: UInt64, dataBegin: UInt64, length: UInt64, time: UInt32) {
    self.virtualBegin = virtualBegin
    self.dataBegin = dataBegin
    self.length = length
    self.time = time
  }

  package var dataBlocks: Range<UInt64> { dataBegin..<dataBegin + length }

  /// The last virtual block of the run.
  package var virtualLast: UInt64 { virtualBegin + (length - 1) }

  /// A single mapping.
  package init(_ key: UInt64, _ mapping: Mapping) {
    self.init(
      virtualBegin: key, dataBegin: mapping.dataBlock, length: 1, time: mapping.time)
  }

  /// Takes `next` in if it comes right after this run: at the same time, and both its virtual and
  /// its data blocks go on.
  package mutating func join(_ next: MappingRun) -> Bool {
    guard next.virtualBegin &- virtualBegin == length, next.dataBegin == dataBegin + length,
      next.time == time
    else { return false }
    length += next.length
    return true
  }
}
