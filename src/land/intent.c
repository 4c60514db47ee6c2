#include "land/intent.h"

#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "base/mem.h"

#define INTENT_PATH FORMAT_STAGING_DIR "/" INTENT_NAME
#define INTENT_MAX (64u << 20)

enum rc
intent_write(struct zone *z, struct delivery **d, size_t n, int *ret_fd,
	struct err *e)
{
	CLEANUP(str_release) struct str s = STR_INIT;
	int mode = O_TRUNC, fd = -1;

	for (size_t i = 0; i < n; i++) {
		if (d[i]->staged && d[i]->recorded && d[i]->file.len > 0) {
			str_add(&s, d[i]->file.s);
			if (d[i]->disposition != DISPOSITION_DUPLICATE)
				str_addf(&s, " %llu",
					(unsigned long long)d[i]->stage);
			str_addc(&s, '\n');
		}
		if (d[i]->published)
			mode = O_APPEND;
	}
	/*
	 * In place: the last group is recorded, so nobody needs its paths,
	 * and this one is synced before anything is published. In a second
	 * attempt what the first one published must stay named.
	 */
	if (io_open(zone_dir(z), INTENT_PATH, O_WRONLY | O_CREAT | mode, 0600,
		    &fd, BROKEN, e) != OK)
		return err_add(e, "zone");
	if (io_write(fd, s.s, s.len, BROKEN, e) != OK) {
		io_drop(&fd);
		return err_add(e, "zone: %s", INTENT_PATH);
	}
	*ret_fd = fd;
	return OK;
}

static enum rc
read_text(struct zone *z, struct str *s, struct err *e)
{
	enum rc rc = io_read_file(
		zone_dir(z), INTENT_PATH, INTENT_MAX, s, BROKEN, e);
	const char *last;

	if (rc != OK)
		return rc == END ? OK : err_add(e, "zone");
	/* A torn last path may be that of a directory: it names no file. */
	last = memrchr(s->s, '\n', s->len);
	str_cut(s, last != NULL ? (size_t)(last + 1 - s->s) : 0);
	return OK;
}

/* Cuts the line in place. False: it names no staged file. */
static bool
read_line(char *line, uint64_t *ret_id)
{
	char *id = strchr(line, ' ');

	if (id == NULL)
		return false;
	*id++ = '\0';
	return str_parse_u64(id, strlen(id), ret_id);
}

void
intent_release(struct intent *t)
{
	str_release(&t->text);
	free(t->file);
}

enum rc
intent_read(struct zone *z, struct intent *t, struct err *e)
{
	char *line, *rest;
	size_t lines = 0;

	*t = (struct intent){.text = STR_INIT};
	if (read_text(z, &t->text, e) != OK)
		return e->code;
	for (const char *p = t->text.s; (p = strchr(p, '\n')) != NULL; p++)
		lines++;
	t->file = mem_array(lines, sizeof(*t->file));
	for (line = lines > 0 ? strtok_r(t->text.s, "\n", &rest) : NULL;
		line != NULL; line = strtok_r(NULL, "\n", &rest)) {
		struct intent_file *f = &t->file[t->n++];

		f->path = line;
		f->has_id = read_line(line, &f->id);
	}
	return OK;
}
