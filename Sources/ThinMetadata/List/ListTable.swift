/// A list of devices as columns, each as wide as its widest cell, flush right, with a space after.
package struct ListTable {
  /// Stands where there is no value.
  package static let blank = "-"

  private let rows: [[String]]

  package init(_ listing: PoolListing, _ fields: [ListField], hasHeadings: Bool) {
    let sectors = listing.pool.dataBlockSectors
    rows =
      (hasHeadings ? [fields.map(\.rawValue)] : [])
      + listing.devices.map { device in
        fields.map { $0.text(device, sectorsPerBlock: sectors) ?? ListTable.blank }
      }
  }

  /// The lines, without their ends.
  package var lines: [String] {
    var widths = [Int](repeating: 0, count: rows.first?.count ?? 0)
    for row in rows {
      for (column, cell) in row.enumerated() { widths[column] = max(widths[column], cell.count) }
    }
    return rows.map { row in
      zip(row, widths).map { cell, width in
        String(repeating: " ", count: width - cell.count) + cell + " "
      }.joined()
    }
  }
}
