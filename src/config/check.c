#include "config/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "config/option.h"
#include "config/value.h"
#include "landfall/source.h"

struct check {
	const struct config *config;
	struct report *report;
	char *zone, *state; /* real paths, or NULL */
	char **drop;	    /* of each source, the same */
	char **outbox;
};

/* The node at "csv.quote" below n, or NULL. */
static const struct yaml_node *
find(const struct yaml_node *n, const char *path)
{
	while (n != NULL && *path != '\0') {
		size_t len = strcspn(path, ".");
		char key[64] = "";

		memcpy(key, path, len);
		n = yaml_get(n, key);
		path += len + (path[len] == '.');
	}
	return n;
}

/* At the value of path where there is one, at the key of n otherwise. */
static void PRINTF_LIKE(4, 5) wrong(struct check *c, const struct yaml_node *n,
	const char *path, const char *fmt, ...)
{
	const struct yaml_node *at = find(n, path);
	char text[1024];
	va_list ap;

	if (at == NULL)
		at = n->key != NULL ? n->key : n;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	report_add(c->report, at->line, at->column, "%s", text);
}

/*
 * Where the path leads once symbolic links are followed, as far as it
 * exists; what does not exist yet is taken by its name.
 */
static char *
real_path(const char *path)
{
	CLEANUP(mem_release) char *head = NULL;
	struct str s = STR_INIT;
	char *real, *slash;

	if (path == NULL)
		return NULL;
	head = mem_strdup(path);
	while ((real = realpath(head, NULL)) == NULL &&
		(slash = strrchr(head, '/')) != NULL && slash != head)
		*slash = '\0';
	if (real == NULL)
		return mem_strdup(path);
	str_add(&s, strcmp(real, "/") == 0 ? "" : real);
	str_add(&s, path + strlen(head));
	if (s.len == 0)
		str_add(&s, "/");
	free(real);
	return str_take(&s);
}

/* The same directory, or one below it. */
static bool
is_within(const char *inner, const char *outer)
{
	size_t n = strlen(outer);

	if (strcmp(outer, "/") == 0)
		return true;
	return strncmp(inner, outer, n) == 0 &&
		(inner[n] == '\0' || inner[n] == '/');
}

static bool
overlap(const char *a, const char *b)
{
	return a != NULL && b != NULL && (is_within(a, b) || is_within(b, a));
}

/* "OPTION: PATH and the NAME OTHER overlap", with the real paths. */
static void
wrong_overlap(struct check *c, const struct yaml_node *n, const char *option,
	const char *path, const char *name, const char *other, const char *why)
{
	CLEANUP(str_release) struct str s = STR_INIT;

	str_add_quoted(&s, path, strlen(path));
	str_addf(&s, " and the %s ", name);
	str_add_quoted(&s, other, strlen(other));
	wrong(c, n, option, "%s: %s overlap%s", option, s.s, why);
}

static void
check_missing(struct check *c, const struct yaml_node *root)
{
	for (size_t i = 0; i < option_count(); i++) {
		const struct option *o = option_at(i);

		if (o->required && yaml_get(root, o->path) == NULL)
			wrong(c, root, o->path, "%s is missing", o->path);
	}
}

static void
check_drop(struct check *c, size_t i, const struct yaml_node *n)
{
	const struct source_config *s = &c->config->source[i];
	const char *path = c->drop[i];

	if (find(n, "drop.path") == NULL)
		wrong(c, n, "drop", "drop.path is missing");
	if (path == NULL)
		return;
	if (overlap(path, c->zone))
		wrong_overlap(c, n, "drop.path", path, "zone", c->zone, "");
	if (overlap(path, c->state))
		wrong_overlap(c, n, "drop.path", path, "state", c->state, "");
	for (size_t k = 0; k < i; k++) {
		const struct source_config *other = &c->config->source[k];
		const char *taken = c->drop[k];

		if (taken == NULL)
			continue;
		if (strcmp(path, taken) == 0)
			wrong(c, n, "drop.path",
				"drop.path: is the drop of %s (line %u) "
				"already",
				other->name, other->line);
		else if ((other->drop.recursive && is_within(path, taken)) ||
			(s->drop.recursive && is_within(taken, path)))
			wrong(c, n, "drop.path",
				"drop.path: overlaps the drop of %s (line "
				"%u); both would take the same files",
				other->name, other->line);
		else
			continue;
		return;
	}
}

