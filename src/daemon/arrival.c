#include "daemon/arrival.h"

enum rc
arrival_judge(struct catalog *c, const struct source_config *cfg, int64_t now,
	struct arrival_report *ret, struct err *e)
{
	const struct expect *x = &cfg->expect;
	const struct arrived least = {
		.files = x->files.least,
		.bytes = x->bytes.least,
		.records = x->records.least,
	};
	struct arrival_report r = {.outcome = ARRIVAL_NONE};

	if (x->set && expect_day(x, now, &r.day)) {
		if (catalog_arrived(c, cfg->name, r.day.begins, r.day.ends,
			    &least, &r.arrived, e) != OK)
			return e->code;
		r.outcome = expect_judge(x, &r.day, &r.arrived, now);
	}
	*ret = r;
	return OK;
}
