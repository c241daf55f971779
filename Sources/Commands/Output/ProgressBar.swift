internal import Glibc
internal import PersistentData
internal import Synchronization
internal import Threads

/// Shows on a terminal the progress of a long job, and the time it may still take.
///
/// Its own thread updates it twice a second; the job never waits for the thread, which ends with
/// the program. It shows only on a terminal, and only after half a second.
struct ProgressBar: ~Copyable {
  private let board: Board?

  init(_ progress: Progress, isQuiet: Bool) {
    guard !isQuiet, ByteSink.standardError.isTerminal else {
      board = nil
      return
    }
    let board = Board(progress)
    self.board = board
    Workers.detach { board.showUntilDone() }
  }

  deinit { finish() }

  /// Removes the line for good; must be called before anything else is printed.
  func finish() { board?.finish() }

  private final class Board: Sendable {
    private static let clear = "\r\u{1B}[K"
    /// The width if the terminal doesn't tell.
    private static let usualColumns = 80
    /// A shorter part of a title would be useless.
    private static let fewestOfTitle = 8

    private let progress: Progress
    private let isDone = Mutex(false)

    init(_ progress: Progress) { self.progress = progress }

    func finish() {
      isDone.withLock { isDone in
        isDone = true
        try? ByteSink.standardError.write(Board.clear)
      }
    }

    func showUntilDone() {
      var part = ""
      var start = ContinuousClock.now
      while true {
        usleep(500_000)
        let (title, fraction) = progress.state
        if title != part {
          part = title
          start = .now
        }
        let columns = ByteSink.standardError.columns ?? Board.usualColumns
        let line = Board.line(title, fraction, ContinuousClock.now - start, columns: columns)
        let goesOn = isDone.withLock { isDone in
          if !isDone { try? ByteSink.standardError.write(Board.clear + line) }
          return !isDone
        }
        guard goesOn else { return }
      }
    }

    /// The longest line that fits with one column left free: some terminals wrap a full line.
    private static func line(
      _ title: String, _ fraction: Double?, _ elapsed: Duration, columns: Int
    ) -> String {
      let seconds = Double(elapsed.components.seconds)
      var short = ""
      var long = "\(title), \(time(Int(seconds)))"
      if let fraction {
        let percent = Int(fraction * 100)
        let bar = String(repeating: "=", count: percent / 4)
        let rest = String(repeating: " ", count: 25 - percent / 4)
        short = " \(percent) %"
        long = "\(title) [\(bar)\(rest)]\(short)"
        if fraction > 0.02 {
          long += ", \(time(Int(seconds * (1 - fraction) / fraction) + 1)) left"
        }
      }
      if long.count < columns { return long }
      let room = columns - 1 - short.count
      if room < fewestOfTitle { return "" }
      return (title.count <= room ? title : title.prefix(room - 3) + "...") + short
    }

    private static func time(_ seconds: Int) -> String {
      seconds < 120 ? "\(seconds) s" : "\(seconds / 60) min"
    }
  }
}
