/// What a file or device that should hold metadata looks like.
///
/// People under stress name the wrong device; a tool that says "this is a LUKS volume" saves them
/// an hour.
package enum InputKind: Hashable, Sendable {
  case metadata(BlockKind)
  /// Our own notice that a restore or repair was interrupted.
  case unfinished
  /// An undo file: what mending in place has overwritten.
  case undo
  case xml
  case pack
  case foreign(ForeignKind)
  case zeroes
  case unknown

  /// Looks at a file that was opened as metadata.
  package init(of file: BlockFile) throws(IOError) {
    let count = Int(min(file.blockCount, UInt64(Signature.blocks)))
    let buffer = BlockBuffer(blocks: count)
    try buffer.read(file, from: 0, count: count)
    self = InputKind(buffer, count, knownByEnd: { Signature.atEnd(of: file) })
  }

  /// Looks at a file that is too small for metadata.
  package init(ofSmall path: String) throws(IOError) {
    let source = try ByteSource(path)
    let buffer = BlockBuffer(zeroedBlocks: 1)
    let bytes = try source.read(upTo: MetadataBlock.size)
    buffer.edit(0) { block in
      for (index, byte) in bytes.enumerated() { block[Field<UInt8>(at: index)] = byte }
    }
    self = InputKind(buffer, 1, knownByEnd: { nil })
  }

  private init(_ buffer: BlockBuffer, _ count: Int, knownByEnd: () -> ForeignKind?) {
    let first = buffer[0]
    if let kind = BlockKind(of: first) {
      self = .metadata(kind)
    } else if UnfinishedNotice.stands(in: first) {
      self = .unfinished
    } else if let kind = Signature.match(in: buffer, count) {
      self = kind
    } else if TarHeader.stands(in: first) {
      self = .foreign(.tar)
    } else if let kind = PlainText(first)?.kind {
      self = kind
    } else if let kind = knownByEnd() {
      self = .foreign(kind)
    } else if (0..<first.byteCount).allSatisfy({ first[Field<UInt8>(at: $0)] == 0 }) {
      self = .zeroes
    } else {
      self = .unknown
    }
  }

  /// What it is, to follow "this is" in a sentence; `nil` if unknown.
  package var name: String? {
    switch self {
    case .metadata(.thinSuperblock): "the metadata of a thin pool"
    case .metadata(.cacheSuperblock): "the metadata of a cache"
    case .metadata(.eraSuperblock): "the metadata of an era device"
    case .metadata(let kind): kind.nameWithArticle
    case .unfinished: "the output of a restore or repair that was interrupted"
    case .undo: "an undo file"
    case .xml: "XML"
    case .pack: "metadata packed by thin_metadata_pack"
    case .foreign(let kind): kind.rawValue
    case .zeroes: "nothing but zeroes"
    case .unknown: nil
    }
  }
}
