internal import ArgumentParser
internal import PersistentData
internal import ThinMetadata

/// Options for what the superblock doesn't tell, or tells wrongly.
struct OverrideOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Sectors in a data block, where the metadata can't tell.", valueName: "sectors"))
  var dataBlockSize: UInt32?
  @Option(help: ArgumentHelp("The data device has at least this many blocks.", valueName: "count"))
  var nrDataBlocks: UInt64?
  @Option(help: ArgumentHelp("The pool's transaction id is at least this.", valueName: "id"))
  var transactionID: UInt64?

  var values: PoolOverrides {
    var values = PoolOverrides()
    values.dataBlockSectors = dataBlockSize
    values.dataBlockCount = nrDataBlocks
    values.transactionID = transactionID
    return values
  }
}
