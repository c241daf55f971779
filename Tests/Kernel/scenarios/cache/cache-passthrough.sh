#: METADATA=4M DATA=1G THIRD=64M
# Filled as write-through, then used as pass-through: a write gives up the cache block it would hit.
cache_new "1 writethrough" || exit 1
cache_write 0 300
for b in 1 2 3; do cache_write 100 200; cache_read 100 200; cache_write 5000 100; done
sleep 2
status
dmsetup remove cache
cache_new "1 passthrough" || exit 1
status
cache_write 150 10; cache_write 5000 3; cache_read 100 200
status
dmsetup remove cache
