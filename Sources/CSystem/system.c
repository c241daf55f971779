#define _GNU_SOURCE
#include "system.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/loop.h>
#include <limits.h>
#include <malloc.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

const int dmm_o_direct = O_DIRECT;
const int dmm_o_tmpfile = O_TMPFILE;

bool dmm_open_standard_descriptors(void) {
  for (int wanted = STDIN_FILENO; wanted <= STDERR_FILENO; wanted++) {
    if (fcntl(wanted, F_GETFD) != -1) continue;
    // All lower ones are open, so the lowest free number is this one.
    int descriptor = open("/dev/null", O_RDWR);
    if (descriptor == -1) descriptor = open("/", O_RDONLY | O_DIRECTORY);
    if (descriptor != wanted) return false;
  }
  return true;
}

int64_t dmm_next_data(int descriptor, int64_t offset, bool is_hole) {
  return lseek(descriptor, offset, is_hole ? SEEK_HOLE : SEEK_DATA);
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

int dmm_discard(int descriptor, bool is_block_device, uint64_t offset, uint64_t count) {
  uint64_t range[2] = {offset, count};
  int result;
  do {
    result = is_block_device
        ? ioctl(descriptor, BLKDISCARD, range)
        : fallocate(descriptor, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)offset,
                    (off_t)count);
  } while (result != 0 && errno == EINTR);
  return result == 0 ? 0 : errno;
}

struct dmm_loop dmm_loop_device(const char *path, uint64_t number) {
  struct dmm_loop loop = {0};
  struct loop_info64 info = {0};
  struct stat status;
  int descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (descriptor == -1) return loop;
  if (fstat(descriptor, &status) == 0 && S_ISBLK(status.st_mode) && status.st_rdev == number &&
      ioctl(descriptor, LOOP_GET_STATUS64, &info) == 0) {
    loop.is_known = true;
    // The kernel packs device numbers as stat does.
    loop.device = info.lo_device;
    loop.inode = info.lo_inode;
    loop.block_device = info.lo_rdevice;
    loop.offset_bytes = info.lo_offset;
    loop.limit_bytes = info.lo_sizelimit;
  }
  close(descriptor);
  return loop;
}

static const int stopping[] = {SIGHUP, SIGINT, SIGTERM};
static char removed_when_stopped[PATH_MAX];

static void remove_and_stop(int number) {
  if (removed_when_stopped[0] != 0) unlink(removed_when_stopped);
  // SA_RESETHAND has restored the default action.
  raise(number);
}

void dmm_remove_when_stopped(const char *path) {
  removed_when_stopped[0] = 0;
  if (path == NULL || strlen(path) >= sizeof removed_when_stopped) return;
  strcpy(removed_when_stopped, path);
  for (size_t i = 0; i < sizeof stopping / sizeof stopping[0]; i++) {
    struct sigaction action = {0};
    // Ignored signals stay ignored, as under nohup.
    if (sigaction(stopping[i], NULL, &action) != 0 || action.sa_handler != SIG_DFL) continue;
    action.sa_handler = remove_and_stop;
    action.sa_flags = SA_RESETHAND | SA_NODEFER;
    sigaction(stopping[i], &action, NULL);
  }
}

void dmm_drop_cache(int descriptor) {
  int saved = errno;
  posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED);
  errno = saved;
}

int dmm_terminal_columns(int descriptor) {
  struct winsize size = {0};
  return ioctl(descriptor, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

void dmm_tune_memory(void) {
  mallopt(M_TOP_PAD, 1 << 20);
  mallopt(M_TRIM_THRESHOLD, 64 << 20);
  mallopt(M_MMAP_THRESHOLD, 4 << 20);
}
