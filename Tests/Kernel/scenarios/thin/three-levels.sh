#: METADATA=16M DATA=1M MEMORY=768 TIMEOUT=500
# Trees of three levels (about 90000 mappings of one device) and ref counts above 2 in both space
# maps. The data device, 32 GiB, is a target that throws writes away.
new zeroes "$((32 * GiB)) zero"
data=/dev/mapper/zeroes
pool skip_block_zeroing || exit 1
thin_new 0 $((16 * GiB)); thin_new 1 $((16 * GiB))
write_to /dev/mapper/thin0 1M 0 3072
status
i=0   # runs of 64 blocks, in a scattered order
while [ $i -lt 640 ]; do
  write_to /dev/mapper/thin0 4M $((1000 + i * 389 % 640 * 3)) 1
  i=$((i + 1))
done
status
write_blocks 1 0 100
for id in 10 11 12 13 14; do
  snapshot $id 0 $((16 * GiB))
  b=0
  while [ $b -lt 49000 ]; do write_4k $id $b; b=$((b + 1500)); done
done
write_blocks 0 5 3; write_blocks 13 40000 300; discard 14 100 5000
teardown
