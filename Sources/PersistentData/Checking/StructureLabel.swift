/// How a structure is called in a report, where it stands there, and what its keys count.
package struct StructureLabel: Sendable {
  /// In the words people see: "mapping tree", "data space map".
  package let name: String
  /// Where the structure stands among the others in a report.
  package let order: Int
  /// `nil` where it is no tree, array or space map.
  package let keyUnit: KeyUnit?

  package init(_ name: String, order: Int, keyUnit: KeyUnit? = nil) {
    self.name = name
    self.order = order
    self.keyUnit = keyUnit
  }

  /// The same structure, where its keys count something else.
  func counting(_ unit: KeyUnit?) -> StructureLabel {
    StructureLabel(name, order: order, keyUnit: unit)
  }

  /// A structure that is part of this one: "data space map index".
  func part(_ part: String, counting unit: KeyUnit?) -> StructureLabel {
    StructureLabel("\(name) \(part)", order: order, keyUnit: unit)
  }
}

/// A structure is known by its name and place; what its keys count follows from these.
extension StructureLabel: Hashable {
  package static func == (left: StructureLabel, right: StructureLabel) -> Bool {
    left.order == right.order && left.name == right.name
  }

  package func hash(into hasher: inout Hasher) {
    hasher.combine(order)
    hasher.combine(name)
  }
}
