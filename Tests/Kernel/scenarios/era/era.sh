#: METADATA=4M DATA=1G
# Writes over several eras, taken down cleanly.
era_new || exit 1
for era in 1 2 3 4 5 6; do
  era_write $((era * 100)) 150
  for b in $(random $era 30 16384); do era_write $b 1; done
  era_message checkpoint
  sleep 0.3
  status
done
era_write 10 5
status; table
dmsetup remove era
