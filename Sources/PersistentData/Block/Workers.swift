internal import Glibc

/// Threads that live for the length of one job.
///
/// Plain threads start in some 30 µs and cost nothing when the program starts; a task group costs
/// 2 µs for each of many thousand small jobs, so workers take their work from a shared counter.
package enum Workers {
  /// One worker a core.
  package static let coreCount = max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))

  /// Runs `body(0)` … `body(count - 1)`, each on a thread of its own, and returns when all have.
  ///
  /// The calling thread runs the last one. Where a thread can't be had, its work is done here.
  package static func run(_ count: Int, _ body: @Sendable (Int) -> Void) {
    guard count > 1 else { return body(0) }
    withoutActuallyEscaping(body) { body in
      var threads: [pthread_t] = []
      for index in 1..<count {
        let job = unsafe Unmanaged.passRetained(Job { body(index) })
        var thread = pthread_t()
        let code = unsafe pthread_create(
          &thread, nil,
          { argument in
            if let argument = unsafe argument {
              unsafe Unmanaged<Job>.fromOpaque(argument).takeRetainedValue().run()
            }
            return nil
          }, job.toOpaque())
        if code == 0 {
          threads.append(thread)
        } else {
          unsafe job.takeRetainedValue().run()
        }
      }
      body(0)
      for thread in threads { _ = pthread_join(thread, nil) }
    }
  }

  private final class Job: Sendable {
    let run: @Sendable () -> Void
    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
  }
}
