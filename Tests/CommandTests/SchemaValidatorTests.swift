import Foundation
import TestSupport
import Testing

/// The validator finds what is wrong, and what it doesn't understand.
@Suite struct SchemaValidatorTests {
  private func faults(_ document: String, _ schema: String) throws -> [String] {
    try SchemaValidator(schema: Data(schema.utf8)).faults(in: Data(document.utf8))
  }

  @Test(arguments: [
    (#"{"type": "object", "required": ["a"]}"#, #"{"a": 1}"#, "{}"),
    (#"{"type": "array"}"#, "[]", "{}"),
    (#"{"type": "integer"}"#, "18446744073709551615", "1.5"),
    (#"{"type": "integer", "minimum": 3}"#, "3", "2"),
    (#"{"type": "integer", "maximum": 3}"#, "3", "4"),
    (#"{"type": "number"}"#, "0.5", #""0.5""#),
    (#"{"type": "boolean"}"#, "false", "0"),
    (#"{"type": "integer"}"#, "1", "true"),
    (#"{"type": "null"}"#, "null", "0"),
    (#"{"type": "string"}"#, #""""#, "null"),
    (#"{"const": "x"}"#, #""x""#, #""y""#),
    (#"{"enum": [1, "a"]}"#, #""a""#, "2"),
    (#"{"properties": {"a": {"type": "string"}}}"#, #"{"a": "", "b": 1}"#, #"{"a": 1}"#),
    (#"{"properties": {"a": {}}, "additionalProperties": false}"#, #"{"a": 1}"#, #"{"b": 1}"#),
    (#"{"items": {"type": "integer"}}"#, "[1, 2]", #"[1, "2"]"#),
    (#"{"minItems": 1}"#, "[1]", "[]"),
    (##"{"$ref": "#/$defs/n", "$defs": {"n": {"type": "null"}}}"##, "null", "1"),
    (#"{"anyOf": [{"type": "null"}, {"const": 1}]}"#, "1", "2"),
    (#"{"oneOf": [{"type": "integer"}, {"type": "number"}]}"#, "1.5", "1"),
  ])
  func `each keyword tells right from wrong`(schema: String, right: String, wrong: String) throws {
    #expect(try faults(right, schema) == [])
    #expect(try faults(wrong, schema).count == 1)
  }

  @Test func `what is no JSON, or more than one document, is a fault`() throws {
    for text in ["", "{", "{} {}", "{'a': 1}", "[1 2]"] {
      #expect(try faults(text, "{}").count == 1, "\(text)")
    }
  }

  @Test(arguments: [
    #"{"pattern": "a"}"#, #"{"items": {"minLength": 1}}"#, #"{"additionalProperties": true}"#,
    #"{"properties": {"a": {"format": "uri"}}}"#, #"{"type": ["string", "null"]}"#,
    ##"{"$ref": "#/$defs/none"}"##, #"{"$defs": {"unused": {"if": {}}}}"#, #"{"type": "text"}"#,
    #"{"anyOf": []}"#, #"{"minimum": -1}"#,
  ])
  func `a schema that is not understood as a whole is refused`(schema: String) {
    #expect(throws: SchemaValidator.Unknown.self) {
      try SchemaValidator(schema: Data(schema.utf8))
    }
  }
}
