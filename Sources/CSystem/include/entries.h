// Scans of the leaves of a mapping tree and of array blocks, several entries at once. `keys` and
// `values` are `count` little-endian numbers each, as on disk.
#ifndef DMM_ENTRIES_H
#define DMM_ENTRIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Whether each key is above the one before it.
bool dmm_ascend(const uint64_t *keys, size_t count);

/// Finds the entries that end a run: those that the next one doesn't continue with a key one higher
/// and a value `step` higher, in the bits that matter. If `keys` is `NULL`, only values count. The
/// last entry always ends a run.
///
/// Sets bit i of `ends` for entry i, 64 per word; all words must be 0 before.
void dmm_run_ends(const uint64_t *keys, const uint64_t *values, size_t count, uint64_t step,
                  uint64_t matters, uint64_t *ends);

/// What a pass over all values finds.
struct dmm_survey {
  /// Bit i, 64 per word, for entry i: whether its value is one of those wanted.
  uint64_t hits[4];
  /// The highest value, and the highest of their `rest` bits.
  uint64_t highest, highest_rest;
};

/// Looks for the `size` values from `first` on. `survey` must be all 0 before; `count` is at most
/// 256.
void dmm_survey(const uint64_t *values, size_t count, uint64_t first, uint64_t size, uint64_t rest,
                struct dmm_survey *survey);

/// Sets bit i of `bits` for entry i, 64 per word, if its value is `least` or more; all words must be
/// 0 before.
void dmm_at_least(const uint32_t *values, size_t count, uint32_t least, uint64_t *bits);

/// The same, one entry at a time, for processors without AVX2 and for the tests.
bool dmm_ascend_plain(const uint64_t *keys, size_t count);
void dmm_run_ends_plain(const uint64_t *keys, const uint64_t *values, size_t count, uint64_t step,
                        uint64_t matters, uint64_t *ends);
void dmm_survey_plain(const uint64_t *values, size_t count, uint64_t first, uint64_t size,
                      uint64_t rest, struct dmm_survey *survey);
void dmm_at_least_plain(const uint32_t *values, size_t count, uint32_t least, uint64_t *bits);

#endif
