/// What a rule weighs, and its fault in words.
package struct RuleEntry: Sendable {
  package let severity: Severity
  /// Whether it can be mended on the spot, without building new metadata.
  package let isMendable: Bool
  /// Whether it says that a block, or the pool as a whole, can't be used, from which much else may
  /// follow. Such findings are told first and one by one, all others in one line where they come
  /// in floods.
  package let isCause: Bool
  /// Whether somebody has to do something about it, though no error or leak is found: a check that
  /// nobody watches tells of nothing else.
  package let callsForAction: Bool
  /// The fault, as it stands in a finding's line.
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
