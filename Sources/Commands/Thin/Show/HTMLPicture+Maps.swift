internal import PersistentData
internal import ThinMetadata

extension HTMLPicture {
  var dataMap: String {
    let map = picture.data
    let side = map.side
    var cells = CellMap(width: side, height: side)
    for (index, cell) in map.cells.enumerated() {
      let (x, y) = HilbertCurve.place(of: index, side: side)
      cells[x, y] = look(cell, map.blocksPerCell)
    }
    let behind = picture.space.total - min(picture.space.total, map.end)
    let legend = [
      ("c0", "one volume, in its colour"), ("s2", "2 share"), ("s3", "3 share"),
      ("s4", "more share"), ("doubt", "doubtful"), ("none", "free"),
    ]
    let meaning = ". free, ░ one volume, ▒ 2, ▓ 3, █ more, ? doubtful"
    return section(
      "Data device",
      """
      \(cells.svg(title: "Data blocks 0 to \(map.end) along a Hilbert curve"))\(key(legend))<p>\
      Blocks that follow each other are near each other: a Hilbert curve, from the top left. \
      A cell is \(picture.size(map.blocksPerCell)); pale cells are less than half full. Behind the \
      last one, \(picture.size(behind)) are free.</p>
      \(asText(TextMaps.signs(map.cells, 1), meaning))
      """)
  }

  private func look(_ cell: DataMap.Cell, _ size: UInt64) -> String {
    if cell.doubtful > 0 { return "doubt" }
    if cell.mapped == 0 { return "" }
    let pale = cell.mapped * 2 < size ? " pale" : ""
    if let owner = cell.owner { return colour(owner) + pale }
    return "s\(min(4, max(2, cell.mostSharers)))" + pale
  }

  var metadataMap: String {
    let map = picture.metadata
    let side = DataMap.maxOnSide
    var cells = CellMap(
      width: side, height: max(1, (map.cells.count + side - 1) / side))
    for (index, kind) in map.cells.enumerated() where kind != .free {
      cells[index % side, index / side] = "b\(kind.rawValue)"
    }
    let rows = MetadataMap.Kind.allCases.filter { map[$0] > 0 }.map { kind in
      """
      <tr><th scope="row"><i class="k b\(kind.rawValue)"></i>\(kind.name)</th>\
      <td class="n">\(map[kind])</td><td class="n">\(ByteCount.text(map[kind] * 4096))</td></tr>

      """
    }
    let signs = MetadataMap.Kind.allCases.filter { map[$0] > 0 }.map { "\($0.sign) \($0.name)" }
    return section(
      "Metadata device",
      """
      \(cells.svg(title: "Metadata blocks by kind, row by row"))<p>Row by row; a cell is \
      \(map.blocksPerCell == 1 ? "a block" : "\(map.blocksPerCell) blocks") of 4 KiB.</p>
      <div class="scroll"><table class="kinds">
      <tr><th scope="col">kind</th><th scope="col" class="n">blocks</th>\
      <th scope="col" class="n">size</th></tr>
      \(rows.joined())</table></div>
      \(asText(TextMaps.signs(map.cells, 1), signs.joined(separator: ", ")))
      """)
  }

  private func key(_ entries: [(String, String)]) -> String {
    let words = entries.map { "<span class=\"m\"><i class=\"k \($0)\"></i>\($1)</span>" }
    return "<p class=\"key\">\(words.joined(separator: " "))</p>\n"
  }

  /// The same for readers who can't see colours, or the picture.
  private func asText(_ signs: [Character], _ meaning: String) -> String {
    let rows = TextMaps.rows(of: signs, DataMap.maxOnSide).joined(separator: "\n")
    return """
      <details><summary>The same as text, row by row</summary>
      <p>\(meaning)</p>
      <pre class="signs">\(rows)</pre>
      </details>

      """
  }
}
