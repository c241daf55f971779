/// What a structure is called in a report, its position there, and what its keys count.
package struct StructureLabel: Sendable {
  /// The name in messages: "mapping tree", "data space map".
  package let name: String
  /// The structure's position among the others in a report.
  package let order: Int
  /// `nil` if it isn't a tree, array or space map.
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

/// A structure is identified by its name and order; what its keys count follows from these.
extension StructureLabel: Hashable {
  package static func == (left: StructureLabel, right: StructureLabel) -> Bool {
    left.order == right.order && left.name == right.name
  }

  package func hash(into hasher: inout Hasher) {
    hasher.combine(order)
    hasher.combine(name)
  }
}
