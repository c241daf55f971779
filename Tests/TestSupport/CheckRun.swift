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
    let shown = messages.prefix(100)
    let rest = messages.count + (leftOut ?? 0) - shown.count
    let lines = shown + (rest > 0 ? ["\(rest) more findings are not shown"] : []) + advice
    #expect(text.errorText == lines.map { $0 + "\n" }.joined())
    guard let pool = document["pool"] else {
      #expect(text.text.isEmpty)
      return
    }
    let transaction = pool["transaction_id"]?.integer ?? -1
    let free = pool["metadata_blocks"]?["free"]?.integer ?? -1
    #expect(text.text == "TRANSACTION_ID=\(transaction)\nMETADATA_FREE_BLOCKS=\(free)\n")
  }
}
