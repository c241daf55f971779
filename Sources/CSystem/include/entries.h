// The two questions that every leaf of a mapping tree is asked, answered for several entries at
// once. `keys` and `values` are `count` little-endian words each, as they stand on disk.
#ifndef DMM_ENTRIES_H
#define DMM_ENTRIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Whether each key is above the one before it.
bool dmm_ascend(const uint64_t *keys, size_t count);

/// Finds the entries that the next one does not continue: that has a key one higher and a value
/// `step` higher. Without keys, `NULL`, values decide alone. The last entry is one of them.
///
/// Sets bit i of `ends` for entry i, 64 to a word, in words that were all 0.
void dmm_run_ends(const uint64_t *keys, const uint64_t *values, size_t count, uint64_t step,
                  uint64_t *ends);

/// The same, an entry at a time. They serve processors without AVX2, and the tests.
bool dmm_ascend_plain(const uint64_t *keys, size_t count);
void dmm_run_ends_plain(const uint64_t *keys, const uint64_t *values, size_t count, uint64_t step,
                        uint64_t *ends);

#endif
