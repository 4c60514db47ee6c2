/*
 * landfall release: what was quarantined lands after all, as it is.
 */
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "cli/commands.h"
#include "cli/verdict.h"
#include "daemon/release.h"

/*
 * Other bytes have landed under the name since: the corrected file, as a rule.
 * These would be the newest version, and nobody would see that they are old.
 */
static enum status
check_newest(const struct verdict *s)
{
	CLEANUP(str_release) struct str why = STR_INIT;
	const struct catalog_version *held = &s->name.version;
	struct catalog_version newest;
	struct err e = ERR_INIT;
	enum rc rc = catalog_find_landed(lane_catalog(s->lane), s->name.source,
		s->name.name, s->name.name_len, &newest, &e);

	if (rc != OK)
		return rc == END ? STATUS_DONE : cli_fail_to(s->cli, &e);
	if (newest.index < s->entry ||
		memcmp(newest.bytes_sha256, held->bytes_sha256, HASH_LEN) == 0)
		return STATUS_DONE;
	str_addf(&why,
		"is older than what has landed: entry %" PRIu64
		" has landed under this name since, at ",
		newest.index);
	clock_add_time(&why, newest.landed_at);
	str_add(&why,
		"; with --over the older bytes become the newest version, "
		"`landfall reject` leaves them in quarantine");
	return verdict_refuse(s, why.s);
}

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
	enum rc rc;

	if (st == STATUS_DONE && *w->request->arg[2] == '\0')
		st = check_newest(&s);
	rc = st == STATUS_DONE ? release(&s, &source, &e) : OK;
	st = verdict_close(&s, st, rc, &e);
	release_free(source);
	return st;
}

enum status
cmd_release(struct cli *c, int argc, char **argv)
{
	return verdict_give(c, argc, argv, ORDER_RELEASE);
}
