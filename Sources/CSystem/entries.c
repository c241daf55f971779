#include "entries.h"

#include <endian.h>

// MARK: An entry at a time

static bool ascend_from(const uint64_t *keys, size_t at, size_t count) {
  for (; at + 1 < count; at++)
    if (le64toh(keys[at]) >= le64toh(keys[at + 1])) return false;
  return true;
}

bool dmm_ascend_plain(const uint64_t *keys, size_t count) { return ascend_from(keys, 0, count); }

// `matters`: the bits of a value that have to go up by `step`.
static void run_ends_from(const uint64_t *keys, const uint64_t *values, size_t at, size_t count,
                          uint64_t step, uint64_t matters, uint64_t *ends) {
  for (; at < count; at++) {
    // Without a branch: in a fragmented pool the ends of runs are unpredictable.
    uint64_t differs = 1;
    if (at + 1 < count) {
      differs = ((le64toh(values[at]) + step) ^ le64toh(values[at + 1])) & matters;
      if (keys) differs |= (le64toh(keys[at]) + 1) ^ le64toh(keys[at + 1]);
    }
    ends[at / 64] |= (uint64_t)(differs != 0) << at % 64;
  }
}

void dmm_run_ends_plain(const uint64_t *keys, const uint64_t *values, size_t count, uint64_t step,
                        uint64_t matters, uint64_t *ends) {
  run_ends_from(keys, values, 0, count, step, matters, ends);
}

static void survey_from(const uint64_t *values, size_t at, size_t count, uint64_t first,
                        uint64_t size, uint64_t rest, struct dmm_survey *survey) {
  for (; at < count; at++) {
    uint64_t value = le64toh(values[at]);
    survey->hits[at / 64] |= (uint64_t)(value - first < size) << at % 64;
    if (value > survey->highest) survey->highest = value;
    if ((value & rest) > survey->highest_rest) survey->highest_rest = value & rest;
  }
}

void dmm_survey_plain(const uint64_t *values, size_t count, uint64_t first, uint64_t size,
                      uint64_t rest, struct dmm_survey *survey) {
  survey_from(values, 0, count, first, size, rest, survey);
}

static void at_least_from(const uint32_t *values, size_t at, size_t count, uint32_t least,
                          uint64_t *bits) {
  for (; at < count; at++) bits[at / 64] |= (uint64_t)(le32toh(values[at]) >= least) << at % 64;
}

void dmm_at_least_plain(const uint32_t *values, size_t count, uint32_t least, uint64_t *bits) {
  at_least_from(values, 0, count, least, bits);
}

static uint32_t highest_from(const uint32_t *values, size_t at, size_t count, uint32_t highest) {
  for (; at < count; at++)
    if (le32toh(values[at]) > highest) highest = le32toh(values[at]);
  return highest;
}

uint32_t dmm_highest_plain(const uint32_t *values, size_t count) {
  return highest_from(values, 0, count, 0);
}

static bool numbers_from(const uint64_t *values, size_t at, size_t count, struct dmm_form form,
                         uint64_t *used, uint64_t *marked, uint32_t *numbers, size_t *found) {
  bool all_sound = true;
  for (; at < count; at++) {
    uint64_t value = le64toh(values[at]);
    used[at / 64] |= (uint64_t)(value != 0) << at % 64;
    marked[at / 64] |= (uint64_t)((value & form.marked) != 0) << at % 64;
    // Without a branch: which values count is unpredictable.
    numbers[*found] = (uint32_t)(value >> form.shift);
    *found += (value & form.valid) != 0;
    all_sound &= value == 0 || ((value & form.flags) == form.valid && value < form.end);
  }
  return all_sound;
}

bool dmm_numbers_plain(const uint64_t *values, size_t count, struct dmm_form form, uint64_t *used,
                       uint64_t *marked, uint32_t *numbers, size_t *found) {
  *found = 0;
  return numbers_from(values, 0, count, form, used, marked, numbers, found);
}

