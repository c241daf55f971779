extension XMLReader {
  /// Whether a tag, row or not, may come next.
  var mayHoldTags: Bool {
    guard let parent = openElements.last else { return false }
    return !parent.isRow && openElements.count < Self.maxDepth
  }

  /// Gives the consumer what expat has noted.
  mutating func deliverNotes<Consumer: XMLConsumer & ~Copyable>(
    to consumer: inout Consumer
  ) throws(XMLError) {
    let tags = expat.notes
    for note in tags.notes {
      let position = place(note.position)
      switch note.kind {
      case .start: try deliverStart(note, of: tags, at: position, to: &consumer)
      case .end: try deliverEnd(at: position, to: &consumer)
      case .doctype:
        throw .rejected(position, reason: "a document type declaration has no place in metadata")
      case .tooLong:
        throw .rejected(position, reason: "a tag or comment is longer than a mebibyte")
      }
    }
  }

  /// Gives the consumer a row.
  func deliver<Consumer: XMLConsumer & ~Copyable>(
    _ shape: Int, _ values: Span<UInt64>, at position: XMLPosition, to consumer: inout Consumer
  ) throws(XMLError) {
    do throws(XMLComplaint) { try consumer.row(shape, values) } catch {
      throw XMLError(error, at: position)
    }
  }

  /// Gives the consumer rows that the lane found, a line each, the first after `lineCount` others.
  func deliver<Consumer: XMLConsumer & ~Copyable>(
    _ run: Range<Int>, of rows: LaneRows, after lineCount: Int, to consumer: inout Consumer
  ) throws(XMLError) {
    var taken = 0
    do throws(XMLComplaint) {
      try consumer.rows(
        rows.shapes.span.extracting(run), rows.values(of: run), each: rows.valuesPerRow, &taken)
    } catch {
      let row = rows.rows[run.lowerBound + taken]
      throw XMLError(
        error, at: XMLPosition(line: lineCount + taken + 1, column: row.tag - row.start + 1))
    }
  }

  private mutating func deliverStart<Consumer: XMLConsumer & ~Copyable>(
    _ note: TagNotes.Note, of tags: TagNotes, at position: XMLPosition, to consumer: inout Consumer
  ) throws(XMLError) {
    if let parent = openElements.last, parent.isRow {
      throw .rejected(position, reason: "nothing may stand inside <\(parent.name)>")
    }
    if openElements.count == Self.maxDepth {
      throw .rejected(position, reason: "elements are nested more than \(Self.maxDepth) deep")
    }
    hasRoot = true
    if let (shape, values) = tags.row(note, of: shapes) {
      try deliver(shape, values.span, at: position, to: &consumer)
      let isRow = !shapes[shape].isContainer
      openElements.append(.init(name: shapes[shape].name, position: position, isRow: isRow))
    } else {
      let tag = tags.tag(note)
      do throws(XMLComplaint) {
        try consumer.start(tag)
      } catch {
        throw XMLError(error, at: position)
      }
      openElements.append(.init(name: tag.name, position: position, isRow: false))
    }
  }

  mutating func deliverEnd<Consumer: XMLConsumer & ~Copyable>(
    at position: XMLPosition, to consumer: inout Consumer
  ) throws(XMLError) {
    // expat or the lane has matched the tags, so this is the element that ends.
    guard let element = openElements.popLast(), !element.isRow else { return }
    do throws(XMLComplaint) {
      try consumer.end(element.name)
    } catch {
      throw XMLError(error, at: position)
    }
  }

  /// The error for a failure of expat, once all notes have been delivered.
  func error(_ failure: ExpatParser.Failure) -> XMLError {
    let position = place(failure.position)
    switch (failure.kind, openElements.last) {
    case (.truncated, let element?):
      return .endsInside(element.name, opened: element.position)
    case (.mismatchedTag, let element?):
      let reason = "the end tag is not that of <\(element.name)>, opened at \(element.position)"
      return .malformed(position, reason: reason)
    default:
      return hasRoot
        ? .malformed(position, reason: failure.reason)
        : .notXML(position, reason: failure.reason)
    }
  }

  /// Adds the lines that expat hasn't seen.
  private func place(_ position: XMLPosition) -> XMLPosition {
    XMLPosition(line: position.line + laneLineCount, column: position.column)
  }
}

extension XMLError {
  /// A consumer's complaint about the tag at a position.
  init(_ complaint: XMLComplaint, at position: XMLPosition) {
    switch complaint {
    case .content(let reason): self = .rejected(position, reason: reason)
    case .failure(let error): self = .consumerFailed(error)
    }
  }
}

extension TagNotes {
  /// The row for a start tag, if its attributes are those of one of `shapes`, in any order.
  func row(_ note: Note, of shapes: [XMLRowShape]) -> (shape: Int, values: [UInt64])? {
    let name = string(note.strings.lowerBound)
    for (index, shape) in shapes.enumerated()
    where equal(name, shape.name) && note.strings.count == 1 + 2 * shape.attributes.count {
      if let values = values(note, of: shape) { return (index, values) }
    }
    return nil
  }

  private func values(_ note: Note, of shape: XMLRowShape) -> [UInt64]? {
    var values: [UInt64] = []
    for attribute in shape.attributes {
      switch attribute {
      case .number(let name):
        guard let value = value(of: name, in: note), let number = decimal(string(value)) else {
          return nil
        }
        values.append(number)
      case .base64(let name):
        guard let value = value(of: name, in: note), let number = base64Word(string(value)) else {
          return nil
        }
        values.append(number)
      case .text(let name, let text):
        guard let value = value(of: name, in: note), equal(string(value), text) else { return nil }
      }
    }
    return values
  }

  /// The index of the string with an attribute's value.
  private func value(of attribute: String, in note: Note) -> Int? {
    stride(from: note.strings.lowerBound + 1, to: note.strings.upperBound, by: 2)
      .first { equal(string($0), attribute) }
      .map { $0 + 1 }
  }

  private func equal(_ bytes: Span<UInt8>, _ text: String) -> Bool {
    let other = text.utf8Span.span
    guard bytes.count == other.count else { return false }
    for index in bytes.indices where bytes[index] != other[index] { return false }
    return true
  }
}
