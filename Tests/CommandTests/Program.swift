import Foundation
import Glibc
import TestSupport
import Testing

/// The program under test: the one that was built along with the tests.
enum Program {
  /// The statuses it may ever end with; 2 is not one of them, because of LVM.
  static let statuses: Set<Int32> = [0, 1, 64, 65, 66, 73, 74]

  static let tools = [
    "cache_check", "cache_dump", "cache_generate_metadata", "cache_metadata_size", "cache_repair",
    "cache_restore", "cache_writeback",
    "era_check", "era_dump", "era_generate_metadata", "era_invalidate", "era_repair", "era_restore",
    "thin_check", "thin_delta", "thin_dump", "thin_generate_metadata", "thin_ls",
    "thin_metadata_pack", "thin_metadata_size", "thin_metadata_unpack", "thin_repair",
    "thin_restore", "thin_rmap", "thin_roots", "thin_show", "thin_shrink", "thin_trim",
  ]

  static let path = TestFiles.program

  /// Runs a tool by the program's first word.
  static func run(_ tool: String, _ arguments: [String]) throws -> Shell.Result {
    try start(path, [tool] + arguments)
  }

  static func check(_ arguments: String...) throws -> Shell.Result {
    try run("thin_check", arguments)
  }

  static func dump(_ arguments: String...) throws -> Shell.Result {
    try run("thin_dump", arguments)
  }

  static func repair(_ arguments: String...) throws -> Shell.Result {
    try run("thin_repair", arguments)
  }

  static func restore(_ arguments: String...) throws -> Shell.Result {
    try run("thin_restore", arguments)
  }

  /// Runs the program under whatever name, and sees that it ends as it may.
  static func start(_ path: String, _ arguments: [String]) throws -> Shell.Result {
    let result = try Shell.run(path, arguments)
    #expect(!result.wasKilled, "killed by signal \(result.status): \(arguments)")
    #expect(statuses.contains(result.status), "\(arguments)")
    return result
  }

  /// Runs a script; the program is `$dmmeta` there, and `arguments` are `$1` and so on.
  static func script(_ text: String, _ arguments: String...) throws -> Shell.Result {
    try script(text, arguments)
  }

  static func script(_ text: String, _ arguments: [String]) throws -> Shell.Result {
    let result = try Shell.run(
      "/bin/bash", ["-c", "dmmeta=$0\n" + text, path] + arguments)
    #expect(!result.wasKilled)
    return result
  }
}

/// The old tools, where `make test` could fetch them.
enum Peer: String, CaseIterable {
  case old = "0.9.0"
  case new = "1.1.0"

  private var path: String {
    TestFiles.root.appendingPathComponent(".peers/\(rawValue)/pdata_tools").path
  }

  var isThere: Bool { FileManager.default.isExecutableFile(atPath: path) }

  var absence: Comment { "thin-provisioning-tools \(rawValue) could not be fetched" }

  /// Runs the old tool, whose result is compared with ours, and has that counted: `make test` says
  /// how often it happened.
  func run(_ tool: String, _ arguments: String...) throws -> Shell.Result {
    try run(tool, arguments)
  }

  func run(_ tool: String, _ arguments: [String]) throws -> Shell.Result {
    try count()
    return try Shell.run(path, [tool] + arguments)
  }

  /// Adds a line to the file that PEER_LOG names, if it does.
  private func count() throws {
    guard let log = ProcessInfo.processInfo.environment["PEER_LOG"] else { return }
    // Tests run side by side, and what one call appends stays together.
    let file = try #require(fopen(log, "a"))
    fputs("\(rawValue)\n", file)
    #expect(fclose(file) == 0)
  }

  /// Of those that are there, the ones that do not find the metadata sound.
  static func complaining(about image: String) throws -> [Peer] {
    try allCases.filter(\.isThere).filter { try $0.run("thin_check", image).status != 0 }
  }
}
