import Foundation

/// Where the tests find what they work on. Fixtures are unpacked once a run.
public enum TestFiles {
  /// The folder of the package.
  public static let root = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// The program under test: the one that was built along with the tests.
  public static let program: String = {
    let tests = CommandLine.arguments.first { $0.contains(".xctest") } ?? CommandLine.arguments[0]
    return URL(fileURLWithPath: tests).deletingLastPathComponent()
      .appendingPathComponent("dmmeta").path
  }()

  /// The JSON Schema of what a tool prints.
  public static func schema(_ tool: String) -> String {
    root.appendingPathComponent("man/\(tool).schema.json").path
  }

  /// All fixtures in a folder below fixtures/, by name, without `.img.xz`.
  public static func fixtureNames(_ folder: String) -> [String] {
    let path = root.appendingPathComponent("fixtures/\(folder)").path
    let files = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    return files.filter { $0.hasSuffix(".img.xz") }.map { String($0.dropLast(7)) }.sorted()
  }

  /// The bytes of a packed fixture, named by its path below fixtures/.
  public static func unpacked(_ path: String) throws -> Data {
    let packed = root.appendingPathComponent("fixtures/\(path)").path
    return try Shell.run("/usr/bin/xz", ["-dc", packed]).output
  }

  /// The bytes of a kernel-made image: `thin/fresh`.
  public static func image(_ name: String) throws -> Data { try unpacked("kernel/\(name).img.xz") }

  /// The states of a device of 128 metadata blocks, in the order in which a kernel committed them:
  /// `thin/many-commits`. There is room for more in the file.
  public static func states(_ name: String) throws -> [Data] {
    let bytes = try unpacked("kernel/\(name).states.xz")
    let size = 128 << 12
    return stride(from: 0, to: bytes.count, by: size).map { Data(bytes[$0..<$0 + size]) }
      .filter { state in state.contains { $0 != 0 } }
  }
}

/// A folder that goes with the test that made it.
public final class Scratch {
  public let folder: URL

  public init() throws {
    folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("dmmeta-test-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  /// Writes a file and returns its path.
  public func file(_ name: String, _ content: Data = Data()) throws -> String {
    let url = folder.appendingPathComponent(name)
    try content.write(to: url)
    return url.path
  }

  /// A file of zeroes.
  public func blank(_ name: String, bytes: Int) throws -> String {
    try file(name, Data(count: bytes))
  }
}

/// Runs a program to its end.
public enum Shell {
  public struct Result {
    public let status: Int32
    /// Whether a signal ended it; `status` is then the signal.
    public let wasKilled: Bool
    public let output: Data
    public let errors: Data

    public var text: String { String(decoding: output, as: UTF8.self) }
    public var errorText: String { String(decoding: errors, as: UTF8.self) }
  }

  public static func run(
    _ program: String, _ arguments: [String], input: Data? = nil
  ) throws -> Result {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    let output = Pipe()
    let errors = Pipe()
    let source = Pipe()
    process.standardOutput = output
    process.standardError = errors
    process.standardInput = input == nil ? FileHandle.nullDevice : source
    try process.run()
    // All three at once: a full pipe on either side would stop the program.
    let group = DispatchGroup()
    nonisolated(unsafe) var errorData = Data()
    DispatchQueue.global().async(group: group) {
      errorData = errors.fileHandleForReading.readDataToEndOfFile()
    }
    if let input {
      DispatchQueue.global().async(group: group) {
        try? source.fileHandleForWriting.write(contentsOf: input)
        try? source.fileHandleForWriting.close()
      }
    }
    let outputData = output.fileHandleForReading.readDataToEndOfFile()
    group.wait()
    process.waitUntilExit()
    return Result(
      status: process.terminationStatus,
      wasKilled: process.terminationReason == .uncaughtSignal, output: outputData,
      errors: errorData)
  }
}
