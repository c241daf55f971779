internal import Glibc

/// A number for each block of a device, 0 until another is stored.
///
/// Owns raw memory, because the system hands that out zeroed, and only when it is first touched: a
/// table for the largest device costs next to nothing where little of the device is in use. It is
/// a value like an array, and asking for a block past the end traps as with an array.
@safe package struct BlockTable<Number: FixedWidthInteger & BitwiseCopyable & Sendable> {
  private let count: Int
  private var memory: Memory
  /// What `memory` owns, at hand without a look into it.
  private var numbers: UnsafeMutablePointer<Number>

  /// For a device of `count` blocks.
  package init(count: UInt64) { self.init(Int(count)) }

  private init(_ count: Int) {
    self.count = count
    let size = MemoryLayout<Number>.stride
    guard let zeroes = unsafe calloc(max(1, count), size) else {
      fatalError("no memory for a table of \(count) blocks")
    }
    memory = unsafe Memory(zeroes)
    // Zeroed bytes are a valid integer.
    unsafe numbers = zeroes.bindMemory(to: Number.self, capacity: max(1, count))
  }

  package var indices: Range<Int> { 0..<count }

  package subscript(block: Int) -> Number {
    get {
      precondition(block >= 0 && block < count)
      return withExtendedLifetime(memory) { unsafe numbers[block] }
    }
    set {
      precondition(block >= 0 && block < count)
      if !isKnownUniquelyReferenced(&memory) { makeCopy() }
      withExtendedLifetime(memory) { unsafe numbers[block] = newValue }
    }
  }

  @inline(never) private mutating func makeCopy() {
    let copy = BlockTable(count)
    withExtendedLifetime(memory) { unsafe copy.numbers.update(from: numbers, count: count) }
    self = copy
  }

  /// Frees the memory with the last table that refers to it.
  @safe private final class Memory {
    private let start: UnsafeMutableRawPointer
    init(_ start: UnsafeMutableRawPointer) { unsafe self.start = start }
    deinit { unsafe free(start) }
  }
}

// Only a table that alone refers to its memory writes there.
extension BlockTable: @unchecked Sendable {}
