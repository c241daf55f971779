#: METADATA=12M DATA=64G ENDS=crash
# Several eras in quick succession, then a crash: writesets not yet digested into the era array.
era_new || exit 1
for era in 1 2 3 4 5 6; do
  era_write $((era * 9000)) 40; era_write $((era * 70)) 90
  era_message checkpoint
done
status
say crash
crash_now
