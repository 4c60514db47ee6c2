#include "daemon/claim.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define MISMATCH "checksum mismatch: "
#define MISCOUNT "record count mismatch: "

void
claims_cut(struct claims *c, size_t n)
{
	while (c->n > n)
		free(c->claim[--c->n].from);
}

void
claims_release(struct claims *c)
{
	claims_cut(c, 0);
	free(c->records_from);
	c->records_from = NULL;
}

void
claims_move(struct claims *to, struct claims *from)
{
	claims_release(to);
	*to = *from;
	from->n = 0;
	from->records_from = NULL;
}

bool
claims_add(struct claims *c, const struct check_line *line, const char *from)
{
	struct claim *x = &c->claim[c->n];

	if (c->n == CLAIMS_MAX)
		return false;
	x->kind = line->kind;
	x->from = mem_strdup(from);
	check_line_sum(line, x->sum);
	c->n++;
	return true;
}

void
claims_add_records(struct claims *c, uint64_t n, const char *from)
{
	free(c->records_from);
	c->records_from = mem_strdup(from);
	c->records = n;
}

static void
add_count(struct str *s, const struct claims *c)
{
	str_addf(s, MISCOUNT "%s says %" PRIu64 ", ", c->records_from,
		c->records);
}

bool
claims_check_records(const struct claims *c, uint64_t found, struct str *why)
{
	if (c->records_from == NULL || c->records == found)
		return true;
	add_count(why, c);
	str_addf(why, "the delivery has %" PRIu64, found);
	return false;
}

static void
add_said(struct str *s, const struct claim *x)
{
	str_addf(s, "%s says %s ", x->from, digest_name(x->kind));
	str_add_hex(s, x->sum, digest_len(x->kind));
}

bool
claims_are_news(const struct claims *c, const char *reason)
{
	CLEANUP(str_release) struct str said = STR_INIT;

	if (strncmp(reason, MISCOUNT, strlen(MISCOUNT)) == 0) {
		if (c == NULL || c->records_from == NULL)
			return true;
		add_count(&said, c);
		return strncmp(reason, said.s, said.len) != 0;
	}
	if (strncmp(reason, MISMATCH, strlen(MISMATCH)) != 0)
		return false;
	for (size_t i = 0; c != NULL && i < c->n; i++) {
		str_clear(&said);
		add_said(&said, &c->claim[i]);
		if (strstr(reason, said.s) != NULL)
			return false;
	}
	return true;
}

enum rc
reckoning_begin(struct reckoning *r, const struct claims *c, struct err *e)
{
	*r = (struct reckoning){.claims = c};
	for (size_t i = 0; i < c->n; i++) {
		const struct claim *x = &c->claim[i];

		if (x->kind == DIGEST_SHA256 ||
			digest_init(&r->digest[i], x->kind))
			continue;
		reckoning_release(r);
		return err_set(e, AGAIN,
			"%s: this system's libcrypto offers no %s", x->from,
			digest_name(x->kind));
	}
	return OK;
}

void
reckoning_add(struct reckoning *r, const void *p, size_t n)
{
	for (size_t i = 0; i < r->claims->n; i++)
		if (r->digest[i].ctx != NULL)
			digest_add(&r->digest[i], p, n);
}

void
reckoning_release(struct reckoning *r)
{
	for (size_t i = 0; i < CLAIMS_MAX; i++)
		digest_release(&r->digest[i]);
}

bool
reckoning_end(struct reckoning *r, const uint8_t bytes_sha256[HASH_LEN],
	struct str *why)
{
	for (size_t i = 0; i < r->claims->n; i++) {
		const struct claim *x = &r->claims->claim[i];
		uint8_t sum[DIGEST_MAX];

		if (r->digest[i].ctx != NULL)
			digest_end(&r->digest[i], sum);
		else
			memcpy(sum, bytes_sha256, HASH_LEN);
		if (memcmp(sum, x->sum, digest_len(x->kind)) == 0)
			continue;
		str_add(why, MISMATCH);
		add_said(why, x);
		str_add(why, ", the bytes have ");
		str_add_hex(why, sum, digest_len(x->kind));
		return false;
	}
	return true;
}
