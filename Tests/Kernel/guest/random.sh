# The words of random-pool.py's scripts, beside those of lib.sh. The metadata is a device in front
# of vda, so that it can grow; vdc takes copies of it.

new md "$parameter_metadata linear /dev/vda 0"
metadata=/dev/mapper/md
new zero "76800 zero"
pool_sectors=$parameter_data

# step NUMBER COMMAND...: says what came of it.
step() {
  local number=$1
  shift
  "$@" >/tmp/said 2>&1
  echo "@@STEP $number $?"
  sed 's/^/@@SAID /' /tmp/said
}

# fill ID FIRST COUNT NUMBER: whole blocks, with the step's number in each. mark: the first 4 KiB.
fill() {
  text "$4" | dd of="/dev/mapper/thin$1" bs=64k seek="$2" count="$3" iflag=fullblock \
    oflag=direct conv=notrunc
}
mark() {
  text "$3" | dd of="/dev/mapper/thin$1" bs=4k seek=$(($2 * 16)) count=1 iflag=fullblock \
    oflag=direct conv=notrunc
}
text() { yes "$(printf 'op %012d' "$1")"; }

grow_data() { pool_sectors=$1; change pool "$(pool_target)"; }
grow_metadata() {
  dmsetup suspend pool && change md "$1 linear /dev/vda 0" && change pool "$(pool_target)"
}

# keep PLACE: commits, and copies the metadata to vdc.
keep() { commit && dd if=/dev/vda of=/dev/vdc bs=4M seek="$1" count=1 iflag=direct oflag=direct; }
