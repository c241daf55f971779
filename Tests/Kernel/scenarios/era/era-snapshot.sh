#: METADATA=4M DATA=1G
# A metadata snapshot is held while further eras go by.
era_new || exit 1
era_write 0 200; era_message checkpoint
era_write 100 50; era_message checkpoint
era_write 400 10
era_message take_metadata_snap
status
era_write 1000 20; era_message checkpoint
era_write 50 3; era_message checkpoint
status; table
dmsetup remove era
