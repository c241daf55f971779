import Foundation
import PersistentData
import TestSupport
import Testing

/// Keeps the source as CONTRIBUTING.md wants it.
@Suite struct SourceTests {
  private static let lineLimit = 100
  private static let fileLimit = 400

  /// The only files that may leave memory safety to people: those that call C, lend the bytes of a
  /// block, hand bytes to one that does, or own memory that an array would be too dear for.
  private static let unsafeFiles: Set = [
    "Sources/MetadataXML/Decimal.swift",
    "Sources/MetadataXML/ExpatParser.swift",
    "Sources/MetadataXML/InputPortions.swift",
    "Sources/MetadataXML/TextBuffer.swift",
    "Sources/PersistentData/Array/ArrayBlock+Survey.swift",
    "Sources/PersistentData/Array/KeptValues.swift",
    "Sources/PersistentData/Array/NumberScan.swift",
    "Sources/PersistentData/BTree/RunEnds.swift",
    "Sources/PersistentData/BTree/Walk/ValueSurvey.swift",
    "Sources/PersistentData/Block/BlockBuffer.swift",
    "Sources/PersistentData/Block/BlockKind.swift",
    "Sources/PersistentData/Block/BlockTable.swift",
    "Sources/PersistentData/Block/CopiedWords.swift",
    "Sources/PersistentData/Block/Field.swift",
    "Sources/PersistentData/Block/RawBytes.swift",
    "Sources/PersistentData/Block/SingleBitError.swift",
    "Sources/PersistentData/Data/DataDevice.swift",
    "Sources/PersistentData/Device/BlockFile.swift",
    "Sources/PersistentData/Device/IOError.swift",
    "Sources/PersistentData/Device/Storage.swift",
    "Sources/PersistentData/Device/SystemFile.swift",
    "Sources/PersistentData/Pack/PackSource.swift",
    "Sources/PersistentData/Pack/Records/Deflater.swift",
    "Sources/PersistentData/Pack/Records/Inflater.swift",
    "Sources/PersistentData/SpaceMap/Counting/CountPages.swift",
    "Sources/PersistentData/Streams/ByteSink.swift",
    "Sources/PersistentData/Streams/ByteSource.swift",
    "Sources/PersistentData/Streams/FileReplacement.swift",
    "Sources/PersistentData/Words/FileName.swift",
    "Sources/Threads/Signal.swift",
    "Sources/Threads/Workers.swift",
  ]

  @Test func `no line is longer than 100 columns and no file longer than 400 lines`() throws {
    var tooLong: [String] = []
    for file in try SourceTree.files("Sources", "Tests") + [SourceTree.file("Package.swift")] {
      if file.lines.count > Self.fileLimit { tooLong.append(file.path) }
      for (index, line) in file.lines.enumerated() where line.count > Self.lineLimit {
        tooLong.append("\(file.path):\(index + 1)")
      }
    }
    #expect(tooLong == [])
  }

  @Test func `unsafe stands only where it is known to`() throws {
    let found = try SourceTree.files("Sources").filter { file in
      file.code.contains { $0.contains(/\bunsafe\b/) }
    }
    #expect(Set(found.map(\.path)) == Self.unsafeFiles)
  }

  @Test func `the program does without Foundation`() throws {
    for file in try SourceTree.files("Sources") {
      #expect(!file.lines.contains { $0.contains(/import +Foundation/) }, "\(file.path)")
    }
  }

