#include "land/intent.h"

#include <string.h>

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
		return e->code;
	if (io_write(fd, s.s, s.len, BROKEN, e) != OK) {
		io_drop(&fd);
		return err_add(e, "%s", INTENT_PATH);
	}
	*ret_fd = fd;
	return OK;
}

/* Behind the last newline: what follows was torn, and may name a directory. */
static size_t
last_line_end(const struct str *s)
{
	const char *newline = memrchr(s->s, '\n', s->len);

	return newline != NULL ? (size_t)(newline - s->s) + 1 : 0;
}

enum rc
intent_read(struct zone *z, struct str *s, struct err *e)
{
	enum rc rc = io_read_file(
		zone_dir(z), INTENT_PATH, INTENT_MAX, s, BROKEN, e);

	if (rc == END)
		return OK;
	if (rc == OK)
		str_cut(s, last_line_end(s));
	return rc;
}
