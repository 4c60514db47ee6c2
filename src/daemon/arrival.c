#include "daemon/arrival.h"

/* Deadlines looked back at: as many weeks as lessons, were it every day. */
#define LOOK_BACK (7 * EXPECT_LEARN_MOST)

/* What arrived for some deadlines, the newest first. */
struct history {
	uint64_t files[EXPECT_LEARN_MOST];
	uint64_t bytes[EXPECT_LEARN_MOST];
	uint64_t records[EXPECT_LEARN_MOST];
	size_t n;
};

static void
remember(struct history *h, const struct arrived *a)
{
	if (h->n == EXPECT_LEARN_MOST)
		return;
	h->files[h->n] = a->files;
	h->bytes[h->n] = a->bytes;
	h->records[h->n] = a->records;
	h->n++;
}

static void
conclude(struct lesson *l, const struct history *h, int weekday)
{
	const struct band open = {.most = UINT64_MAX, .learned = true};

	l->deadlines = h->n;
	l->weekday = weekday;
	l->files = l->bytes = l->records = open;
	if (h->n >= EXPECT_LEARN_LEAST) {
		l->files = expect_learn(h->files, h->n);
		l->bytes = expect_learn(h->bytes, h->n);
		l->records = expect_learn(h->records, h->n);
	}
	/* However it varies: nothing at all is not a delivery. */
	if (l->files.least == 0)
		l->files.least = 1;
}

static enum rc
learn(struct catalog *c, const struct source_config *cfg,
	const struct contract_day *day, struct lesson *ret, struct err *e)
{
	const struct expect *x = &cfg->expect;
	const struct arrived least = {.files = 1};
	struct history same = {.n = 0}, any = {.n = 0};
	struct contract_day d = *day;
	int weekday = expect_weekday(x, day);

	for (int i = 0; i < LOOK_BACK && same.n < EXPECT_LEARN_MOST; i++) {
		struct arrived a;

		if (!expect_day(x, d.begins - 1, &d))
			break;
		if (catalog_arrived(c, cfg->name, d.begins, d.ends, &least, &a,
			    e) != OK)
			return e->code;
		/* A day that failed says nothing of those that do not. */
		if (a.files == 0)
			continue;
		remember(&any, &a);
		if (expect_weekday(x, &d) == weekday)
			remember(&same, &a);
	}
	*ret = (struct lesson){.due = day->due};
	if (same.n >= EXPECT_LEARN_LEAST)
		conclude(ret, &same, weekday);
	else
		conclude(ret, &any, -1);
	return OK;
}

static bool
learns(const struct expect *x)
{
	return x->files.learned || x->bytes.learned || x->records.learned;
}

enum rc
arrival_judge(struct catalog *c, const struct source_config *cfg, int64_t now,
	struct lesson *kept, struct arrival_report *ret, struct err *e)
{
	/* Borrows what the contract owns. */
	struct expect x = cfg->expect;
	struct arrival_report r = {.outcome = ARRIVAL_NONE};
	struct arrived least;

	if (!x.set || !expect_day(&x, now, &r.day)) {
		*ret = r;
		return OK;
	}
	if (learns(&x)) {
		if (kept->due != r.day.due &&
			learn(c, cfg, &r.day, kept, e) != OK)
			return e->code;
		r.lesson = *kept;
		if (x.files.learned)
			x.files = r.lesson.files;
		if (x.bytes.learned)
			x.bytes = r.lesson.bytes;
		if (x.records.learned)
			x.records = r.lesson.records;
	}
	least = (struct arrived){
		.files = x.files.least,
		.bytes = x.bytes.least,
		.records = x.records.least,
	};
	if (catalog_arrived(c, cfg->name, r.day.begins, r.day.ends, &least,
		    &r.arrived, e) != OK)
		return e->code;
	r.files = x.files;
	r.bytes = x.bytes;
	r.records = x.records;
	r.outcome = expect_judge(&x, &r.day, &r.arrived, now);
	*ret = r;
	return OK;
}
