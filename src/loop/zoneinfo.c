#include "loop/zoneinfo.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/io.h"
#include "base/mem.h"
#include "loop/calendar.h"
#include "loop/tzrule.h"

#define NAME_MAX_LEN 255

/* RFC 8536 section 3.2: what utoff should not exceed. */
#define OFFSET_MIN (-89999)
#define OFFSET_MAX 93599

struct zoneinfo {
	size_t n;	/* changes in the table */
	int64_t *at;	/* when, ascending */
	int32_t *after; /* the offset from then on */
	int32_t first;	/* the offset before all of them */
	bool ruled;	/* from the last of them on the rule holds */
	struct tzrule rule;
};

/* ---- the file ---- */

struct cursor {
	const uint8_t *p;
	size_t left;
};

/* The next n bytes, or NULL. */
static const uint8_t *
take(struct cursor *c, uint64_t n)
{
	const uint8_t *p = c->p;

	if (n > c->left)
		return NULL;
	c->p += n;
	c->left -= n;
	return p;
}

/* A big-endian signed time of 4 or 8 bytes. */
static int64_t
get_time(const uint8_t *p, unsigned width)
{
	if (width == 4)
		return (int32_t)get_be32(p);
	return (int64_t)((uint64_t)get_be32(p) << 32 | get_be32(p + 4));
}

/* RFC 8536 section 3.1. */
struct header {
	uint8_t version;
	uint32_t isut, isstd, leap, time, type, name;
};

static bool
take_header(struct cursor *c, struct header *ret)
{
	const uint8_t *p = take(c, 44);

	if (p == NULL || memcmp(p, "TZif", 4) != 0)
		return false;
	*ret = (struct header){
		.version = p[4],
		.isut = get_be32(p + 20),
		.isstd = get_be32(p + 24),
		.leap = get_be32(p + 28),
		.time = get_be32(p + 32),
		.type = get_be32(p + 36),
		.name = get_be32(p + 40),
	};
	return true;
}

static uint64_t
block_len(const struct header *h, unsigned width)
{
	return (uint64_t)h->time * (width + 1) + (uint64_t)h->type * 6 +
		h->name + (uint64_t)h->leap * (width + 4) + h->isstd + h->isut;
}

static const char damaged[] = "its file is damaged";

/* Section 3.2; NULL or what is wrong. The cursor's block is whole. */
static const char *
read_block(struct zoneinfo *z, struct cursor *c, const struct header *h,
	unsigned width)
{
	const uint8_t *at = take(c, (uint64_t)h->time * width);
	const uint8_t *type = take(c, h->time);
	const uint8_t *types = take(c, (uint64_t)h->type * 6);
	int32_t offset[256];

	if (at == NULL || type == NULL || types == NULL || h->type == 0 ||
		h->type > ARRAY_LEN(offset))
		return damaged;
	if (h->leap > 0)
		return "it counts leap seconds, which clocks here do not; "
		       "take it without \"right/\"";
	if (take(c, (uint64_t)h->name + h->isstd + h->isut) == NULL)
		return damaged;
	for (uint32_t i = 0; i < h->type; i++) {
		offset[i] = (int32_t)get_be32(types + 6 * (size_t)i);
		if (offset[i] < OFFSET_MIN || offset[i] > OFFSET_MAX)
			return damaged;
	}
	z->first = offset[0];
	z->at = mem_array(h->time + 1, sizeof(*z->at));
	z->after = mem_array(h->time + 1, sizeof(*z->after));
	for (; z->n < h->time; z->n++) {
		z->at[z->n] = get_time(at + z->n * width, width);
		if (type[z->n] >= h->type ||
			(z->n > 0 && z->at[z->n] <= z->at[z->n - 1]))
			return damaged;
		z->after[z->n] = offset[type[z->n]];
	}
	return NULL;
}

/* "\nRULE\n", section 3.3; an empty rule is none. */
static const char *
read_footer(struct zoneinfo *z, struct cursor *c)
{
	const uint8_t *end;

	if (c->left < 2 || *c->p != '\n')
		return damaged;
	end = memchr(c->p + 1, '\n', c->left - 1);
	if (end == NULL)
		return damaged;
	z->ruled = end > c->p + 1;
	if (z->ruled &&
		!tzrule_parse((const char *)c->p + 1, (size_t)(end - c->p - 1),
			&z->rule))
		return damaged;
	return NULL;
}

