#include "crc32c.h"

#include <pthread.h>
#include <string.h>

// Every function here takes and returns the CRC register as it is: no inversion at either end.

// MARK: Tables ("slicing by 8")

/// `tables[k][b]`: what byte `b` adds to the register when `k` more bytes follow it.
static uint32_t tables[8][256];
static pthread_once_t tables_once = PTHREAD_ONCE_INIT;

static void build_tables(void) {
  const uint32_t polynomial = 0x82f63b78;  // CRC-32C, lowest power in the highest bit
  for (uint32_t byte = 0; byte < 256; byte++) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ (polynomial & -(crc & 1));
    tables[0][byte] = crc;
  }
  for (int k = 1; k < 8; k++)
    for (int byte = 0; byte < 256; byte++) {
      uint32_t shorter = tables[k - 1][byte];
      tables[k][byte] = (shorter >> 8) ^ tables[0][shorter & 0xff];
    }
}

static uint32_t load_little_endian(const uint8_t *at) {
  return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

uint32_t dmm_crc32c_table(uint32_t seed, const void *bytes, size_t count) {
  pthread_once(&tables_once, build_tables);
  const uint8_t *at = bytes;
  uint32_t crc = seed;
  for (; count >= 8; count -= 8, at += 8) {
    uint32_t low = load_little_endian(at) ^ crc;
    uint32_t high = load_little_endian(at + 4);
    crc = tables[7][low & 0xff] ^ tables[6][low >> 8 & 0xff] ^ tables[5][low >> 16 & 0xff]
        ^ tables[4][low >> 24] ^ tables[3][high & 0xff] ^ tables[2][high >> 8 & 0xff]
        ^ tables[1][high >> 16 & 0xff] ^ tables[0][high >> 24];
  }
  for (; count > 0; count--) crc = (crc >> 8) ^ tables[0][(crc ^ *at++) & 0xff];
  return crc;
}

// MARK: x86-64

#if defined(__x86_64__)

#include <immintrin.h>

static uint64_t load_word(const uint8_t *at) {
  uint64_t word;
  memcpy(&word, at, sizeof word);
  return word;
}

// The crc32 instruction takes three cycles, but one can start in each. So three stretches of the
// input are summed side by side, and the first two registers are then moved on past what follows
// them. Three stretches of 1360 bytes cover all but 12 of the 4092 bytes of a metadata block.
enum { stretch = 1360 };

// Moving a register past n zero bytes multiplies it by x^(8n). The carry-less product of two
// reflected registers has one power of x too many and the crc32 of it adds 32 more, so the factors
// are x^(8n - 33) modulo the polynomial, reflected.
static const long long past_one_stretch = 0x3f70cc6f;
static const long long past_two_stretches = 0x5aa1f3cf;

__attribute__((target("sse4.2,pclmul")))
static uint32_t crc32c_sse42(uint32_t seed, const uint8_t *at, size_t count) {
  uint64_t crc = seed;
  for (; count >= 3 * stretch; count -= 3 * stretch, at += 3 * stretch) {
    uint64_t second = 0, third = 0;
    for (const uint8_t *word = at; word < at + stretch; word += 8) {
      crc = _mm_crc32_u64(crc, load_word(word));
      second = _mm_crc32_u64(second, load_word(word + stretch));
      third = _mm_crc32_u64(third, load_word(word + 2 * stretch));
    }
    __m128i factors = _mm_set_epi64x(past_one_stretch, past_two_stretches);
    __m128i registers = _mm_set_epi64x((long long)second, (long long)crc);
    __m128i moved = _mm_xor_si128(_mm_clmulepi64_si128(registers, factors, 0x00),
                                  _mm_clmulepi64_si128(registers, factors, 0x11));
    crc = _mm_crc32_u64(0, (uint64_t)_mm_cvtsi128_si64(moved)) ^ third;
  }
  for (; count >= 8; count -= 8, at += 8) crc = _mm_crc32_u64(crc, load_word(at));
  for (; count > 0; count--) crc = _mm_crc32_u8((uint32_t)crc, *at++);
  return (uint32_t)crc;
}

uint32_t dmm_crc32c(uint32_t seed, const void *bytes, size_t count) {
  // Two loads and two tests: the C runtime has asked the processor before main.
  if (__builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("pclmul"))
    return crc32c_sse42(seed, bytes, count);
  return dmm_crc32c_table(seed, bytes, count);
}

// MARK: 64-bit ARM

#elif defined(__aarch64__) && defined(__linux__) && defined(__AARCH64EL__)

#include <arm_acle.h>
#include <sys/auxv.h>

#ifndef HWCAP_CRC32
#define HWCAP_CRC32 (1 << 7)
#endif

__attribute__((target("crc")))
static uint32_t crc32c_arm(uint32_t seed, const uint8_t *at, size_t count) {
  uint32_t crc = seed;
  for (; count >= 8; count -= 8, at += 8) {
    uint64_t word;
    memcpy(&word, at, sizeof word);
    crc = __crc32cd(crc, word);
  }
  for (; count > 0; count--) crc = __crc32cb(crc, *at++);
  return crc;
}

uint32_t dmm_crc32c(uint32_t seed, const void *bytes, size_t count) {
  if (getauxval(AT_HWCAP) & HWCAP_CRC32) return crc32c_arm(seed, bytes, count);
  return dmm_crc32c_table(seed, bytes, count);
}

#else

uint32_t dmm_crc32c(uint32_t seed, const void *bytes, size_t count) {
  return dmm_crc32c_table(seed, bytes, count);
}

#endif
