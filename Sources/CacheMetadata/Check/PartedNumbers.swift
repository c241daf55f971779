internal import Synchronization
internal import Threads

/// Many numbers, parted by their highest bits, to find those that occur more than once.
///
/// A part is small enough for a table of its numbers to stay in a core's cache: millions of
/// numbers in one table would cost a read from memory each.
///
/// Takes four bytes a number, and 256 a part.
package struct PartedNumbers: Sendable {
  /// Numbers of a part that are put away together.
  private static let chunk = 64
  private static let numbersPerPart: UInt64 = 1 << 12
  private static let partBits: ClosedRange<Int> = 1...14
  /// Places of the table that are passed for each number before sorting is the shorter way; there
  /// is less than one where numbers are spread.
  private static let mostSteps = 16

  /// The number of an origin block: of its lowest 32 bits, mixed so that neighbours and multiples
  /// spread over all parts.
  package static func number(of origin: UInt64) -> UInt32 {
    // Odd, so that no two of 32 bits become the same.
    UInt32(truncatingIfNeeded: origin) &* 0x9E37_79B1
  }

  /// Of a number: those below the highest, which tell the part.
  private let lowBits: Int
  private let pass: Int
  private let passes: Int
  /// By part, room for a chunk each, and how many numbers are there.
  private var waiting: [UInt32]
  private var waitingCounts: [Int]
  /// By part.
  private var chunks: [[[UInt32]]]

  /// Takes but every `passes`th part. `count`: how many numbers there may be.
  package init(expecting count: UInt64, pass: UInt64, of passes: UInt64) {
    let parts = count / PartedNumbers.numbersPerPart
    let bits = UInt64.bitWidth - parts.leadingZeroBitCount
    let possible = PartedNumbers.partBits
    let partBits = min(max(bits, possible.lowerBound), possible.upperBound)
    lowBits = UInt32.bitWidth - partBits
    self.pass = Int(pass)
    self.passes = Int(passes)
    waiting = Array(repeating: 0, count: PartedNumbers.chunk << partBits)
    waitingCounts = Array(repeating: 0, count: 1 << partBits)
    chunks = Array(repeating: [], count: 1 << partBits)
  }

  package mutating func insert(_ number: UInt32) {
    let part = Int(number &>> UInt32(lowBits))
    if passes > 1, part % passes != pass { return }
    let start = part * PartedNumbers.chunk
    let count = waitingCounts[part]
    waiting[start + count] = number
    if count + 1 < PartedNumbers.chunk {
      waitingCounts[part] = count + 1
    } else {
      chunks[part].append(Array(waiting[start...start + count]))
      waitingCounts[part] = 0
    }
  }

  /// The numbers that occur more than once in all these together, each as often as it was met
  /// again, in no particular order.
  package static func repeated(in all: [PartedNumbers]) -> [UInt32] {
    guard let first = all.first else { return [] }
    let next = Atomic(0)
    let found = Mutex<[UInt32]>([])
    Workers.run(min(Workers.coreCount, first.chunks.count)) {
      var repeated: [UInt32] = []
      var table: [UInt32] = []
      while true {
        let part = next.add(1, ordering: .relaxed).oldValue
        guard part < first.chunks.count else { break }
        PartedNumbers.collectRepeated(in: all, part, &table, &repeated)
      }
      found.withLock { $0 += repeated }
    }
    return found.withLock { $0 }
  }

  private static func collectRepeated(
    in all: [PartedNumbers], _ part: Int, _ table: inout [UInt32], _ repeated: inout [UInt32]
  ) {
    let count = all.reduce(0) { $0 + $1.chunks[part].count * chunk + $1.waitingCounts[part] }
    if count < 2 { return }
    // At most half full.
    let bits = min(Int.bitWidth - (2 * count - 1).leadingZeroBitCount, all[0].lowBits)
    let mask = (1 << bits) - 1
    let shift = UInt32(all[0].lowBits - bits)
    // A number of another part stands for none.
    let none = UInt32(part ^ 1) << UInt32(all[0].lowBits)
    table.removeAll(keepingCapacity: true)
    table += repeatElement(none, count: 1 << bits)
    let before = repeated.count
    // Numbers that were chosen for it lie next to each other, and are passed again and again.
    var stepsLeft = mostSteps * count
    forEachNumber(in: all, part) { number in
      var place = Int(number &>> shift) & mask
      while table[place] != none {
        if table[place] == number {
          repeated.append(number)
          return true
        }
        place = (place + 1) & mask
        stepsLeft -= 1
        if stepsLeft == 0 { return false }
      }
      table[place] = number
      return true
    }
    if stepsLeft > 0 { return }
    repeated.removeSubrange(before...)
    var sorted: [UInt32] = []
    forEachNumber(in: all, part) { number in
      sorted.append(number)
      return true
    }
    sorted.sort()
    for (number, next) in zip(sorted, sorted.dropFirst()) where number == next {
      repeated.append(number)
    }
  }

  /// Gives `body` all numbers of a part, until it returns `false`.
  private static func forEachNumber(
    in all: [PartedNumbers], _ part: Int, _ body: (UInt32) -> Bool
  ) {
    for numbers in all {
      for chunk in numbers.chunks[part] {
        for number in chunk where !body(number) { return }
      }
      let start = part * chunk
      for number in numbers.waiting[start..<start + numbers.waitingCounts[part]]
      where !body(number) {
        return
      }
    }
  }
}
