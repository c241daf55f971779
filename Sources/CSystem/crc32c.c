#include "crc32c.h"

#include <pthread.h>
#include <stdbool.h>
#include <string.h>

// Every function here takes and returns the raw CRC register: no inversion at either end.

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

static uint32_t crc32c_table(uint32_t seed, const void *bytes, size_t count) {
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

// MARK: x86-64, with an instruction for it

#if defined(__x86_64__)

#include <immintrin.h>

static uint64_t load_word(const uint8_t *at) {
  uint64_t word;
  memcpy(&word, at, sizeof word);
  return word;
}

// The crc32 instruction takes three cycles, but one can start in each. So three stretches of the
// input are summed in parallel, and the first two registers are then advanced past what follows
// them. Three stretches of 1360 bytes cover all but 12 of the 4092 bytes of a metadata block.
enum { stretch = 1360 };

// Moving a register past n zero bytes multiplies it by x^(8n). The carry-less product of two
// reflected registers has one power of x too many and the crc32 of it adds 32 more, so the factors
// are x^(8n - 33) modulo the polynomial, reflected.
static const long long past_one_stretch = 0x3f70cc6f;
static const long long past_two_stretches = 0x5aa1f3cf;

__attribute__((target("sse4.2,pclmul")))
static uint32_t crc32c_sse42(uint32_t seed, const void *bytes, size_t count) {
  const uint8_t *at = bytes;
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

// MARK: x86-64, with products of 64 bytes

// Sixteen bytes of the input are a polynomial. Multiplied by x^n, modulo that of CRC-32C, they may
// be added to the sixteen bytes n bits after them instead of being summed before those: folding.
//
// The halves of the sixteen bytes are each multiplied by its own factor, as the first is 64 powers
// of x higher. A product has one power too many, as above, and 32 more because a factor's 32 bits
// are in the low half of a word. So the factors are x^(n + 64 - 33) and x^(n - 33) modulo the
// polynomial, reflected.
static const long long past_vector[2] = {0x740eef02, 0x9e4addf8};  // n = 8 * 64
static const long long past_round[2] = {0x9af01f2d, 0x1b03397f};   // n = 8 * 448
static const long long to_last_sixteen[8] = {
    0x1c291d04, 0xddc0152b,  // n = 8 * 48
    0x3da6d0cb, 0xba4fc28e,  // n = 8 * 32
    0xf20c0dfe, 0x493c7d27,  // n = 8 * 16
    0, 0,
};

// A product takes up to eight cycles, but one can start in each. So seven vectors are folded in
// parallel, a round: nine rounds cover all but 60 of the 4092 bytes of a metadata block.
enum { vector = 64, vectors = 7, round = vectors * vector };

#define AVX512 __attribute__((target("avx512f,vpclmulqdq,sse4.2,pclmul")))

AVX512 static __m512i load_vector(const void *at) { return _mm512_loadu_si512(at); }

AVX512 static __m512i load_factors(const long long *both) {
  return _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)both));
}

AVX512 static __m512i moved(__m512i sum, __m512i factors) {
  return _mm512_xor_si512(_mm512_clmulepi64_epi128(sum, factors, 0x00),
                          _mm512_clmulepi64_epi128(sum, factors, 0x11));
}

AVX512 static __m512i fold(__m512i sum, __m512i factors, __m512i next) {
  return _mm512_xor_si512(moved(sum, factors), next);
}

/// The register after the 64 bytes of `sum`.
AVX512 static uint32_t reduce(__m512i sum) {
  __m512i three = moved(sum, load_vector(to_last_sixteen));
  __m128i last = _mm512_extracti32x4_epi32(sum, 3);
  last = _mm_xor_si128(last, _mm512_extracti32x4_epi32(three, 0));
  last = _mm_xor_si128(last, _mm512_extracti32x4_epi32(three, 1));
  last = _mm_xor_si128(last, _mm512_extracti32x4_epi32(three, 2));
  uint64_t crc = _mm_crc32_u64(0, (uint64_t)_mm_extract_epi64(last, 0));
  return (uint32_t)_mm_crc32_u64(crc, (uint64_t)_mm_extract_epi64(last, 1));
}

