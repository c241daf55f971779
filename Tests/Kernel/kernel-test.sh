#!/bin/bash
# kernel-test.sh DMMETA [JOB...]
#
# The kernel as judge of what DMMETA, the program with all tools in it, writes and reads. A JOB is
# a family and a fixture of it, as in thin/snapshots, or one of those without a fixture; all unless
# given, as many at a time as there are cores:
#   controls   metadata broken on purpose has to be refused, or nothing below would mean a thing
#   thin/...   every thin fixture is dumped, restored, and given to the kernel; for some, also
#     repaired   after they had been repaired
#     undeleted  after a deleted device was taken back
#     compared   what is dumped is compared with what the kernel finds, block by block
#     freed      what deleting devices frees is compared with what thin_ls says
#   cache/..., era/...   so are all of these, and some after they had lost a block and been
#              repaired; the kernel has to find just as many mapped and dirty blocks
#   writeback  of caches that are made for that, all that was written is brought to the origin
#   laps       of an era device and a cache, on which blocks were written again and again, the
#              index of the array is lost: nothing wrong comes back
#   moved      of a pool that is trimmed, made smaller, or put together, all volumes read the same
# Takes a quarter of an hour on two cores, the machines being emulated. Last line: "N passed, N
# failed"; fails if one does, or if a job ended without a word.
set -euo pipefail
. "$(dirname "$0")/boot.sh"
# Half as much is enough for all, on a machine that does nothing else.
export TIMEOUT=${TIMEOUT:-600}
[ $# -ge 1 ] || { echo "usage: kernel-test.sh DMMETA [JOB...]" >&2; exit 2; }
dmmeta=$(realpath "$1")
shift
export STRICT=1

# Repair writes through the code that restores; these differ in what it has to get by: devices that
# share leaves, a metadata snapshot, crashes, wrong ref counts, superseded leaves that lie.
repaired="snapshots-of-snapshots metadata-snapshot crash-writes needs-check discard-crash
  reuse-same-leaf reuse-ext4"
# A deleted device that shares most of its blocks with others.
undeleted="just-deleted"
# One for each way in which a mapping is found: alone, shared by devices, after a crash, in blocks
# of an odd size. A large fixture takes minutes here and adds nothing.
compared="thins snapshots snapshots-of-snapshots power-cut resized ext4"
# What these lose: a cache its hints, an era device its archived writesets.
repaired_arrays="cache-v2 cache-v1-crash era-undigested"
# Devices that share in all ways, and a metadata snapshot that holds blocks of theirs.
freed="snapshots snapshots-of-snapshots metadata-snapshot ext4"

pass() { echo "pass: $1"; }
fail() { echo "FAIL: $1"; }
# expect NAME STATUS COMMAND...
expect() {
  local name=$1 wanted=$2 status=0
  shift 2
  "$@" || status=$?
  if [ $status = "$wanted" ]; then pass "$name"; else fail "$name (status $status)"; fi
}

has() { case " $(echo $2) " in *" $1 "*) ;; *) false ;; esac; }
unpack() { xz -dc "$project/fixtures/kernel/${2:-thin}/$1.img.xz" > "$work/image"; }

# accept NAME IMAGE FIXTURE: with as much room as the fixture needs to be worked on.
accept() {
  local blocks=
  [ "$3" != data-full ] || blocks=4096
  DATABLOCKS=$blocks "$kernel_tests/accept.sh" "$2" "$1"
}

# An empty file for the tools to write to: as large as the image, or larger if that is full.
make_output() {
  local size
  size=$(stat -c %s "$work/image")
  case $1 in metadata-full*) size=$((size * 2)) ;; esac
  rm -f "$work/out"
  truncate -s "$size" "$work/out"
}

restore() {
  make_output "$1"
  "$dmmeta" thin_dump "$work/image" > "$work/xml" &&
    "$dmmeta" thin_restore -i "$work/xml" -o "$work/out" > /dev/null &&
    accept "restore-$1" "$work/out" "$1"
}

repair() {
  make_output "$1"
  "$dmmeta" thin_repair -i "$work/image" -o "$work/out" > /dev/null &&
    accept "repair-$1" "$work/out" "$1"
}

# The device and the root that thin_roots itself proposes.
undelete() {
  local device root
  make_output "$1"
  read -r device root < <("$dmmeta" thin_roots "$work/image" 2>&1 > /dev/null |
    sed -n 's/.* --recover \([0-9]*\) --from \([0-9]*\) .*/\1 \2/p')
  "$dmmeta" thin_roots -i "$work/image" --recover "$device" --from "$root" -o "$work/out" \
    > /dev/null && accept "undelete-$1" "$work/out" "$1"
}

mappings() {
  "$dmmeta" thin_dump "$work/image" > "$work/xml" &&
    "$kernel_tests/kmap.sh" "$work/image" "$1" &&
    "$kernel_tests/kmap.py" compare "$work/xml" "$RIG/out/$1.kmap"
}

# arrays_written FAMILY NAME JOB: the kernel takes what was written, as the dump of it says.
arrays_written() {
  local mapped= dirty=
  "$dmmeta" "$1_dump" "$work/out" > "$work/written" || return
  if [ "$1" = cache ]; then
    mapped=$(grep -c '<mapping ' "$work/written" || true)
    dirty=$(grep -c 'dirty="true"' "$work/written" || true)
  fi
  MAPPED=$mapped DIRTY=$dirty "$kernel_tests/accept.sh" "$work/out" "$3-$2"
}

# What a dump of what was restored has to be: without hints there is no size of them.
expected() { if grep -q '<hints>' "$1"; then cat "$1"; else sed '1s/hint_width="4"/hint_width="0"/' "$1"; fi; }

