internal import PersistentData

/// What the tools' reports have in common.
extension JSONWriter {
  /// Writes which tool's report this is. `version`: the document's, not the program's.
  mutating func head(_ tool: String, version: Int, input: String) {
    field("tool", tool)
    field("version", version)
    field("program_version", Toolbox.version)
    field("input", input)
  }

  /// Writes the fields of a range; one without an end has no `last`.
  mutating func range(_ range: ClosedRange<UInt64>) {
    field("first", range.lowerBound)
    field("last", range.upperBound == .max ? nil : range.upperBound)
  }

  /// Writes ranges as an array of objects.
  mutating func ranges(_ name: String, _ ranges: [ClosedRange<UInt64>]) {
    array(name) { json in
      for range in ranges { json.object { json in json.range(range) } }
    }
  }

  /// Writes how many blocks of an array were put back, by evidence.
  mutating func placedBlocks(_ placed: [ArrayPlacement.Evidence: Int]) {
    object("blocks_put_back") { json in
      for evidence in ArrayPlacement.Evidence.allCases {
        json.field(evidence.fieldName, placed[evidence, default: 0])
      }
    }
  }
}

extension ArrayPlacement.Evidence {
  /// The name in reports.
  fileprivate var fieldName: String {
    switch self {
    case .graftedLeaf: "by_index"
    case .oldLeaf: "by_old_index"
    case .exclusion: "by_exclusion"
    }
  }
}
