/// Why metadata could not be packed or unpacked.
package enum PackError: Error, Equatable {
  case input(IOError)
  case output(IOError)
  /// The reader of the packed metadata has closed the pipe.
  case readerGone
  /// No block has the checksum of metadata.
  case noMetadata
  /// A device with this many blocks can't be a metadata device.
  case tooLarge(blockCount: UInt64)
  /// It doesn't start like a pack file.
  case notAPack
  /// A pack file of another version, or of blocks of another size.
  case unknownVersion(UInt64)
  case unknownBlockSize(UInt64)
  /// The record at this byte has this fault.
  case badRecord(offset: UInt64, fault: PackFault)
  /// A block is in more than one place.
  case blockTwice(UInt64)
  /// The file lacks its end, or holds fewer blocks than were put into it.
  case incomplete
}

/// What can be wrong with a record of a pack file.
package enum PackFault: Error, Equatable {
  /// It extends past the end of the file.
  case cutOff
  /// It isn't a zlib stream, or its checksum doesn't match.
  case notInflated
  /// Something follows the stream.
  case bytesBehind
  /// One of our own records that this version doesn't know, or in the wrong place.
  case unknownRecord
  /// It ends inside the number of a block.
  case numberCutOff
  case blockOutOfRange(UInt64)
  /// The block has an invalid instruction.
  case badInstruction(block: UInt64)
  /// The instructions for a block end too soon, or make too many bytes.
  case badLength(block: UInt64)
  /// The block that was made doesn't have a checksum of metadata.
  case badChecksum(block: UInt64)
}

extension PackFault: CustomStringConvertible {
  package var description: String {
    switch self {
    case .cutOff: "the data goes on beyond the end of the file"
    case .notInflated: "the data can't be decompressed"
    case .bytesBehind: "something follows the zlib stream"
    case .unknownRecord: "a newer version has written something here that this one doesn't know"
    case .numberCutOff: "the data ends inside a block number"
    case .blockOutOfRange(let block): "there is a block \(block), beyond the end of the metadata"
    case .badInstruction(let block): "the instructions for block \(block) make no sense"
    case .badLength(let block): "the instructions for block \(block) make less or more than a block"
    case .badChecksum(let block): "block \(block) comes out with a bad checksum"
    }
  }
}