/* Deliveries come from one place. */
static void
check_place(struct check *c, size_t i, const struct yaml_node *n)
{
	const struct source_config *s = &c->config->source[i];
	bool drop = find(n, "drop") != NULL, sftp = find(n, "sftp") != NULL;

	if (!drop && !sftp)
		wrong(c, n, "drop",
			"%s: no place to take deliveries from; add drop: "
			"{path: DIRECTORY} or sftp: {host: NAME}",
			s->name);
	if (drop && sftp)
		wrong(c, n, "sftp",
			"sftp: %s has a drop already; one source takes from "
			"one place",
			s->name);
	if (drop)
		check_drop(c, i, n);
	if (sftp)
		check_sftp(s, n, c->report);
}

/* Would a drop leave this name below it alone, whatever its match says? */
static bool
is_ignored(const struct source_config *s, const char *folder, const char *name)
{
	CLEANUP(str_release) struct str path = STR_INIT, why = STR_INIT;
	struct source_config all = *s;
	struct item it;

	if (*folder != '\0')
		str_addf(&path, "%s/", folder);
	str_add(&path, name);
	all.match.n = 0;
	it = (struct item){.name = (const uint8_t *)path.s,
		.name_len = path.len,
		.type = ITEM_FILE};
	return source_rule(&all, &it, &why, NULL) != NULL;
}

/* The names that are written in an outbox; no pattern means the first byte. */
static const char *const receipts[] = {
	"\x01.receipt.json",
	"\x01.receipt-0.json",
	"\x01.receipt.json.tmp",
	"\x01.receipt-0.json.tmp",
};

/* A drop that took receipts for deliveries would never come to rest. */
static void
check_outbox_in_drop(
	struct check *c, size_t i, size_t drop, const struct yaml_node *n)
{
	const struct source_config *s = &c->config->source[drop];
	const char *outbox = c->outbox[i], *root = c->drop[drop];
	const char *below;

	if (root == NULL || !is_within(outbox, root) ||
		(!s->drop.recursive && strcmp(outbox, root) != 0))
		return;
	below = outbox + strlen(root);
	below += *below == '/';
	for (size_t k = 0; k < ARRAY_LEN(receipts); k++) {
		if (is_ignored(s, below, receipts[k]))
			continue;
		wrong(c, n, "receipt.path",
			"receipt.path: lies in the drop of %s (line %u), which "
			"would take receipts for deliveries; add "
			"\"*.receipt*.json\" and \"*.tmp\" to its ignore",
			s->name, s->line);
		return;
	}
}

static void
check_receipt(struct check *c, size_t i, const struct yaml_node *n)
{
	const char *outbox = c->outbox[i];

	if (find(n, "receipt") != NULL && find(n, "receipt.path") == NULL &&
		find(n, "receipt.folder") == NULL)
		wrong(c, n, "receipt", "receipt.path is missing");
	if (find(n, "receipt.folder") != NULL &&
		find(n, "receipt.path") != NULL)
		wrong(c, n, "receipt.folder",
			"receipt.folder: receipt.path says already where "
			"receipts go");
	if (find(n, "receipt.folder") != NULL && find(n, "sftp") == NULL)
		wrong(c, n, "receipt.folder",
			"receipt.folder: is at a partner's server, and there "
			"is no sftp; use path");
	if (outbox == NULL)
		return;
	if (c->zone != NULL && is_within(outbox, c->zone))
		wrong_overlap(
			c, n, "receipt.path", outbox, "zone", c->zone, "");
	if (c->state != NULL && is_within(outbox, c->state))
		wrong_overlap(
			c, n, "receipt.path", outbox, "state", c->state, "");
	for (size_t k = 0; k < i; k++)
		if (c->outbox[k] != NULL && strcmp(outbox, c->outbox[k]) == 0) {
			wrong(c, n, "receipt.path",
				"receipt.path: is the outbox of %s (line %u) "
				"already; equal names would meet there",
				c->config->source[k].name,
				c->config->source[k].line);
			break;
		}
	for (size_t k = 0; k < c->config->n_sources; k++)
		check_outbox_in_drop(c, i, k, n);
}

