#include "cli/place.h"

#include <errno.h>
#include <sys/stat.h>

#include "base/io.h"

static enum status
none(const char *what, const char *where, const char *advice)
{
	fprintf(stderr, "landfall: error: %s: no %s here: %s\n", where, what,
		advice);
	return STATUS_USAGE;
}

enum status
place_open(struct cli *c, unsigned want, struct place *p)
{
	struct err e = ERR_INIT;
	enum status st = c->config == NULL ? cli_config(c) : STATUS_DONE;
	enum rc rc;

	if (st != STATUS_DONE)
		return st;
	if (p->zone < 0 &&
		io_open(AT_FDCWD, c->config->zone, O_RDONLY | O_DIRECTORY, 0,
			&p->zone, BROKEN, &e) != OK)
		return cli_fail(&e);
	if ((want & PLACE_CATALOG) && p->catalog == NULL) {
		rc = catalog_open(c->config->state, false, &p->catalog, &e);
		if (rc == END)
			return none("catalog", c->config->state,
				"`landfall init` makes that of a new zone, "
				"`landfall catalog rebuild` makes it again "
				"from a zone that has landed something");
		if (rc != OK)
			return cli_fail(&e);
	}
	if ((want & PLACE_LEDGER) && p->ledger == NULL) {
		rc = ledger_view_open(p->zone, NULL, &p->ledger, &e);
		if (rc == END)
			return none("ledger", c->config->zone,
				"`landfall init` makes one; if there was one, "
				"put back a copy of _ledger");
		if (rc != OK) {
			fprintf(stderr, "landfall: error: %s/%s\n",
				c->config->zone, e.text);
			return STATUS_DAMAGE;
		}
	}
	return STATUS_DONE;
}

void
place_close(struct place *p)
{
	ledger_view_close(p->ledger);
	catalog_close(p->catalog);
	io_drop(&p->zone);
	*p = (struct place)PLACE_INIT;
}

enum rc
place_file(int zone, const char *path, int *ret_fd, struct err *e)
{
	struct stat st;
	int fd = -1;

	/* O_NONBLOCK: what lies there may be a fifo by now. */
	if (io_open(zone, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0, &fd,
		    BROKEN, e) != OK)
		return e->cause == ENOENT || e->cause == ENOTDIR ? END
								 : e->code;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
		*ret_fd = fd;
		return OK;
	}
	io_drop(&fd);
	return err_set(e, BROKEN, "%s is not a regular file", path);
}
