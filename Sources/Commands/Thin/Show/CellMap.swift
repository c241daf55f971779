/// A rectangle of cells, each with a CSS class, drawn as SVG.
struct CellMap {
  private let width: Int
  private let height: Int
  private var classes: [String]

  /// All cells are empty.
  init(width: Int, height: Int) {
    self.width = width
    self.height = height
    classes = Array(repeating: "", count: width * height)
  }

  subscript(x: Int, y: Int) -> String {
    get { classes[y * width + x] }
    set { classes[y * width + x] = newValue }
  }

  /// The drawing: a path for each class, made of strips as long as possible.
  func svg(title: String) -> String {
    var paths: [String: String] = [:]
    for y in 0..<height {
      var x = 0
      while x < width {
        let name = self[x, y]
        let start = x
        while x < width, self[x, y] == name { x += 1 }
        if !name.isEmpty {
          paths[name, default: ""] += "M\(start) \(y)h\(x - start)v1h-\(x - start)z"
        }
      }
    }
    let drawn = paths.sorted { $0.key < $1.key }.map { "<path class=\"\($0)\" d=\"\($1)\"/>" }
    return """
      <svg class="map" viewBox="0 0 \(width) \(height)" role="img" \
      shape-rendering="crispEdges"><title>\(Markup.text(title))</title>\(drawn.joined())</svg>

      """
  }
}
