extension HelpTexts {
  /// Of the tools that change a pool's data device.
  static let data: [String: String] = [
    "thin_shrink": """
    OVERVIEW: Make a thin pool smaller, moving what is in the way.

    USAGE: thin_shrink [OPTION ...] -i FILE -o FILE --data FILE --nr-blocks COUNT
           thin_shrink --defragment [OPTION ...] -i FILE -o FILE --data FILE

    OPTIONS:
      -i, --input FILE        The pool's XML; with --binary, its metadata.
      -o, --output FILE       Where the new XML goes, or the new metadata; it may be
                              the input.
      --data FILE             The pool's data device.
      --nr-blocks COUNT       Data blocks that the pool is to have.
      --binary                Input and output are metadata, not XML.
      --no-copy               Leave the data where it is; the new metadata is right
                              only once it is moved.
      --defragment            Put fragmented volumes together; the pool keeps its
                              size. Implies --binary.
      --dev-id ID             Put together this device only; can be repeated.
      --dry-run               Say what would be moved, and change nothing.
      -q, --quiet             Say nothing; the exit status tells.
      --version               Show the version.
      -h, --help              Show help information.

    EXIT STATUS: 0 sound, or done; 1 damaged; 64 wrong command line; 65 not
      metadata; 66 no such input; 73 output refused; 74 I/O error.

    'man thin_shrink' tells more.

    """,
    "thin_trim": """
    OVERVIEW: Discard the free space of a thin pool's data device.

    USAGE: thin_trim [OPTION ...] --metadata-dev FILE --data-dev FILE

    OPTIONS:
      --metadata-dev FILE     The pool's metadata device or file.
      --data-dev FILE         The pool's data device.
      --dry-run               Say what would be discarded, and discard nothing.
      -q, --quiet             Say nothing; the exit status tells.
      --version               Show the version.
      -h, --help              Show help information.

    EXIT STATUS: 0 sound, or done; 1 damaged; 64 wrong command line; 65 not
      metadata; 66 no such input; 73 output refused; 74 I/O error.

    'man thin_trim' tells more.

    """,
  ]
}
