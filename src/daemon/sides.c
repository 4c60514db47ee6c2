#include "daemon/sides.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "landfall/side.h"

/* So many rows are gone through at once. */
#define BATCH 256

/* Of so many names that may share a side file we see whether they are there. */
#define SIBLINGS_MOST 1000

void
sides_release(struct sides *s)
{
	str_release(&s->names);
	*s = (struct sides)SIDES_INIT;
}

void
sides_look(struct sides *s, const struct source_config *cfg,
	const struct source_ops *ops, struct source *source,
	const uint8_t *name, size_t len)
{
	const char *pattern;

	str_clear(&s->names);
	s->n = 0;
	if (cfg->after.action == AFTER_KEEP)
		return;
	for (size_t i = 0; (pattern = side_pattern(cfg, i)) != NULL; i++) {
		size_t at = s->names.len;
		struct err ignored = ERR_INIT;
		enum item_type type;

		if (side_is_shared(pattern) || s->n == SIDES_MAX)
			continue;
		side_name(&s->names, pattern, name, len);
		s->side[s->n].at = at;
		s->side[s->n].len = s->names.len - at;
		if (ops->look(source, (const uint8_t *)s->names.s + at,
			    s->names.len - at, &type, &s->side[s->n].signature,
			    &ignored) == OK &&
			type == ITEM_FILE)
			s->n++;
		else
			str_cut(&s->names, at);
	}
}

/* ---- recording ---- */

/* One block: what is to be written, and the names of it behind. */
struct record {
	const char *source;
	struct catalog_side row;
	char *line;  /* NULL: it is put; else it is dropped, */
	bool gone;   /* after it left, as line says */
	char text[]; /* name, side, line */
};

static struct record *
record_new(const char *source, const struct catalog_side *row, const char *line)
{
	size_t n = line != NULL ? strlen(line) + 1 : 0;
	struct record *r =
		mem_alloc(sizeof(*r) + row->name_len + row->side_len + n);
	char *side = r->text + row->name_len, *last = side + row->side_len;

	r->source = source;
	r->row = *row;
	memcpy(r->text, row->name, row->name_len);
	memcpy(side, row->side, row->side_len);
	r->row.name = (const uint8_t *)r->text;
	r->row.side = (const uint8_t *)side;
	if (line != NULL) {
		memcpy(last, line, n);
		r->line = last;
		r->gone = *line != '\0';
	}
	return r;
}

static enum rc
put(struct catalog *c, void *arg, struct err *e)
{
	const struct record *r = arg;

	return catalog_side_put(c, r->source, &r->row, e);
}

/* A name that no look has listed yet has a story all the same. */
static enum rc
drop(struct catalog *c, void *arg, struct err *e)
{
	const struct record *r = arg;
	const struct catalog_side *s = &r->row;
	CLEANUP(str_release) struct str why = STR_INIT;
	int64_t now = clock_wall();
	enum rc rc;

	if (catalog_side_drop(c, r->source, s, e) != OK)
		return e->code;
	if (!r->gone)
		return OK;
	rc = catalog_tell(c, r->source, s->side, s->side_len, now, r->line, e);
	if (rc != END)
		return rc;
	str_add(&why, "side file of ");
	str_add_quoted(&why, s->name, s->name_len);
	rc = catalog_note(c, r->source, s->side, s->side_len, &s->signature,
		now, DISPOSITION_IGNORED, why.s, e);
	if (rc != OK)
		return rc;
	return catalog_tell(
		c, r->source, s->side, s->side_len, now, r->line, e);
}

enum rc
sides_record(struct lane *l, const char *source, const uint8_t *name,
	size_t len, const struct sides *s, struct err *e)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct catalog_side row = {
			.name = name,
			.name_len = len,
			.side = (const uint8_t *)s->names.s + s->side[i].at,
			.side_len = s->side[i].len,
			.signature = s->side[i].signature,
		};

		if (lane_write_later(
			    l, put, record_new(source, &row, NULL), e) != OK)
			return e->code;
	}
	return OK;
}

/* ---- following ---- */

struct following {
	struct lane *lane;
	const struct source_config *config;
	const struct source_ops *ops;
	struct source *source;
	struct after_report *report;
	struct record *row[BATCH];
	size_t n;
};

static enum rc
take(void *arg, const struct catalog_side *s, struct err *e UNUSED)
{
	struct following *f = arg;

	f->row[f->n++] = record_new(f->config->name, s, "");
	return f->n < BATCH ? OK : END;
}

struct sibling {
	struct following *following;
	const struct catalog_side *row;
	const char *pattern;
	struct str side; /* of one name and another */
	size_t looked;
	bool found;
};

