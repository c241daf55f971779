/// A rule's severity, and its fault in words.
package struct RuleEntry: Sendable {
  package let severity: Severity
  /// Whether it can be mended in place, without building new metadata.
  package let isMendable: Bool
  /// Whether it means that a block, or the pool as a whole, can't be used, which may cause many
  /// other findings. Such findings are listed first and one by one, floods of others in one line.
  package let isCause: Bool
  /// Whether somebody has to act on it: a check that nobody watches reports nothing else.
  package let callsForAction: Bool
  /// The fault, as worded in a finding's line.
  package let fault: String

  init(
    _ severity: Severity, _ fault: String, mendable: Bool = false, cause: Bool = false,
    action: Bool = false
  ) {
    self.severity = severity
    self.fault = fault
    isMendable = mendable
    isCause = cause
    callsForAction = action || severity > .note
  }
}
