internal import Synchronization

/// A pipeline that works on a sequence of jobs on all cores and delivers results in order.
///
/// The calling thread makes the jobs and consumes the results, in order; when it can do neither, it
/// works on a job itself. At most `depth` jobs are in flight, so memory is bounded.
package struct OrderedPipeline<Context, Job: Sendable, Output: Sendable> {
  private let helpers: Int
  private let depth: Int
  private let makeContext: @Sendable () -> Context
  private let transform: @Sendable (inout Context, Job) -> Output

  /// `helpers`: workers beside the calling thread. `makeContext`: what each worker keeps between
  /// jobs, such as a buffer.
  package init(
    helpers: Int = Workers.coreCount - 1, depth: Int = 2 * Workers.coreCount + 2,
    makeContext: @escaping @Sendable () -> Context,
    transform: @escaping @Sendable (inout Context, Job) -> Output
  ) {
    self.helpers = helpers
    self.depth = depth
    self.makeContext = makeContext
    self.transform = transform
  }

  /// Runs until `next` has no more jobs and all results are consumed, or `consume` throws.
  package func run<Failure: Error>(
    next: () -> Job?, consume: (Output) throws(Failure) -> Void
  ) throws(Failure) {
    let board = Board<Job, Output>()
    let makeContext = makeContext
    let transform = transform
    try Workers.run(helpers: helpers) {
      var context = makeContext()
      while let (number, job) = board.takeJob(waiting: true) {
        board.finish(number, transform(&context, job))
      }
    } main: { () throws(Failure) in
      defer { board.close() }
      var context = makeContext()
      var made = 0
      var consumed = 0
      var isExhausted = false
      while !isExhausted || consumed < made {
        while !isExhausted, made - consumed < depth {
          guard let job = next() else {
            isExhausted = true
            break
          }
          board.add(made, job)
          made += 1
        }
        if consumed == made { break }
        if let output = board.takeResult(consumed, waiting: false) {
          consumed += 1
          try consume(output)
        } else if let (number, job) = board.takeJob(waiting: false) {
          board.finish(number, transform(&context, job))
        } else if let output = board.takeResult(consumed, waiting: true) {
          consumed += 1
          try consume(output)
        }
      }
    }
  }
}

/// Jobs that wait for workers, and results that wait for their turn.
private final class Board<Job: Sendable, Output: Sendable>: Sendable {
  private struct State {
    var jobs: [(Int, Job)] = []
    var results: [Int: Output] = [:]
    var isClosed = false
  }

  private let state = Mutex(State())
  private let changed = Signal()

  func add(_ number: Int, _ job: Job) {
    state.withLock { $0.jobs.append((number, job)) }
    changed.raise()
  }

  func close() {
    state.withLock { $0.isClosed = true }
    changed.raise()
  }

  func finish(_ number: Int, _ output: Output) {
    state.withLock { $0.results[number] = output }
    changed.raise()
  }

  /// The oldest job; `nil` once the board is closed, or, unless `waiting`, if there is none.
  func takeJob(waiting: Bool) -> (Int, Job)? {
    while true {
      let seen = changed.count
      let (job, isClosed) = state.withLock { state in
        (state.jobs.isEmpty || state.isClosed ? nil : state.jobs.removeFirst(), state.isClosed)
      }
      if job != nil || isClosed || !waiting { return job }
      changed.wait(past: seen)
    }
  }

  /// The result of job `number`; `nil`, unless `waiting`, if it isn't there yet.
  func takeResult(_ number: Int, waiting: Bool) -> Output? {
    while true {
      let seen = changed.count
      if let output = state.withLock({ $0.results.removeValue(forKey: number) }) { return output }
      if !waiting { return nil }
      changed.wait(past: seen)
    }
  }
}
