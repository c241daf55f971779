#define _GNU_SOURCE
#include "system.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <malloc.h>
#include <sys/ioctl.h>
#include <unistd.h>

const int dmm_o_direct = O_DIRECT;

bool dmm_open_standard_descriptors(void) {
  for (int wanted = STDIN_FILENO; wanted <= STDERR_FILENO; wanted++) {
    if (fcntl(wanted, F_GETFD) != -1) continue;
    // All below are open, so that the lowest free number is this one.
    int descriptor = open("/dev/null", O_RDWR);
    if (descriptor == -1) descriptor = open("/", O_RDONLY | O_DIRECTORY);
    if (descriptor != wanted) return false;
  }
  return true;
}

int64_t dmm_block_device_size(int descriptor) {
  uint64_t bytes = 0;
  if (ioctl(descriptor, BLKGETSIZE64, &bytes) != 0) return -1;
  return (int64_t)bytes;
}

bool dmm_block_device_is_read_only(int descriptor) {
  int is_read_only = 0;
  return ioctl(descriptor, BLKROGET, &is_read_only) == 0 && is_read_only;
}

void dmm_drop_cache(int descriptor) {
  int saved = errno;
  posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED);
  errno = saved;
}

void dmm_tune_memory(void) {
  mallopt(M_TOP_PAD, 1 << 20);
  mallopt(M_TRIM_THRESHOLD, 64 << 20);
  mallopt(M_MMAP_THRESHOLD, 4 << 20);
}
