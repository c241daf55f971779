#: METADATA=4M DATA=1G
# All data blocks of a leaf are freed by a discard and given out again, after the next activation,
# elsewhere in that leaf.
start() { pool no_discard_passdown && thin_on 0 $GiB; }
pool no_discard_passdown || exit 1
thin_new 0 $GiB; write_blocks 0 0 100; teardown
start; discard 0 0 100; teardown
start; write_to /dev/mapper/thin0 $((100 * block * 512)) 1 1; teardown