/* Another delivery that has this side file, and is there? */
static enum rc
is_sibling(void *arg, const uint8_t *name, size_t len, struct err *e)
{
	struct sibling *x = arg;
	struct following *f = x->following;
	struct item it = {.name = name, .name_len = len, .type = ITEM_FILE};
	CLEANUP(str_release) struct str why = STR_INIT;
	enum rc rc;

	str_clear(&x->side);
	side_name(&x->side, x->pattern, name, len);
	if (x->side.len != x->row->side_len ||
		memcmp(x->side.s, x->row->side, x->side.len) != 0 ||
		source_rule(f->config, &it, &why, NULL) != NULL)
		return OK;
	rc = x->looked++ < SIBLINGS_MOST
		? f->ops->look(f->source, name, len, &it.type, &it.signature, e)
		: OK;
	x->found = rc != END;
	return rc == END ? OK : rc == OK ? END : rc;
}

/* {stem}: does another one wait for it, or for its own turn to go? */
static enum rc
is_needed(struct following *f, const struct catalog_side *s, bool *ret,
	struct err *e)
{
	CLEANUP(str_release) struct str base = STR_INIT;
	struct sibling x = {.following = f, .row = s, .side = STR_INIT};
	enum rc rc = OK;

	for (size_t i = 0; !x.found && rc == OK &&
		(x.pattern = side_pattern(f->config, i)) != NULL;
		i++) {
		if (side_is_shared(x.pattern) ||
			side_base(x.pattern, s->side, s->side_len, &base) !=
				SIDE_OF_ANY)
			continue;
		/* From "a" to "a.": what has this stem lies between. */
		str_cut(&base, base.len - 1);
		base.s[base.len - 1] = '/';
		rc = catalog_each_name(lane_catalog(f->lane), f->config->name,
			(const uint8_t *)base.s, base.len - 1,
			(const uint8_t *)base.s, base.len, is_sibling, &x, e);
	}
	str_release(&x.side);
	*ret = x.found;
	return rc;
}

/*
 * Is its delivery gone, after it landed? END: it is there, or the side file
 * has another one; the row stays. *ret false: nobody's business any more.
 */
static enum rc
may_go(struct following *f, const struct catalog_side *s, bool *ret,
	struct err *e)
{
	struct signature signature;
	struct catalog_name n;
	bool needed;
	enum rc rc;

	rc = f->ops->look(f->source, s->name, s->name_len, NULL, &signature, e);
	if (rc != END)
		return rc == OK ? END : rc;
	rc = catalog_find(lane_catalog(f->lane), f->config->name, s->name,
		s->name_len, &n, e);
	if (rc != OK && rc != END)
		return rc;
	*ret = rc == OK &&
		(n.disposition == DISPOSITION_LANDED ||
			n.disposition == DISPOSITION_DUPLICATE ||
			n.disposition == DISPOSITION_NEW_VERSION ||
			n.disposition == DISPOSITION_UNPACKED);
	if (!*ret)
		return OK;
	rc = is_needed(f, s, &needed, e);
	return rc == OK && needed ? END : rc;
}

static enum rc
follow(struct following *f, const struct catalog_side *s, struct err *e)
{
	CLEANUP(str_release) struct str line = STR_INIT;
	const struct item it = {.name = s->side,
		.name_len = s->side_len,
		.type = ITEM_FILE,
		.signature = s->signature};
	struct signature now;
	bool go;
	enum rc rc = may_go(f, s, &go, e);

	if (rc == END)
		return OK;
	if (rc != OK)
		return rc;
	if (go)
		after_item(f->config, f->ops, f->source, &it, f->report, &line);
	/* It could not go now: as long as it is the same one, once more. */
	if (go && line.len == 0 &&
		f->ops->look(f->source, s->side, s->side_len, NULL, &now, e) ==
			OK &&
		signature_equal(&now, &s->signature))
		return OK;
	if (line.len > 0) {
		str_add(&line, ", behind ");
		str_add_quoted(&line, s->name, s->name_len);
	}
	return lane_write_later(
		f->lane, drop, record_new(f->config->name, s, line.s), e);
}

enum rc
sides_follow(struct lane *l, const struct source_config *cfg, struct source *s,
	struct after_report *r, struct err *e)
{
	struct following f = {
		.lane = l,
		.config = cfg,
		.ops = source_ops(cfg->kind),
		.source = s,
		.report = r,
	};
	const struct catalog_side *behind = NULL;
	struct record *last = NULL;
	uint64_t before = r->deleted + r->moved;
	enum rc rc;

	if (cfg->after.action == AFTER_KEEP)
		return OK;
	do {
		f.n = 0;
		rc = catalog_side_each(
			lane_catalog(l), cfg->name, behind, take, &f, e);
		for (size_t i = 0; i < f.n && rc == OK; i++)
			rc = follow(&f, &f.row[i]->row, e);
		free(last);
		last = f.n > 0 ? f.row[--f.n] : NULL;
		behind = last != NULL ? &last->row : NULL;
		for (size_t i = 0; i < f.n; i++)
			free(f.row[i]);
	} while (rc == OK && f.n == BATCH - 1);
	free(last);
	if (rc == OK && r->deleted + r->moved > before)
		rc = f.ops->sync(s, e);
	if (rc == OK)
		rc = lane_wait(l, e);
	if (rc == OK || rc == BROKEN)
		return rc;
	after_failed(r, e);
	return OK;
}
