/*
 * archive.h - libarchive under its own names, loaded late (late.h); instead of
 * its own headers. late_archive() comes before anything else of it.
 */
#ifndef LATE_ARCHIVE_H
#define LATE_ARCHIVE_H

#include <archive.h>
#include <archive_entry.h>

#include "late/late.h"

#define LATE_ARCHIVE(X) \
	X(archive_entry_filetype) \
	X(archive_entry_hardlink) \
	X(archive_entry_mtime) \
	X(archive_entry_mtime_is_set) \
	X(archive_entry_mtime_nsec) \
	X(archive_entry_pathname) \
	X(archive_entry_set_filetype) \
	X(archive_entry_size) \
	X(archive_entry_size_is_set) \
	X(archive_entry_symlink) \
	X(archive_error_string) \
	X(archive_filter_bytes) \
	X(archive_filter_count) \
	X(archive_read_add_passphrase) \
	X(archive_read_append_filter) \
	X(archive_read_data_block) \
	X(archive_read_data_skip) \
	X(archive_read_free) \
	X(archive_read_header_position) \
	X(archive_read_new) \
	X(archive_read_next_header) \
	X(archive_read_open) \
	X(archive_read_set_format) \
	X(archive_read_set_seek_callback) \
	X(archive_read_support_filter_zstd) \
	X(archive_read_support_format_tar) \
	X(archive_read_support_format_zip_seekable) \
	X(archive_set_error)

#define LATE_MEMBER(name) __typeof__(name) *name;
extern struct late_archive_table {
	LATE_ARCHIVE(LATE_MEMBER)
} late_archive_table;
#undef LATE_MEMBER

/* Again is cheap. BROKEN: libarchive is not installed. */
enum rc late_archive(struct err *e);

#define archive_entry_filetype late_archive_table.archive_entry_filetype
#define archive_entry_hardlink late_archive_table.archive_entry_hardlink
#define archive_entry_mtime late_archive_table.archive_entry_mtime
#define archive_entry_mtime_is_set late_archive_table.archive_entry_mtime_is_set
#define archive_entry_mtime_nsec late_archive_table.archive_entry_mtime_nsec
#define archive_entry_pathname late_archive_table.archive_entry_pathname
#define archive_entry_set_filetype late_archive_table.archive_entry_set_filetype
#define archive_entry_size late_archive_table.archive_entry_size
#define archive_entry_size_is_set late_archive_table.archive_entry_size_is_set
#define archive_entry_symlink late_archive_table.archive_entry_symlink
#define archive_error_string late_archive_table.archive_error_string
#define archive_filter_bytes late_archive_table.archive_filter_bytes
#define archive_filter_count late_archive_table.archive_filter_count
#define archive_read_add_passphrase \
	late_archive_table.archive_read_add_passphrase
#define archive_read_append_filter late_archive_table.archive_read_append_filter
#define archive_read_data_block late_archive_table.archive_read_data_block
#define archive_read_data_skip late_archive_table.archive_read_data_skip
#define archive_read_free late_archive_table.archive_read_free
#define archive_read_header_position \
	late_archive_table.archive_read_header_position
#define archive_read_new late_archive_table.archive_read_new
#define archive_read_next_header late_archive_table.archive_read_next_header
#define archive_read_open late_archive_table.archive_read_open
#define archive_read_set_format late_archive_table.archive_read_set_format
#define archive_read_set_seek_callback \
	late_archive_table.archive_read_set_seek_callback
#define archive_read_support_filter_zstd \
	late_archive_table.archive_read_support_filter_zstd
#define archive_read_support_format_tar \
	late_archive_table.archive_read_support_format_tar
#define archive_read_support_format_zip_seekable \
	late_archive_table.archive_read_support_format_zip_seekable
#define archive_set_error late_archive_table.archive_set_error

#endif
