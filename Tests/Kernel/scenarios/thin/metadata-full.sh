#: METADATA=512K DATA=64G
# Writes all over several devices use up the metadata device, and the pool fails; a second
# activation finds no space either.
pool skip_block_zeroing || exit 1
status
i=0
while [ $i -lt 12 ]; do
  thin_new $i $((64 * GiB)); write_4k $i $((i * 1000))
  i=$((i + 1))
done
status
for run in 1 2 3 4 5 6 7 8; do for id in 0 1 2; do
  dmsetup status pool | grep -q ' rw ' || break 2
  write_to /dev/mapper/thin$id 1M $((run * 997)) 64 &
  writer=$!
  (sleep 8; kill $writer 2>/dev/null) &   # writes wait for space that never comes
  wait $writer
done; done
sleep 2
teardown
say "second activation"
pool skip_block_zeroing
teardown