restore_arrays() {
  make_output "$2"
  "$dmmeta" "$1_dump" "$work/image" > "$work/xml" &&
    "$dmmeta" "$1_restore" -i "$work/xml" -o "$work/out" > /dev/null &&
    cmp <("$dmmeta" "$1_dump" "$work/out") <(expected "$work/xml") && arrays_written "$1" "$2" restore
}

repair_arrays() {
  local lost
  make_output "$2"
  # The root of a cache's hints, or of an era device's tree of writesets, at byte 200.
  lost=$(od -An -t u8 -j 200 -N 8 "$work/image" | tr -d ' ')
  [ "$lost" != 0 ] || return
  dd if=/dev/zero of="$work/image" bs=4096 seek="$lost" count=1 conv=notrunc status=none
  ! "$dmmeta" "$1_check" -q "$work/image" &&
    "$dmmeta" "$1_repair" -i "$work/image" -o "$work/out" > /dev/null &&
    arrays_written "$1" "$2" repair
}

freed() { "$kernel_tests/freed.sh" "$dmmeta" "$work/image" "$1"; }

controls() {
  local how sound=$work/sound broken=$work/broken
  unpack snapshots
  mv "$work/image" "$sound"
  expect "control: the kernel's own metadata is accepted" 0 accept control "$sound" -
  for how in leaf-bit superblock-bit data-count-low data-count-high metadata-count-low; do
    "$kernel_tests/break-image.py" "$sound" "$broken" $how
    expect "control: $how is refused" 1 accept "control-$how" "$broken" -
  done
  "$kernel_tests/break-image.py" "$sound" "$broken" mapped-count
  expect "control: mapped-count is noticed" 1 "$kernel_tests/kmap.sh" "$broken" control
  # The kernel's view of keys that are swapped, against a dump that has them right.
  "$kernel_tests/break-image.py" "$sound" "$broken" keys-swapped
  "$dmmeta" thin_dump "$sound" > "$work/xml" || fail "control: thin_dump"
  expect "control: keys-swapped is counted differently" 1 \
    "$kernel_tests/kmap.sh" "$broken" control
  expect "control: keys-swapped is noticed" 1 \
    "$kernel_tests/kmap.py" compare "$work/xml" "$RIG/out/control.kmap"
}

thin_fixture() {
  local name=$1
  unpack "$name"
  expect "restore: $name" 0 restore "$name"
  ! has "$name" "$repaired" || expect "repair: $name" 0 repair "$name"
  ! has "$name" "$undeleted" || expect "undelete: $name" 0 undelete "$name"
  ! has "$name" "$compared" || expect "mappings: $name" 0 mappings "$name"
  ! has "$name" "$freed" || expect "freed: $name" 0 freed "$name"
}

array_fixture() {
  local family=$1 name=$2
  unpack "$name" "$family"
  expect "restore: $name" 0 restore_arrays "$family" "$name"
  ! has "$name" "$repaired_arrays" || expect "repair: $name" 0 repair_arrays "$family" "$name"
}

writeback() {
  expect "writeback: closed in order" 0 \
    "$kernel_tests/writeback.sh" "$dmmeta" closed "2 metadata2 writeback"
  expect "writeback: after a crash" 0 \
    "$kernel_tests/writeback.sh" "$dmmeta" crashed "1 writeback" crash
}

# The era device is opened anew now and then, so that blocks low on the device get written more often.
laps() {
  expect "laps: era" 0 "$kernel_tests/laps.sh" "$dmmeta" era 7
  expect "laps: cache" 0 "$kernel_tests/laps.sh" "$dmmeta" cache 100
}

moved() { expect "moved: volumes read the same" 0 "$kernel_tests/moved.sh" "$dmmeta"; }

# job JOB: in a folder of its own; what it says goes to that, and is shown in one piece.
job() {
  work=$(mktemp -d "$RIG/test.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  local start=$SECONDS status
  # Not to the left of ||: there a command that fails would not end it.
  set +e
  ( set -e
    case $1 in
      controls | writeback | moved | laps) "$1" ;;
      thin/*) thin_fixture "${1#*/}" ;;
      cache/* | era/*) array_fixture "${1%/*}" "${1#*/}" ;;
      *) echo "no job $1"; false ;;
    esac ) > "$work/log" 2>&1
  status=$?
  set -e
  [ $status = 0 ] || fail "$1 (ended with $status)" >> "$work/log"
  echo "$1 took $((SECONDS - start)) s" >> "$work/log"
  tee -a "$results" < "$work/log"
}

"$kernel_tests/build.sh"
# Those that take longest come first, so that no core is without work at the end.
if [ $# = 0 ]; then
  set -- thin/snapshots-of-snapshots thin/many-devices moved laps writeback controls
  for fixture in "$project"/fixtures/kernel/{thin,cache,era}/*.img.xz; do
    name=${fixture#"$project"/fixtures/kernel/}
    name=${name%.img.xz}
    has "$name" "$*" || set -- "$@" "$name"
  done
fi
results=$(mktemp "$RIG/results.XXXXXX")
trap 'rm -f "$results"' EXIT
for name; do
  while [ "$(jobs -pr | wc -l)" -ge "$(nproc)" ]; do wait -n || true; done
  job "$name" &
done
wait

count() { grep -c "^$1: " "$results" || true; }
echo "took $((SECONDS / 60)) minutes"
echo "$(count pass) passed, $(count FAIL) failed"
[ "$(count pass)" != 0 ] && [ "$(count FAIL)" = 0 ] &&
  [ "$(grep -c '^[a-z/0-9-]* took [0-9]* s$' "$results")" = $# ]
