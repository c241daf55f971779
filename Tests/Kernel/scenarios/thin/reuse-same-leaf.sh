#: METADATA=4M DATA=1G
# Data blocks freed by a discard are given, after the next activation, to other blocks of the same
# leaf: older versions of that leaf now lie.
start() { pool no_discard_passdown && thin_on 0 $GiB; }
pool no_discard_passdown || exit 1
thin_new 0 $GiB; write_blocks 0 0 200; commit; teardown
start; discard 0 0 80; commit; teardown
start; write_blocks 0 200 20; teardown
start; write_blocks 0 220 20; teardown
