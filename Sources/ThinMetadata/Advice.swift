internal import PersistentData

/// What a person should know after a check, and do next: plain sentences, a line each.
package struct Advice: Sendable {
  package let lines: [String]

  /// `input`: the device or file as the person named it.
  package init(_ report: CheckReport, input: String) {
    let findings = report.findings
    var lines: [String] = []
    if let summary = Advice.summary(findings) { lines.append(summary) }
    lines += Advice.affected(report)
    if findings.worst == .error {
      lines += Advice.forErrors(report, input)
    } else if findings.worst == .leak {
      lines.append(
        "Nothing but space is at risk. 'thin_check --auto-repair \(input)' gives it back.")
    } else if report.superblock?.needsCheck == true {
      lines.append(
        "The metadata is sound. 'thin_check --clear-needs-check-flag \(input)' lets the pool be "
          + "written again.")
    }
    if findings.counts[.metadataFull] != nil || findings.counts[.metadataNearlyFull] != nil {
      lines.append(
        "Make room for metadata before the pool stops: 'lvextend --poolmetadatasize +SIZE VG/POOL'.")
    }
    if findings.counts[.dataFull] != nil {
      lines.append(
        "Writes to unmapped blocks fail, and file systems may have seen errors: 'lvextend --size "
          + "+SIZE VG/POOL' adds data space.")
    }
    self.lines = lines
  }

  /// How many findings of each severity; `nil` when there are none but notes.
  private static func summary(_ findings: Findings) -> String? {
    let parts = [Severity.error, .leak, .warning].compactMap { severity -> String? in
      let count = findings.count(severity)
      return count == 0 ? nil : "\(count) \(severity.name)\(count == 1 ? "" : "s")"
    }
    return parts.isEmpty ? nil : "Found \(parts.joined(separator: ", "))."
  }

  private static func affected(_ report: CheckReport) -> [String] {
    let sectors = UInt64(report.superblock?.dataBlockSectors ?? 0)
    let most = 20
    var lines = report.damage.prefix(most).map { damage in
      "Device \(damage.device): \(KeyRanges.text(damage.lost, sectorsPerBlock: sectors)) can't be read."
    }
    if report.damage.count > most {
      lines.append("\(report.damage.count - most) more devices have mappings that can't be read.")
    }
    return lines
  }

  private static func forErrors(_ report: CheckReport, _ input: String) -> [String] {
    guard report.superblock != nil else {
      return [
        "There is no superblock to start from. If this is the right device, 'thin_repair -i \(input) "
          + "-o NEW' looks for the pool in its other blocks."
      ]
    }
    var lines: [String] = []
    let unreadable: [Rule] = [.blockUnreadable, .blockBadChecksum, .blockWrongKind]
    if report.damage.isEmpty, unreadable.allSatisfy({ report.findings.counts[$0] == nil }) {
      lines.append("Every mapping can be read.")
    }
    lines += [
      "Don't activate the pool. Keep a copy of this metadata, then write new metadata from what is "
        + "sound:",
      "  thin_repair -i \(input) -o NEW        ('--dry-run' is not needed: the input is only read)",
      "  with LVM: lvconvert --repair VG/POOL   (keep the old metadata, VG/POOL_metaN, until your "
        + "data is checked)",
    ]
    return lines
  }
}

/// Ranges of virtual blocks in words.
package enum KeyRanges {
  /// `sectorsPerBlock`: to give sizes in bytes as well; 0 when unknown.
  package static func text(_ ranges: [ClosedRange<UInt64>], sectorsPerBlock: UInt64) -> String {
    let shown = 4
    var parts = ranges.prefix(shown).map { range -> String in
      if range == 0...UInt64.max { return "all virtual blocks" }
      if range.upperBound == .max { return "virtual blocks from \(range.lowerBound) on" }
      let count = range.upperBound - range.lowerBound + 1
      let size = count.multipliedReportingOverflow(by: sectorsPerBlock * 512)
      let bytes = size.overflow || sectorsPerBlock == 0 ? "" : " (\(ByteCount.text(size.partialValue)))"
      return "virtual blocks \(range.lowerBound)..\(range.upperBound)\(bytes)"
    }
    if ranges.count > shown { parts.append("\(ranges.count - shown) more ranges") }
    return parts.joined(separator: ", ")
  }
}

/// Sizes in words.
package enum ByteCount {
  /// In the largest binary unit that leaves at least 1, with one decimal.
  package static func text(_ bytes: UInt64) -> String {
    var unit = 0
    var rest = bytes
    while rest >= 1024 * 10, unit < 5 {
      rest /= 1024
      unit += 1
    }
    return "\(rest) \(["bytes", "KiB", "MiB", "GiB", "TiB", "PiB"][unit])"
  }
}
