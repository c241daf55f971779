#: METADATA=8M DATA=4G
# A pool is made small, then both of its devices grow. Data blocks of 192 KiB, no power of two.
block=384
new md "4096 linear /dev/vda 0"
metadata=/dev/mapper/md
pool_sectors=999936
pool || exit 1
thin_new 0 $((2 * GiB)); write_blocks 0 0 300
status
pool_sectors=$((4 * GiB / block * block))
change pool "$(pool_target)"
status
dmsetup suspend pool
change md "16384 linear /dev/vda 0"
change pool "$(pool_target)"
status
write_blocks 0 1000 2000
thin_new 1 $GiB; write_random 1 4 50 5000
teardown
dmsetup remove md
