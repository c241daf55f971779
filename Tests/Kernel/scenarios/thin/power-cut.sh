#: METADATA=8M DATA=8G KILL_ON="^@@ cut" KILL_DELAY=3.3 ENDS=power-cut
# The power fails in the midst of writes, discards, snapshots and deletions.
pool skip_block_zeroing || exit 1
thin_new 0 $((2 * GiB)); thin_new 1 $((2 * GiB)); write_blocks 0 0 400
commit
(while :; do write_blocks 0 $((RANDOM % 30000)) 8; done) &
(while :; do write_blocks 1 $((RANDOM % 30000)) 32; discard 1 $((RANDOM % 30000)) 128; done) &
(
  n=100
  while :; do snapshot $n 0; [ $n -le 103 ] || message "delete $((n - 3))"; n=$((n + 1)); done
) &
sleep 3
status
say cut
sleep 100
