/// Gives unused space back to a device.
package struct Trim: Sendable {
  /// The longest request, in bytes, so that progress can be seen and a failed request costs little.
  private static let largestRequest: UInt64 = 1 << 30
  /// The most retries of parts of failed requests.
  private static let maxRetries = 4096
  private static let maxFailures = 8

  package struct Outcome: Sendable {
    package fileprivate(set) var discardedBytes: UInt64 = 0
    package fileprivate(set) var failedBytes: UInt64 = 0
    /// The first ranges that could not be discarded, ascending, not touching.
    package fileprivate(set) var failed: [Range<UInt64>] = []
    /// Why the first of them failed.
    package fileprivate(set) var cause: IOError?

    fileprivate mutating func fail(_ range: Range<UInt64>, _ error: IOError) {
      if cause == nil { cause = error }
      failedBytes += range.upperBound - range.lowerBound
      failed.appendJoining(range)
      if failed.count > Trim.maxFailures { failed.removeLast() }
    }
  }

  private let device: DataDevice
  /// A failed request isn't split into parts smaller than this, in bytes.
  private let smallestRequest: UInt64
  /// Ascending, in bytes.
  package let ranges: [Range<UInt64>]

  /// `unused`: blocks of `blockBytes` each; all lie on the device.
  package init(_ device: DataDevice, unused: Bitset, blockBytes: UInt64) {
    self.device = device
    smallestRequest = max(1, blockBytes, device.discardLimits.granularityBytes)
    ranges = unused.ranges.map {
      $0.lowerBound * blockBytes..<($0.upperBound + 1) * blockBytes
    }
  }

  package var bytes: UInt64 { ranges.reduce(0) { $0 + $1.upperBound - $1.lowerBound } }

  /// What the device can take back: whole units of its granularity.
  package var effectiveBytes: UInt64 {
    ranges.reduce(0) { $0 + device.discardLimits.effectiveBytes(of: $1) }
  }

  /// Discards everything, one request after the other. A failed one is retried in halves, down to
  /// single blocks, so that everything is discarded but what the device refuses. A device that
  /// takes no discards at all is not asked again.
  package func run() -> Outcome {
    device.progress.begin("giving free space back", total: Int(bytes / Trim.progressUnit))
    var outcome = Outcome()
    var retriesLeft = Trim.maxRetries
    for range in ranges {
      var next = range.lowerBound
      while next < range.upperBound {
        // Requests end at multiples of the largest, so that none splits a unit of the granularity.
        let end = min(range.upperBound, (next / Trim.largestRequest + 1) * Trim.largestRequest)
        discard(next..<end, &outcome, &retriesLeft)
        if outcome.discardedBytes == 0, outcome.cause?.isUnsupported == true { return outcome }
        device.progress.advance(Int((end - next) / Trim.progressUnit))
        next = end
      }
    }
    return outcome
  }

  /// Recurses at most as deep as a request can be halved.
  private func discard(
    _ range: Range<UInt64>, _ outcome: inout Outcome, _ retriesLeft: inout Int
  ) {
    do throws(IOError) {
      try device.discard(range)
      outcome.discardedBytes += range.upperBound - range.lowerBound
    } catch {
      let middle = (range.lowerBound + range.upperBound) / 2 / smallestRequest * smallestRequest
      guard middle > range.lowerBound, retriesLeft > 1, !error.isUnsupported else {
        return outcome.fail(range, error)
      }
      retriesLeft -= 2
      discard(range.lowerBound..<middle, &outcome, &retriesLeft)
      discard(middle..<range.upperBound, &outcome, &retriesLeft)
    }
  }

  private static let progressUnit: UInt64 = 512
}