/* A block of csv keys under another format would be silently ignored. */
static void
check_format(struct check *c, size_t i, const struct yaml_node *n)
{
	const struct source_config *s = &c->config->source[i];
	const struct yaml_node *format = find(n, "format");
	unsigned known;

	if (format != NULL &&
		(format->kind != YAML_SCALAR ||
			!value_choice(format->text, scan_format_names, &known)))
		return; /* reported already */
	for (size_t k = 0; k < option_count(); k++) {
		const struct option *o = option_at(k);
		const struct yaml_node *block;

		if (o->format == SCAN_OPAQUE || o->format == s->dialect.format)
			continue;
		block = find(n, option_name(o));
		if (block == NULL)
			continue;
		report_add(c->report, block->key->line, block->key->column,
			"%s: the format is %s%s%s", option_name(o),
			scan_format_names[s->dialect.format],
			format == NULL ? "; add format: " : "",
			format == NULL ? option_name(o) : "");
	}
}

static void
check_schedule(struct check *c, const struct yaml_node *n)
{
	if (find(n, "schedule") != NULL && find(n, "schedule.every") == NULL &&
		find(n, "schedule.cron") == NULL)
		wrong(c, n, "schedule",
			"schedule: does not say when to look; add every: "
			"DURATION or cron: TEXT");
}

/* The least number of days between two deadlines. */
static int
least_gap(const struct days *d)
{
	int least = 7, last = -7;

	if (d->month_end)
		return 28;
	for (int i = 0; i < 14; i++)
		if (d->weekday[i % 7]) {
			if (last >= 0 && i - last < least)
				least = i - last;
			last = i;
		}
	return last < 0 ? 1 : least;
}

static void
check_expect(
	struct check *c, struct source_config *s, const struct yaml_node *n)
{
	int64_t day = INT64_C(86400) * 1000000000;

	s->expect.set = find(n, "expect") != NULL;
	if (!s->expect.set)
		return;
	if (find(n, "expect.by") == NULL)
		wrong(c, n, "expect",
			"expect.by is missing: the time of day by which a "
			"delivery must have landed");
	if (s->expect.grace > least_gap(&s->expect.days) * day / 2)
		wrong(c, n, "expect.grace",
			"expect.grace: is more than half the time between two "
			"deadlines: a late delivery would count for the next "
			"one");
}

/* A byte that means two things would make the rules ambiguous. */
static void
check_bytes(struct check *c, const struct dialect *d, const struct yaml_node *n)
{
	const struct {
		int byte;
		const char *path;
	} use[] = {
		{d->escape == ESCAPE_BACKSLASH ? '\\' : SCAN_NONE,
			"csv.escape"},
		{d->delimiter, "csv.delimiter"},
		{d->quote, "csv.quote"},
		{d->comment, "csv.comment"},
	};

	for (size_t i = 0; i < ARRAY_LEN(use); i++)
		for (size_t k = 0; k < i; k++)
			if (use[i].byte == use[k].byte &&
				use[i].byte != SCAN_NONE)
				wrong(c, n, use[i].path,
					"%s: is the same character as %s",
					use[i].path, use[k].path);
}

void
check_dialect(struct dialect *d, uint64_t memory, const struct yaml_node *n,
	struct report *r)
{
	struct check c = {.report = r};

	if (d->max_record > memory) {
		CLEANUP(str_release) struct str path = STR_INIT;

		str_addf(&path, "%s.max_record", scan_format_names[d->format]);
		wrong(&c, n, path.s,
			"%s: is more than limits.memory: a record must fit",
			path.s);
	}
	if (d->format == SCAN_FIXED && find(n, "fixed.length") == NULL)
		wrong(&c, n, "fixed",
			"fixed.length is missing: the bytes in a record");
	if (d->format != SCAN_CSV)
		return;
	check_bytes(&c, d, n);
	if (d->columns == SCAN_COLUMNS_HEADER && d->header == 0) {
		if (find(n, "csv.columns") != NULL)
			wrong(&c, n, "csv.columns",
				"csv.columns: there is no header to count "
				"(csv.header is 0)");
		d->columns = SCAN_COLUMNS_ANY;
	}
}

