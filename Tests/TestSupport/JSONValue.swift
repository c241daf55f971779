import Foundation

/// A JSON document as it was read, with whole numbers kept apart from others.
public enum JSONValue: Decodable, Hashable, Sendable {
  case null
  case boolean(Bool)
  case integer(UInt64)
  case number(Double)
  case string(String)
  case array([JSONValue])
  case object([String: JSONValue])

  /// Reads a document; anything after it is an error.
  public init(parsing data: Data) throws {
    self = try JSONDecoder().decode(JSONValue.self, from: data)
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      self = .null
    } else if let value = try? container.decode(String.self) {
      self = .string(value)
    } else if let value = try? container.decode([String: JSONValue].self) {
      self = .object(value)
    } else if let value = try? container.decode([JSONValue].self) {
      self = .array(value)
    } else if let value = try? container.decode(Bool.self) {
      self = .boolean(value)
    } else if let value = try? container.decode(UInt64.self) {
      self = .integer(value)
    } else {
      self = .number(try container.decode(Double.self))
    }
  }

  public subscript(name: String) -> JSONValue? {
    if case .object(let fields) = self { fields[name] } else { nil }
  }

  public var string: String? { if case .string(let text) = self { text } else { nil } }

  public var integer: Int? {
    if case .integer(let number) = self { Int(exactly: number) } else { nil }
  }

  public var elements: [JSONValue] { if case .array(let values) = self { values } else { [] } }
}