  @Test func `nothing is left to do later, and nothing names somebody's machine`() throws {
    // Put together here, so that this file does not find itself.
    let marks = ["TO" + "DO", "FIX" + "ME"]
    let folders = ["work", "home", "root", "Users"].map { "/\($0)" + "/" }
    let files =
      try SourceTree.files("Sources", "Tests") + SourceTree.files("man", suffix: ".8")
      + ["Package.swift", "README.md", "fixtures/README.md"].map { try SourceTree.file($0) }
    for file in files {
      for (index, line) in file.lines.enumerated() {
        for mark in marks { #expect(!line.contains(mark), "\(file.path):\(index + 1)") }
        // A folder's name may end a longer path; a machine's path starts with it.
        for folder in folders {
          let places = line.ranges(of: folder).map(\.lowerBound)
          let isPath = places.contains { place in
            place == line.startIndex || !(line[line.index(before: place)].isPathCharacter)
          }
          #expect(!isPath, "\(file.path):\(index + 1)")
        }
      }
    }
  }

  /// A link of one's own, as to tools that are there already, is soon committed.
  @Test func `no link that is committed leads out of the project`() throws {
    let root = TestFiles.root
    let list = try Shell.run("/usr/bin/env", ["git", "-C", root.path, "ls-files", "--stage"])
    // Outside of a clone nothing is.
    for line in list.status == 0 ? list.text.split(separator: "\n") : []
    where line.hasPrefix("120000 ") {
      let path = String(line.split(separator: "\t")[1])
      let target = try FileManager.default.destinationOfSymbolicLink(
        atPath: root.appendingPathComponent(path).path)
      #expect(!target.hasPrefix("/"), "\(path)")
    }
  }

  @Test func `swift format has nothing to say`() throws {
    let root = TestFiles.root.path
    let lint = try Shell.run(
      "/usr/bin/env",
      ["swift", "format", "lint", "--strict", "--recursive"]
        + ["Sources", "Tests", "Package.swift"].map { "\(root)/\($0)" })
    #expect(lint.status == 0, "\(lint.errorText.replacingOccurrences(of: root + "/", with: ""))")
  }

  @Test func `tests have sentences for names`() throws {
    for file in try SourceTree.files("Tests") {
      let declarations = file.text.matches(of: /@Test\b[^`"]*?\bfunc +(\S)/)
      for declaration in declarations {
        #expect(declaration.output.1 == "`", "\(file.path): \(declaration.output.0)")
      }
    }
  }

  @Test func `every rule has a damage test`() throws {
    let covered = try Self.rulesWithDamageTests(["Thin", "Cache", "Era"])
    for rule in Rule.allCases { #expect(covered.contains(rule.rawValue), "\(rule)") }
    #expect(covered.subtracting(Rule.allCases.map(\.rawValue)).isEmpty)
  }

  @Test(arguments: ["Thin", "Cache", "Era"])
  func `what a target's own code reports has a damage test of that target`(target: String) throws {
    let covered = try Self.rulesWithDamageTests([target])
    let rules = Set(Rule.allCases.map(\.rawValue))
    let reported = Set(
      try SourceTree.files("Sources/\(target)Metadata").flatMap { file in
        file.text.matches(of: /report\(\s*\.(\w+)/).map { String($0.output.1) }
      }
    ).intersection(rules)
    #expect(reported.count > 4)
    #expect(reported.subtracting(covered) == [])
  }

  /// By the tests of some targets.
  private static func rulesWithDamageTests(_ targets: [String]) throws -> Set<String> {
    let text = try targets.map { target in
      let name = target == "Thin" ? "Damage" : "\(target)Damage"
      return try SourceTree.files("Tests/\(target)MetadataTests")
        .filter { $0.path.contains("/\(name)") }.map(\.text).joined()
    }.joined()
    // An entry of the table of cases, or a test of its own that starts with the rule's name.
    let cases = text.matches(
      of: /(?:\w*Damage\w*|[sS]uperblock|\w*[aA]rray|mapping|writesetLeaf)\(\s*\.(\w+),/
    ).map { $0.output.1 }
    let tests = text.matches(of: #/@Test func `(\w+): /#).map { $0.output.1 }
    return Set((cases + tests).map(String.init))
  }
}

extension Character {
  fileprivate var isPathCharacter: Bool { isLetter || isNumber || "._-}".contains(self) }
}
