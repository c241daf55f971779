#include "entries.h"

#include <endian.h>

// MARK: An entry at a time

static bool ascend_from(const uint64_t *keys, size_t at, size_t count) {
  for (; at + 1 < count; at++)
    if (le64toh(keys[at]) >= le64toh(keys[at + 1])) return false;
  return true;
}

bool dmm_ascend_plain(const uint64_t *keys, size_t count) { return ascend_from(keys, 0, count); }

static void run_ends_from(const uint64_t *keys, const uint64_t *values, size_t at, size_t count,
                          uint64_t step, uint64_t *ends) {
  for (; at < count; at++) {
    // Without a branch: in a fragmented pool nobody can foretell where a run ends.
    uint64_t differs = 1;
    if (at + 1 < count) {
      differs = (le64toh(values[at]) + step) ^ le64toh(values[at + 1]);
      if (keys) differs |= (le64toh(keys[at]) + 1) ^ le64toh(keys[at + 1]);
    }
    ends[at / 64] |= (uint64_t)(differs != 0) << at % 64;
  }
}

void dmm_run_ends_plain(const uint64_t *keys, const uint64_t *values, size_t count, uint64_t step,
                        uint64_t *ends) {
  run_ends_from(keys, values, 0, count, step, ends);
}

// MARK: x86-64, four entries at a time

#if defined(__x86_64__)

#include <immintrin.h>

__attribute__((target("avx2")))
static __m256i load(const uint64_t *at) { return _mm256_loadu_si256((const __m256i *)at); }

__attribute__((target("avx2")))
static bool ascend_avx2(const uint64_t *keys, size_t count) {
  // Numbers with a sign are all that can be compared: the highest bit is turned over.
  const __m256i sign = _mm256_set1_epi64x(INT64_MIN);
  __m256i ascend = _mm256_set1_epi64x(-1);
  size_t at = 0;
  for (; at + 5 <= count; at += 4) {
    __m256i key = _mm256_xor_si256(load(keys + at), sign);
    __m256i next = _mm256_xor_si256(load(keys + at + 1), sign);
    ascend = _mm256_and_si256(ascend, _mm256_cmpgt_epi64(next, key));
  }
  return _mm256_movemask_epi8(ascend) == -1 && ascend_from(keys, at, count);
}

__attribute__((target("avx2")))
static void run_ends_avx2(const uint64_t *keys, const uint64_t *values, size_t count,
                          uint64_t step, uint64_t *ends) {
  const __m256i steps = _mm256_set1_epi64x((long long)step);
  const __m256i ones = _mm256_set1_epi64x(1);
  size_t at = 0;
  for (; at + 5 <= count; at += 4) {
    __m256i continued =
        _mm256_cmpeq_epi64(_mm256_add_epi64(load(values + at), steps), load(values + at + 1));
    if (keys)
      continued = _mm256_and_si256(
          continued,
          _mm256_cmpeq_epi64(_mm256_add_epi64(load(keys + at), ones), load(keys + at + 1)));
    unsigned differ = (unsigned)_mm256_movemask_pd(_mm256_castsi256_pd(continued)) ^ 15;
    ends[at / 64] |= (uint64_t)differ << at % 64;
  }
  run_ends_from(keys, values, at, count, step, ends);
}

bool dmm_ascend(const uint64_t *keys, size_t count) {
  if (__builtin_cpu_supports("avx2")) return ascend_avx2(keys, count);
  return dmm_ascend_plain(keys, count);
}

void dmm_run_ends(const uint64_t *keys, const uint64_t *values, size_t count, uint64_t step,
                  uint64_t *ends) {
  if (__builtin_cpu_supports("avx2"))
    run_ends_avx2(keys, values, count, step, ends);
  else
    dmm_run_ends_plain(keys, values, count, step, ends);
}

#else

bool dmm_ascend(const uint64_t *keys, size_t count) { return dmm_ascend_plain(keys, count); }

void dmm_run_ends(const uint64_t *keys, const uint64_t *values, size_t count, uint64_t step,
                  uint64_t *ends) {
  dmm_run_ends_plain(keys, values, count, step, ends);
}

#endif
