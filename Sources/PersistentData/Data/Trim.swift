/// Gives space that nobody needs back to a device.
package struct Trim: Sendable {
  /// A single request is at most this long, so that progress can be seen and a request that fails
  /// costs little.
  private static let largestRequest: UInt64 = 1 << 30
  private static let mostFailures = 8

  package struct Outcome: Sendable {
    package fileprivate(set) var discardedBytes: UInt64 = 0
    package fileprivate(set) var failedBytes: UInt64 = 0
    /// The first requests that failed.
    package fileprivate(set) var failed: [Range<UInt64>] = []
    /// Why the first of them did.
    package fileprivate(set) var cause: IOError?
  }

  private let device: DataDevice
  /// Ascending, in bytes.
  package let ranges: [Range<UInt64>]

  /// `unused`: blocks of `blockBytes` each; all lie on the device.
  package init(_ device: DataDevice, unused: Bitset, blockBytes: UInt64) {
    self.device = device
    ranges = unused.ranges.map {
      $0.lowerBound * blockBytes..<($0.upperBound + 1) * blockBytes
    }
  }

  package var bytes: UInt64 { ranges.reduce(0) { $0 + $1.upperBound - $1.lowerBound } }

  /// What the device can take back: whole pieces of its granularity.
  package var effectiveBytes: UInt64 {
    ranges.reduce(0) { $0 + device.discardLimits.effectiveBytes(of: $1) }
  }

  /// Discards everything, one request after the other. One that fails is noted, and the next is
  /// made; a device that refuses the very first is not asked again.
  package func run() -> Outcome {
    device.progress.begin(
      "giving free space back", total: Int(bytes / Trim.progressUnit))
    var outcome = Outcome()
    for range in ranges {
      var next = range.lowerBound
      while next < range.upperBound {
        // Requests end at round places, so that none cuts a piece of the device's granularity.
        let end = min(range.upperBound, (next / Trim.largestRequest + 1) * Trim.largestRequest)
        do throws(IOError) {
          try device.discard(next..<end)
          outcome.discardedBytes += end - next
        } catch {
          outcome.failedBytes += end - next
          if outcome.failed.count < Trim.mostFailures { outcome.failed.append(next..<end) }
          if outcome.cause == nil { outcome.cause = error }
          if outcome.discardedBytes == 0, error.isUnsupported { return outcome }
        }
        device.progress.advance(Int((end - next) / Trim.progressUnit))
        next = end
      }
    }
    return outcome
  }

  private static let progressUnit: UInt64 = 512
}
