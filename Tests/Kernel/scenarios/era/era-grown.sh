#: METADATA=12M DATA=64G ENDS=crash
# The origin grows from 32 to 64 GiB while writesets of its smaller days wait to be digested, which
# keep their size.
new origin "$((32 * GiB)) linear /dev/vdb 0"
origin=/dev/mapper/origin
era_new || exit 1
for era in 1 2 3; do
  era_write $((524288 - era * 30)) 20
  era_message checkpoint
done
dmsetup remove era
change origin "$((64 * GiB)) linear /dev/vdb 0"
era_new || exit 1
era_write 524280 20
era_message checkpoint
era_write 1000000 20
status
say crash
crash_now
