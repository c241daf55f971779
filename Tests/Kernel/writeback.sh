#!/bin/bash
# writeback.sh DMMETA NAME FEATURES [crash]
#
# Linux makes a cache with dirty blocks, which is closed in order, or left in the midst of a crash.
# Then DMMETA's cache_writeback has to bring all of it to the origin, which is compared with what
# the cache device read as, byte for byte: at once; after it was killed at ten random points; and after
# a run, in the machine, in which one block of the origin failed. That block alone stays dirty, is
# listed, and nothing is lost. Linux has to take the metadata after that.
# FEATURES: as in the target's line, "2 metadata2 writeback". SEED=n brings the points back.
# Status 1: something is wrong, 2: there was no cache to judge with.
set -euo pipefail
. "$(dirname "$0")/boot.sh"
[ $# -ge 3 ] || { echo "usage: writeback.sh DMMETA NAME FEATURES [crash]" >&2; exit 2; }

dmmeta=$(realpath "$1") name=$2 features=$3 crash=${4:-}
seed=${SEED:-$RANDOM}
RANDOM=$seed
kills=10
"$kernel_tests/build.sh"
work=$(mktemp -d "$RIG/writeback.XXXXXX")
trap 'rm -rf "$work"' EXIT
start=$SECONDS
wrong() { echo "writeback $name: $* (SEED=$seed)" >&2; exit 1; }

# The cache that Linux makes, and what it reads as.
made=$work/made
mkdir "$made"
truncate -s 4M "$made/metadata"
truncate -s 32M "$made/fast"
truncate -s 64M "$made/origin" "$made/truth"
echo "parameter_features='$features' parameter_crash='$crash'" |
  cat - "$kernel_tests/guest/writeback.sh" > "$work/script.sh"
boot "$work" "$work/script.sh" "$made"/{metadata,origin,fast,truth} || exit 2
grep -aq '^@@VERDICT accepted' "$work/output.txt" || { cat "$work/output.txt" >&2; exit 2; }

# fresh: $work/{metadata,origin,fast} are as Linux left them.
fresh() { cp --sparse=always "$made"/{metadata,origin,fast} "$work"; }
# writeback [OPTION...]
writeback() {
  "$dmmeta" cache_writeback --metadata-device "$work/metadata" --origin-device "$work/origin" \
    --fast-device "$work/fast" "$@"
}
# still_there: sets $dirty, if nothing that was written is lost.
still_there() {
  "$dmmeta" cache_check -q "$work/metadata" || wrong "$1: the metadata is damaged"
  "$dmmeta" cache_dump "$work/metadata" > "$work/dump" || wrong "$1: no dump"
  dirty=$("$kernel_tests/cached.py" "$work/dump" "$work"/{origin,fast} "$made/truth") ||
    wrong "$1: data is lost"
}
# all_there WHEN: the origin has everything by itself.
all_there() {
  cmp "$work/origin" "$made/truth" || wrong "$1: the origin lacks data"
  cmp "$work/fast" "$made/fast" || wrong "$1: the fast device was written to"
  still_there "$1"
  # After a crash the kernel takes all for dirty, whatever is written there.
  [ "$dirty" = "${crash:+$found}" ] || [ "${crash:-0} $dirty" = "0 0" ] ||
    wrong "$1: $dirty blocks are dirty"
}

fresh
still_there "at first"
found=$dirty
[ "$found" -ge 50 ] || { echo "writeback $name: only $found dirty blocks" >&2; exit 2; }
if [ -z "$crash" ]; then   # the kernel's own count
  counted=$(sed -n 's/^@@STATUS cache: //p' "$work/output.txt" | tail -n 1 | cut -d' ' -f14)
  [ "$counted" = "$found" ] || wrong "the kernel counts $counted dirty blocks, not $found"
fi
! cmp -s "$work/origin" "$made/truth" || wrong "nothing is to be written back"
began=$(date +%s%N)
writeback > "$work/said" || wrong "it failed"
took=$((($(date +%s%N) - began) / 1000000))
grep -q "^$found/$found blocks" "$work/said" || wrong "it said $(cat "$work/said")"
all_there "at once"

# Runs that are over before their time has come don't count.
killed=0 partly=0
for try in $(seq 100); do
  fresh
  status=0
  { timeout -s KILL "$(printf '0.%03d' $((1 + RANDOM % (took + 10))))" "$dmmeta" cache_writeback \
    --metadata-device "$work/metadata" --origin-device "$work/origin" \
    --fast-device "$work/fast" --buffer-size-meg 1 > /dev/null || status=$?; } 2> /dev/null
  still_there "killed, try $try"
  [ $status = 137 ] || continue
  killed=$((killed + 1))
  cmp -s "$work/origin" "$made/origin" || partly=$((partly + 1))
  writeback > /dev/null || wrong "it failed after it was killed, try $try"
  all_there "killed and run again, try $try"
  [ $killed -lt $kills ] || break
done
[ $killed = $kills ] || { echo "writeback $name: killed only $killed times" >&2; exit 2; }

# One dirty block of the origin fails, from the midst of them.
read -r lost_cached lost < <(sed -n \
  's/.*cache_block="\([0-9]*\)" origin_block="\([0-9]*\)" dirty="true".*/\1 \2/p' \
  <("$dmmeta" cache_dump "$made/metadata") | sort -n -k 2 | sed -n "$((found / 2))p")
tree=$work/tree
mkdir -p "$tree/sbin"
cp "$dmmeta" "$tree/sbin/dmmeta"
copy_libraries "$dmmeta" "$tree"
(cd "$tree" && find . | cpio -o -H newc --quiet -R 0:0) | gzip -1 > "$work/program.cpio.gz"
fresh
ARCHIVE=$work/program.cpio.gz MEMORY=1024 PARAMETERS="bad=$lost" \
  boot "$work" "$kernel_tests/guest/writeback-fails.sh" "$work"/{metadata,origin,fast} || exit 2
cp "$work/output.txt" "$RIG/out/writeback.$name.txt"
grep -aq '^@@VERDICT accepted' "$work/output.txt" ||
  wrong "a block fails: $(cat "$work/output.txt")"
grep -aq '^@@ENDED 74' "$work/output.txt" || wrong "a block fails: wrong status"
listed=$(sed -n 's/^@@SAID cache block \([0-9]*\), origin block \([0-9]*\)$/\1 \2/p' \
  "$work/output.txt")
[ "$listed" = "$lost_cached $lost" ] || wrong "a block fails: $lost, but listed is '$listed'"
still_there "a block fails"
[ "$dirty" = "${crash:+$found}" ] || [ "${crash:-1} $dirty" = "1 1" ] ||
  wrong "a block fails: $dirty blocks are dirty"
size=$((128 * 512))
block_of() { tail -c +$((lost * size + 1)) "$1" | head -c $size; }
cmp -s <(block_of "$work/origin") <(block_of "$made/origin") || wrong "the bad block was written"
mapped=$(grep -c '<mapping ' "$work/dump")
MAPPED=$mapped DIRTY=$dirty "$kernel_tests/accept.sh" "$work/metadata" "writeback-$name"
writeback > /dev/null || wrong "it failed after a block had failed"
all_there "after a block had failed"

echo "writeback $name: $found dirty blocks, killed $kills times, $partly of them half-way," \
  "status 0 ($((SECONDS - start)) s)"
