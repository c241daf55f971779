internal import ArgumentParser
internal import PersistentData

/// What a check found, as a JSON document.
///
/// man/TOOL.schema.json describes every field; `version` goes up when one of them vanishes or
/// changes its meaning, not when one is added.
struct CheckDocument<Tool: CheckTool> {
  private static var version: Int { 1 }

  private let tool: Tool
  private let result: CheckResult<Tool.Report>
  private let advice: [String]

  /// `advice`: the lines that end the text for people.
  init(_ tool: Tool, _ result: CheckResult<Tool.Report>, advice: [String]) {
    self.tool = tool
    self.result = result
    self.advice = advice
  }

  func write(to sink: ByteSink) throws(ByteSink.Failure) {
    var json = JSONWriter(sink)
    json.object { json in
      json.head(Tool._commandName, version: Self.version, input: tool.options.input)
      json.field("verdict", result.verdict.rawValue)
      json.field("exit_status", Int(result.status.rawValue))
      json.field("failure", result.failure?.message)
      if let report = result.report { write(report, &json) }
      json.array("advice") { json in for line in advice { json.element(line) } }
    }
    try json.finish()
  }

  private func write(_ report: Tool.Report, _ json: inout JSONWriter) {
    json.field("complete", report.isComplete)
    json.field("mended", result.isMended)
    json.field("undo_file", result.undoFile)
    json.object("counts") { json in
      for severity in Severity.allCases.reversed() {
        json.field(severity.name, report.findings.count(severity))
      }
    }
    tool.write(report, &json)
    let findings = report.findings.sorted
    json.field("findings_left_out", report.findings.madeCount - findings.count)
    json.array("findings") { json in
      for finding in findings { json.object { json in write(finding, &json) } }
    }
  }

  private func write(_ finding: Finding, _ json: inout JSONWriter) {
    json.field("rule", finding.rule.rawValue)
    json.field("severity", finding.rule.severity.name)
    json.field("mendable", finding.rule.entry.isMendable)
    json.field("structure", finding.site.structure)
    json.field("device", finding.site.device)
    json.field("block", finding.site.block)
    json.field("entry", finding.site.entry)
    if let keys = finding.site.keys, let unit = finding.site.label.keyUnit {
      json.object("range") { json in
        json.field("unit", unit.rawValue)
        json.range(keys)
      }
    }
    json.field("found", finding.found.isEmpty ? nil : finding.found.words)
    json.field("found_number", finding.found.number)
    json.field("expected", finding.expected.isEmpty ? nil : finding.expected.words)
    json.field("expected_min", finding.expected.min)
    json.field("expected_max", finding.expected.max)
    json.field("message", finding.description)
  }
}
