extension HelpTexts {
  static let show: [String: String] = [
    "thin_show": """
    OVERVIEW: Show a pool in one picture: space, sharing, age.

    Without --html the picture is text, 78 columns wide; in colour on a terminal,
    unless NO_COLOR is set.

    USAGE: thin_show [OPTION ...] FILE

    ARGUMENTS:
      FILE                    The metadata device or file; it is only read.

    OPTIONS:
      --html FILE             Write a page to this file, all in one, for any
                              browser; - is standard output.
      -m, --metadata-snap     Show what the metadata snapshot has.
      --names FILE            Names of volumes: what 'lvs -o lv_name,thin_id VG' or
                              vgcfgbackup wrote; - is stdin.
      --pool POOL             The pool, if the names are those of several.
      -q, --quiet             Say nothing; the exit status tells.
      --version               Show the version.
      -h, --help              Show help information.

    EXIT STATUS: 0 sound, or done; 1 damaged; 64 wrong command line; 65 not
      metadata; 66 no such input; 73 output refused; 74 I/O error.

    'man thin_show' tells more.

    """
  ]
}
