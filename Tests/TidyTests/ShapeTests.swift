import Foundation
import PersistentData
import TestSupport
import Testing

/// Keeps the folders, files and functions in the shape that README.md and CONTRIBUTING.md tell of.
@Suite struct ShapeTests {
  private static let functionLimit = 60
  private static let folderLimit = 16
  private static let toolFolderLimit = 20
  private static let targets = ["ThinMetadata", "CacheMetadata", "EraMetadata"]

  @Test func `a function has 60 lines at most, but for the table of rules`() throws {
    var seen = 0
    for file in try SourceTree.files("Sources") {
      for function in SourceTree.functions(of: file) {
        seen += 1
        if file.path.hasSuffix("/RuleTable.swift") { continue }
        #expect(
          function.lineCount <= Self.functionLimit,
          "\(file.path):\(function.line): \(function.lineCount) lines")
      }
    }
    #expect(seen > 2_000)
  }

  @Test func `no folder has more files than a person can look over`() throws {
    let paths = try SourceTree.paths("Sources").filter { $0.hasSuffix(".swift") }
    let folders = Dictionary(grouping: paths) { path in
      path.lastIndex(of: "/").map { String(path[..<$0]) } ?? ""
    }
    #expect(folders.count > 40)
    for (folder, files) in folders {
      let limit = folder == "Sources/Commands/Thin" ? Self.toolFolderLimit : Self.folderLimit
      #expect(files.count <= limit, "\(folder)")
    }
  }

  /// `TYPE+Topic.swift` extends the type. A file that only extends others' types, or has functions
  /// alone, is called after its topic.
  @Test func `a file that declares types is called after one of them`() throws {
    for file in try SourceTree.files("Sources") {
      let name = file.path.split(separator: "/").last?.dropLast(".swift".count) ?? ""
      let type = name.prefix { $0 != "+" }
      let declared = Self.names(
        after: /^(?:[a-z]+ )*(?:struct|class|enum|protocol|typealias) (\w+)/, in: file
      ).subtracting(Self.names(after: /^(?:file)?private (?:[a-z]+ )+(\w+)/, in: file))
      let extended = Self.names(after: /^(?:package |public )*extension (?:\w+\.)*(\w+)/, in: file)
      if name != type {
        #expect(extended.contains(String(type)), "\(file.path)")
      } else if !declared.isEmpty {
        #expect(declared.contains(String(type)), "\(file.path): \(declared.sorted())")
      }
    }
  }

  private static func names(
    after pattern: Regex<(Substring, Substring)>, in file: SourceTree.File
  ) -> Set<String> {
    Set(file.code.compactMap { $0.prefixMatch(of: pattern).map { String($0.output.1) } })
  }

  @Test func `only a target's own folder knows a target, and no file knows two`() throws {
    var seen = 0
    for file in try SourceTree.files("Sources") {
      let known = Self.targets.filter { target in
        file.lines.contains { $0.hasSuffix("import \(target)") }
      }
      seen += known.count
      let own = Self.targets.filter { target in
        let folder = target.dropLast("Metadata".count)
        return file.path.hasPrefix("Sources/Commands/\(folder)/")
      }
      #expect(Set(known).isSubset(of: own), "\(file.path)")
    }
    #expect(seen > 40)
  }

  /// A name that stands nowhere but where it is declared. What the system or a library calls by
  /// name, or is there for its effect, is listed.
  @Test func `nothing is declared that nobody uses`() throws {
    let calledByOthers: Set = [
      // ArgumentParser reads these by reflection, or asks for them by a protocol.
      "verbosity", "ioEngine", "defaultValueDescription", "allValueStrings",
      // So does the compiler, of what takes interpolated strings.
      "appendLiteral",
      // The empty last argument of old versions of LVM.
      "ignored",
      // main
      "DMMeta",
      // Tests of the layout need it.
      "reservedSize",
    ]
    let files = try SourceTree.files("Sources")
    var uses: [Substring: Int] = [:]
    for file in files {
      for line in file.code {
        for word in line.matches(of: /\w+/) { uses[word.output, default: 0] += 1 }
      }
    }
    for file in files {
      for line in file.code {
        let pattern = /\b(?:func|var|let|struct|class|enum|protocol|typealias) `?(\w+)/
        for match in line.matches(of: pattern) where uses[match.output.1] == 1 {
          let name = String(match.output.1)
          #expect(calledByOthers.contains(name), "\(file.path): \(name)")
        }
      }
    }
    for name in calledByOthers { #expect(uses[name[...]] == 1, "\(name)") }
  }
}

/// README.md tells where everything is.
@Suite struct MapTests {
  @Test func `the map names every folder of the sources, and no other`() throws {
    let lines = try SourceTree.file("README.md").lines
    let map = lines.drop { $0 != "Sources/" }.dropFirst().prefix { $0.hasPrefix("  ") }
    var named: Set<String> = []
    var top = ""
    for line in map {
      let isTop = line.hasPrefix("  ") && !line.hasPrefix("   ")
      // Words of prose have no slash behind them; a path in it is one of the folder it stands in.
      let paths = line.matches(of: /\b([A-Za-z]+(?:\/[A-Za-z]+)*)\//).map { String($0.output.1) }
      if isTop, let first = paths.first {
        top = first
        named.formUnion(paths.filter { isModule($0) })
        named.formUnion(paths.filter { !isModule($0) }.map { "\(top)/\($0)" })
      } else {
        named.formUnion(paths.map { "\(top)/\($0)" })
      }
    }
    #expect(named.count > 40)
    for folder in named {
      var isFolder: ObjCBool = false
      let path = TestFiles.root.appendingPathComponent("Sources/\(folder)").path
      #expect(
        FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue,
        "\(folder) is in the map")
    }
    let shared = ["PersistentData", "Commands"]
    for path in try SourceTree.paths("Sources").filter({ $0.hasSuffix(".swift") }) {
      let folders = path.split(separator: "/").dropFirst().dropLast()
      guard let module = folders.first, shared.contains(String(module)) else { continue }
      #expect(named.contains(folders.joined(separator: "/")), "\(path) is in no folder of the map")
    }
  }

  private func isModule(_ name: String) -> Bool {
    FileManager.default.fileExists(
      atPath: TestFiles.root.appendingPathComponent("Sources/\(name)").path)
  }

  @Test func `every path that README and CONTRIBUTING name is there`() throws {
    var seen = 0
    for name in ["README.md", "CONTRIBUTING.md"] {
      for match in try SourceTree.file(name).text.matches(of: /`((?:Sources|Tests)\/[^`<> ]+)`/) {
        let path = String(match.output.1)
        if path.contains("NAME") { continue }
        seen += 1
        #expect(
          FileManager.default.fileExists(
            atPath: TestFiles.root.appendingPathComponent(path).path), "\(name): \(path)")
      }
    }
    #expect(seen > 15)
  }
}
