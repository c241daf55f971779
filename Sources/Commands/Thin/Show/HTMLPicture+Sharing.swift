internal import PersistentData
internal import ThinMetadata

extension HTMLPicture {
  /// The most sets with a row, and names in a row.
  private static let maxSets = 24
  private static let maxNames = 12
  /// The most volumes with a row in the family.
  private static let maxRelatives = 100

  var sharing: String {
    let sets = picture.sharing.filter { $0.count > 1 || $0.hasSnapshot }
    if sets.isEmpty {
      return section("Who shares with whom", "<p>No volumes share anything.</p>\n")
    }
    let largest = Double(max(1, sets[0].blocks))
    let rows = sets.prefix(HTMLPicture.maxSets).map { set in
      let members = set.volumes.prefix(HTMLPicture.maxNames).map { volume in
        "<span class=\"m\">\(swatch(volume))\(name(volume))</span>"
      }
      let others = picture.names(set, atMost: HTMLPicture.maxNames).dropFirst(members.count).map {
        "<span class=\"m\">\(Markup.text($0.oneLine))</span>"
      }
      return """
        <li><span class="size">\(picture.size(set.blocks))</span>\
        <svg class="row" viewBox="0 0 200 10" preserveAspectRatio="none" role="img">\
        <title>\(set.blocks) blocks</title><rect class="p-shared" \
        width="\(Markup.number(max(1, Double(set.blocks) / largest * 200)))" height="10"/></svg>\
        <span>\((members + others).joined(separator: " "))</span></li>

        """
    }
    let rest = sets.count - rows.count
    return section(
      "Who shares with whom",
      "<ul class=\"sets\">\n\(rows.joined())</ul>\n"
        + (rest > 0 ? "<p>\(rest) other sets of volumes share less.</p>\n" : ""))
  }

  var family: String {
    let history = picture.history
    let list = picture.family(of: shown)
    if list.isEmpty { return "" }
    let highest = Double(max(1, history.mappings.joined().max() ?? 1))
    let rows = list.prefix(HTMLPicture.maxRelatives).map { volume, depth in
      relative(volume, depth, highest)
    }
    let rest = list.count - rows.count
    return section(
      "Family, and when what is mapped was written",
      """
      <p>A snapshot stands below its origin, as far as sharing and times tell. The pool's time \
      goes up by one with each snapshot; it is \(history.end - 1) now.</p>
      <ul class="family">
      \(rows.joined())\(axis)</ul>
      \(rest > 0 ? "<p>\(rest) more volumes.</p>\n" : "")
      """)
  }

  /// The times at both ends of the charts.
  private var axis: String {
    let last = picture.history.end - 1
    return """
      <li class="axis"><span class="who">written at time</span>\
      <span class="ticks"><span>0</span>\(last > 0 ? "<span>\(last)</span>" : "")</span></li>

      """
  }

  private func relative(_ index: Int, _ depth: Int, _ highest: Double) -> String {
    let volume = picture.volumes[index]
    var words = volume.details.map { "made at time \($0.creationTime)" } ?? "details are lost"
    if let origin = volume.origin { words += ", snapshot of \(name(origin))" }
    return """
      <li><span class="who" style="padding-left:\(min(depth, 8))em">\(swatch(index))\(name(index)) \
      <small>\(words)</small></span>\(chart(index, highest))</li>

      """
  }

  /// Mappings by time, as columns.
  private func chart(_ volume: Int, _ highest: Double) -> String {
    let history = picture.history
    let colour = colour(volume)
    var columns = ""
    for (span, count) in history.mappings[volume].enumerated() where count > 0 {
      let height = max(1, Double(count) / highest * 20)
      let times = history.times(span)
      let when =
        times.count == 1
        ? "time \(times.lowerBound)" : "times \(times.lowerBound) to \(times.upperBound)"
      columns += """
        <rect class="\(colour)" x="\(span)" y="\(Markup.number(20 - height))" width="0.9" \
        height="\(Markup.number(height))"><title>\(when): \(picture.size(count))</title></rect>
        """
    }
    return """
      <svg class="time" viewBox="0 0 \(history.spanCount) 20" preserveAspectRatio="none" \
      role="img">\
      <title>Mappings by time, from 0 to \(history.end - 1)</title>\(columns)</svg>
      """
  }
}
