import Foundation
import TestSupport

/// The files of the package, as text.
enum SourceTree {
  struct File: Sendable {
    /// From the package's folder on: `Sources/PersistentData/Block/Field.swift`.
    let path: String
    let lines: [Substring]
    var text: String { lines.joined(separator: "\n") }

    /// Lines without what stands behind `//`.
    var code: [Substring] {
      lines.map { line in line.range(of: "//").map { line[..<$0.lowerBound] } ?? line }
    }
  }

  /// All files below some folders whose names end in `suffix`, in order.
  static func files(_ folders: String..., suffix: String = ".swift") throws -> [File] {
    try folders.flatMap { folder in
      try paths(folder).filter { $0.hasSuffix(suffix) }.map { try file($0) }
    }
  }

  static func file(_ path: String) throws -> File {
    let url = TestFiles.root.appendingPathComponent(path)
    let text = try String(contentsOf: url, encoding: .utf8)
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    if lines.last == "" { lines.removeLast() }
    return File(path: path, lines: lines)
  }

  /// The regular files below a folder, by their path from the package's folder on.
  static func paths(_ folder: String) throws -> [String] {
    let root = TestFiles.root.appendingPathComponent(folder).path
    let names = try FileManager.default.subpathsOfDirectory(atPath: root)
    return names.filter { name in
      var isFolder: ObjCBool = false
      _ = FileManager.default.fileExists(atPath: "\(root)/\(name)", isDirectory: &isFolder)
      return !isFolder.boolValue
    }.map { "\(folder)/\($0)" }.sorted()
  }
}

extension SourceTree {
  struct Function {
    /// Where it is declared, from 1.
    let line: Int
    /// Lines between its braces.
    let lineCount: Int
  }

  /// All functions, initializers and accessors with bodies of more than one line. The sources are
  /// formatted: a body ends at the brace that stands as far left as its declaration.
  static func functions(of file: File) -> [Function] {
    let start =
      #/^( *)(?:[a-z@_]+(?:\([^)]*\))? )*(?:func |init[(<?]|deinit\b|subscript\b|var \w+[^=]*\{$)/#
    return file.code.indices.compactMap { index in
      let line = file.code[index]
      guard let match = line.prefixMatch(of: start), !line.hasSuffix("}") else { return nil }
      let indent = match.output.1
      var open: Int?
      for next in index..<file.lines.count {
        let text = file.lines[next]
        if next > index, !text.isEmpty, text.prefix(while: { $0 == " " }).count < indent.count {
          return nil
        }
        if open == nil, text.hasSuffix("{") { open = next }
        if next > index, text == "\(indent)}" {
          return open.map { Function(line: index + 1, lineCount: next - $0 - 1) }
        }
      }
      return nil
    }
  }
}
