#: METADATA=4M DATA=2G
# Four devices, one with the highest id there is: written in sequence, at random and in turns; then
# discards, and a write into a discarded hole.
pool || exit 1
highest=16777215
thin_new 0 $GiB
thin_new 1 $GiB
thin_new 7 $((GiB / 4))
thin_new $highest $((GiB * 1024))
write_blocks 0 0 200
write_random 1 42 150 8192
write_blocks 7 10 5; write_blocks 7 4095
write_4k $highest 0; write_4k $highest 16777215; write_4k $highest 12345678
i=0
while [ $i -lt 50 ]; do
  write_4k 0 $((1000 + i * 3)); write_4k 1 $((9000 + i))
  i=$((i + 1))
done
discard 0 50 40; discard 0 1030 60; discard 1 9010 7
write_blocks 0 60 3
commit
teardown
