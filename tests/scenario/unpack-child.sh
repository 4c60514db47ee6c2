#!/bin/sh
# Archives, taken apart by the child alone: those of other programs, of
# attackers, and damaged ones. What the daemon makes of members is elsewhere.
. "$SRCDIR/tests/scenario/lib.sh"
one=$BUILDDIR/tests/unpack/one
[ -x "$one" ] || skip "$one is not built"

# What the program could do is decided by what it names: two formats, three
# filters of libarchive's, nothing that is "all" and nothing that runs a
# program.
named=$(cd "$SRCDIR" && grep -rhoE 'archive_read_(support|append|set)_\w+' \
	src | sort -u | tr '\n' ' ')
expect_same 'only these readers of libarchive are used' "$named" \
	"archive_read_append_filter archive_read_set_format\
 archive_read_set_seek_callback archive_read_support_filter_zstd\
 archive_read_support_format_tar archive_read_support_format_zip_seekable "
filters=$(cd "$SRCDIR" && grep -rhoE 'ARCHIVE_(FILTER|FORMAT)_\w+' src |
	sort -u | tr '\n' ' ')
expect_same 'and these filters' "$filters" \
	'ARCHIVE_FILTER_BZIP2 ARCHIVE_FILTER_XZ ARCHIVE_FORMAT_RAW '

for part in attacks tools damage; do
	mkdir $part
	(cd $part && exec python3 "$SRCDIR/tests/unpack/check.py" "$one" $part \
		${SOAK:+--soak}) || lib_failed=1
done
