#: METADATA=4M DATA=1G ENDS=crash
# The machine crashes while writing.
era_new || exit 1
for era in 1 2 3; do era_write $((era * 500)) 300; era_message checkpoint; done
status
(for b in $(random 9 2000 16384); do era_write $b 1; done) &
sleep 2
status
crash
