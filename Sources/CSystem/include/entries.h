// The questions that the leaves of a mapping tree are asked, answered for several entries at once.
// `keys` and `values` are `count` little-endian words each, as they stand on disk.
#ifndef DMM_ENTRIES_H
#define DMM_ENTRIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Whether each key is above the one before it.
bool dmm_ascend(const uint64_t *keys, size_t count);

/// Finds the entries that the next one does not continue: that has a key one higher and a value
/// `step` higher, in the bits that matter. Without keys, `NULL`, values decide alone. The last
/// entry is one of them.
///
/// Sets bit i of `ends` for entry i, 64 to a word, in words that were all 0.
void dmm_run_ends(const uint64_t *keys, const uint64_t *values, size_t count, uint64_t step,
                  uint64_t matters, uint64_t *ends);

/// What a look at all values tells.
struct dmm_survey {
  /// Bit i, 64 to a word, for entry i: whether its value is one that is looked for.
  uint64_t hits[4];
  /// The highest value, and the highest of their `rest` bits.
  uint64_t highest, highest_rest;
};

/// Looks for the `size` values from `first` on. `survey` was all 0; `count` is at most 256.
void dmm_survey(const uint64_t *values, size_t count, uint64_t first, uint64_t size, uint64_t rest,
                struct dmm_survey *survey);

/// The same, an entry at a time. They serve processors without AVX2, and the tests.
bool dmm_ascend_plain(const uint64_t *keys, size_t count);
void dmm_run_ends_plain(const uint64_t *keys, const uint64_t *values, size_t count, uint64_t step,
                        uint64_t matters, uint64_t *ends);
void dmm_survey_plain(const uint64_t *values, size_t count, uint64_t first, uint64_t size,
                      uint64_t rest, struct dmm_survey *survey);

#endif
