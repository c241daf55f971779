internal import ArgumentParser

/// A count as typed; version 0.9 took `2k` for 2048, and `2K` for 2000.
struct TypedCount: ExpressibleByArgument {
  let count: UInt64

  init?(argument: String) {
    if let count = UInt64(argument) {
      self.count = count
    } else if argument.last?.isNumber == false, let size = TypedSize(argument: argument) {
      count = size.bytes
    } else {
      return nil
    }
  }
}
