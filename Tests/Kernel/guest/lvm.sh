# The words that lvm-*.sh are written in: LVM as user of our tools. vda = volume group "vg", with
# pool "pool"; $volumes are its volumes, $before is what contents said of them.
. /judge.sh
before=$parameter_before   # from an earlier boot
export PATH=$PATH:/usr/sbin LVM_SUPPRESS_FD_WARNINGS=1

# try STATUS COMMAND...: it has to end so ("fail": not with 0). $said is what it said.
try() {
  local wanted=$1 status=0
  shift
  say "\$ $*"
  said=$("$@" 2>&1) || status=$?
  echo "$said" | sed 's/^/@@   /'
  case "$wanted $status" in
    "$status $status") ;;
    "fail 0") bad "'$*' did not fail" ;;
    "fail "*) ;;
    *) bad "'$*' ended with $status" ;;
  esac
}
says() { case "$said" in *"$1"*) ;; *) bad "'$1' was not said" ;; esac; }
kernel_says() { dmesg | grep -q "$1" || bad "the kernel did not say '$1'"; }

active() { for volume; do try 0 lvchange -ay -K "$volume"; done; }
inactive() { try 0 lvchange -an $volumes vg/pool; }
mend() {
  try 0 lvchange -ay --config 'global/thin_check_options=["-q","--clear-needs-check-flag"]' vg/pool
}
# The component alone, while the pool is inactive.
look() { try 0 lvchange -y -ay vg/pool_tmeta; }
look_away() { try 0 lvchange -an vg/pool_tmeta; }
# check STATUS: so thin_check ends, and $said is what it said.
check() {
  local report
  look
  try "$1" thin_check /dev/mapper/vg-pool_tmeta
  report=$said
  look_away
  said=$report
}
copy() { look; try 0 dd if=/dev/mapper/vg-pool_tmeta of=/tmp/tmeta.copy bs=1M; look_away; }
swap() { try 0 lvconvert -y --swapmetadata --poolmetadata vg/fixed vg/pool; }

is_device() { [ -b "$1" ] || bad "$1 is no device"; }
fill() {
  is_device "/dev/$1"
  seq "$2" "$3" | dd of="/dev/$1" bs=64k seek="${4:-0}" conv=notrunc 2>/dev/null
  sync
}
content() { dd if="$1" bs=64k count="${2:-320}" 2>/dev/null | md5sum | cut -d' ' -f1; }
contents() { for volume in $volumes; do content "/dev/$volume"; done | tr '\n' ,; }
# same WHEN: the volumes, which get activated, have to store what they did.
same() {
  active $volumes
  local now
  for volume in $volumes; do is_device "/dev/$volume"; done
  now=$(contents)
  [ "$now" = "$before" ] || bad "$1: the volumes have $now, not $before"
}

# Sets $first and $count: the component's place on vda, in blocks of the metadata.
place() {
  look
  set -- $(dmsetup table vg-pool_tmeta)   # 0 SECTORS linear MAJOR:MINOR FIRST
  [ "$#" = 5 ] || bad "the component is not in one piece"
  first=$(($5 / 8)) count=$(($2 / 8))
  look_away
}

# leave: the last words of a boot: what the host and the next boot need to know, and a verdict.
leave() {
  inactive
  place
  sync
  echo "@@LEFT first=$first count=$count before=$before"
  verdict
}
