/// Suggestions for a name that doesn't exist.
enum NearMiss {
  /// Longer words aren't misspelt names.
  private static let longestWord = 40
  /// The most letters that may be wrong; also at most a third of the word.
  private static let maxSlips = 3

  /// The names nearest to the word, if any is near enough; in their order.
  static func names(near word: String, among names: [String]) -> [String] {
    guard word.count <= longestWord else { return [] }
    let word = word.lowercased()
    let allowed = min(maxSlips, word.count / 3)
    let distances = names.map { distance(Array(word), Array($0)) }
    guard let least = distances.min(), least <= allowed else { return [] }
    return zip(names, distances).filter { $0.1 == least }.map(\.0)
  }

  /// "; did you mean a, b or c?"; empty if there are no names.
  static func question(_ names: [String]) -> String {
    guard let last = names.last else { return "" }
    let others = names.dropLast().joined(separator: ", ")
    return "; did you mean \(others.isEmpty ? "" : others + " or ")\(last)?"
  }

  /// The number of letters to add, leave out, change, or swap with their neighbours.
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
