#: METADATA=8M DATA=8G ENDS=crash
# The machine crashes in the midst of writes, discards and snapshots.
pool || exit 1
thin_new 0 $((2 * GiB)); thin_new 1 $((2 * GiB)); write_blocks 0 0 400
snapshot 2 0 $((2 * GiB))
commit
status
(while :; do write_random 0 $RANDOM 200 30000; done) &
(while :; do write_blocks 1 $((RANDOM % 30000)) 16; discard 1 $((RANDOM % 30000)) 64; done) &
(n=100; while :; do write_4k 2 $((RANDOM % 400)); snapshot $n 2; n=$((n + 1)); sleep 0.3; done) &
sleep 6
status
crash
