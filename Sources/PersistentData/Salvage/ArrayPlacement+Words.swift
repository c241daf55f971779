extension ArrayPlacement {
  /// How many blocks were put back, a line for each kind of evidence. `array`: "the mappings".
  package static func summary(of placed: [Evidence: Int], in array: String) -> [String] {
    Evidence.allCases.compactMap { evidence in
      guard let count = placed[evidence] else { return nil }
      return "The index of \(array) is damaged: \(count) "
        + (count == 1 ? "block was" : "blocks were") + " put back \(evidence.words)."
    }
  }
}

extension ArrayPlacement.Evidence {
  fileprivate var words: String {
    switch self {
    case .graftedLeaf: "by a part of the index that is still in use"
    case .oldLeaf: "by older copies of the index"
    case .exclusion: "as no other place is possible"
    }
  }
}
