#include <string.h>

#include "base/str.h"
#include "late/archive.h"
#include "unpack/reader.h"

static void
link_to(struct str *s, const char *kind, const char *to)
{
	str_addf(s, "%s to ", kind);
	if (to == NULL)
		str_add(s, "nowhere that can be said");
	else
		str_add_quoted(s, to, strlen(to));
}

static const char *
special(unsigned type)
{
	switch (type) {
	case AE_IFCHR:
		return "character device";
	case AE_IFBLK:
		return "block device";
	case AE_IFIFO:
		return "named pipe";
	case AE_IFSOCK:
		return "socket";
	}
	return "neither a file nor a folder";
}

void
reader_describe(
	struct archive_entry *a, struct reader_entry *ret, struct str *finding)
{
	unsigned type = archive_entry_filetype(a);

	str_clear(finding);
	ret->finding = finding;
	ret->has_mtime = archive_entry_mtime_is_set(a) != 0;
	if (ret->has_mtime &&
		__builtin_mul_overflow((int64_t)archive_entry_mtime(a),
			INT64_C(1000000000), &ret->mtime))
		ret->has_mtime = false;
	if (ret->has_mtime &&
		__builtin_add_overflow(ret->mtime,
			(int64_t)archive_entry_mtime_nsec(a), &ret->mtime))
		ret->has_mtime = false;
	ret->size = archive_entry_size_is_set(a)
		? (uint64_t)archive_entry_size(a)
		: UNPACK_UNKNOWN;
	if (archive_entry_hardlink(a) != NULL)
		link_to(finding, "hard link", archive_entry_hardlink(a));
	else if (type == AE_IFLNK)
		link_to(finding, "symbolic link", archive_entry_symlink(a));
	else if (type != AE_IFREG && type != AE_IFDIR)
		str_add(finding, special(type));
	ret->type = finding->len > 0 ? UNPACK_FINDING
		: type == AE_IFDIR   ? UNPACK_FOLDER
				     : UNPACK_FILE;
}
