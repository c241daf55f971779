import PersistentData
import Testing

/// Which findings people are told of, and in which order.
@Suite struct FindingLinesTests {
  private func lines(_ findings: Findings) -> [String] { findings.lines(\.description) }

  private func site(_ order: Int, _ block: UInt64) -> Site {
    Site("structure \(order)", order: order, block: block)
  }

  @Test func `the cause comes before a flood of what follows from it, and is never lost`() {
    var findings = Findings()
    for block in 0..<5000 as Range<UInt64> {
      findings.report(.childOutOfDevice, at: site(1, block))
    }
    findings.report(.blockBadChecksum, at: site(4, 77))
    for block in 0..<5000 as Range<UInt64> { findings.report(.bitmapMissing, at: site(2, block)) }
    #expect(
      lines(findings) == [
        "error: structure 4, block 77: bad checksum",
        "error: structure 1, block 0: a pointer leads off the device, and 4999 more like this",
        "error: structure 2, block 0: the index has no bitmap for these blocks, and 4999 more like "
          + "this",
      ])
  }

  @Test func `a few that are alike are told one by one`() {
    var findings = Findings()
    for block in 0..<8 as Range<UInt64> { findings.report(.keysNotAscending, at: site(1, block)) }
    #expect(lines(findings).count == 8)
    findings.report(.keysNotAscending, at: site(1, 8))
    #expect(
      lines(findings) == [
        "error: structure 1, block 0: keys do not ascend, and 8 more like this"
      ])
    // Elsewhere it is another matter.
    findings.report(.keysNotAscending, at: site(2, 0))
    #expect(lines(findings).count == 2)
  }

  @Test func `of very many damaged blocks the last line tells how many more there are`() {
    var findings = Findings()
    for block in 0..<3000 as Range<UInt64> {
      findings.report(.blockBadChecksum, at: site(1, block))
    }
    let lines = lines(findings)
    #expect(lines.count == 100)
    #expect(
      lines.last?.hasSuffix("block 99: bad checksum, and 2900 more like this")
        == true)
  }

  @Test func `every rule that is a cause is an error`() {
    for rule in Rule.allCases where rule.entry.isCause { #expect(rule.severity == .error) }
    // What fails a check calls for action whatever the table says.
    for rule in Rule.allCases where rule.severity > .warning { #expect(rule.entry.callsForAction) }
  }
}
