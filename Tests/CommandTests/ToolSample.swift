import Foundation
import TestSupport
import Testing

/// A command line that each tool does its job for, with the files that it needs.
struct ToolSample: CustomTestStringConvertible, Sendable {
  /// What the words of a command line stand for: a file of the name, with `.file` behind it.
  private enum Kind: String {
    case thin, small, xml, new, data, packed, data2, cache, freshcache, cachexml, era, eraxml

    func content() throws -> Data {
      switch self {
      case .thin: try Images.bytes(Images.path("snapshots"))
      case .small: try ToolSample.small()
      case .xml: try Program.dump(Images.path("snapshots")).output
      case .cache: try TestFiles.image("cache/cache-v2")
      case .freshcache: try TestFiles.image("cache/cache-fresh")
      case .cachexml: try ToolSample.dump("cache_dump", .cache)
      case .era: try TestFiles.image("era/era-crash")
      case .eraxml: try ToolSample.dump("era_dump", .era)
      // Not zeroes: what is overwritten must be seen to be.
      case .new: Data(repeating: 0xA5, count: 4 << 20)
      case .data, .data2: Data(count: 4 << 20)
      case .packed: try ToolSample.packed()
      }
    }
  }

  /// By tool; `{kind}` is a file. A tool that is not here takes an input and nothing else.
  private static let commandLines = [
    "thin_restore": "-i {xml} -o {new}",
    "thin_repair": "-i {thin} -o {new}",
    "thin_generate_metadata": "-o {new} --force",
    "thin_rmap": "--region 0..50 {thin}",
    "thin_delta": "--thin1 0 --thin2 2 {thin}",
    "thin_trim": "--metadata-dev {small} --data-dev {data}",
    "thin_metadata_size": "-b 64k -s 1t -m 100",
    "thin_metadata_pack": "-i {thin} -o {new} --force",
    "thin_metadata_unpack": "-i {packed} -o {new} --force",
    "cache_check": "{cache}",
    "cache_dump": "{cache}",
    "cache_restore": "-i {cachexml} -o {new}",
    "cache_metadata_size": "--nr-blocks 1000",
    "cache_writeback":
      "--metadata-device {freshcache} --origin-device {data} --fast-device {data2}",
    "cache_generate_metadata": "-o {new} --force",
    "cache_repair": "-i {cache} -o {new}",
    "era_check": "{era}",
    "era_dump": "{era}",
    "era_generate_metadata": "-o {new} --force",
    "era_restore": "-i {eraxml} -o {new}",
    "era_invalidate": "--written-since 1 {era}",
    "era_repair": "-i {era} -o {new}",
    "thin_shrink": "-i {xml} -o {new} --data {data} --nr-blocks 50000 --no-copy",
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
  var readsXML: Bool { input?.hasSuffix("xml.file") == true }

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

  private static func dump(_ tool: String, _ kind: Kind) throws -> Data {
    let scratch = try Scratch()
    let result = try Program.run(tool, [scratch.file("image", kind.content())])
    try #require(result.status == 0, "\(result.errorText)")
    return result.output
  }

  /// A pool that a data device of 4 MiB is large enough for.
  private static func small() throws -> Data {
    var random = SeededRandom(seed: 1)
    let scratch = try Scratch()
    return try Images.bytes(
      DataPool(&random, blockCount: 64, usedShare: 5).metadata(scratch, blocks: 64))
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
