# boot.sh, sourced by the scripts of this folder: where things are, what they have in common, and
# `boot`.

kernel_tests=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
project=$(cd "$kernel_tests/../.." && pwd)
RIG=${RIG:-$project/.rig}
mkdir -p "$RIG"
RIG=$(cd "$RIG" && pwd)
export RIG PYTHONDONTWRITEBYTECODE=1
PATH=$PATH:/usr/sbin:/sbin   # dmsetup, for users who are not root

# choose_machine: $machine is the folder of the machine with kernel $KERNEL, a Debian package, with
# "/SUITE" behind it where another suite has it; this Debian's own when unset or empty.
choose_machine() {
  machine=$RIG
  [ -z "${KERNEL:-}" ] || machine=$RIG/kernels/${KERNEL//\//@}
  mkdir -p "$machine"
}
choose_machine

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

# copy_libraries PROGRAM TREE [UNPACKED]: puts what PROGRAM is linked with into TREE, from packages
# that were unpacked if these have it. Fails when there is a library that nobody has.
copy_libraries() {
  local path= object place
  # One that is linked statically needs nothing.
  ldd "$1" >/dev/null 2>&1 || return 0
  [ -z "${3:-}" ] || path=$(echo "$3"/lib/*-linux-gnu):$(echo "$3"/usr/lib/*-linux-gnu)
  if LD_LIBRARY_PATH=$path ldd "$1" | grep 'not found' >&2; then return 1; fi
  LD_LIBRARY_PATH=$path ldd "$1" | grep -oE '/[^ ]+' | while read -r object; do
    place=$2${object#"${3:-}"}
    mkdir -p "${place%/*}"
    cp -L "$object" "$place"
  done
}

# boot FOLDER SCRIPT DISK... runs guest script SCRIPT in a machine with some disks: vda is the
# metadata, vdb and those behind it what the script takes them for. What it said is
# FOLDER/output.txt, the kernel's console FOLDER/console.txt.
#
# The machine ends itself. One that is stuck for TIMEOUT (seconds, 300 unless set) says what its
# processes wait for before it does; if not even that, it is ended with status 124 after a quarter
# of that time more. Also taken from the environment:
# PARAMETERS ("a=1 b=2" become the guest's $parameter_a, ...), ARCHIVE (an initramfs with more to
# be there), MEMORY (MiB), ACCEL (tcg, or kvm where that works), and KILL_ON: KILL_DELAY seconds
# after a line of output matches that expression, the machine is killed as by a power cut.
#
# An emulator that stands still has nothing to say about what is tested: if not even that last word
# came, the machine is started once more, with the disks as they were.
boot() {
  local status=0 index folder=$1 disks=("${@:3}")
  for index in "${!disks[@]}"; do cp --sparse=always "${disks[$index]}" "$folder/disk.$index"; done
  boot_once "$@" || status=$?
  if [ $status = 124 ] && ! grep -aqE '^@@(STUCK|KERNEL)' "$folder/output.txt"; then
    echo "the machine stands still: once more" >&2
    last_words "$folder" >&2
    for index in "${!disks[@]}"; do
      cp --sparse=always "$folder/disk.$index" "${disks[$index]}"
    done
    status=0
    boot_once "$@" || status=$?
  fi
  rm -f "$folder"/disk.*
  return $status
}

boot_once() {
  local folder=$1 script=$2 pair disk pid start killed= status=0
  shift 2
  local archive=$folder/archive
  mkdir -p "$archive"
  cp "$kernel_tests"/guest/*.sh "$kernel_tests/guest/init" "$archive"
  cp "$script" "$archive/script.sh"
  # Parameters are a file: a kernel's command line is cut off at 2048 bytes, without a word.
  for pair in patience=${TIMEOUT:-300} ${PARAMETERS:-}; do
    echo "parameter_${pair%%=*}='${pair#*=}'"
  done > "$archive/parameters"
  (cd "$archive" && chmod 755 init && find . -type f | cpio -o -H newc --quiet -R 0:0) |
    gzip -1 | cat "$machine/base.cpio.gz" ${ARCHIVE:+"$ARCHIVE"} - > "$folder/initrd"   # one by one
  rm -r "$archive"

  local arguments=(-M pc -accel "${ACCEL:-tcg}" -cpu max -smp 1 -m "${MEMORY:-512}"
    -nodefaults -no-user-config -nic none -display none -monitor none -no-reboot
    -kernel "$machine/vmlinuz" -initrd "$folder/initrd"
    -append "console=ttyS0 loglevel=4 panic=-1 nokaslr mitigations=off no_timer_check \
tsc=reliable random.trust_cpu=on audit=0"
    -serial "file:$folder/console.txt" -serial "file:$folder/raw.txt")
  for disk; do
    arguments+=(-drive "file=$disk,if=virtio,format=raw,cache=unsafe,aio=threads,\
discard=unmap,detect-zeroes=unmap")
  done
  : > "$folder/raw.txt"
  qemu-system-x86_64 "${arguments[@]}" </dev/null >"$folder/qemu.txt" 2>&1 &
  pid=$! start=$SECONDS
  while kill -0 $pid 2>/dev/null; do
    sleep 0.1
    if [ -n "${KILL_ON:-}" ] && grep -aqE "$KILL_ON" "$folder/raw.txt"; then
      sleep "${KILL_DELAY:-1}"
      kill -9 $pid
      killed=1
      break
    fi
    if [ $((SECONDS - start)) -gt $((${TIMEOUT:-300} * 5 / 4)) ]; then
      kill -9 $pid
      status=124
      break
    fi
  done
  wait $pid 2>/dev/null || [ -n "$killed" ] || [ $status = 124 ] || status=99
  tr -d '\r' < "$folder/raw.txt" > "$folder/output.txt"
  rm -f "$folder/initrd" "$folder/raw.txt"
  return $status
}

# last_words FOLDER: the end of what a machine said that gave no verdict.
last_words() {
  local file
  for file in console output; do
    sed -n '/^@@STUCK/,$p' "$1/$file.txt" | grep -a . || tail -n 15 "$1/$file.txt"
  done | cut -c 1-200 | sed 's/^/  | /'
}
