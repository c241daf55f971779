/// A position in the input. Lines and columns count from 1, columns in characters.
package struct XMLPosition: Equatable, Sendable, CustomStringConvertible {
  /// The line, from 1.
  package var line: Int
  /// The character in the line, from 1.
  package var column: Int

  /// As in messages: "line 3, column 5".
  package var description: String { "line \(line), column \(column)" }
}

/// Why no metadata could be read from the input.
package enum XMLError: Error, CustomStringConvertible {
  /// The input has no bytes.
  case empty
  /// The input isn't XML: it breaks the rules before its first tag.
  case notXML(XMLPosition, reason: String)
  /// The input breaks the rules of XML.
  case malformed(XMLPosition, reason: String)
  /// The input ends inside this element, which was opened at the position.
  case endsInside(String, opened: XMLPosition)
  /// The tag at this position makes no sense as metadata.
  case rejected(XMLPosition, reason: String)
  /// The input could not be read.
  case sourceFailed(any Error)
  /// The consumer failed for a reason unrelated to the XML.
  case consumerFailed(any Error)

  /// What to tell the user, with the position if there is one.
  package var description: String {
    switch self {
    case .empty: "the input is empty"
    case .notXML(let position, let reason): "\(position): this is not XML: \(reason.cut)"
    case .malformed(let position, let reason): "\(position): \(reason.cut)"
    case .endsInside(let name, let position): "\(position): the XML ends inside <\(name.cut)>"
    case .rejected(let position, let reason): "\(position): \(reason.cut)"
    case .sourceFailed(let error), .consumerFailed(let error): "\(error)"
    }
  }
}

extension String {
  private static let maxCharacters = 300

  /// A message, with its middle left out if a name or a value makes it too long.
  fileprivate var cut: String {
    // Bytes are counted first: counting characters is slow in hundreds of kilobytes.
    guard utf8.count > String.maxCharacters, count > String.maxCharacters else { return self }
    return "\(prefix(String.maxCharacters * 2 / 3))...\(suffix(String.maxCharacters / 3))"
  }
}

/// What a consumer throws; the reader turns it into an `XMLError` with the position.
@usableFromInline
package enum XMLComplaint: Error {
  /// The tag makes no sense; a sentence without position, such as "unknown tag 'foo'".
  case content(String)
  /// The consumer itself failed, such as at a write.
  case failure(any Error)
}
