#: METADATA=2M DATA=1G
# A table was loaded, which formats the metadata, and dropped before it was ever resumed: neither
# an era nor the number of blocks is known yet.
dmsetup create era --notable
echo "0 $(sectors "$origin") era $metadata $origin $block" | dmsetup load era || exit 1
dmsetup remove era
