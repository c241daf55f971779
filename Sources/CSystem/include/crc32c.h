#ifndef DMM_CRC32C_H
#define DMM_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/// CRC-32C (Castagnoli, reflected) of `count` bytes, continued from `seed`, without the usual
/// final inversion: what the kernel's crc32c() computes. A metadata block's checksum starts from
/// `~0`. Uses the processor's CRC instructions if it has any; thread-safe.
uint32_t dmm_crc32c(uint32_t seed, const void *bytes, size_t count);

/// One of the implementations of the same.
typedef uint32_t (*dmm_crc32c_way)(uint32_t seed, const void *bytes, size_t count);

/// The implementations that this processor supports, for the tests: by tables, then by the
/// instructions that it has, the fastest last. `NULL` if `n` isn't below their number.
dmm_crc32c_way dmm_crc32c_nth_way(size_t n);

#endif
