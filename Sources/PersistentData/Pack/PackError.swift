/// Why metadata could not be packed, or not unpacked.
package enum PackError: Error, Equatable {
  case input(IOError)
  case output(IOError)
  /// Whoever read the packed metadata has closed the pipe.
  case readerGone
  /// No block has the checksum of metadata.
  case noMetadata
  /// A device of so many blocks is none for metadata.
  case tooLarge(blockCount: UInt64)
  /// It does not begin as a pack file does.
  case notAPack
  /// A pack file of another version, or of blocks of another size.
  case unknownVersion(UInt64)
  case unknownBlockSize(UInt64)
  /// A record begins at this byte, and this is wrong with it.
  case badRecord(offset: UInt64, fault: PackFault)
  /// A block is in more than one place.
  case blockTwice(UInt64)
  /// The file lacks its end, or it holds fewer blocks than were put into it.
  case incomplete
}

/// What can be wrong with a record of a pack file.
package enum PackFault: Error, Equatable {
  /// It goes on beyond the end of the file.
  case cutOff
  /// It is no zlib stream, or one whose checksum doesn't fit.
  case notInflated
  /// Something follows the stream.
  case bytesBehind
  /// An own record that this version does not know, or in the wrong place.
  case unknownRecord
  /// It ends inside the number of a block.
  case numberCutOff
  case blockOutOfRange(UInt64)
  /// What should make a block is no instruction.
  case badInstruction(block: UInt64)
  /// The instructions for a block end too soon, or make too much.
  case badLength(block: UInt64)
  /// The block was made, and has no checksum of metadata.
  case badChecksum(block: UInt64)
}

extension PackFault: CustomStringConvertible {
  package var description: String {
    switch self {
    case .cutOff: "it goes on beyond the end of the file"
    case .notInflated: "it can't be inflated"
    case .bytesBehind: "something follows its zlib stream"
    case .unknownRecord: "a newer version has written something here that this one doesn't know"
    case .numberCutOff: "it ends inside the number of a block"
    case .blockOutOfRange(let block): "it holds block \(block), beyond the end of the metadata"
    case .badInstruction(let block): "what should make block \(block) makes no sense"
    case .badLength(let block): "what should make block \(block) makes less or more than a block"
    case .badChecksum(let block): "block \(block) comes out with a bad checksum"
    }
  }
}
