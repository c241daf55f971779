import Foundation
import TestSupport
import Testing

/// The manual pages say of options what the program says.
@Suite struct ManualTests {
  @Test func `every tool has a page, and every page a tool`() throws {
    let pages = try SourceTree.paths("man").filter { $0.hasSuffix(".8") }.map {
      $0.dropFirst("man/".count).dropLast(".8".count)
    }
    let tools = try Self.tools()
    #expect(tools.count > 3)
    #expect(Set(pages.map(String.init)) == Set(tools + ["dmmeta"]))
  }

  @Test(arguments: try tools())
  func `a page has the options that the tool declares`(tool: String) throws {
    let declared = try Self.declaredOptions(tool)
    #expect(declared.count > 3)
    #expect(try Self.describedOptions(tool).sorted() == declared.sorted())
  }

  private static func program(_ arguments: String...) throws -> Shell.Result {
    try Shell.run(TestFiles.program, arguments)
  }

  /// The list that the program gives.
  private static func tools() throws -> [String] {
    let lines = try program("--help").text.split(separator: "\n", omittingEmptySubsequences: false)
    return lines.drop { $0 != "tools:" }.dropFirst().prefix { $0.hasPrefix("  ") }
      .compactMap { $0.split(separator: " ").first.map(String.init) }
  }

  /// From the lines of `--help` that begin with an option: `  -q, --quiet   Say nothing`.
  private static func declaredOptions(_ tool: String) throws -> Set<String> {
    let help = try program(tool, "--help")
    let lines = help.text.split(separator: "\n").filter { $0.hasPrefix("  -") }
    return Set(lines.flatMap { options(in: $0.dropFirst(2).prefix(upToGap: "  ")) })
  }

  /// From the page's section on options: what stands under `.TP`.
  private static func describedOptions(_ tool: String) throws -> Set<String> {
    let lines = try SourceTree.file("man/\(tool).8").lines
    let section = lines.drop { $0 != ".SH OPTIONS" }.dropFirst().prefix { !$0.hasPrefix(".SH ") }
    let plain = section.map { line in
      line.replacing(/\\f[BIRP]/, with: "").replacing("\\-", with: "-")
    }
    return Set(
      zip(plain, plain.dropFirst()).filter { $0.0 == ".TP" }.flatMap { options(in: $0.1[...]) })
  }

  private static func options(in text: Substring) -> [String] {
    text.matches(of: /(?:^|[ ,])(--?[A-Za-z][A-Za-z0-9-]*)/).map { String($0.output.1) }
  }
}

extension Substring {
  /// Up to where a gap begins, or all of it.
  fileprivate func prefix(upToGap gap: String) -> Substring {
    range(of: gap).map { self[..<$0.lowerBound] } ?? self
  }
}
