#include "daemon/listing.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"

/*
 * What a batch costs is bounded by both numbers, and a slow listing does not
 * keep what it has found to itself.
 */
#define BATCH_NAMES 65536
#define BATCH_BYTES (4u << 20)
#define BATCH_TIME (CLOCK_SECOND / 4)

struct listed {
	struct item item;
	size_t name; /* where it is in names */
	int64_t at;  /* wall */
};

struct batch {
	const struct listing *listing;
	struct str names;
	struct listed *listed;
	struct catalog_stand *stand;
	const struct listed **order; /* in which they are told */
	size_t n, cap;
};

static int
by_name(const void *a, const void *b)
{
	const struct item *x = &((const struct listed *)a)->item;
	const struct item *y = &((const struct listed *)b)->item;
	size_t n = x->name_len < y->name_len ? x->name_len : y->name_len;
	int order = memcmp(x->name, y->name, n);

	if (order != 0)
		return order;
	return (x->name_len > y->name_len) - (x->name_len < y->name_len);
}

static int
by_size(const void *a, const void *b)
{
	const struct listed *x = *(const struct listed *const *)a;
	const struct listed *y = *(const struct listed *const *)b;

	if (x->item.signature.size != y->item.signature.size)
		return x->item.signature.size < y->item.signature.size ? 1 : -1;
	return (x > y) - (x < y);
}

static enum rc
tell_in_order(struct batch *b, size_t n, struct err *e)
{
	const struct listing *of = b->listing;
	enum rc rc = OK;

	for (size_t i = 0; i < n; i++)
		b->order[i] = &b->listed[i];
	if (of->large_first && n > 1)
		qsort(b->order, n, sizeof(*b->order), by_size);
	for (size_t i = 0; i < n && of->ahead != NULL; i++)
		of->ahead(of->arg, &b->order[i]->item,
			&b->stand[b->order[i] - b->listed]);
	for (size_t i = 0; i < n && rc == OK; i++) {
		const struct listed *l = b->order[i];

		rc = of->each(
			of->arg, &l->item, &b->stand[l - b->listed], l->at, e);
	}
	return rc;
}

/* What has been listed is looked up, and told to each. */
static enum rc
tell_batch(struct batch *b, struct err *e)
{
	const struct listing *of = b->listing;
	size_t n = b->n;
	enum rc rc;

	/* Also when it fails: nothing is told twice. */
	b->n = 0;
	for (size_t i = 0; i < n; i++)
		b->listed[i].item.name =
			(const uint8_t *)b->names.s + b->listed[i].name;
	if (n > 1)
		qsort(b->listed, n, sizeof(*b->listed), by_name);
	for (size_t i = 0; i < n; i++)
		b->stand[i] = (struct catalog_stand){
			.name = b->listed[i].item.name,
			.name_len = b->listed[i].item.name_len,
		};
	rc = catalog_stands(of->catalog, of->name, b->stand, n, e);
	if (rc == OK)
		rc = tell_in_order(b, n, e);
	str_clear(&b->names);
	return rc;
}

static enum rc
add_listed(void *arg, const struct item *it, struct err *e)
{
	struct batch *b = arg;

	if (b->n == b->cap) {
		b->cap = b->cap > 0 ? 2 * b->cap : 64;
		b->listed = mem_resize(b->listed, b->cap, sizeof(*b->listed));
		b->stand = mem_resize(b->stand, b->cap, sizeof(*b->stand));
		b->order = mem_resize(b->order, b->cap, sizeof(*b->order));
	}
	b->listed[b->n] = (struct listed){
		.item = *it, .name = b->names.len, .at = clock_wall()};
	str_addn(&b->names, it->name, it->name_len);
	b->n++;
	if (b->n < BATCH_NAMES && b->names.len < BATCH_BYTES &&
		(b->listing->large_first ||
			b->listed[b->n - 1].at - b->listed[0].at < BATCH_TIME))
		return OK;
	return tell_batch(b, e);
}

static void
tell_trouble(void *arg, const uint8_t *name, size_t len, const struct err *why)
{
	struct batch *b = arg;

	b->listing->trouble(b->listing->arg, name, len, why);
}

enum rc
listing_run(const struct listing *l, struct err *e)
{
	struct batch b = {.listing = l, .names = STR_INIT};
	struct err ours = ERR_INIT;
	enum rc rc;

	rc = l->ops->list(l->source, add_listed, tell_trouble, &b, e);
	if (rc == OK) {
		rc = tell_batch(&b, e);
	} else if (rc == BAD_SOURCE && tell_batch(&b, &ours) == BROKEN) {
		*e = ours;
		rc = BROKEN;
	}
	str_release(&b.names);
	free(b.listed);
	free(b.stand);
	free(b.order);
	return rc;
}
