#include "daemon/handover.h"

#include "daemon/receipts.h"

struct handover {
	const struct source_ops *ops;
	struct source *source;
	const char *folder;
};

static enum rc
has(void *arg, const char *file, struct err *e)
{
	const struct handover *h = arg;

	return h->ops->has(h->source, h->folder, file, e);
}

static enum rc
put(void *arg, const char *file, const char *text, size_t len,
	bool together UNUSED, struct err *e)
{
	const struct handover *h = arg;

	return h->ops->put(h->source, h->folder, file, text, len, e);
}

static enum rc
sync_all(void *arg UNUSED, struct err *e UNUSED)
{
	return OK;
}

enum rc
handover_receipts(struct lane *l, const char *zone,
	const struct source_config *cfg, struct source *s, struct str *trouble,
	struct err *e)
{
	struct handover h = {.ops = source_ops(cfg->kind),
		.source = s,
		.folder = cfg->receipt.folder};
	const struct outbox box = {
		.arg = &h, .has = has, .put = put, .sync = sync_all};
	struct receipts_given given = {.trouble = STR_INIT};
	enum rc rc;

	if (h.folder == NULL)
		return OK;
	do
		rc = receipts_give(l, zone, cfg, &box, &given, e);
	while (rc == OK && given.more);
	if (rc == BAD_SOURCE)
		str_add(trouble, e->text);
	else if (rc == OK && given.lost > 0)
		str_addf(trouble, "%llu cannot be given: %s",
			(unsigned long long)given.lost, given.trouble.s);
	str_release(&given.trouble);
	return rc == BAD_SOURCE ? OK : rc;
}
