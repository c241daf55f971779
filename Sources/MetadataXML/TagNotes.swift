/// Notes of the tags that expat found, kept as flat bytes, as most are read only once, as bytes.
struct TagNotes {
  enum Kind { case start, end, doctype, tooLong }

  struct Note {
    let kind: Kind
    /// Where the tag starts, not counting lines that took the fast lane.
    let position: XMLPosition
    /// Indices of its strings: the name of the element, then names and values of attributes.
    let strings: Range<Int>
  }

  private(set) var notes: [Note] = []
  /// All the strings, one after the other, in UTF-8.
  private var text: [UInt8] = []
  private var stringEnds: [Int] = []

  /// One of the strings, by its index.
  @_lifetime(borrow self) func string(_ index: Int) -> Span<UInt8> {
    text.span.extracting(range(index))
  }

  /// The tag of a note of kind `start` or `end`.
  func tag(_ note: Note) -> XMLTag {
    let attributes = stride(from: note.strings.lowerBound + 1, to: note.strings.upperBound, by: 2)
    return XMLTag(
      name: name(note),
      attributes: attributes.map { .init(name: copy($0), value: copy($0 + 1)) })
  }

  /// The name of the element of a note of kind `start` or `end`.
  func name(_ note: Note) -> String { copy(note.strings.lowerBound) }

  private func copy(_ index: Int) -> String {
    String(decoding: text[range(index)], as: UTF8.self)
  }

  private func range(_ index: Int) -> Range<Int> {
    (index == 0 ? 0 : stringEnds[index - 1])..<stringEnds[index]
  }

  mutating func removeAll() {
    notes.removeAll(keepingCapacity: true)
    text.removeAll(keepingCapacity: true)
    stringEnds.removeAll(keepingCapacity: true)
  }

  /// Adds a string that belongs to the next note.
  mutating func add(string: Span<UInt8>) {
    for index in string.indices { text.append(string[index]) }
    stringEnds.append(text.count)
  }

  /// Adds a note; the strings added since the note before are its own.
  mutating func add(_ kind: Kind, at position: XMLPosition) {
    let first = notes.last?.strings.upperBound ?? 0
    notes.append(Note(kind: kind, position: position, strings: first..<stringEnds.count))
  }
}
