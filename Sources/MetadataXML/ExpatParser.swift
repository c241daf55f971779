internal import CExpat

/// The C library expat as an object that is fed bytes and notes the tags.
///
/// The handlers that expat calls do nothing else, so no reader state or Swift error has to pass
/// through C. This is the only file of the module that calls C.
@safe final class ExpatParser {
  /// Why expat stopped.
  struct Failure {
    enum Kind { case malformed, mismatchedTag, truncated }
    let kind: Kind
    let position: XMLPosition
    let reason: String
  }

  /// The longest tag, comment or processing instruction that is accepted, in bytes: expat keeps all
  /// of it in memory.
  static let maxTokenSize = 1 << 20

  /// The tags found in the bytes parsed last.
  private(set) var notes = TagNotes()

  private let parser: XML_Parser
  private var parsedCount = 0
  private var startOfTag = XMLPosition(line: 1, column: 1)

  init() {
    guard let parser = unsafe XML_ParserCreate(nil) else { fatalError("out of memory") }
    unsafe self.parser = unsafe parser
    unsafe XML_SetUserData(parser, Unmanaged.passUnretained(self).toOpaque())
    unsafe XML_SetElementHandler(
      parser,
      { owner, name, attributes in unsafe ExpatParser.at(owner)?.noteStart(name, attributes) },
      { owner, name in unsafe ExpatParser.at(owner)?.noteEnd(name) })
    unsafe XML_SetStartDoctypeDeclHandler(parser) { owner, _, _, _, _ in
      unsafe ExpatParser.at(owner)?.stop(.doctype)
    }
    unsafe XML_SetCommentHandler(parser) { owner, _ in
      unsafe ExpatParser.at(owner)?.checkTokenSize()
    }
    unsafe XML_SetProcessingInstructionHandler(parser) { owner, _, _ in
      unsafe ExpatParser.at(owner)?.checkTokenSize()
    }
  }

  deinit { unsafe XML_ParserFree(parser) }

  /// Parses more bytes and replaces `notes`. Tags before a failure are noted.
  func parse(_ bytes: Span<UInt8>, isLast: Bool = false) -> Failure? {
    notes.removeAll()
    parsedCount += bytes.count
    let status = unsafe bytes.withUnsafeBytes { buffer in
      let characters = unsafe buffer.bindMemory(to: CChar.self)
      return unsafe XML_Parse(
        parser, characters.baseAddress, Int32(characters.count), isLast ? 1 : 0)
    }
    guard status == XML_STATUS_OK else { return failure }
    // An unfinished token is kept in expat's own memory.
    let start = Int(unsafe XML_GetCurrentByteIndex(parser))
    if start >= 0, parsedCount - start > Self.maxTokenSize { notes.add(.tooLong, at: position) }
    return nil
  }

  /// Where expat is: at the start of the current token.
  private var position: XMLPosition {
    XMLPosition(
      line: Int(unsafe XML_GetCurrentLineNumber(parser)),
      column: Int(unsafe XML_GetCurrentColumnNumber(parser)) + 1)
  }

  private var failure: Failure {
    let code = unsafe XML_GetErrorCode(parser)
    let kind: Failure.Kind =
      switch code {
      case XML_ERROR_TAG_MISMATCH: .mismatchedTag
      case XML_ERROR_NO_ELEMENTS, XML_ERROR_UNCLOSED_TOKEN, XML_ERROR_PARTIAL_CHAR,
        XML_ERROR_UNCLOSED_CDATA_SECTION:
        .truncated
      default: .malformed
      }
    var position = position
    // expat is then after the "</".
    if kind == .mismatchedTag { position.column -= 2 }
    let reason = unsafe XML_ErrorString(code).map { unsafe String(cString: $0) }
    return Failure(kind: kind, position: position, reason: reason ?? "not well-formed")
  }
}

// MARK: Called by expat

extension ExpatParser {
  private static func at(_ owner: UnsafeMutableRawPointer?) -> ExpatParser? {
    unsafe owner.map { unsafe Unmanaged<ExpatParser>.fromOpaque($0).takeUnretainedValue() }
  }

  private func noteStart(
    _ name: UnsafePointer<CChar>?, _ attributes: UnsafeMutablePointer<UnsafePointer<CChar>?>?
  ) {
    guard checkTokenSize(), let name = unsafe name, var next = unsafe attributes else { return }
    unsafe add(name)
    // Names and values alternate; a null pointer ends them.
    while let string = unsafe next.pointee {
      unsafe add(string)
      unsafe next += 1
    }
    startOfTag = position
    notes.add(.start, at: startOfTag)
  }

  private func noteEnd(_ name: UnsafePointer<CChar>?) {
    guard checkTokenSize(), let name = unsafe name else { return }
    unsafe add(name)
    // The end of an empty-element tag has no bytes of its own.
    let isEmptyElement = unsafe XML_GetCurrentByteCount(parser) == 0
    notes.add(.end, at: isEmptyElement ? startOfTag : position)
  }

  private func add(_ string: UnsafePointer<CChar>) {
    var size = 0
    while unsafe string[size] != 0 { size += 1 }
    unsafe notes.add(string: Span(_unsafeBytes: UnsafeRawBufferPointer(start: string, count: size)))
  }

  @discardableResult private func checkTokenSize() -> Bool {
    guard unsafe XML_GetCurrentByteCount(parser) > Self.maxTokenSize else { return true }
    stop(.tooLong)
    return false
  }

  private func stop(_ kind: TagNotes.Kind) {
    notes.add(kind, at: position)
    unsafe XML_StopParser(parser, XML_Bool(XML_FALSE))
  }
}
