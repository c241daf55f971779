internal import PersistentData

/// The states that a device holds, in words: a line per state, and one for each device that the
/// live state lacks or has less of.
package struct RootListing: Sendable {
  package let lines: [String]
  /// What to know about the list and what to do next.
  package let advice: [String]

  /// The most devices of a state that are listed one by one.
  private static let limit = 20

  /// `input`: as the person named it. `showsAll`: also states that have nothing to go back to.
  package init(_ old: OldRoots, input: String, showsAll: Bool) {
    let shown = showsAll ? old.roots : RootListing.notable(old.roots)
    lines = shown.flatMap { root in
      [RootListing.line(root)] + RootListing.lines(root.differences, isShort: !showsAll)
    }
    advice = RootListing.advice(old, shown, input)
  }

  /// The live state, the metadata snapshot, and for each device that the live state lacks or has
  /// less of: the newest state that has it, and the newest that has it whole.
  private static func notable(_ roots: [OldRoots.Root]) -> [OldRoots.Root] {
    // Without a live state, nothing tells which states are of use.
    guard roots.contains(where: { $0.standing == .live }) else { return roots }
    var seen: Set<UInt64> = []
    var seenWhole: Set<UInt64> = []
    return roots.filter { root in
      var isNotable = root.standing != .superseded
      for difference in root.differences where difference.isWorthKnowing {
        if seen.insert(difference.id).inserted { isNotable = true }
        if difference.isWhole, seenWhole.insert(difference.id).inserted { isNotable = true }
      }
      return isNotable
    }
  }

  // MARK: States

  private static func line(_ root: OldRoots.Root) -> String {
    var parts = [name(root.standing)]
    if let time = root.time, let transaction = root.transactionID {
      parts.append(
        (root.isDateExact ? "" : "not before ") + "transaction \(transaction), time \(time)")
    } else {
      parts.append("age unknown")
    }
    parts.append(
      "\(count(root.deviceCount, "device")), \(count(root.mappings, "mapping"))")
    parts.append(root.isWhole ? completeness(root) : "missing: \(text(root.missing))")
    return "root \(root.block): \(parts.joined(separator: "; "))"
  }

  private static func name(_ standing: OldRoots.Standing) -> String {
    switch standing {
    case .live: "live"
    case .metadataSnapshot: "metadata snapshot"
    case .superseded: "superseded"
    }
  }

  private static func completeness(_ root: OldRoots.Root) -> String {
    if root.isConfirmed || root.deviceCount == 0 { return "whole" }
    return "every block is there, but no details confirm the numbers"
  }

  // MARK: Devices

  private static func lines(_ differences: [RootDifference], isShort: Bool) -> [String] {
    let told = isShort ? differences.filter(\.isWorthKnowing) : differences
    var lines = told.prefix(limit).map { "  \(line($0))" }
    if told.count > limit { lines.append("  \(told.count - limit) more devices differ") }
    return lines
  }

  private static func line(_ difference: RootDifference) -> String {
    let (id, size) = (difference.id, size(difference))
    switch difference.kind {
    case .gone: return "device \(id) (\(size)) is not in the live state"
    case .replaced: return "device \(id) (\(size)) is not the device that has this id now"
    case .changed(let now): return "device \(id) (\(size)) has \(count(now, "mapping")) now"
    }
  }

  private static func size(_ difference: RootDifference) -> String {
    var text = "\(difference.mappings)"
    if let mappedBlocks = difference.mappedBlocks, mappedBlocks != difference.mappings {
      text += " of \(mappedBlocks)"
    }
    text += difference.mappings == 1 && text == "1" ? " mapping" : " mappings"
    if difference.missing.count > 0 { text += "; missing: \(self.text(difference.missing))" }
    return text
  }

  private static func text(_ missing: MissingNodes) -> String {
    var parts: [String] = []
    if missing.reused > 0 { parts.append("\(count(missing.reused, "block")) given out again") }
    if missing.damaged > 0 { parts.append("\(count(missing.damaged, "block")) not readable") }
    return parts.joined(separator: ", ")
  }

  private static func count(_ number: some BinaryInteger, _ word: String) -> String {
    "\(number) \(word)\(number == 1 ? "" : "s")"
  }

  // MARK: Advice

  private static func advice(
    _ old: OldRoots, _ shown: [OldRoots.Root], _ input: String
  ) -> [String] {
    var lines: [String] = []
    let hidden = old.roots.count - shown.count
    if hidden > 0 {
      lines.append(
        "\(count(hidden, "other state")) \(hidden == 1 ? "has" : "have") nothing more to recover; "
          + "--all shows \(hidden == 1 ? "it" : "them").")
    }
    if let live = old.live, !live.isWhole {
      lines.append(
        "The live state is damaged: thin_check tells more. --recover repairs it too, as "
          + "thin_repair does.")
    }
    if old.superblock == nil {
      lines.append(
        "The superblock is lost, so none of these is known to be the live state. --recover works "
          + "all the same: it takes the newest, as thin_repair does.")
    }
    if shown.contains(where: { $0.standing == .superseded }) {
      lines.append(
        "Superseded states carry no date. They are ordered by their devices' times and "
          + "transactions; where these are equal, the order is a guess.")
    }
    guard let (root, device) = best(shown) else { return lines }
    if old.live?.deviceCount == 0, let state = old[root], state.deviceCount > 1 {
      return lines + [
        "next: keep the pool inactive, keep a copy of this metadata, then recover the devices into "
          + "new metadata:",
        "  thin_roots -i \(ShellWord(input)) --recover all --from \(root) -o NEW",
      ]
    }
    return lines + [
      "next: keep the pool inactive, keep a copy of this metadata, then recover a device, as a new "
        + "one, into new metadata:",
      "  thin_roots -i \(ShellWord(input)) --recover \(device) --from \(root) -o NEW",
    ]
  }

  /// What a person most likely looks for: in the newest state that has one, a device that's gone.
  private static func best(_ roots: [OldRoots.Root]) -> (root: MetadataBlock, device: UInt64)? {
    for isGoneNeeded in [true, false] {
      for root in roots {
        for difference in root.differences where difference.isWorthKnowing {
          if !isGoneNeeded || difference.kind == .gone { return (root.block, difference.id) }
        }
      }
    }
    return nil
  }
}
