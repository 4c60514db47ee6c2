/*
 * Objects of several parts, with records that were seen before: written, read
 * back, and verified.
 */
#include "landfall/land.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "unit.h"

#define PAGE 200000 /* bytes of filling: pages do not fit one frame */

struct made {
	struct str text;
	struct str parts; /* JSON */
	size_t part[8], n;
};

/* A page with records 2i and 2i + 1. */
static void
add_page(struct made *m, unsigned i)
{
	size_t at = m->text.len;

	if (m->n > 0)
		at++, str_addc(&m->text, '\n');
	str_addf(&m->text, "{\"data\": [{\"id\":%u,\"x\":\"", 2 * i);
	for (size_t k = 0; k < PAGE; k++)
		str_addc(&m->text, (char)('a' + k * (i + 7) / 11 % 26));
	str_addf(&m->text, "\"} , %u],\"next\":%u}", 2 * i + 1, i + 1);
	str_addf(&m->parts, "%s{\"length\":%zu,\"offset\":%zu}",
		m->n > 0 ? "," : "[", m->text.len - at, at);
	m->part[m->n++] = m->text.len;
}

static bool
every_third(void *arg, uint64_t offset UNUSED, uint64_t length UNUSED)
{
	unsigned *n = arg;

	return (*n)++ % 3 == 0;
}

static int
land(const struct made *m, const char *parts)
{
	struct land_pool *pool = land_pool_new(2, 3);
	int spool = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int fd = memfd_create("landing", MFD_CLOEXEC);
	struct provenance p = {
		.source = "api.things",
		.name = (const uint8_t *)"things",
		.name_len = 6,
		.transport = "http",
		.evidence = "all pages",
		.dialect_origin = "declared",
		.generation = 1,
		.api = {.stream = "things",
			.window = "{\"end\":\"2\",\"start\":\"1\"}",
			.parts = parts},
	};
	struct landed facts;
	struct err e = ERR_INIT;
	unsigned asked = 0;
	struct land *l;

	dialect_init(&p.dialect, SCAN_JSON);
	strcpy(p.dialect.records, "$.data[*]");
	l = land_new(pool, &p.dialect, fd, spool, 0);
	land_seen(l, every_third, &asked);
	for (size_t i = 0, at = 0; i < m->n; i++) {
		if (i > 0) {
			must(land_part(l, &e), &e);
			at++;
		}
		while (at < m->part[i]) {
			size_t n;
			uint8_t *to = land_room(l, &n);

			if (n > m->part[i] - at)
				n = m->part[i] - at;
			memcpy(to, m->text.s + at, n);
			must(land_add(l, n, &e), &e);
			at += n;
		}
	}
	must(land_settle(l, &facts, &e), &e);
	assert_int_equal(facts.size, m->text.len);
	assert_int_equal(asked, 2 * m->n);
	assert_int_equal(facts.seen + facts.totals.records, 2 * m->n);
	p.size = facts.size;
	p.totals = facts.totals;
	p.api.seen = facts.seen;
	memcpy(p.bytes_sha256, facts.bytes_sha256, HASH_LEN);
	must(land_finish(l, &p, &facts, &e), &e);
	land_free(l);
	land_pool_free(pool);
	close(spool);
	return fd;
}

struct walked {
	unsigned n;    /* records, in order */
	unsigned step; /* 0: the new ones alone */
	uint64_t number;
};

static enum rc
see(void *arg, const struct landing_record *r, struct err *e UNUSED)
{
	struct walked *w = arg;

	if (w->step == 0 && w->n % 3 == 0)
		w->n++;
	assert_int_equal(r->kind, w->n % 3 == 0 ? KIND_SEEN : 0);
	assert_int_equal(r->number, w->number);
	w->number += r->kind == 0;
	if (w->n % 2 == 0)
		assert_int_equal(atoi((const char *)r->bytes + 6), w->n);
	else
		assert_int_equal(atoi((const char *)r->bytes), w->n);
	w->n++;
	return OK;
}

static void
test_pages_come_back_and_verify(void **state UNUSED)
{
	struct made m = {.text = STR_INIT, .parts = STR_INIT};
	struct walked all = {.step = 1}, fresh = {0};
	uint8_t sum[HASH_LEN];
	struct landing *l;
	struct err e = ERR_INIT;

	for (unsigned i = 0; i < 8; i++)
		add_page(&m, i);
	str_addc(&m.parts, ']');
	must(landing_open(land(&m, m.parts.s), &l, &e), &e);
	assert_int_equal(landing_provenance(l)->api.n_parts, 8);
	assert_int_equal(landing_provenance(l)->api.seen, 6);
	assert_string_equal(landing_provenance(l)->api.window,
		"{\"end\":\"2\",\"start\":\"1\"}");
	must(landing_check(l, sum, NULL, NULL, &e), &e);
	must(landing_records(l, 0, LANDING_SEEN, see, &all, &e), &e);
	assert_int_equal(all.n, 16);
	must(landing_records(l, 0, 0, see, &fresh, &e), &e);
	assert_int_equal(fresh.n, 15);
	landing_close(l);
	str_release(&m.text);
	str_release(&m.parts);
}

static void
test_parts_that_lie_are_found(void **state UNUSED)
{
	struct made m = {.text = STR_INIT, .parts = STR_INIT};
	CLEANUP(str_release) struct str other = STR_INIT;
	uint8_t sum[HASH_LEN];
	struct landing *l;
	struct err e = ERR_INIT;

	add_page(&m, 0);
	add_page(&m, 1);
	str_addc(&m.parts, ']');
	/* As if the first part ended one byte earlier. */
	str_addf(&other,
		"[{\"length\":%zu,\"offset\":0},"
		"{\"length\":%zu,\"offset\":%zu}]",
		m.part[0] - 1, m.text.len - m.part[0], m.part[0]);
	must(landing_open(land(&m, other.s), &l, &e), &e);
	assert_int_equal(landing_check(l, sum, NULL, NULL, &e), BAD_ITEM);
	landing_close(l);
	e = (struct err)ERR_INIT;
	assert_int_equal(
		landing_open(land(&m, "[{\"length\":5,\"offset\":0}]"), &l, &e),
		BAD_ITEM);
	assert_non_null(strstr(e.text, "parts"));
	str_release(&m.text);
	str_release(&m.parts);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pages_come_back_and_verify),
		cmocka_unit_test(test_parts_that_lie_are_found),
	};

	return cmocka_run_group_tests_name("land-parts", tests, NULL, NULL);
}
