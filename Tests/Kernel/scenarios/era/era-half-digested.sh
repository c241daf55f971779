#: METADATA=12M DATA=64G ENDS=crash
# A crash while a writeset is being digested: what is done stands in the era array, and all of it
# in the writeset still. Each first write to a block commits how far it came.
era_new || exit 1
for b in $(random 7 150 1048576); do era_write "$b" 1; done
era_message checkpoint
for b in 1 2 3 4 5; do era_write $((b * 1000)) 1; done
status
say crash
crash_now