AVX512 static uint32_t crc32c_avx512(uint32_t seed, const void *bytes, size_t count) {
  if (count < round) return crc32c_sse42(seed, bytes, count);

  // The odd bytes that fill no vector come first. The sum of a metadata block starts at its fifth
  // byte, so the rest is then whole cache lines. Only one of the seven vectors has to wait for
  // this.
  size_t odd = count % vector;
  uint32_t crc = crc32c_sse42(seed, bytes, odd);
  const uint8_t *at = (const uint8_t *)bytes + odd;
  count -= odd;

  __m512i sums[vectors];
  for (int i = 0; i < vectors; i++) sums[i] = load_vector(at + i * vector);
  sums[0] = _mm512_xor_si512(sums[0], _mm512_zextsi128_si512(_mm_cvtsi32_si128((int)crc)));
  __m512i factors = load_factors(past_round);
  for (count -= round, at += round; count >= round; count -= round, at += round)
    for (int i = 0; i < vectors; i++)
      sums[i] = fold(sums[i], factors, load_vector(at + i * vector));

  __m512i sum = sums[0];
  factors = load_factors(past_vector);
  for (int i = 1; i < vectors; i++) sum = fold(sum, factors, sums[i]);
  for (; count > 0; count -= vector, at += vector) sum = fold(sum, factors, load_vector(at));
  return reduce(sum);
}

// MARK: x86-64, choosing one

// Only loads and tests: the C runtime has queried the processor before main. It reports AVX-512
// only if the kernel also saves these registers.
static bool has_sse42(void) {
  return __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("pclmul");
}

static bool has_avx512(void) {
  return has_sse42() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("vpclmulqdq");
}

uint32_t dmm_crc32c(uint32_t seed, const void *bytes, size_t count) {
  if (has_avx512()) return crc32c_avx512(seed, bytes, count);
  if (has_sse42()) return crc32c_sse42(seed, bytes, count);
  return crc32c_table(seed, bytes, count);
}

dmm_crc32c_way dmm_crc32c_nth_way(size_t n) {
  if (n == 0) return crc32c_table;
  if (n == 1 && has_sse42()) return crc32c_sse42;
  if (n == 2 && has_avx512()) return crc32c_avx512;
  return NULL;
}

// MARK: 64-bit ARM

#elif defined(__aarch64__) && defined(__linux__) && defined(__AARCH64EL__)

#include <arm_acle.h>
#include <sys/auxv.h>

#ifndef HWCAP_CRC32
#define HWCAP_CRC32 (1 << 7)
#endif

__attribute__((target("crc")))
static uint32_t crc32c_arm(uint32_t seed, const void *bytes, size_t count) {
  const uint8_t *at = bytes;
  uint32_t crc = seed;
  for (; count >= 8; count -= 8, at += 8) {
    uint64_t word;
    memcpy(&word, at, sizeof word);
    crc = __crc32cd(crc, word);
  }
  for (; count > 0; count--) crc = __crc32cb(crc, *at++);
  return crc;
}

static bool has_crc(void) { return getauxval(AT_HWCAP) & HWCAP_CRC32; }

uint32_t dmm_crc32c(uint32_t seed, const void *bytes, size_t count) {
  if (has_crc()) return crc32c_arm(seed, bytes, count);
  return crc32c_table(seed, bytes, count);
}

dmm_crc32c_way dmm_crc32c_nth_way(size_t n) {
  if (n == 0) return crc32c_table;
  if (n == 1 && has_crc()) return crc32c_arm;
  return NULL;
}

#else

uint32_t dmm_crc32c(uint32_t seed, const void *bytes, size_t count) {
  return crc32c_table(seed, bytes, count);
}

dmm_crc32c_way dmm_crc32c_nth_way(size_t n) { return n == 0 ? crc32c_table : NULL; }

#endif
