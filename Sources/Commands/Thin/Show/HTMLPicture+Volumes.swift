internal import ThinMetadata

extension HTMLPicture {
  var volumeTable: String {
    let largest = Double(max(1, shown.compactMap { picture.volumes[$0].mapped }.max() ?? 1))
    let rows = shown.enumerated().map { row, volume in volumeRow(row, volume, largest) }
    let more = picture.rest(shown).map { "<p>\($0)</p>\n" } ?? ""
    return section(
      "Volumes",
      """
      <div class="scroll"><table id="volumes">
      <tr><th scope="col">volume</th><th scope="col" class="n wide">id</th>\
      <th scope="col" class="n">mapped</th><th scope="col" class="n">alone</th>\
      <th scope="col" class="wide">alone, and shared (pale)</th>\
      <th scope="col" class="n">pieces</th><th scope="col" class="n">mean piece</th></tr>
      \(rows.joined())</table></div>
      \(more)<p id="freed" role="status">\(deletionHint)</p>

      """)
  }

  /// The text shown without a script.
  private var deletionHint: String {
    picture.tellsSharing
      ? "Deleting a volume frees what it has alone; <code>thin_ls --free-if-deleted</code> tells "
        + "what deleting several together frees."
      : "What deleting volumes would free can't be told."
  }

  private func volumeRow(_ row: Int, _ index: Int, _ largest: Double) -> String {
    let volume = picture.volumes[index]
    let mapped = Double(volume.mapped ?? 0) / largest * 200
    let alone = min(mapped, Double(volume.alone ?? 0) / largest * 200)
    let data =
      volume.mapped.map { " data-mapped=\"\($0)\"" }.joined
      + volume.alone.map { " data-alone=\"\($0)\"" }.joined
    let colour = colour(index)
    return """
      <tr data-id="\(volume.id)"\(data)><th scope="row"><label>\
      <input type="checkbox" hidden="hidden" value="\(row)"/>\
      \(swatch(index))<span>\(name(index))</span></label></th>\
      <td class="n wide">\(volume.id)</td><td class="n">\(picture.size(volume.mapped))</td>\
      <td class="n">\(picture.size(volume.alone))</td>\
      <td class="wide"><svg class="row" viewBox="0 0 200 10" preserveAspectRatio="none" role="img">\
      <title>\(picture.size(volume.alone)) of \(picture.size(volume.mapped)) alone</title>\
      <rect class="\(colour) pale" width="\(Markup.number(mapped))" height="10"/>\
      <rect class="\(colour)" width="\(Markup.number(alone))" height="10"/></svg></td>\
      <td class="n">\(volume.pieces)</td><td class="n">\(picture.size(volume.meanPiece))</td></tr>

      """
  }

  // MARK: What deleting frees

  /// The most bytes of the sets of sharers in the page.
  private static let maxBytes = 120_000

  /// For each set: its blocks, 1 if the metadata snapshot shares them, and its volumes as rows of
  /// the table. Sets with a volume that has no row are left out, as they are never freed.
  private var sets: (text: String, isWhole: Bool) {
    let rows = Dictionary(uniqueKeysWithValues: shown.enumerated().map { ($1, $0) })
    var text = ""
    for set in picture.sharing where !set.hasOthers && !set.volumes.isEmpty {
      let members = set.volumes.compactMap { rows[$0] }
      guard members.count == set.volumes.count else { continue }
      let list = members.map { "\($0)" }.joined(separator: ",")
      let entry = "[\(set.blocks),\(set.hasSnapshot ? 1 : 0),[\(list)]],"
      if text.utf8.count + entry.utf8.count > HTMLPicture.maxBytes { return (text, false) }
      text += entry
    }
    return (text, true)
  }

  /// The script that adds up the ticked volumes.
  var calculator: String {
    guard picture.tellsSharing else { return "" }
    let sets = sets
    return """
      <script>
      //<![CDATA[
      const sets=[\(sets.text)], blockBytes=\(picture.blockBytes), exact=\(sets.isWhole);
      \(PageStyle.script)
      //]]>
      </script>

      """
  }
}

extension Optional where Wrapped == String {
  /// The text, or an empty one.
  fileprivate var joined: String { self ?? "" }
}
