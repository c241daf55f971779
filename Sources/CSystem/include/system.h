// What Swift can't say about the system: constants behind feature macros and variadic calls.
#ifndef DMM_SYSTEM_H
#define DMM_SYSTEM_H

#include <stdbool.h>
#include <stdint.h>

/// O_DIRECT, which glibc shows only to GNU sources.
extern const int dmm_o_direct;

/// O_TMPFILE, likewise.
extern const int dmm_o_tmpfile;

/// What a loop device stands for.
struct dmm_loop {
  bool is_known;
  /// The file behind it: its device, as in `st_dev`, and its inode.
  uint64_t device, inode;
  /// The block device behind it, as in `st_rdev`; 0 where it is a file.
  uint64_t block_device;
  /// Where in the file the device starts, and how long it is at most; 0: to the end of the file.
  uint64_t offset_bytes, limit_bytes;
};

/// Asks the loop device at `path` what it stands for, unless the path leads to another device than
/// `number`, as in `st_rdev`.
struct dmm_loop dmm_loop_device(const char *path, uint64_t number);

/// Opens those of descriptors 0, 1 and 2 that are closed, to /dev/null; where there is none, to the
/// root folder, where reading and writing fail. Returns whether all three are open.
bool dmm_open_standard_descriptors(void);

/// The size of the block device open as `descriptor`, in bytes; -1 with errno set on failure.
int64_t dmm_block_device_size(int descriptor);

/// Whether the block device open as `descriptor` refuses to be written, whoever opened it.
bool dmm_block_device_is_read_only(int descriptor);

/// Tells the block device open as `descriptor` that nobody needs `count` bytes from `offset` on any
/// more, or makes a hole of them in a file. Returns 0, or the errno.
int dmm_discard(int descriptor, bool is_block_device, uint64_t offset, uint64_t count);

/// Has the file at `path` removed when a signal ends the program that a person or a system sends for
/// that; `NULL`: no longer. One file at a time; a path that is too long is left alone.
void dmm_remove_when_stopped(const char *path);

/// The first byte from `offset` on that the file open as `descriptor` stores, or with `is_hole` that
/// it doesn't; -1 with errno set, ENXIO where there is none up to its end.
int64_t dmm_next_data(int descriptor, int64_t offset, bool is_hole);

/// Asks the kernel to forget what it caches of `descriptor`: another writer may have gone past
/// the cache. Best effort.
void dmm_drop_cache(int descriptor);

/// The width of the terminal open as `descriptor`, in columns; 0 where that is not known.
int dmm_terminal_columns(int descriptor);

/// Makes malloc grow in larger steps: with several threads, each step interrupts all cores.
void dmm_tune_memory(void);

/// Asks the processor to fetch what stands at `address`, to be changed. It may be any address.
static inline void dmm_prefetch(const void *address) { __builtin_prefetch(address, 1); }

#endif
