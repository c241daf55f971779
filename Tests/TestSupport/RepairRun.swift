import Foundation
import Testing

/// A run of `thin_repair --report`: the report, held against the schema, and how it ended.
public struct RepairRun {
  public let document: JSONValue
  public let shell: Shell.Result

  private static let schema = Result {
    try SchemaValidator(
      schemaFile: TestFiles.root.appendingPathComponent("man/thin_repair.schema.json").path)
  }

  /// `report`: where the report goes; it is read back and checked.
  public init(_ arguments: [String], report: String) throws {
    shell = try Shell.run(TestFiles.program, ["thin_repair", "--report", report] + arguments)
    document = try JSONValue(parsing: Data(contentsOf: URL(fileURLWithPath: report)))
    let faults = try RepairRun.schema.get().faults(in: document)
    #expect(faults == [])
    #expect(!shell.wasKilled)
    #expect(document["exit_status"]?.integer == Int(shell.status))
  }

  public var devices: [JSONValue] { document["devices"]?.elements ?? [] }
  public var summary: [String] { document["summary"]?.elements.compactMap(\.string) ?? [] }
  public var damagedBlocks: [JSONValue] { document["damaged_blocks"]?.elements ?? [] }

  /// Mappings kept, or left out, that are so well known.
  public func count(_ field: String, _ provenance: String) -> Int {
    devices.reduce(0) { $0 + ($1[field]?[provenance]?.integer ?? 0) }
  }
}
