internal import Glibc

/// A number for each block of a device, 0 until another is stored.
///
/// Owns memory mapped straight from the system, which zeroes it, provides each page when it is
/// first touched and takes it back at once: a table for the largest device costs little where
/// little of the device is in use. malloc would hold on to freed memory. It is a value like an
/// array, and asking for a block past the end traps, too.
@safe package struct BlockTable<Number: FixedWidthInteger & BitwiseCopyable & Sendable> {
  private let count: Int
  private var memory: Memory
  /// What `memory` owns, without an indirection.
  private var numbers: UnsafeMutablePointer<Number>

  /// For a device of `count` blocks.
  package init(count: UInt64) { self.init(Int(count)) }

  private init(_ count: Int, isDense: Bool = false) {
    self.count = count
    let byteCount = max(1, count) * MemoryLayout<Number>.stride
    guard let memory = Memory(byteCount: byteCount, isDense: isDense) else {
      fatalError("no memory for a table of \(count) blocks")
    }
    self.memory = memory
    // Zeroed bytes are a valid integer.
    unsafe numbers = memory.start.bindMemory(to: Number.self, capacity: max(1, count))
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

  /// Memory that is freed with the last table that refers to it.
  @safe private final class Memory {
    let start: UnsafeMutableRawPointer
    private let byteCount: Int

    /// `isDense`: whether most of it will be touched, in no order. Then large pages are asked for:
    /// with small ones, each access would wait for a page table too.
    init?(byteCount: Int, isDense: Bool) {
      let flags = MAP_PRIVATE | MAP_ANONYMOUS
      let start = unsafe mmap(nil, byteCount, PROT_READ | PROT_WRITE, flags, -1, 0)
      guard let start = unsafe start, unsafe start != MAP_FAILED else { return nil }
      unsafe self.start = start
      self.byteCount = byteCount
      if isDense { _ = unsafe madvise(start, byteCount, MADV_HUGEPAGE) }
    }

    deinit { unsafe munmap(start, byteCount) }
  }
}

extension BlockTable where Number == UInt64 {
  /// A table of bits, 64 a word, that will be touched in no order.
  package init(bitCount: UInt64) { self.init(Int((bitCount + 63) / 64), isDense: true) }

  package func hasBit(_ bit: UInt64) -> Bool { self[Int(bit / 64)] >> (bit % 64) & 1 == 1 }

  /// Sets bits, and returns those that were already set.
  package mutating func setBits(_ bits: Span<UInt32>) -> [UInt32] {
    if !isKnownUniquelyReferenced(&memory) { makeCopy() }
    let end = 64 * count
    var before: [UInt32] = []
    for index in bits.indices {
      let bit = Int(bits[index])
      precondition(bit < end)
      let mask: UInt64 = 1 << UInt64(bit % 64)
      if unsafe numbers[bit / 64] & mask != 0 { before.append(bits[index]) }
      unsafe numbers[bit / 64] |= mask
    }
    return before
  }
}

// A table writes to its memory only if no other table refers to it.
extension BlockTable: @unchecked Sendable {}
