// System features that Swift can't reach: constants behind feature macros, and variadic calls.
#ifndef DMM_SYSTEM_H
#define DMM_SYSTEM_H

#include <stdbool.h>
#include <stdint.h>

/// O_DIRECT, which glibc declares only with _GNU_SOURCE.
extern const int dmm_o_direct;

/// O_TMPFILE, likewise.
extern const int dmm_o_tmpfile;

/// What is behind a loop device.
struct dmm_loop {
  bool is_known;
  /// The file behind it: its device, as in `st_dev`, and its inode.
  uint64_t device, inode;
  /// The block device behind it, as in `st_rdev`; 0 if it is a file.
  uint64_t block_device;
  /// Where in the file the device starts, and its maximum length; 0: to the end of the file.
  uint64_t offset_bytes, limit_bytes;
};

/// Asks the loop device at `path` what is behind it, if the path leads to device `number`, as in
/// `st_rdev`.
struct dmm_loop dmm_loop_device(const char *path, uint64_t number);

/// Opens those of descriptors 0, 1 and 2 that are closed to /dev/null, or, if there is none, to the
/// root folder, where reading and writing fail. Returns whether all three are open.
bool dmm_open_standard_descriptors(void);

/// The size of the block device open as `descriptor`, in bytes; -1 with errno set on failure.
int64_t dmm_block_device_size(int descriptor);

/// Whether the block device open as `descriptor` is read-only for everybody.
bool dmm_block_device_is_read_only(int descriptor);

/// Discards `count` bytes from `offset` on, on the block device open as `descriptor`, or punches a
/// hole in a file. Returns 0, or the errno.
int dmm_discard(int descriptor, bool is_block_device, uint64_t offset, uint64_t count);

/// Removes the file at `path` if SIGHUP, SIGINT or SIGTERM ends the program; `NULL` turns this off.
/// One file at a time; a path that is too long is ignored.
void dmm_remove_when_stopped(const char *path);

/// The first byte from `offset` on that the file open as `descriptor` stores, or, with `is_hole`,
/// doesn't store; -1 with errno set, to ENXIO if there is none before its end.
int64_t dmm_next_data(int descriptor, int64_t offset, bool is_hole);

/// Asks the kernel to drop its cache of `descriptor`: another writer may have bypassed the cache.
/// Best effort.
void dmm_drop_cache(int descriptor);

/// The width of the terminal open as `descriptor`, in columns; 0 if unknown.
int dmm_terminal_columns(int descriptor);

/// Makes malloc grow in larger steps: with several threads, each step interrupts all cores.
void dmm_tune_memory(void);

/// Prefetches memory at `address` for writing. Any address is allowed.
static inline void dmm_prefetch(const void *address) { __builtin_prefetch(address, 1); }

#endif
