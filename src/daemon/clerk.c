#include "daemon/clerk.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "daemon/bell.h"
#include "daemon/receipts.h"

/* A pass over very many names rings when it ends; meanwhile we look. */
#define IDLE (5 * CLOCK_SECOND)

/* What lands together gets its receipts together. */
#define GATHER (CLOCK_SECOND / 20)

/* A source that owes receipts. */
struct debtor {
	const struct source_config *config;
	unsigned failures; /* in a row */
	int64_t until;	   /* monotonic: left alone */
};

struct clerk {
	const struct config *config;
	struct lane *lane;
	struct debtor *debtor;
	size_t n;
	atomic_bool cancel;
	struct bell bell;
	pthread_t thread;
};

/* Opens the outbox and gives some. The report's trouble is the caller's. */
static enum rc
give(struct lane *l, const struct config *cfg, const struct source_config *s,
	struct receipts_given *r, struct err *e)
{
	struct outbox_folder folder;
	struct outbox outbox;
	enum rc rc = outbox_open(s->receipt.path, &folder, &outbox, e);

	if (rc != OK)
		return rc;
	rc = receipts_give(l, cfg->zone, s, &outbox, r, e);
	outbox_close(&folder);
	return rc;
}

/* ---- the thread ---- */

static void
log_failure(const struct debtor *d, int64_t wait, const struct err *why)
{
	struct log l = log_begin(LOG_WARNING, "receipts-wait");

	log_text(&l, "source", d->config->name);
	log_u64(&l, "failures", d->failures);
	log_duration(&l, "next_try_in", (uint64_t)wait);
	log_text(&l, "reason", why->text);
	log_end(&l);
}

static void
log_lost(const struct debtor *d, const struct receipts_given *r)
{
	struct log l = log_begin(LOG_ERROR, "receipts-lost");

	log_text(&l, "source", d->config->name);
	log_u64(&l, "receipts", r->lost);
	log_text(&l, "reason", r->trouble.s);
	log_text(&l, "todo", "`landfall receipt ID` makes it again");
	log_end(&l);
}

/* One source's turn; *next is brought forward to when it wants another. */
static enum rc
serve(struct clerk *c, struct debtor *d, int64_t *next, struct err *e)
{
	struct receipts_given r = {.trouble = STR_INIT};
	int64_t now = clock_mono(), wait;
	bool due;
	enum rc rc = OK;

	if (d->until > now) {
		*next = d->until < *next ? d->until : *next;
		return OK;
	}
	/* An outbox that fails is nobody's matter while nothing is owed. */
	if (receipts_due(c->lane, d->config, &due, e) != OK)
		return e->code;
	if (due)
		rc = give(c->lane, c->config, d->config, &r, e);
	if (r.lost > 0)
		log_lost(d, &r);
	if (rc == OK && r.n > 0 && d->failures > 0) {
		log_say(LOG_INFO, "receipts-again",
			"%s: the outbox takes receipts again", d->config->name);
		d->failures = 0;
	}
	if (rc == OK && r.more)
		*next = now;
	if (rc == BAD_SOURCE) {
		wait = backoff_wait(
			++d->failures, BACKOFF_BASE, BACKOFF_CEILING);
		d->until = now + wait;
		*next = d->until < *next ? d->until : *next;
		log_failure(d, wait, e);
		e->code = rc = OK;
	}
	str_release(&r.trouble);
	return rc;
}

static void *
clerk_main(void *arg)
{
	struct clerk *c = arg;
	struct err e = ERR_INIT;

	while (!c->cancel) {
		int64_t next = clock_mono() + IDLE;

		/* A broken engine is everybody's matter, and told by it. */
		for (size_t i = 0; i < c->n && !c->cancel; i++)
			if (serve(c, &c->debtor[i], &next, &e) != OK)
				return NULL;
		bell_wait(&c->bell, next + GATHER, &c->cancel);
		if (!c->cancel)
			clock_sleep(GATHER);
	}
	return NULL;
}

static void
free_clerk(struct clerk *c)
{
	lane_close(c->lane);
	bell_release(&c->bell);
	free(c->debtor);
	free(c);
}

enum rc
clerk_start(struct engine *g, const struct config *cfg, struct clerk **ret,
	struct err *e)
{
	struct clerk *c = mem_alloc(sizeof(*c));

	c->config = cfg;
	c->debtor = mem_array(cfg->n_sources, sizeof(*c->debtor));
	for (size_t i = 0; i < cfg->n_sources; i++)
		if (cfg->source[i].receipt.path != NULL)
			c->debtor[c->n++].config = &cfg->source[i];
	bell_init(&c->bell);
	if (c->n > 0 && lane_open(g, NULL, &c->lane, e) != OK) {
		free_clerk(c);
		return e->code;
	}
	if (c->n > 0 && pthread_create(&c->thread, NULL, clerk_main, c) != 0)
		abort();
	*ret = c;
	return OK;
}

void
clerk_ring(struct clerk *c)
{
	bell_ring(&c->bell);
}

void
clerk_stop(struct clerk *c)
{
	if (c == NULL)
		return;
	c->cancel = true;
	bell_ring(&c->bell);
	if (c->n > 0)
		pthread_join(c->thread, NULL);
	free_clerk(c);
}

/* ---- once ---- */

enum rc
clerk_flush(struct engine *g, const struct config *cfg,
	const struct source_config *source, uint64_t *ret_owed, struct err *e)
{
	struct receipts_given r = {.trouble = STR_INIT};
	struct receipts_owed owed = {.n = 0};
	struct err why = ERR_INIT;
	struct lane *l;
	bool due;
	enum rc rc;

	*ret_owed = 0;
	if (source->receipt.path == NULL)
		return OK;
	if (lane_open(g, NULL, &l, e) != OK)
		return e->code;
	rc = receipts_due(l, source, &due, e);
	r.more = due;
	while (rc == OK && r.more)
		rc = give(l, cfg, source, &r, e);
	if (rc == BAD_SOURCE &&
		receipts_count(lane_catalog(l), source, &owed, &why) == OK)
		*ret_owed = owed.n;
	lane_close(l);
	if (rc == OK && r.lost > 0)
		rc = err_set(e, BAD_SOURCE,
			"receipts that cannot be given: %" PRIu64 ", the "
			"first: %s",
			r.lost, r.trouble.s);
	str_release(&r.trouble);
	return rc;
}
