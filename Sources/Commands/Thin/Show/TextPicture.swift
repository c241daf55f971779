internal import PersistentData
internal import ThinMetadata

/// A picture of a pool as text.
struct TextPicture {
  /// The most columns that it takes.
  static let width = 78
  /// The most volumes and sets with a line.
  private static let maxVolumes = 60
  private static let maxSets = 12

  private let picture: PoolPicture
  private let input: String
  private let check: [String]
  private let isColoured: Bool
  /// Indices in the picture's volumes, ascending.
  private let shown: [Int]
  private let colours: [Int]

  /// `check`: what thin_check says.
  init(_ picture: PoolPicture, input: String, check: [String], isColoured: Bool) {
    self.picture = picture
    self.input = input
    self.check = check
    self.isColoured = isColoured
    shown = picture.notable(atMost: TextPicture.maxVolumes)
    colours = picture.colours(shown)
  }

  var lines: [String] {
    let parts = [
      heading, space, volumes, sharing, family, data, metadata, states,
      ["thin_check says"] + check.map(\.printable).flatMap(\.lines).flatMap(wrapIndented),
    ]
    return Array(parts.filter { !$0.isEmpty }.joined(separator: [""]))
  }

  private func wrapIndented(_ line: String) -> [String] {
    TextColumns.wrapped(line, TextPicture.width - 2).map { "  " + $0 }
  }

  private func wrap(_ line: String) -> [String] { TextColumns.wrapped(line, TextPicture.width) }

  /// `code`: an ANSI colour code (SGR).
  private func coloured(_ text: String, _ code: Int) -> String {
    isColoured && !text.isEmpty ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
  }

  /// A volume's colour, the same in all parts.
  private func colour(_ volume: Int) -> Int { [34, 33, 32, 35, 36, 31][colours[volume] % 6] }

  private func name(_ volume: Int, _ columns: Int) -> String {
    TextColumns.fitted(picture.volumes[volume].name.oneLine, columns)
  }

  private var heading: [String] {
    let code = picture.verdict == "sound" ? 32 : 31
    let name = TextColumns.fitted(input.oneLine, min(60, TextColumns.width(input.oneLine)))
    return ["\(name): " + coloured(picture.verdict, code)] + picture.summary.flatMap(wrap)
      + picture.untold.map(\.oneLine).flatMap(wrap).map { coloured($0, 31) }
  }

  private var space: [String] {
    let parts = picture.parts
    let total = max(1, picture.space.total)
    let signs: [String: (sign: Character, code: Int)] = [
      "exclusive": ("░", 34), "shared": ("█", 36), "mapped": ("▓", 36), "held": ("H", 35),
      "doubtful": ("?", 31), "untold": ("?", 31), "free": (".", 90),
    ]
    var bar = ""
    var drawn = 0
    var sum: UInt64 = 0
    for part in parts {
      sum += part.blocks ?? 0
      // Even the smallest part must be visible.
      let least = (part.blocks ?? 0) > 0 ? min(TextPicture.width, drawn + 1) : drawn
      let end =
        part.name == "free" ? TextPicture.width : max(least, TextPicture.scale(sum, total))
      let look = signs[part.name] ?? ("?", 31)
      bar += coloured(String(repeating: look.sign, count: max(0, end - drawn)), look.code)
      drawn = max(drawn, end)
    }
    let rows = parts.map { part in
      "  \(signs[part.name]?.sign ?? "?") " + TextColumns.fitted(part.name, 10)
        + TextColumns.right(picture.size(part.blocks), 9)
        + TextColumns.right(picture.percent(part.blocks ?? 0, of: total), 9) + "  " + part.about
    }
    return ["where the space is", bar] + rows
  }

  private static func scale(_ part: UInt64, _ total: UInt64) -> Int {
    min(width, Int((Double(part) / Double(total) * Double(width)).rounded()))
  }

