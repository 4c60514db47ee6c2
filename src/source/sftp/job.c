#include "source/sftp/job.h"

#include <inttypes.h>
#include <sys/stat.h>

#include "base/clock.h"

bool
job_expected(const struct sftp_attrs *expected, const struct sftp_attrs *found,
	struct str *why)
{
	if (sftp_attrs_same(expected, found))
		return true;
	if (expected->has_size && found->has_size &&
		expected->size != found->size) {
		str_addf(why, "%" PRIu64 " bytes instead of %" PRIu64,
			found->size, expected->size);
	} else if (expected->has_time && found->has_time &&
		expected->mtime != found->mtime) {
		str_add(why, "modified ");
		clock_add_time(why, found->mtime * CLOCK_SECOND);
		str_add(why, " instead of ");
		clock_add_time(why, expected->mtime * CLOCK_SECOND);
	} else {
		str_addf(why, "mode %o instead of %o", found->mode & S_IFMT,
			expected->mode & S_IFMT);
	}
	return false;
}
