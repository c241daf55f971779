internal import CSystem
internal import Glibc

/// Threads that live for the length of one job.
///
/// Plain threads start in some 30 µs and cost nothing at program start; a task group costs 2 µs
/// for each of many thousand small jobs, so workers take their work from a shared counter.
package enum Workers {
  /// Must be called once, before the first worker starts.
  package static func prepare() { dmm_tune_memory() }

  /// One worker per core.
  package static let coreCount = max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))

  /// Runs `body` on `count` threads, including the calling one, and returns when all are done.
  package static func run(_ count: Int, _ body: @Sendable () -> Void) {
    run(helpers: count - 1, body) { body() }
  }

  /// Runs `helper` on `helpers` new threads while `main` runs on the calling one, and returns when
  /// all are done. If a thread can't be started, there is one helper less.
  package static func run<Result, Failure: Error>(
    helpers: Int, _ helper: @Sendable () -> Void, main: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try withoutActuallyEscaping(helper) { (helper) throws(Failure) in
      let threads = (0..<max(0, helpers)).compactMap { _ in start(Job(run: helper)) }
      defer { for thread in threads { pthread_join(thread, nil) } }
      return try main()
    }
  }

  /// Starts a detached thread; it ends with the program at the latest.
  package static func detach(_ body: @escaping @Sendable () -> Void) {
    if let thread = start(Job(run: body)) { pthread_detach(thread) }
  }

  private static func start(_ job: Job) -> pthread_t? {
    let box = unsafe Unmanaged.passRetained(job)
    var thread = pthread_t()
    let code = unsafe pthread_create(
      &thread, nil,
      { argument in
        if let argument = unsafe argument {
          unsafe Unmanaged<Job>.fromOpaque(argument).takeRetainedValue().run()
        }
        return nil
      }, box.toOpaque())
    if code == 0 { return thread }
    unsafe box.release()
    return nil
  }

  private final class Job: Sendable {
    let run: @Sendable () -> Void
    init(run: @escaping @Sendable () -> Void) { self.run = run }
  }
}
