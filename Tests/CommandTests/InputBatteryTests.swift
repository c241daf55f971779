import Foundation
import TestSupport
import Testing

/// What every tool makes of inputs that are none, and of being told to be quiet.
@Suite struct InputBatteryTests {
  private let scratch: Scratch

  init() throws { scratch = try Scratch() }

  private func path(_ name: String) -> String { scratch.folder.appendingPathComponent(name).path }

  /// Puts something else in the place of an input.
  private func replace(_ path: String, by kind: String) throws {
    let manager = FileManager.default
    try? manager.removeItem(atPath: path)
    switch kind {
    case "missing": break
    case "folder": try manager.createDirectory(atPath: path, withIntermediateDirectories: false)
    case "FIFO": _ = mkfifo(path, 0o600)
    case "loop": try manager.createSymbolicLink(atPath: path, withDestinationPath: path)
    case "empty": try Data().write(to: URL(fileURLWithPath: path))
    case "tiny": try Data("hello\n".utf8).write(to: URL(fileURLWithPath: path))
    default:
      var random = SeededRandom(seed: 7)
      let noise = (0..<100_000).map { _ in UInt8(truncatingIfNeeded: random.next()) }
      try Data(noise).write(to: URL(fileURLWithPath: path))
    }
  }

  @Test(arguments: ToolSample.all)
  func `a wrong input is named, and leaves the output alone`(sample: ToolSample) throws {
    guard let input = sample.input else { return }
    try sample.layOut(in: scratch.folder)
    let before = try sample.output.map { try Images.bytes(path($0)) }
    // XML may come through a pipe, and what is no XML may be damaged XML.
    let kinds: [(String, Set<Int32>)] = [
      ("missing", [66]), ("folder", [65, 66, 74]), ("FIFO", [65, 66]),
      ("loop", [66, 74]), ("empty", sample.readsXML ? [65, 1] : [65]),
      ("tiny", sample.readsXML ? [65, 1] : [65]), ("noise", [65, 1]),
    ]
    for (kind, statuses) in kinds where !(sample.readsXML && kind == "FIFO") {
      try replace(path(input), by: kind)
      let result = try Descriptor.run(sample.tool, sample.arguments, in: scratch.folder)
      #expect(statuses.contains(result.status), "\(kind): \(result.errorText)")
      if result.status != 1 {
        #expect(result.errorText.hasPrefix("\(sample.tool): "), "\(kind)")
        #expect(result.errorText.contains(input), "\(kind): \(result.errorText)")
      }
      #expect(try sample.output.map { try Images.bytes(path($0)) } == before, "\(kind)")
    }
  }

  @Test(arguments: ToolSample.all)
  func `quiet tools say nothing, and end as they otherwise do`(sample: ToolSample) throws {
    for kind in ["whole", "missing", "noise"] {
      try sample.layOut(in: scratch.folder)
      if kind != "whole" {
        guard let input = sample.input else { return }
        try replace(path(input), by: kind)
      }
      let loud = try Descriptor.run(sample.tool, sample.arguments, in: scratch.folder)
      if sample.output != nil, kind == "whole" { try sample.layOut(in: scratch.folder) }
      for option in ["-q", "--quiet"] {
        let quiet = try Descriptor.run(
          sample.tool, sample.arguments + [option], in: scratch.folder)
        #expect(quiet.status == loud.status, "\(kind)")
        #expect(quiet.errors.isEmpty, "\(kind): \(quiet.errorText)")
        if loud.output.isEmpty { #expect(quiet.output.isEmpty, "\(kind)") }
      }
    }
  }
}
