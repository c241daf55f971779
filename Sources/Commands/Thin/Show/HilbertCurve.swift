/// A Hilbert curve: a line through all cells of a square that keeps near numbers near each other.
enum HilbertCurve {
  /// The place of a cell; `side` is a power of 2.
  static func place(of index: Int, side: Int) -> (x: Int, y: Int) {
    var (x, y, rest, size) = (0, 0, index, 1)
    while size < side {
      let right = rest / 2 & 1
      let up = (rest ^ right) & 1
      if up == 0 {
        if right == 1 { (x, y) = (size - 1 - x, size - 1 - y) }
        (x, y) = (y, x)
      }
      x += size * right
      y += size * up
      rest /= 4
      size *= 2
    }
    return (x, y)
  }
}
