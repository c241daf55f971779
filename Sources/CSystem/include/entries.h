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

/// The highest value; 0 if there are none.
uint32_t dmm_highest(const uint32_t *values, size_t count);

/// What values look like that are 0, or a number above some flags.
struct dmm_form {
  /// How far up the number stands.
  uint64_t shift;
  /// The flag that a number needs to count, and another that is asked for.
  uint64_t valid, marked;
  /// A sound value is 0, or has of these flags just the valid one and is below `end`.
  uint64_t flags, end;
};

/// Sets bit i, 64 per word, of `used` if value i is not 0, and of `marked` if it has that flag; all
/// words must be 0 before. Puts the lowest 32 bits of the numbers that count into `numbers`, in
/// order, and how many there are into `found`; `numbers` has room for four more than `count`.
/// Returns whether all values are sound.
bool dmm_numbers(const uint64_t *values, size_t count, struct dmm_form form, uint64_t *used,
                 uint64_t *marked, uint32_t *numbers, size_t *found);

/// Keeps those of up to 64 values, in the byte order of the machine, whose bit in `kept` is set, with
/// no bits but those of `mask`, and with those of `flags`; the others become 0.
void dmm_keep(uint64_t *values, size_t count, uint64_t kept, uint64_t mask, uint64_t flags);

/// The same for values of four bytes, which are kept as they are.
void dmm_keep_short(uint32_t *values, size_t count, uint64_t kept);

/// The same, one entry at a time, for processors without AVX2 and for the tests.
bool dmm_ascend_plain(const uint64_t *keys, size_t count);
void dmm_run_ends_plain(const uint64_t *keys, const uint64_t *values, size_t count, uint64_t step,
                        uint64_t matters, uint64_t *ends);
void dmm_survey_plain(const uint64_t *values, size_t count, uint64_t first, uint64_t size,
                      uint64_t rest, struct dmm_survey *survey);
void dmm_at_least_plain(const uint32_t *values, size_t count, uint32_t least, uint64_t *bits);
uint32_t dmm_highest_plain(const uint32_t *values, size_t count);
bool dmm_numbers_plain(const uint64_t *values, size_t count, struct dmm_form form, uint64_t *used,
                       uint64_t *marked, uint32_t *numbers, size_t *found);
void dmm_keep_plain(uint64_t *values, size_t count, uint64_t kept, uint64_t mask, uint64_t flags);
void dmm_keep_short_plain(uint32_t *values, size_t count, uint64_t kept);

#endif