static void keep_from(uint64_t *values, size_t at, size_t count, uint64_t kept, uint64_t mask,
                      uint64_t flags) {
  for (; at < count; at++) values[at] = ((values[at] & mask) | flags) & -(kept >> at & 1);
}

void dmm_keep_plain(uint64_t *values, size_t count, uint64_t kept, uint64_t mask, uint64_t flags) {
  keep_from(values, 0, count, kept, mask, flags);
}

static void keep_short_from(uint32_t *values, size_t at, size_t count, uint64_t kept) {
  for (; at < count; at++) values[at] &= (uint32_t)-(kept >> at & 1);
}

void dmm_keep_short_plain(uint32_t *values, size_t count, uint64_t kept) {
  keep_short_from(values, 0, count, kept);
}

// MARK: x86-64, four entries at a time

#if defined(__x86_64__)

#include <immintrin.h>

__attribute__((target("avx2")))
static __m256i load(const uint64_t *at) { return _mm256_loadu_si256((const __m256i *)at); }

__attribute__((target("avx2")))
static bool ascend_avx2(const uint64_t *keys, size_t count) {
  // AVX2 compares only signed numbers, so the highest bit is flipped.
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

__attribute__((target("avx2"), always_inline))
static inline void run_ends_any(const uint64_t *keys, const uint64_t *values, size_t count,
                                uint64_t step, uint64_t matters, uint64_t *ends) {
  const __m256i steps = _mm256_set1_epi64x((long long)step);
  const __m256i bits = _mm256_set1_epi64x((long long)matters);
  const __m256i ones = _mm256_set1_epi64x(1);
  size_t at = 0;
  for (; at + 5 <= count; at += 4) {
    __m256i next = _mm256_add_epi64(load(values + at), steps), after = load(values + at + 1);
    __m256i continued =
        matters == UINT64_MAX
            ? _mm256_cmpeq_epi64(next, after)
            : _mm256_cmpeq_epi64(_mm256_and_si256(next, bits), _mm256_and_si256(after, bits));
    if (keys)
      continued = _mm256_and_si256(
          continued,
          _mm256_cmpeq_epi64(_mm256_add_epi64(load(keys + at), ones), load(keys + at + 1)));
    unsigned differ = (unsigned)_mm256_movemask_pd(_mm256_castsi256_pd(continued)) ^ 15;
    ends[at / 64] |= (uint64_t)differ << at % 64;
  }
  run_ends_from(keys, values, at, count, step, matters, ends);
}

__attribute__((target("avx2")))
static void run_ends_avx2(const uint64_t *keys, const uint64_t *values, size_t count,
                          uint64_t step, uint64_t matters, uint64_t *ends) {
  // Nearly always all bits matter, so that case gets its own loop.
  if (matters == UINT64_MAX)
    run_ends_any(keys, values, count, step, UINT64_MAX, ends);
  else
    run_ends_any(keys, values, count, step, matters, ends);
}

__attribute__((target("avx2")))
static __m256i larger(__m256i one, __m256i other) {
  return _mm256_blendv_epi8(other, one, _mm256_cmpgt_epi64(one, other));
}

__attribute__((target("avx2")))
static void survey_avx2(const uint64_t *values, size_t count, uint64_t first, uint64_t size,
                        uint64_t rest, struct dmm_survey *survey) {
  const __m256i sign = _mm256_set1_epi64x(INT64_MIN);
  const __m256i firsts = _mm256_set1_epi64x((long long)first);
  const __m256i sizes = _mm256_xor_si256(_mm256_set1_epi64x((long long)size), sign);
  const __m256i rests = _mm256_set1_epi64x((long long)rest);
  __m256i highest = sign, highest_rest = sign;
  size_t at = 0;
  for (; at + 4 <= count; at += 4) {
    __m256i value = load(values + at);
    __m256i offset = _mm256_xor_si256(_mm256_sub_epi64(value, firsts), sign);
    __m256i hit = _mm256_cmpgt_epi64(sizes, offset);
    survey->hits[at / 64] |= (uint64_t)(unsigned)_mm256_movemask_pd(_mm256_castsi256_pd(hit))
                             << at % 64;
    highest = larger(_mm256_xor_si256(value, sign), highest);
    highest_rest = larger(_mm256_xor_si256(_mm256_and_si256(value, rests), sign), highest_rest);
  }
  uint64_t found[4], found_rests[4];
  _mm256_storeu_si256((__m256i *)found, _mm256_xor_si256(highest, sign));
  _mm256_storeu_si256((__m256i *)found_rests, _mm256_xor_si256(highest_rest, sign));
  for (size_t lane = 0; lane < 4; lane++) {
    if (found[lane] > survey->highest) survey->highest = found[lane];
    if (found_rests[lane] > survey->highest_rest) survey->highest_rest = found_rests[lane];
  }
  survey_from(values, at, count, first, size, rest, survey);
}

__attribute__((target("avx2")))
static void at_least_avx2(const uint32_t *values, size_t count, uint32_t least, uint64_t *bits) {
  const __m256i limit = _mm256_set1_epi32((int)least);
  size_t at = 0;
  for (; at + 8 <= count; at += 8) {
    __m256i value = _mm256_loadu_si256((const __m256i *)(values + at));
    __m256i hit = _mm256_cmpeq_epi32(_mm256_max_epu32(value, limit), value);
    bits[at / 64] |= (uint64_t)(unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(hit)) << at % 64;
  }
  at_least_from(values, at, count, least, bits);
}

__attribute__((target("avx2")))
static uint32_t highest_avx2(const uint32_t *values, size_t count) {
  __m256i even = _mm256_setzero_si256(), odd = even;
  size_t at = 0;
  for (; at + 16 <= count; at += 16) {
    even = _mm256_max_epu32(even, _mm256_loadu_si256((const __m256i *)(values + at)));
    odd = _mm256_max_epu32(odd, _mm256_loadu_si256((const __m256i *)(values + at + 8)));
  }
  uint32_t found[8];
  _mm256_storeu_si256((__m256i *)found, _mm256_max_epu32(even, odd));
  return highest_from(values, at, count, highest_from(found, 0, 8, 0));
}

// By which of four numbers count: the bytes of these, in order.
#define NUMBER(n) 4 * n, 4 * n + 1, 4 * n + 2, 4 * n + 3
#define NONE -1, -1, -1, -1
static const int8_t packing[16][16] = {
    {NONE, NONE, NONE, NONE},
    {NUMBER(0), NONE, NONE, NONE},
    {NUMBER(1), NONE, NONE, NONE},
    {NUMBER(0), NUMBER(1), NONE, NONE},
    {NUMBER(2), NONE, NONE, NONE},
    {NUMBER(0), NUMBER(2), NONE, NONE},
    {NUMBER(1), NUMBER(2), NONE, NONE},
    {NUMBER(0), NUMBER(1), NUMBER(2), NONE},
    {NUMBER(3), NONE, NONE, NONE},
    {NUMBER(0), NUMBER(3), NONE, NONE},
    {NUMBER(1), NUMBER(3), NONE, NONE},
    {NUMBER(0), NUMBER(1), NUMBER(3), NONE},
    {NUMBER(2), NUMBER(3), NONE, NONE},
    {NUMBER(0), NUMBER(2), NUMBER(3), NONE},
    {NUMBER(1), NUMBER(2), NUMBER(3), NONE},
    {NUMBER(0), NUMBER(1), NUMBER(2), NUMBER(3)},
};

// Which of four numbers are 0, the first in the lowest bit.
__attribute__((target("avx2")))
static unsigned zeroes(__m256i numbers) {
  __m256i zero = _mm256_cmpeq_epi64(numbers, _mm256_setzero_si256());
  return (unsigned)_mm256_movemask_pd(_mm256_castsi256_pd(zero));
}

__attribute__((target("avx2,popcnt")))
static bool numbers_avx2(const uint64_t *values, size_t count, struct dmm_form form,
                         uint64_t *used, uint64_t *marked, uint32_t *numbers, size_t *found) {
  const __m256i sign = _mm256_set1_epi64x(INT64_MIN);
  const __m256i valid = _mm256_set1_epi64x((long long)form.valid);
  const __m256i mark = _mm256_set1_epi64x((long long)form.marked);
  const __m256i flags = _mm256_set1_epi64x((long long)form.flags);
  const __m256i limit = _mm256_xor_si256(_mm256_set1_epi64x((long long)form.end), sign);
  const __m128i shift = _mm_cvtsi64_si128((long long)form.shift);
  const __m256i low_halves = _mm256_setr_epi32(0, 2, 4, 6, 0, 2, 4, 6);
  unsigned unsound = 0;
  size_t at = 0, end = 0;
  for (; at + 4 <= count; at += 4) {
    __m256i value = load(values + at);
    unsigned unused = zeroes(value), is_valid = zeroes(_mm256_and_si256(value, valid)) ^ 15;
    used[at / 64] |= (uint64_t)(unused ^ 15) << at % 64;
    marked[at / 64] |= (uint64_t)(zeroes(_mm256_and_si256(value, mark)) ^ 15) << at % 64;
    __m256i differs = _mm256_xor_si256(_mm256_and_si256(value, flags), valid);
    __m256i is_below = _mm256_cmpgt_epi64(limit, _mm256_xor_si256(value, sign));
    unsigned below = (unsigned)_mm256_movemask_pd(_mm256_castsi256_pd(is_below));
    unsound |= ~(unused | (zeroes(differs) & below)) & 15;
    __m256i number = _mm256_permutevar8x32_epi32(_mm256_srl_epi64(value, shift), low_halves);
    __m128i order = _mm_loadu_si128((const __m128i *)packing[is_valid]);
    _mm_storeu_si128((__m128i *)(numbers + end),
                     _mm_shuffle_epi8(_mm256_castsi256_si128(number), order));
    end += (size_t)__builtin_popcount(is_valid);
  }
  *found = end;
  return numbers_from(values, at, count, form, used, marked, numbers, found) && unsound == 0;
}

__attribute__((target("avx2")))
static void keep_avx2(uint64_t *values, size_t count, uint64_t kept, uint64_t mask,
                      uint64_t flags) {
  const __m256i masks = _mm256_set1_epi64x((long long)mask);
  const __m256i set = _mm256_set1_epi64x((long long)flags);
  const __m256i lanes = _mm256_setr_epi64x(1, 2, 4, 8);
  size_t at = 0;
  for (; at + 4 <= count; at += 4) {
    __m256i bits = _mm256_and_si256(_mm256_set1_epi64x((long long)(kept >> at)), lanes);
    __m256i value = _mm256_or_si256(_mm256_and_si256(load(values + at), masks), set);
    value = _mm256_and_si256(value, _mm256_cmpeq_epi64(bits, lanes));
    _mm256_storeu_si256((__m256i *)(values + at), value);
  }
  keep_from(values, at, count, kept, mask, flags);
}

__attribute__((target("avx2")))
static void keep_short_avx2(uint32_t *values, size_t count, uint64_t kept) {
  const __m256i lanes = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
  size_t at = 0;
  for (; at + 8 <= count; at += 8) {
    __m256i bits = _mm256_and_si256(_mm256_set1_epi32((int)(kept >> at & 255)), lanes);
    __m256i value = _mm256_loadu_si256((const __m256i *)(values + at));
    value = _mm256_and_si256(value, _mm256_cmpeq_epi32(bits, lanes));
    _mm256_storeu_si256((__m256i *)(values + at), value);
  }
  keep_short_from(values, at, count, kept);
}

bool dmm_ascend(const uint64_t *keys, size_t count) {
  if (__builtin_cpu_supports("avx2")) return ascend_avx2(keys, count);
  return dmm_ascend_plain(keys, count);
}

void dmm_run_ends(const uint64_t *keys, const uint64_t *values, size_t count, uint64_t step,
                  uint64_t matters, uint64_t *ends) {
  if (__builtin_cpu_supports("avx2"))
    run_ends_avx2(keys, values, count, step, matters, ends);
  else
    dmm_run_ends_plain(keys, values, count, step, matters, ends);
}

void dmm_survey(const uint64_t *values, size_t count, uint64_t first, uint64_t size, uint64_t rest,
                struct dmm_survey *survey) {
  if (__builtin_cpu_supports("avx2"))
    survey_avx2(values, count, first, size, rest, survey);
  else
    dmm_survey_plain(values, count, first, size, rest, survey);
}

void dmm_at_least(const uint32_t *values, size_t count, uint32_t least, uint64_t *bits) {
  if (__builtin_cpu_supports("avx2"))
    at_least_avx2(values, count, least, bits);
  else
    dmm_at_least_plain(values, count, least, bits);
}

uint32_t dmm_highest(const uint32_t *values, size_t count) {
  if (__builtin_cpu_supports("avx2")) return highest_avx2(values, count);
  return dmm_highest_plain(values, count);
}

bool dmm_numbers(const uint64_t *values, size_t count, struct dmm_form form, uint64_t *used,
                 uint64_t *marked, uint32_t *numbers, size_t *found) {
  if (__builtin_cpu_supports("avx2"))
    return numbers_avx2(values, count, form, used, marked, numbers, found);
  return dmm_numbers_plain(values, count, form, used, marked, numbers, found);
}

void dmm_keep(uint64_t *values, size_t count, uint64_t kept, uint64_t mask, uint64_t flags) {
  if (__builtin_cpu_supports("avx2"))
    keep_avx2(values, count, kept, mask, flags);
  else
    dmm_keep_plain(values, count, kept, mask, flags);
}

void dmm_keep_short(uint32_t *values, size_t count, uint64_t kept) {
  if (__builtin_cpu_supports("avx2"))
    keep_short_avx2(values, count, kept);
  else
    dmm_keep_short_plain(values, count, kept);
}

#else

bool dmm_ascend(const uint64_t *keys, size_t count) { return dmm_ascend_plain(keys, count); }

void dmm_run_ends(const uint64_t *keys, const uint64_t *values, size_t count, uint64_t step,
                  uint64_t matters, uint64_t *ends) {
  dmm_run_ends_plain(keys, values, count, step, matters, ends);
}

void dmm_survey(const uint64_t *values, size_t count, uint64_t first, uint64_t size, uint64_t rest,
                struct dmm_survey *survey) {
  dmm_survey_plain(values, count, first, size, rest, survey);
}

void dmm_at_least(const uint32_t *values, size_t count, uint32_t least, uint64_t *bits) {
  dmm_at_least_plain(values, count, least, bits);
}

uint32_t dmm_highest(const uint32_t *values, size_t count) {
  return dmm_highest_plain(values, count);
}

bool dmm_numbers(const uint64_t *values, size_t count, struct dmm_form form, uint64_t *used,
                 uint64_t *marked, uint32_t *numbers, size_t *found) {
  return dmm_numbers_plain(values, count, form, used, marked, numbers, found);
}

void dmm_keep(uint64_t *values, size_t count, uint64_t kept, uint64_t mask, uint64_t flags) {
  dmm_keep_plain(values, count, kept, mask, flags);
}

void dmm_keep_short(uint32_t *values, size_t count, uint64_t kept) {
  dmm_keep_short_plain(values, count, kept);
}

#endif