  private var volumes: [String] {
    let largest = max(1, picture.volumes.compactMap(\.mapped).max() ?? 1)
    let rows = shown.map { index in
      let volume = picture.volumes[index]
      let mapped = TextPicture.bar(volume.mapped ?? 0, largest)
      let alone = min(mapped, TextPicture.bar(volume.alone ?? 0, largest))
      let shared = String(repeating: "█", count: mapped - alone)
      let bar = String(repeating: "░", count: alone) + shared
      return name(index, 20) + TextColumns.right(picture.size(volume.mapped), 10)
        + TextColumns.right(picture.size(volume.alone), 10) + "  " + coloured(bar, colour(index))
        + String(repeating: " ", count: 18 - mapped) + TextColumns.right("\(volume.pieces)", 8)
        + TextColumns.right(picture.size(volume.meanPiece), 10)
    }
    let heading =
      TextColumns.fitted("volumes", 20) + TextColumns.right("mapped", 10)
      + TextColumns.right("alone", 10) + "  " + TextColumns.fitted("░ alone █ shared", 18)
      + TextColumns.right("pieces", 8) + TextColumns.right("mean", 10)
    return [heading] + rows + [picture.rest(shown)].compactMap(\.self)
  }

  private static func bar(_ blocks: UInt64, _ largest: UInt64) -> Int {
    let length = Int((Double(blocks) / Double(largest) * 18).rounded())
    return min(18, blocks > 0 ? max(1, length) : 0)
  }

  private var sharing: [String] {
    let sets = picture.sharing.filter { $0.count > 1 || $0.hasSnapshot }
    let rows = sets.prefix(TextPicture.maxSets).map { set in
      let names = picture.names(set, atMost: 24).map(\.oneLine).joined(separator: ", ")
      return "  " + TextColumns.right(picture.size(set.blocks), 9) + "  "
        + TextColumns.fitted(names, min(TextPicture.width - 13, TextColumns.width(names)))
    }
    if rows.isEmpty { return [] }
    let rest = sets.count - rows.count
    return ["who shares with whom"] + rows
      + (rest > 0 ? ["  \(rest) other sets of volumes share less"] : [])
  }

  private var family: [String] {
    let history = picture.history
    let list = picture.family(of: shown)
    guard history.spanCount > 1, !list.isEmpty else { return [] }
    let highest = max(1, history.mappings.joined().max() ?? 1)
    let signs = Array(" ▁▂▃▄▅▆▇█")
    let rows = list.map { index, depth in
      let counts = history.mappings[index]
      let chart = String(
        counts.map { $0 == 0 ? " " : signs[max(1, Int(Double($0) / Double(highest) * 8))] })
      let made = picture.volumes[index].details.map { "\($0.creationTime)" } ?? "?"
      let indent = String(repeating: "  ", count: min(depth, 8)) + (depth > 0 ? "└ " : "")
      return TextColumns.fitted(indent + picture.volumes[index].name.oneLine, 36)
        + TextColumns.right(made, 8) + "  "
        + coloured(TextColumns.fitted(chart, history.spanCount), colour(index))
    }
    let heading =
      TextColumns.fitted("family: snapshots below their origins", 38)
      + TextColumns.right("made", 6) + "  mapped at times 0 to \(history.end - 1)"
    return [heading] + rows
  }

  private var data: [String] {
    let map = picture.data
    if map.cells.isEmpty { return [] }
    let last =
      "one sign is \(picture.size(map.blocksPerCell * UInt64(cellsPerSign))); behind it, "
      + "\(picture.size(picture.space.total - min(picture.space.total, map.end))) are free"
    return ["data device (. free  ░ one volume  ▒ 2  ▓ 3  █ more share  ? doubtful)"]
      + TextMaps.rows(of: TextMaps.signs(map.cells, cellsPerSign), TextPicture.width) + [last]
  }

  private var cellsPerSign: Int { max(1, (picture.data.cells.count + 623) / 624) }

  private var metadata: [String] {
    let map = picture.metadata
    let signs = TextMaps.signs(map.cells, max(1, (map.cells.count + 623) / 624))
    let kinds = MetadataMap.Kind.allCases.filter { map[$0] > 0 }.map { kind in
      "  \(kind.sign) " + TextColumns.fitted(kind.name, 28)
        + TextColumns.right("\(map[kind])", 9) + (map[kind] == 1 ? " block" : " blocks")
    }
    return ["metadata device"] + TextMaps.rows(of: signs, TextPicture.width) + kinds
  }

  private var states: [String] {
    guard let states = picture.states, picture.oldStateCount > 0 else { return [] }
    return ["old states that are still there"]
      + (states.lines.prefix(24) + states.advice).map(\.oneLine).flatMap(wrapIndented)
  }
}

extension String {
  fileprivate var lines: [String] { split(separator: "\n").map(String.init) }
}
