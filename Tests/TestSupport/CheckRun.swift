import Foundation
import Testing

/// A run of `thin_check --format json`: its document, held against the schema, and how it ended.
public struct CheckRun {
  public let document: JSONValue
  public let shell: Shell.Result

  private static let schema = Result {
    try SchemaValidator(
      schemaFile: TestFiles.root.appendingPathComponent("man/thin_check.schema.json").path)
  }

  public init(_ arguments: [String]) throws {
    try self.init(
      Shell.run(TestFiles.program, ["thin_check", "--format", "json"] + arguments))
  }

  /// Whoever ran it: the document has to be as the schema says, and tell how the program ended.
  public init(_ shell: Shell.Result) throws {
    self.shell = shell
    document = try JSONValue(parsing: shell.output)
    let faults = try CheckRun.schema.get().faults(in: document)
    #expect(faults == [], "\(shell.text)")
    #expect(!shell.wasKilled)
    #expect(shell.errorText == "")
    #expect(exitStatus == Int(shell.status))
  }

  public var exitStatus: Int? { document["exit_status"]?.integer }
  public var verdict: String? { document["verdict"]?.string }
  public var failure: String? { document["failure"]?.string }
  public var findings: [JSONValue] { document["findings"]?.elements ?? [] }
  public var messages: [String] { findings.compactMap { $0["message"]?.string } }
  public var advice: [String] { document["advice"]?.elements.compactMap(\.string) ?? [] }
  public var leftOut: Int? { document["findings_left_out"]?.integer }

  /// What the text format has to say where this document is right.
  public func expectAgreement(with text: Shell.Result) {
    #expect(text.status == shell.status)
    let lines = text.errorText.split(separator: "\n").map(String.init)
    let told = lines.prefix { $0.contains(#/^(error|leak|warning|note): /#) }
    let rest = lines.dropFirst(told.count)
    if verdict == "sound", document["mended"] == .boolean(false) {
      // Nobody watches, so only what has to be done is told.
      #expect(Set(told).isSubset(of: messages))
      #expect(Set(rest).isSubset(of: advice))
    } else {
      expect(told, toTell: messages.count + (leftOut ?? 0))
      #expect(Array(rest) == advice)
    }
    guard let pool = document["pool"] else {
      #expect(text.text.isEmpty)
      return
    }
    let transaction = pool["transaction_id"]?.integer ?? -1
    let free = pool["metadata_blocks"]?["free"]?.integer ?? -1
    #expect(text.text == "TRANSACTION_ID=\(transaction)\nMETADATA_FREE_BLOCKS=\(free)\n")
  }

  /// Lines of findings, of which some stand for several.
  private func expect(_ lines: some Collection<String>, toTell count: Int) {
    var told = 0
    for line in lines {
      let more = line.firstMatch(of: #/, and (\d+) more like this$/#)
      let alone = more.map { String(line[..<$0.range.lowerBound]) } ?? line
      #expect(messages.contains(alone))
      told += 1 + (more.flatMap { Int($0.output.1) } ?? 0)
    }
    #expect(told == count)
  }
}
