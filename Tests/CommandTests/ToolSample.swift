import Foundation
import TestSupport
import Testing

/// A command line that each tool does its job for, with the files that it needs.
struct ToolSample: CustomTestStringConvertible, Sendable {
  /// What the words of a command line stand for: a file of the name, with `.file` behind it.
  private enum Kind: String {
    case thin, cache, era, xml, new, data, packed

    func content() throws -> Data {
      switch self {
      case .thin: try Images.bytes(Images.path("snapshots"))
      case .cache: try TestFiles.image("cache/cache-v2")
      case .era: try TestFiles.image("era/era")
      case .xml: try Program.dump(Images.path("snapshots")).output
      // Not zeroes: what is overwritten must be seen to be.
      case .new: Data(repeating: 0xA5, count: 4 << 20)
      case .data: Data(count: 4 << 20)
      case .packed: try ToolSample.packed()
      }
    }
  }

  /// By tool; `{kind}` is a file. A tool that is not here takes an input and nothing else.
  private static let commandLines = [
    "cache_repair": "-i {cache} -o {new}",
    "era_repair": "-i {era} -o {new}",
    "thin_restore": "-i {xml} -o {new}",
    "thin_repair": "-i {thin} -o {new}",
    "thin_generate_metadata": "-o {new} --force",
    "thin_rmap": "--region 0..50 {thin}",
    "thin_delta": "--thin1 0 --thin2 2 {thin}",
    "thin_trim": "--metadata-dev {thin} --data-dev {data}",
    "thin_metadata_size": "-b 64k -s 1t -m 100",
    "thin_metadata_pack": "-i {thin} -o {new} --force",
    "thin_metadata_unpack": "-i {packed} -o {new} --force",
    "thin_shrink": "-i {xml} -o {new} --data {data} --nr-blocks 500 --no-copy",
  ]

  /// Of all tools that `dmmeta --help` lists.
  static let all: [ToolSample] = {
    let help = (try? Shell.run(Program.path, ["--help"]).text) ?? ""
    return help.matches(of: /\n +((?:thin|cache|era)_[a-z_]+)/).map {
      ToolSample(tool: String($0.output.1))
    }
  }()

  let tool: String
  /// What follows the tool's name.
  let arguments: [String]
  private let kinds: [Kind]

  var testDescription: String { tool }

  init(tool: String) {
    self.tool = tool
    let words = (ToolSample.commandLines[tool] ?? "{thin}").split(separator: " ").map(String.init)
    kinds = words.compactMap { word in
      word.wholeMatch(of: /\{(\w+)\}/).flatMap { Kind(rawValue: String($0.output.1)) }
    }
    arguments = words.map { $0.replacing("{", with: "").replacing("}", with: ".file") }
  }

  /// The word that names the input; `nil` where there is none.
  var input: String? { arguments.first { $0.hasSuffix(".file") && $0 != output } }
  /// The word that names what is overwritten.
  var output: String? { kinds.contains(.new) ? "new.file" : nil }
  var readsXML: Bool { input == "xml.file" }

  /// Puts the files into a folder.
  func layOut(in folder: URL) throws {
    for kind in kinds {
      try kind.content().write(to: folder.appendingPathComponent("\(kind.rawValue).file"))
    }
  }

  /// What is in a folder's files, by name.
  static func files(in folder: URL) throws -> [String: Data] {
    var files: [String: Data] = [:]
    for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) {
      files[name] = try? Data(contentsOf: folder.appendingPathComponent(name))
    }
    return files
  }

  private static func packed() throws -> Data {
    let scratch = try Scratch()
    let path = scratch.folder.appendingPathComponent("packed").path
    let result = try Program.run(
      "thin_metadata_pack", ["-i", try Images.path("snapshots"), "-o", path])
    try #require(result.status == 0, "\(result.errorText)")
    return try Images.bytes(path)
  }
}
