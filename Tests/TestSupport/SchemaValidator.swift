import Foundation

/// Holds JSON documents against a JSON Schema (draft 2020-12), as far as our schemas use it.
///
/// A keyword that it doesn't know is an error when the schema is read, wherever it stands: what is
/// not checked must not look as if it were.
public struct SchemaValidator: Sendable {
  public struct Unknown: Error, CustomStringConvertible {
    public let description: String
  }

  private static let annotations: Set = ["$schema", "$id", "title", "description", "$comment"]
  private static let types: Set = [
    "object", "array", "string", "integer", "number", "boolean", "null",
  ]

  private let root: JSONValue

  public init(schemaFile path: String) throws {
    try self.init(schema: try Data(contentsOf: URL(fileURLWithPath: path)))
  }

  public init(schema: Data) throws {
    root = try JSONValue(parsing: schema)
    try learn(root, at: "#")
  }

  /// What is wrong with a document, a sentence each; empty when it is as the schema wants it.
  public func faults(in document: Data) -> [String] {
    do { return faults(in: try JSONValue(parsing: document)) } catch {
      return ["this is not JSON: \(error)"]
    }
  }

  public func faults(in document: JSONValue) -> [String] { faults(document, root, at: "$") }
}

// MARK: Reading the schema

extension SchemaValidator {
  /// Sees to it that all of a schema is understood.
  private func learn(_ schema: JSONValue, at place: String) throws {
    guard case .object(let keywords) = schema else {
      throw Unknown(description: "\(place) is no schema")
    }
    for (keyword, value) in keywords where !SchemaValidator.annotations.contains(keyword) {
      let inner = "\(place)/\(keyword)"
      let isKnown: Bool
      switch (keyword, value) {
      case ("properties", .object(let schemas)), ("$defs", .object(let schemas)):
        for (name, schema) in schemas { try learn(schema, at: "\(inner)/\(name)") }
        isKnown = true
      case ("oneOf", .array(let schemas)), ("anyOf", .array(let schemas)):
        for schema in schemas { try learn(schema, at: inner) }
        isKnown = !schemas.isEmpty
      case ("items", .object):
        try learn(value, at: inner)
        isKnown = true
      case ("type", .string(let type)): isKnown = SchemaValidator.types.contains(type)
      case ("required", .array(let names)): isKnown = names.allSatisfy { $0.string != nil }
      case ("additionalProperties", .boolean(false)), ("enum", .array), ("const", _),
        ("minimum", .integer), ("maximum", .integer), ("minItems", .integer):
        isKnown = true
      case ("$ref", .string(let reference)): isKnown = target(reference) != nil
      default: isKnown = false
      }
      if !isKnown { throw Unknown(description: "\(inner) is not understood") }
    }
  }

  private func target(_ reference: String) -> JSONValue? {
    let prefix = "#/$defs/"
    guard reference.hasPrefix(prefix) else { return nil }
    return root["$defs"]?[String(reference.dropFirst(prefix.count))]
  }
}

// MARK: Holding a document against it

extension SchemaValidator {
  private func faults(_ value: JSONValue, _ schema: JSONValue, at place: String) -> [String] {
    guard case .object(let keywords) = schema else { return [] }
    var faults: [String] = []
    for (keyword, wanted) in keywords {
      switch (keyword, wanted, value) {
      case ("$ref", .string(let reference), _):
        if let target = target(reference) { faults += self.faults(value, target, at: place) }
      case ("type", .string(let type), _):
        if !isOf(type, value) { faults.append("\(place) is not of type \(type)") }
      case ("const", _, _):
        if value != wanted { faults.append("\(place) is not what it has to be") }
      case ("enum", .array(let values), _):
        if !values.contains(value) { faults.append("\(place) is none of those it may be") }
      case ("minimum", .integer(let least), .integer(let number)):
        if number < least { faults.append("\(place) is below \(least)") }
      case ("maximum", .integer(let most), .integer(let number)):
        if number > most { faults.append("\(place) is above \(most)") }
      case ("minItems", .integer(let least), .array(let items)):
        if items.count < Int(least) { faults.append("\(place) has too few items") }
      case ("items", _, .array(let items)):
        for (index, item) in items.enumerated() {
          faults += self.faults(item, wanted, at: "\(place)[\(index)]")
        }
      case ("required", .array(let names), .object(let fields)):
        for name in names.compactMap(\.string) where fields[name] == nil {
          faults.append("\(place) has no \(name)")
        }
      case ("properties", .object(let schemas), .object(let fields)):
        for (name, field) in fields {
          if let schema = schemas[name] {
            faults += self.faults(field, schema, at: "\(place).\(name)")
          }
        }
      case ("additionalProperties", _, .object(let fields)):
        for name in fields.keys where keywords["properties"]?[name] == nil {
          faults.append("\(place).\(name) is not known")
        }
      case ("oneOf", .array(let schemas), _), ("anyOf", .array(let schemas), _):
        let count = schemas.count { self.faults(value, $0, at: place).isEmpty }
        if count == 0 || keyword == "oneOf" && count > 1 {
          faults.append("\(place) fits \(count) of the shapes it may have")
        }
      default: break
      }
    }
    return faults.sorted()
  }

  private func isOf(_ type: String, _ value: JSONValue) -> Bool {
    switch value {
    case .null: type == "null"
    case .boolean: type == "boolean"
    case .integer: type == "integer" || type == "number"
    case .number: type == "number"
    case .string: type == "string"
    case .array: type == "array"
    case .object: type == "object"
    }
  }
}
