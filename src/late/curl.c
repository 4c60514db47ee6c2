#include "late/curl.h"

#include "base/attr.h"

struct late_curl_table late_curl_table;

enum rc
late_curl(struct err *e)
{
#define NAME(name) #name,
	static const char *const names[] = {LATE_CURL(NAME)};
#undef NAME
	static struct late library = {
		.library = "libcurl.so.4",
		.names = names,
		.n = ARRAY_LEN(names),
		.table = &late_curl_table,
	};

	return late_load(&library, e);
}
