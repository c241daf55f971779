#!/bin/bash
# moved.sh DMMETA
#
# Linux makes a pool and says what its volumes read as. Then DMMETA's thin_trim gives its free space
# back, thin_shrink makes it as small as it can be, or puts it together with --defragment; and
# thin_shrink is killed at ten random points and run again. After each of these Linux has to activate
# the pool, on a data device that is no longer than that, and all volumes have to read the same.
# At last a block of the data device fails, in the machine: it is named, and the pool is as it was.
# And free blocks that take no discards: thin_trim names them and gives back all others.
# SEED=n brings the points back. Status 1: something is wrong, 2: there was no pool to judge with.
set -euo pipefail
. "$(dirname "$0")/boot.sh"
[ $# = 1 ] || { echo "usage: moved.sh DMMETA" >&2; exit 2; }

dmmeta=$(realpath "$1")
seed=${SEED:-$RANDOM}
RANDOM=$seed
kills=10
"$kernel_tests/build.sh"
work=$(mktemp -d "$RIG/moved.XXXXXX")
trap 'rm -rf "$work"' EXIT
start=$SECONDS
wrong() { echo "moved: $* (SEED=$seed)" >&2; exit 1; }

made=$work/made
mkdir "$made"
truncate -s 1M "$made/metadata"
truncate -s 24M "$made/data"
boot "$work" "$kernel_tests/guest/moved-pool.sh" "$made"/{metadata,data} || exit 2
grep -aq '^@@VERDICT accepted' "$work/output.txt" || { cat "$work/output.txt" >&2; exit 2; }
sums=$(sed -n 's/^@@SUM //p' "$work/output.txt")
[ "$(echo "$sums" | wc -l)" = 4 ] || exit 2
eval "$("$kernel_tests/superblock.py" "$made/metadata")"   # $blocks, $used

fresh() { cp --sparse=always "$made"/{metadata,data} "$work"; }
shrink() {
  "$dmmeta" thin_shrink -i "$work/metadata" -o "$work/metadata" --data "$work/data" "$@" \
    > "$work/said"
}
# keep NAME BLOCKS: what came of a job is for Linux to judge.
jobs=() sizes=
keep() {
  "$dmmeta" thin_check -q "$work/metadata" || wrong "$1: the metadata is damaged"
  cat "$work/metadata" >> "$work/all-metadata"
  cat "$work/data" >> "$work/all-data"
  jobs+=("$1")
  sizes=$sizes${sizes:+,}$2
}

small=$((used + 3))
fresh
"$dmmeta" thin_trim --metadata-dev "$work/metadata" --data-dev "$work/data" > "$work/said" ||
  wrong "thin_trim failed"
grep -q " $((blocks - used)) of $blocks blocks" "$work/said" || wrong "$(cat "$work/said")"
[ "$(stat -c %b "$work/data")" -le $((used * 128)) ] || wrong "thin_trim left free blocks"
keep trimmed "$blocks"

fresh
began=$(date +%s%N)
shrink --binary --nr-blocks $small || wrong "thin_shrink failed"
took=$((($(date +%s%N) - began) / 1000000))
! cmp -s "$work/data" "$made/data" || wrong "there was nothing to move"
keep shrunk $small

# Without the data at its place, the volumes have to read wrong, or nothing here would mean a thing.
fresh
shrink --binary --nr-blocks $small --no-copy 2> /dev/null || wrong "thin_shrink --no-copy failed"
keep control $small

fresh
shrink --defragment || wrong "thin_shrink --defragment failed"
read -r before after < <(sed -n 's/^all devices: \([0-9]*\) pieces, \([0-9]*\) .*/\1 \2/p' \
  "$work/said")
[ "$after" -lt "$before" ] || wrong "$before pieces became $after"
keep defragmented "$blocks"

# Runs that are over before their time has come don't count.
killed=0 partly=0
for try in $(seq 100); do
  fresh
  status=0
  { timeout -s KILL "$(printf '0.%03d' $((1 + RANDOM % (took + 10))))" "$dmmeta" thin_shrink \
    --binary -i "$work/metadata" -o "$work/metadata" --data "$work/data" --nr-blocks $small \
    > /dev/null || status=$?; } 2> /dev/null
  [ $status = 137 ] || continue
  killed=$((killed + 1))
  cmp -s "$work/data" "$made/data" || partly=$((partly + 1))
  # As it is now, and after a second run.
  eval "$("$kernel_tests/superblock.py" "$work/metadata")"
  keep "killed, try $try" "$blocks"
  shrink --binary --nr-blocks $small || wrong "it failed after it was killed, try $try"
  keep "killed and run again, try $try" $small
  [ $killed -lt $kills ] || break
done
[ $killed = $kills ] || { echo "moved: killed only $killed times" >&2; exit 2; }

# The last block that has to move fails.
bad=$("$dmmeta" thin_dump "$made/metadata" |
  sed -n 's/.*data_b[a-z]*="\([0-9]*\)" length="\([0-9]*\)".*/\1 \2/p;
    s/.*data_block="\([0-9]*\)".*/\1 1/p' | awk '{e = $1 + $2 - 1; if (e > m) m = e} END {print m}')
tree=$work/tree
mkdir -p "$tree/sbin"
cp "$dmmeta" "$tree/sbin/dmmeta"
copy_libraries "$dmmeta" "$tree"
(cd "$tree" && find . | cpio -o -H newc --quiet -R 0:0) | gzip -1 > "$work/program.cpio.gz"
fresh
ARCHIVE=$work/program.cpio.gz MEMORY=1024 PARAMETERS="bad=$bad blocks=$small" \
  boot "$work" "$kernel_tests/guest/moved-fails.sh" "$work"/{metadata,data} || exit 2
grep -aq '^@@VERDICT accepted' "$work/output.txt" ||
  wrong "a block fails: $(cat "$work/output.txt")"
grep -aq '^@@ENDED 74' "$work/output.txt" || wrong "a block fails: $(cat "$work/output.txt")"
grep -aq "^@@SAID .*(data blocks $bad)" "$work/output.txt" || wrong "block $bad is not named"
cmp "$work/metadata" "$made/metadata" || wrong "a block fails: the metadata was changed"
eval "$("$kernel_tests/superblock.py" "$work/metadata")"
keep "a block fails" "$blocks"

# Free blocks, full of what only a discard takes away, and some of them fail.
fresh
eval "$("$kernel_tests/free-data.py" fill "$work"/{metadata,data})"   # $first, $count
ARCHIVE=$work/program.cpio.gz MEMORY=1024 PARAMETERS="first=$first count=$count" \
  boot "$work" "$kernel_tests/guest/moved-trim-fails.sh" "$work"/{metadata,data} || exit 2
grep -aq '^@@VERDICT accepted' "$work/output.txt" ||
  wrong "a discard fails: $(cat "$work/output.txt")"
grep -aq '^@@ENDED 74' "$work/output.txt" || wrong "a discard fails: $(cat "$work/output.txt")"
grep -aq "^@@SAID .*(bytes $((first * 65536)) to $(((first + count) * 65536)))" \
  "$work/output.txt" || wrong "what fails is not named: $(grep -a '^@@SAID' "$work/output.txt")"
"$kernel_tests/free-data.py" judge "$work"/{metadata,data} "$first" "$count" ||
  wrong "a discard fails: other blocks are not as they have to be"
keep "a discard fails" "$blocks"

PARAMETERS="metadata=2048 data=49152 blocks=$sizes" TIMEOUT=900 \
  boot "$work" "$kernel_tests/guest/moved-check.sh" "$work"/all-{metadata,data} || exit 2
cp "$work/output.txt" "$RIG/out/moved.txt"
for job in "${!jobs[@]}"; do
  same=different
  [ "$(sed -n "s/^@@SUM $job //p" "$work/output.txt")" != "$sums" ] || same=same
  if [ "${jobs[$job]}" = control ]; then wanted=different; else wanted=same; fi
  [ $same = $wanted ] || wrong "${jobs[$job]}: the volumes read $same data"
done
grep -aq '^@@VERDICT accepted' "$work/output.txt" ||
  wrong "$(grep -a '^@@ FAULT' "$work/output.txt" | head -n 3)"
echo "moved: ${#jobs[@]} pools, killed $kills times, $partly of them half-way, status 0" \
  "($((SECONDS - start)) s)"
