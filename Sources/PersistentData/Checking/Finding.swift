/// Where something was found, from large to small. Unknown parts are left out.
package struct Site: Hashable, Sendable {
  package var label: StructureLabel
  package var device: UInt64?
  package var block: UInt64?
  /// Index within the block, from 0.
  package var entry: Int?
  /// The keys concerned: virtual blocks in a mapping tree, blocks in a space map.
  package var keys: ClosedRange<UInt64>?

  package init(
    _ label: StructureLabel, device: UInt64? = nil, block: UInt64? = nil, entry: Int? = nil,
    keys: ClosedRange<UInt64>? = nil
  ) {
    self.label = label
    self.device = device
    self.block = block
    self.entry = entry
    self.keys = keys
  }
}

extension Site {
  package init(
    _ structure: String, order: Int = 0, device: UInt64? = nil, block: UInt64? = nil,
    entry: Int? = nil, keys: ClosedRange<UInt64>? = nil
  ) {
    self.init(
      StructureLabel(structure, order: order), device: device, block: block, entry: entry,
      keys: keys)
  }

  /// The structure's name in messages: "mapping tree", "data space map".
  package var structure: String { label.name }
}

extension Site: CustomStringConvertible {
  package var description: String {
    let keyName = label.keyUnit?.name ?? "key"
    var text = structure
    if let device { text += ", device \(device)" }
    if let block { text += ", block \(block)" }
    if let entry { text += ", entry \(entry)" }
    if let keys, keys != 0...UInt64.max {
      if keys.lowerBound == keys.upperBound {
        text += ", \(keyName) \(keys.lowerBound)"
      } else if keys.upperBound == .max {
        text += ", \(keyName)s from \(keys.lowerBound) on"
      } else {
        text += ", \(keyName)s \(keys.lowerBound)..\(keys.upperBound)"
      }
    }
    return text
  }
}

/// One thing that is wrong, or worth knowing: the rule, the place and the evidence.
package struct Finding: Hashable, Sendable {
  package let rule: Rule
  package let site: Site
  /// What the metadata has there, and what should be there.
  package let found: Evidence
  package let expected: Evidence

  package init(_ rule: Rule, at site: Site, found: Evidence = .none, expected: Evidence = .none) {
    self.rule = rule
    self.site = site
    self.found = found
    self.expected = expected
  }
}

extension Finding: CustomStringConvertible {
  /// `severity: place: fault (found X, expected Y)`.
  package var description: String {
    let entry = rule.entry
    var evidence: [String] = []
    if !found.isEmpty { evidence.append("found \(found.words)") }
    if !expected.isEmpty { evidence.append("expected \(expected.words)") }
    let tail = evidence.isEmpty ? "" : " (\(evidence.joined(separator: ", ")))"
    return "\(entry.severity.name): \(site): \(entry.fault)\(tail)"
  }
}

extension Finding: Comparable {
  /// The order of a report: by structure, device, block, entry; it never depends on timing.
  package static func < (left: Finding, right: Finding) -> Bool { left.rank < right.rank }

  private var rank: (Int, UInt64, UInt64, Int, UInt64, String) {
    (
      site.label.order, site.device ?? 0, site.block ?? 0, site.entry ?? -1,
      site.keys?.lowerBound ?? 0, rule.rawValue + found.words
    )
  }
}
