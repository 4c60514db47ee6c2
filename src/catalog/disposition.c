#include "landfall/catalog.h"

const char *
disposition_name(unsigned d)
{
	static const char *const names[DISPOSITIONS] = {
		[DISPOSITION_LANDED] = "landed",
		[DISPOSITION_DUPLICATE] = "duplicate",
		[DISPOSITION_NEW_VERSION] = "new-version",
		[DISPOSITION_PENDING] = "pending",
		[DISPOSITION_QUARANTINED] = "quarantined",
		[DISPOSITION_IGNORED] = "ignored",
		[DISPOSITION_UNPACKED] = "unpacked",
	};

	return d < ARRAY_LEN(names) ? names[d] : NULL;
}

const char *
relation_name(unsigned r)
{
	static const char *const names[] = {
		[RELATION_FIRST] = "first",
		[RELATION_IDENTICAL] = "identical",
		[RELATION_APPENDED] = "appended",
		[RELATION_TRUNCATED] = "truncated",
		[RELATION_REPLACED] = "replaced",
	};

	return r < ARRAY_LEN(names) ? names[r] : NULL;
}
