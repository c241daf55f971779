# Does the kernel take this era metadata, and can it go on working with it?
# vda = metadata (a copy), vdb = room for the metadata as it is after the work.
# $parameter_block, _blocks, _era as in the superblock.
. /judge.sh

new origin "$((parameter_blocks * block)) zero"
era_on() { new era "$((parameter_blocks * block)) era /dev/vda /dev/mapper/origin $block"; }
check_era() {   # WHEN: sets $era, $held_root
  local line when=$1
  line=$(dmsetup status era)
  say "$when: $line"
  case "$line" in *Fail* | *Error*) bad "$when: the era device's state is wrong" ;; esac
  set -- $line
  era=$6 held_root=$7
}
tell() { era_message "$1" || bad "message failed: $1"; }

era_on || give_up "the era device does not activate"
check_era start
# Activation may begin a new era.
[ "$era" = "$parameter_era" ] || [ "$era" = $((parameter_era + 1)) ] || bad "the era is $era"
before=$era
for b in $(random 5 30 "$parameter_blocks"); do
  write_to /dev/mapper/era 4k $((b * block / 8)) 1 || bad "cannot write block $b"
done
tell checkpoint
check_era "after a checkpoint"
[ "$era" -gt "$before" ] || bad "the era does not advance"
[ "$held_root" = - ] || tell drop_metadata_snap
tell take_metadata_snap
check_era "snapshot taken"
era_write 0 10 || bad "cannot write"
tell checkpoint
tell checkpoint
tell drop_metadata_snap
{ dmsetup suspend era && dmsetup resume era; } || bad "cannot suspend and resume"
check_era "worked on"
dmsetup remove era || bad "cannot remove the era device"
copy_out
if era_on; then
  check_era "second activation"
  dmsetup remove era
else
  bad "the era device does not activate again"
fi
verdict
