#ifndef DMM_CRC32C_H
#define DMM_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/// CRC-32C (Castagnoli, reflected) of `count` bytes, continued from `seed`, without the usual
/// final inversion: what the kernel's crc32c() computes. A metadata block's checksum starts from
/// `~0`. Uses the processor's CRC instructions where it has them; any thread may call it.
uint32_t dmm_crc32c(uint32_t seed, const void *bytes, size_t count);

/// The same, from tables alone. It serves processors without CRC instructions, and the tests.
uint32_t dmm_crc32c_table(uint32_t seed, const void *bytes, size_t count);

#endif
