import Foundation

/// The table of fixtures/README.md.
public enum FixtureTable {
  public struct Row: Sendable {
    /// Below fixtures/: `kernel/thin/fresh.img.xz`.
    public let path: String
    public let shows: String
    public let maker: String
    /// What the checker has to say.
    public let verdict: String

    /// The image's name as `TestFiles.image` takes it; `nil` for what is no image.
    public var imageName: String? {
      guard path.hasPrefix("kernel/"), path.hasSuffix(".img.xz") else { return nil }
      return String(path.dropFirst("kernel/".count).dropLast(".img.xz".count))
    }
  }

  public static func rows() throws -> [Row] {
    let text = try String(
      contentsOf: TestFiles.root.appendingPathComponent("fixtures/README.md"), encoding: .utf8)
    return text.split(separator: "\n").filter { $0.hasPrefix("| `") }.compactMap { line in
      let cells = line.split(separator: "|").map {
        $0.trimmingCharacters(in: .whitespaces)
      }
      guard cells.count == 4 else { return nil }
      return Row(
        path: cells[0].trimmingCharacters(in: ["`"]), shows: cells[1], maker: cells[2],
        verdict: cells[3])
    }
  }

  /// The rows of images that kernels with a known fault made: their pools are not sound.
  public static func faultyThinImages() throws -> [Row] {
    try rows().filter { $0.imageName?.hasPrefix("thin-faulty/") == true }
  }

  /// The rows of thin images, whose verdicts are thin_check's.
  public static func thinImages() throws -> [Row] { try images(of: "thin") }

  /// The rows of a target's images: `thin`, `cache` or `era`.
  public static func images(of target: String) throws -> [Row] {
    try rows().filter { $0.imageName?.hasPrefix("\(target)/") == true }
  }
}
