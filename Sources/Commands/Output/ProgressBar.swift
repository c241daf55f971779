internal import Glibc
internal import PersistentData
internal import Synchronization
internal import Threads

/// Shows on a terminal how far a long job has come, and the time it may still take.
///
/// A thread of its own looks twice a second; the job never waits for it, and it dies with the
/// program. Nothing is shown on anything but a terminal, or before the job has taken a second.
struct ProgressBar: ~Copyable {
  private let board: Board?

  init(_ file: BlockFile, isQuiet: Bool) {
    guard !isQuiet, ByteSink.standardError.isTerminal else {
      board = nil
      return
    }
    let board = Board(file.progress)
    self.board = board
    Workers.detach { board.showUntilDone() }
  }

  /// Takes the line off the screen; nothing of it may follow.
  deinit { board?.finish() }

  private final class Board: Sendable {
    private static let clear = "\r\u{1B}[K"

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
        let line = Board.line(title, fraction, elapsed: ContinuousClock.now - start)
        let goesOn = isDone.withLock { isDone in
          if !isDone { try? ByteSink.standardError.write(Board.clear + line) }
          return !isDone
        }
        guard goesOn else { return }
      }
    }

    private static func line(_ title: String, _ fraction: Double, elapsed: Duration) -> String {
      let percent = Int(fraction * 100)
      let bar = String(repeating: "=", count: percent / 4)
      let rest = String(repeating: " ", count: 25 - percent / 4)
      var line = "\(title) [\(bar)\(rest)] \(percent) %"
      if fraction > 0.02 {
        let seconds = Double(elapsed.components.seconds) * (1 - fraction) / fraction
        line += ", \(time(Int(seconds) + 1)) left"
      }
      return line
    }

    private static func time(_ seconds: Int) -> String {
      seconds < 120 ? "\(seconds) s" : "\(seconds / 60) min"
    }
  }
}