static const char *
read_file(struct zoneinfo *z, struct cursor *c)
{
	struct header h;
	const char *why;

	if (!take_header(c, &h) || block_len(&h, 4) > c->left)
		return damaged;
	if (h.version == 0)
		return read_block(z, c, &h, 4);
	/* The first block is for readers of version 1 alone. */
	if (take(c, block_len(&h, 4)) == NULL || !take_header(c, &h) ||
		block_len(&h, 8) > c->left)
		return damaged;
	why = read_block(z, c, &h, 8);
	return why != NULL ? why : read_footer(z, c);
}

enum rc
zoneinfo_parse(
	const uint8_t *p, size_t len, struct zoneinfo **ret, struct err *e)
{
	struct cursor c = {.p = p, .left = len};
	struct zoneinfo *z = mem_alloc(sizeof(*z));
	const char *why = read_file(z, &c);

	if (why != NULL) {
		zoneinfo_free(z);
		return err_set(e, BAD_ITEM, "%s", why);
	}
	*ret = z;
	return OK;
}

/* Words of letters, digits and _+- between single slashes: no way out. */
static bool
is_name(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && len <= NAME_MAX_LEN && name[0] != '/' &&
		name[len - 1] != '/' && strstr(name, "//") == NULL &&
		strspn(name,
			"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
			"0123456789_+-/") == len;
}

enum rc
zoneinfo_load(const char *name, struct zoneinfo **ret, struct err *e)
{
	CLEANUP(str_release) struct str path = STR_INIT;
	CLEANUP(str_release) struct str bytes = STR_INIT;
	enum rc rc;

	if (strcmp(name, "UTC") == 0) {
		*ret = mem_alloc(sizeof(**ret));
		return OK;
	}
	if (!is_name(name))
		return err_set(e, BAD_ITEM,
			"not the name of a time zone, such as Europe/Berlin");
	str_addf(&path, "%s/%s", ZONEINFO_DIR, name);
	rc = io_read_file(
		AT_FDCWD, path.s, ZONEINFO_SIZE_MAX, &bytes, BAD_ITEM, e);
	if (rc == END)
		return err_set(e, BAD_ITEM,
			"no such time zone below " ZONEINFO_DIR
			" (package tzdata)");
	if (rc == OK)
		rc = zoneinfo_parse(
			(const uint8_t *)bytes.s, bytes.len, ret, e);
	return rc == OK ? OK : err_add(e, "%s", path.s);
}

void
zoneinfo_free(struct zoneinfo *z)
{
	if (z == NULL)
		return;
	free(z->at);
	free(z->after);
	free(z);
}

/* ---- the way there and back ---- */

/* How many changes of the table are not after this second. */
static size_t
passed(const struct zoneinfo *z, int64_t second)
{
	size_t from = 0, to = z->n;

	while (from < to) {
		size_t mid = from + (to - from) / 2;

		if (z->at[mid] <= second)
			from = mid + 1;
		else
			to = mid;
	}
	return from;
}

int32_t
zoneinfo_offset(const struct zoneinfo *z, int64_t second)
{
	size_t i;

	if (z == NULL)
		return 0;
	i = passed(z, second);
	if (i == z->n && z->ruled)
		return tzrule_offset(&z->rule, second);
	return i > 0 ? z->after[i - 1] : z->first;
}

int64_t
zoneinfo_change(const struct zoneinfo *z, int64_t second)
{
	size_t i;

	if (z == NULL)
		return INT64_MAX;
	i = passed(z, second);
	if (i < z->n)
		return z->at[i];
	return z->ruled ? tzrule_next(&z->rule, second) : INT64_MAX;
}

int64_t
zoneinfo_second(const struct zoneinfo *z, int64_t local)
{
	/* No offset is larger: local time is not there yet. */
	int64_t second = local - OFFSET_MAX;

	for (;;) {
		int32_t offset = zoneinfo_offset(z, second);
		int64_t next = zoneinfo_change(z, second);

		/* Skipped: the change itself is already later. */
		if (second + offset >= local)
			return second;
		if (next > local - offset)
			return local - offset;
		second = next;
	}
}

void
zoneinfo_local(const struct zoneinfo *z, int64_t wall, struct civil *ret)
{
	int64_t second = calendar_second(wall);
	int64_t local = second + zoneinfo_offset(z, second);
	int64_t day = calendar_day_of(local);
	int left = (int)(local - day * CALENDAR_DAY);

	calendar_date(day, ret);
	ret->hour = left / 3600;
	ret->minute = left / 60 % 60;
	ret->second = left % 60;
}

int64_t
zoneinfo_wall(const struct zoneinfo *z, const struct civil *c)
{
	int64_t local = calendar_days(c->year, c->month, c->day) * CALENDAR_DAY;

	local += (int64_t)c->hour * 3600 + (int64_t)c->minute * 60 + c->second;
	return calendar_wall(zoneinfo_second(z, local));
}
