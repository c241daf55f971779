internal import ThinMetadata

/// Maps of devices as text, one sign for several cells.
enum TextMaps {
  static func rows(of signs: [Character], _ width: Int) -> [String] {
    stride(from: 0, to: signs.count, by: width).map { start in
      String(signs[start..<min(signs.count, start + width)])
    }
  }

  /// How many volumes share the data; the most in each group of cells.
  static func signs(_ cells: [DataMap.Cell], _ cellsPerSign: Int) -> [Character] {
    stride(from: 0, to: cells.count, by: cellsPerSign).map { start in
      let group = cells[start..<min(cells.count, start + cellsPerSign)]
      if group.contains(where: { $0.doubtful > 0 }) { return "?" }
      let highest = group.map(\.mostSharers).max() ?? 0
      return Array(".░▒▓█")[min(4, highest)]
    }
  }

  /// The most common kind except free in each group of cells; damage if there is any.
  static func signs(_ cells: [MetadataMap.Kind], _ cellsPerSign: Int) -> [Character] {
    stride(from: 0, to: cells.count, by: cellsPerSign).map { start in
      let group = cells[start..<min(cells.count, start + cellsPerSign)]
      if group.contains(.damaged) { return MetadataMap.Kind.damaged.sign }
      var best = MetadataMap.Kind.free
      var highest = 0
      for kind in MetadataMap.Kind.allCases where kind != .free {
        let count = group.count { $0 == kind }
        if count > highest { (best, highest) = (kind, count) }
      }
      return best.sign
    }
  }
}
