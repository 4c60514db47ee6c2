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
cmd_release(struct cli *c, int argc, char **argv)
{
	struct source *source = NULL;
	struct verdict s;
	struct err e = ERR_INIT;
	int parsed =
		verdict_parse(&s, c, argc, argv, "released from quarantine");
	enum status st = (enum status)parsed, closed;
	enum rc rc = OK;

	if (parsed == CLI_STOP)
		st = STATUS_DONE;
	if (parsed == STATUS_DONE)
		st = verdict_open(&s);
	if (parsed == STATUS_DONE && st == STATUS_DONE)
		rc = release(&s, &source, &e);
	closed = verdict_close(&s, rc, &e);
	release_free(source);
	return st == STATUS_DONE ? closed : st;
}
