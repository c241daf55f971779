internal import Glibc

/// Wakes threads that wait for something to change: a counter with a condition variable.
@safe package final class Signal: @unchecked Sendable {
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private var changes = 0

  package init() {
    unsafe pthread_mutex_init(mutex, nil)
    unsafe pthread_cond_init(condition, nil)
  }

  deinit {
    unsafe pthread_cond_destroy(condition)
    unsafe pthread_mutex_destroy(mutex)
    unsafe condition.deallocate()
    unsafe mutex.deallocate()
  }

  /// How often the signal was raised. Read it before looking at what may have changed.
  package var count: Int { locked { changes } }

  package func raise() {
    locked {
      changes += 1
      unsafe pthread_cond_broadcast(condition)
    }
  }

  /// Returns once the signal has been raised more often than `seen` times.
  package func wait(past seen: Int) {
    locked {
      while changes == seen { unsafe pthread_cond_wait(condition, mutex) }
    }
  }

  private func locked<Result>(_ body: () -> Result) -> Result {
    unsafe pthread_mutex_lock(mutex)
    defer { unsafe pthread_mutex_unlock(mutex) }
    return body()
  }
}
