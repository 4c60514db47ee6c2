/*
 * landfall release: what was quarantined lands after all, as it is.
 */
#include "cli/commands.h"
#include "cli/settle.h"
#include "daemon/release.h"

static enum rc
release(struct settle *s, struct source **source, struct err *e)
{
	struct catalog *c = engine_catalog(s->engine);
	struct job *j;
	enum rc rc = release_new(s->cli->config, &s->name, source, e);

	if (rc == END)
		return err_set(e, BROKEN,
			"%s is not in the zone: put back a copy",
			s->name.version.file);
	if (rc != OK)
		return err_raise(e, BROKEN);
	j = release_job(*source, s->config, &s->name, s->why.s);
	if (job_know(j, c, &s->name.version, e) != OK) {
		job_free(j);
		return e->code;
	}
	return engine_submit(s->engine, j, e);
}

enum status
cmd_release(struct cli *c, int argc, char **argv)
{
	struct source *source = NULL;
	struct settle s;
	struct err e = ERR_INIT;
	int parsed =
		settle_parse(&s, c, argc, argv, "released from quarantine");
	enum status st = (enum status)parsed, closed;
	enum rc rc = OK;

	if (parsed == CLI_STOP)
		st = STATUS_DONE;
	if (parsed == STATUS_DONE)
		st = settle_open(&s);
	if (parsed == STATUS_DONE && st == STATUS_DONE)
		rc = release(&s, &source, &e);
	closed = settle_close(&s, rc, &e);
	release_free(source);
	return st == STATUS_DONE ? closed : st;
}
