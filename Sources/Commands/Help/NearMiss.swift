/// What somebody may have meant by a name that there isn't.
enum NearMiss {
  /// Longer words are no misspelt names.
  private static let longestWord = 40
  /// So many letters may be wrong, and a third of them at most.
  private static let maxSlips = 3

  /// Those of the names that are nearest to the word, if any is near; in their order.
  static func names(near word: String, among names: [String]) -> [String] {
    guard word.count <= longestWord else { return [] }
    let word = word.lowercased()
    let allowed = min(maxSlips, word.count / 3)
    let distances = names.map { distance(Array(word), Array($0)) }
    guard let least = distances.min(), least <= allowed else { return [] }
    return zip(names, distances).filter { $0.1 == least }.map(\.0)
  }

  /// "; did you mean a, b or c?"; nothing where there is nobody to mean.
  static func question(_ names: [String]) -> String {
    guard let last = names.last else { return "" }
    let others = names.dropLast().joined(separator: ", ")
    return "; did you mean \(others.isEmpty ? "" : others + " or ")\(last)?"
  }

  /// Letters to add, leave out, change, or swap with their neighbours.
  private static func distance(_ one: [Character], _ other: [Character]) -> Int {
    var before: [Int] = []
    var last = Array(0...other.count)
    for i in one.indices {
      var row = [i + 1]
      for j in other.indices {
        var best = min(row[j] + 1, last[j + 1] + 1, last[j] + (one[i] == other[j] ? 0 : 1))
        if i > 0, j > 0, one[i] == other[j - 1], one[i - 1] == other[j] {
          best = min(best, before[j - 1] + 1)
        }
        row.append(best)
      }
      (before, last) = (last, row)
    }
    return last[other.count]
  }
}
