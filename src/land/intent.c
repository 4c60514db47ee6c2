#include "land/intent.h"

#include "base/io.h"

#define INTENT_PATH FORMAT_STAGING_DIR "/" INTENT_NAME
#define INTENT_MAX (64u << 20)

enum rc
intent_write(struct zone *z, struct delivery **d, size_t n, int *ret_fd,
	struct err *e)
{
	CLEANUP(str_release) struct str s = STR_INIT;
	int fd = -1;

	for (size_t i = 0; i < n; i++)
		if (d[i]->staged && d[i]->recorded && d[i]->file.len > 0)
			str_addf(&s, "%s\n", d[i]->file.s);
	/*
	 * In place: the last group is recorded, so nobody needs its paths,
	 * and this one is synced before anything is published.
	 */
	if (io_open(zone_dir(z), INTENT_PATH, O_WRONLY | O_CREAT | O_TRUNC,
		    0600, &fd, BROKEN, e) != OK)
		return err_add(e, "zone");
	if (io_write(fd, s.s, s.len, BROKEN, e) != OK) {
		io_drop(&fd);
		return err_add(e, "zone: %s", INTENT_PATH);
	}
	*ret_fd = fd;
	return OK;
}

enum rc
intent_read(struct zone *z, struct str *s, struct err *e)
{
	enum rc rc = io_read_file(
		zone_dir(z), INTENT_PATH, INTENT_MAX, s, BROKEN, e);

	return rc == OK || rc == END ? OK : err_add(e, "zone");
}
