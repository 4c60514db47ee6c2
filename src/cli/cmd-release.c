/*
 * landfall release: what was quarantined lands after all, as it is.
 */
#include "cli/commands.h"
#include "cli/verdict.h"
#include "daemon/release.h"

static enum rc
release(struct verdict *s, struct source **source, struct err *e)
{
	struct job *j;
	enum rc rc = release_new(s->cli->config, &s->name, source, e);

	if (rc == END)
		return err_set(e, BROKEN,
			"%s is not in the zone: put back a copy",
			s->name.version.file);
	if (rc != OK)
		return err_raise(e, BROKEN);
	j = release_job(*source, s->config, &s->name, s->why.s);
	if (job_know(j, lane_catalog(s->lane), &s->name.version, e) != OK) {
		job_free(j);
		return e->code;
	}
	return lane_submit(s->lane, j, e);
}

enum status
cmd_release_work(struct order_work *w)
{
	struct source *source = NULL;
	struct verdict s;
	struct err e = ERR_INIT;
	enum status st = verdict_open(&s, w, "released from quarantine");
	enum rc rc = st == STATUS_DONE ? release(&s, &source, &e) : OK;

	st = verdict_close(&s, st, rc, &e);
	release_free(source);
	return st;
}

enum status
cmd_release(struct cli *c, int argc, char **argv)
{
	return verdict_give(c, argc, argv, ORDER_RELEASE);
}