/* A total of what the format does not have would never match. */
static void
check_totals(struct check *c, const struct source_config *s,
	const struct yaml_node *n)
{
	const struct dialect *d = &s->dialect;

	for (size_t i = 0; i < s->totals.n; i++) {
		const struct total *t = &s->totals.row[i];
		const char *path =
			t->of == TOTAL_SUM ? "totals.sum" : "totals.records";

		if (t->of == TOTAL_SUM && d->format != SCAN_CSV)
			wrong(c, n, path,
				"%s: only csv has fields, the "
				"format is %s",
				path, scan_format_names[d->format]);
		else if (d->format == SCAN_OPAQUE)
			wrong(c, n, path,
				"%s: a delivery of format opaque "
				"is one record; say its format",
				path);
		else if (t->from == TOTAL_TRAILER && d->trailer == 0 &&
			d->trailer_prefix_len == 0)
			wrong(c, n, path,
				"%s: there is no trailer; say what "
				"it is with csv.trailer",
				path);
		else if (t->from == TOTAL_HEADER && d->header == 0)
			wrong(c, n, path,
				"%s: there is no header (csv.header "
				"is 0)",
				path);
	}
}

/* The same of what a manifest says. */
static void
check_manifest(struct check *c, const struct source_config *s,
	const struct yaml_node *n)
{
	for (size_t i = 0; i < s->ready.n; i++) {
		const struct checklist_table *t = &s->ready.rule[i].table;

		for (size_t k = 0; k < t->n; k++)
			if (t->column[k] == COLUMN_RECORDS &&
				s->dialect.format == SCAN_OPAQUE)
				wrong(c, n, "ready",
					"ready: a manifest has records, and a "
					"delivery of format opaque is one "
					"record; say its format");
	}
}

void
check_config(struct config *config, const struct yaml_node *root,
	const struct yaml_node *const *node, struct report *r)
{
	struct check c = {
		.config = config,
		.report = r,
		.zone = real_path(config->zone),
		.state = real_path(config->state),
		.drop = mem_array(config->n_sources + 1, sizeof(*c.drop)),
		.outbox = mem_array(config->n_sources + 1, sizeof(*c.outbox)),
	};

	check_missing(&c, root);
	if (c.zone != NULL && c.state != NULL && strcmp(c.zone, c.state) == 0)
		wrong(&c, root, "state", "state: is the zone too");
	else if (overlap(c.zone, c.state))
		wrong_overlap(&c, root, "state", c.state, "zone", c.zone,
			"; the ledger's key must lie outside the zone");
	for (size_t i = 0; i < config->n_sources; i++) {
		c.drop[i] = real_path(config->source[i].drop.path);
		c.outbox[i] = real_path(config->source[i].receipt.path);
		if (config->source[i].kind == SOURCE_HTTP) {
			check_api(config, &config->source[i], node[i], r);
			check_schedule(&c, node[i]);
			continue;
		}
		check_no_api(node[i], r);
		check_place(&c, i, node[i]);
		check_format(&c, i, node[i]);
		check_schedule(&c, node[i]);
		check_expect(&c, &config->source[i], node[i]);
		check_dialect(&config->source[i].dialect, config->limits.memory,
			node[i], r);
		check_totals(&c, &config->source[i], node[i]);
		check_manifest(&c, &config->source[i], node[i]);
	}
	for (size_t i = 0; i < config->n_sources; i++)
		check_receipt(&c, i, node[i]);
	for (size_t i = 0; i < config->n_sources; i++) {
		free(c.drop[i]);
		free(c.outbox[i]);
	}
	free(c.drop);
	free(c.outbox);
	free(c.zone);
	free(c.state);
}
