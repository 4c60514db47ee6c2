#include "late/archive.h"

#include "base/attr.h"

struct late_archive_table late_archive_table;

enum rc
late_archive(struct err *e)
{
#define NAME(name) #name,
	static const char *const names[] = {LATE_ARCHIVE(NAME)};
#undef NAME
	static struct late library = {
		.library = "libarchive.so.13",
		.names = names,
		.n = ARRAY_LEN(names),
		.table = &late_archive_table,
	};

	return late_load(&library, e);
}
