/*
 * landfall cat: what the partner delivered, byte by byte, or its records.
 *
 * What is meant is tried in this order: a landing file on the filesystem, an
 * entry of the ledger, a path below the zone, a delivered name.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "cli/commands.h"
#include "cli/entry.h"
#include "cli/out.h"
#include "cli/place.h"
#include "landfall/land.h"

struct request {
	const char *source, *from, *count;
	bool records, fields, fresh, related;
	uint64_t first, left;
};

/* ---- which file ---- */

static bool
is_landing_name(const char *arg)
{
	size_t n = strlen(arg);

	return n > 4 && strcmp(arg + n - 4, ".zst") == 0;
}

static enum rc
file_of_index(struct place *p, uint64_t index, struct str *file, struct err *e)
{
	struct entry x;

	if (entry_at(&x, p->ledger, index, e) != OK)
		return e->code;
	if (x.disposition != 0)
		str_add(file, x.file);
	entry_release(&x);
	if (file->len > 0)
		return OK;
	return err_set(e, BAD_ITEM,
		"ledger entry %" PRIu64 " is not about a file", index);
}

/* The newest version among all events of one name. */
struct newest {
	struct str file;
	struct str source;
	bool ambiguous; /* the name is known in several sources */
};

static enum rc
keep_newest(void *arg, const struct catalog_event *ev, struct err *e UNUSED)
{
	struct newest *n = arg;

	if (n->source.len > 0 && strcmp(n->source.s, ev->source) != 0)
		n->ambiguous = true;
	str_clear(&n->source);
	str_add(&n->source, ev->source);
	if (ev->version != NULL && *ev->version->file != '\0') {
		str_clear(&n->file);
		str_add(&n->file, ev->version->file);
	}
	return OK;
}

static enum rc
file_of_name(struct place *p, const struct request *q, const char *name,
	struct str *file, struct err *e)
{
	struct newest n = {.file = STR_INIT, .source = STR_INIT};
	CLEANUP(str_release) struct str quoted = STR_INIT;
	enum rc rc = catalog_story(p->catalog, q->source, (const uint8_t *)name,
		strlen(name), keep_newest, &n, e);

	str_add_quoted(&quoted, name, strlen(name));
	if (rc == END)
		rc = err_set(e, BAD_ITEM,
			"%s is neither a landing file nor a name that was "
			"delivered",
			quoted.s);
	else if (rc == OK && n.ambiguous)
		rc = err_set(e, BAD_ITEM,
			"%s was delivered by several sources: name one with "
			"--source",
			quoted.s);
	else if (rc == OK && n.file.len == 0)
		rc = err_set(e, BAD_ITEM,
			"%s has not landed: `landfall why` says how it stands",
			quoted.s);
	else if (rc == OK)
		str_add(file, n.file.s);
	str_release(&n.file);
	str_release(&n.source);
	return rc;
}

/* The name needs the catalog; numbers and paths do without. */
static enum status
find_file(struct cli *c, const struct request *q, struct place *p, int *ret_fd,
	struct str *what, struct err *e)
{
	const char *arg = c->arg[0];
	uint64_t index;
	bool number = str_parse_u64(arg, strlen(arg), &index);
	enum status st = place_open(c, number ? PLACE_LEDGER : 0, p);
	enum rc rc = END;

	if (st != STATUS_DONE)
		return st;
	if (number && index < ledger_view_size(p->ledger)) {
		rc = file_of_index(p, index, what, e);
	} else if (is_landing_name(arg) && entry_is_path(arg)) {
		rc = place_file(p->zone, arg, ret_fd, e);
		if (rc == OK)
			str_add(what, arg);
	}
	if (rc == END) {
		st = place_open(c, PLACE_CATALOG, p);
		if (st != STATUS_DONE)
			return st;
		rc = file_of_name(p, q, arg, what, e);
	}
	if (rc == OK)
		return STATUS_DONE;
	fprintf(stderr, "landfall: error: %s\n", e->text);
	return rc == BROKEN ? STATUS_BROKEN : STATUS_USAGE;
}

static enum status
open_in_zone(
	struct cli *c, const struct request *q, int *ret_fd, struct str *what)
{
	struct place p = PLACE_INIT;
	struct err e = ERR_INIT;
	enum status st = find_file(c, q, &p, ret_fd, what, &e);
	enum rc rc = OK;

	if (st == STATUS_DONE && *ret_fd < 0)
		rc = place_file(p.zone, what->s, ret_fd, &e);
	place_close(&p);
	if (rc == END) {
		fprintf(stderr,
			"landfall: error: %s/%s is missing, though it was "
			"landed: run `landfall verify`\n",
			c->config->zone, what->s);
		return STATUS_DAMAGE;
	}
	return rc == OK ? st : cli_fail(&e);
}

static enum status
open_landing(struct cli *c, const struct request *q, struct landing **ret,
	struct str *what)
{
	const char *arg = c->arg[0];
	struct err e = ERR_INIT;
	int fd = -1;
	enum status st = STATUS_DONE;

	if (is_landing_name(arg) && access(arg, F_OK) == 0) {
		if (io_open(AT_FDCWD, arg, O_RDONLY, 0, &fd, BROKEN, &e) != OK)
			return cli_fail(&e);
		str_add(what, arg);
	} else {
		st = open_in_zone(c, q, &fd, what);
	}
	if (st != STATUS_DONE || landing_open(fd, ret, &e) == OK)
		return st;
	fprintf(stderr, "landfall: error: %s: %s\n", what->s, e.text);
	return STATUS_DAMAGE;
}

/* ---- the bytes ---- */

struct copy {
	struct hash hash;
	struct out out;
};

static enum rc
copy_part(void *arg, const uint8_t *p, size_t n, struct err *e UNUSED)
{
	struct copy *c = arg;

	hash_add(&c->hash, p, n);
	out_add(&c->out, p, n);
	return c->out.err.code == OK ? OK : END;
}

static enum rc
copy_bytes(struct landing *l, struct err *e)
{
	struct copy *c = mem_alloc(sizeof(*c));
	struct err failed = ERR_INIT;
	uint8_t sum[HASH_LEN];
	enum rc rc;

	out_init(&c->out);
	hash_init(&c->hash);
	rc = landing_bytes(l, copy_part, c, e);
	hash_end(&c->hash, sum);
	/* Our own output failing is not the file's damage. */
	if (out_end(&c->out, &failed) != OK) {
		*e = failed;
		rc = e->code;
	} else if (rc == OK &&
		memcmp(sum, landing_provenance(l)->bytes_sha256, HASH_LEN) !=
			0) {
		rc = err_set(e, BAD_ITEM,
			"these are not the bytes that were delivered: their "
			"SHA-256 differs from the provenance; do not use them, "
			"run `landfall verify --deep`");
	}
	free(c);
	return rc;
}

/* ---- the records ---- */

struct print {
	struct out out;
	const struct request *q;
	const struct provenance *provenance;
	struct str head; /* {"source":...,"name":...,"record": */
	uint64_t left;
	bool more; /* in the list of fields */
	struct str scratch;
};

static void
print_field(void *arg, const uint8_t *p, size_t n)
{
	struct print *w = arg;

	if (w->more)
		out_add(&w->out, ",", 1);
	w->more = true;
	out_json(&w->out, p, n);
}

static enum rc
print_fields(struct print *w, const struct landing_record *r, struct err *e)
{
	const struct provenance *p = w->provenance;

	out_text(&w->out, ",\"fields\":[");
	w->more = false;
	if (scan_fields(&p->dialect, p->totals.encoding, r->bytes, r->length,
		    print_field, w, e) != OK)
		return err_add(e, "record %" PRIu64 " at %" PRIu64, r->number,
			r->offset);
	out_add(&w->out, "]", 1);
	return OK;
}

static enum rc
print_json(struct print *w, const struct landing_record *r, struct err *e)
{
	out_add(&w->out, w->head.s, w->head.len);
	out_u64(&w->out, r->number);
	if (r->kind == KIND_SEEN)
		out_text(&w->out, ",\"seen\":true");
	if (r->kind == KIND_RELATED) {
		const char *path = r->detail < SCAN_RELATED_MAX
			? w->provenance->dialect.related[r->detail]
			: "";

		out_text(&w->out, ",\"related\":");
		out_json(&w->out, (const uint8_t *)path, strlen(path));
	}
	out_text(&w->out, ",\"offset\":");
	out_u64(&w->out, r->offset);
	out_text(&w->out, ",\"length\":");
	out_u64(&w->out, r->length);
	if (str_is_utf8(r->bytes, r->length)) {
		out_text(&w->out, ",\"raw\":");
		out_json(&w->out, r->bytes, r->length);
	} else {
		str_clear(&w->scratch);
		str_add_base64(&w->scratch, r->bytes, r->length);
		out_text(&w->out, ",\"raw_b64\":\"");
		out_add(&w->out, w->scratch.s, w->scratch.len);
		out_add(&w->out, "\"", 1);
	}
	if (w->q->fields && print_fields(w, r, e) != OK)
		return e->code;
	out_add(&w->out, "}\n", 2);
	return OK;
}

static enum rc
print_raw(void *arg, const struct landing_record *r, struct err *e UNUSED)
{
	struct print *w = arg;

	if (w->left == 0)
		return END;
	w->left--;
	out_add(&w->out, r->bytes, r->length);
	/* Nothing of its own ends a record of JSON. */
	if (w->provenance->dialect.format == SCAN_JSON)
		out_add(&w->out, "\n", 1);
	return w->out.err.code == OK ? OK : END;
}

static enum rc
print_object(void *arg, const struct landing_record *r, struct err *e)
{
	struct print *w = arg;

	if (w->left == 0)
		return END;
	w->left--;
	if (print_json(w, r, e) != OK)
		return e->code;
	return w->out.err.code == OK ? OK : END;
}

static enum rc
print_records(struct cli *c, const struct request *q, struct landing *l,
	struct err *e)
{
	struct print *w = mem_alloc(sizeof(*w));
	struct jsonw j = jsonw_to(&w->head);
	struct err failed = ERR_INIT;
	enum rc rc;

	out_init(&w->out);
	w->q = q;
	w->provenance = landing_provenance(l);
	w->left = q->left;
	w->head = w->scratch = (struct str)STR_INIT;
	j = jsonw_to(&w->head);
	jsonw_object(&j);
	jsonw_key(&j, "source"), jsonw_text(&j, w->provenance->source);
	jsonw_key(&j, "name");
	jsonw_percent(&j, w->provenance->name, w->provenance->name_len);
	jsonw_key(&j, "record");
	rc = landing_records(l, q->first,
		(q->fresh ? 0 : LANDING_SEEN) |
			(q->related ? LANDING_RELATED : 0),
		c->json ? print_object : print_raw, w, e);
	if (rc == END)
		rc = OK;
	if (out_end(&w->out, &failed) != OK) {
		*e = failed;
		rc = e->code;
	}
	str_release(&w->head);
	str_release(&w->scratch);
	free(w);
	return rc;
}

/* ---- the command ---- */

static enum status
check_request(struct cli *c, struct request *q)
{
	if (c->n_args != 1)
		return cli_usage(c, "name one entry, file or delivered name");
	if (!q->records && (q->fields || q->from != NULL || q->count != NULL))
		return cli_usage(
			c, "--fields, --from and --count go with --records");
	if (!q->records && (q->fresh || q->related))
		return cli_usage(c, "--new and --related go with --records");
	if (!q->records && c->json)
		return cli_usage(c, "--json goes with --records");
	if (q->fields && !c->json)
		return cli_usage(c, "--fields goes with --json");
	if (q->from != NULL &&
		!str_parse_u64(q->from, strlen(q->from), &q->first))
		return cli_usage(c, "--from %s: expected a number", q->from);
	q->left = UINT64_MAX;
	if (q->count != NULL &&
		!str_parse_u64(q->count, strlen(q->count), &q->left))
		return cli_usage(c, "--count %s: expected a number", q->count);
	return STATUS_DONE;
}

static enum status
cat(struct cli *c, const struct request *q)
{
	CLEANUP(str_release) struct str what = STR_INIT;
	struct landing *l = NULL;
	struct err e = ERR_INIT;
	enum status st = open_landing(c, q, &l, &what);
	enum rc rc;

	if (st != STATUS_DONE)
		return st;
	rc = q->records ? print_records(c, q, l, &e) : copy_bytes(l, &e);
	landing_close(l);
	if (rc == OK)
		return STATUS_DONE;
	fprintf(stderr, "landfall: error: %s: %s\n", what.s, e.text);
	return rc == BAD_ITEM ? STATUS_DAMAGE : STATUS_BROKEN;
}

enum status
cmd_cat(struct cli *c, int argc, char **argv)
{
	struct request q = {0};
	const struct cli_option options[] = {
		{"records", .flag = &q.records,
			.help = "ordinary records only; with --json one "
				"object each"},
		{"fields", .flag = &q.fields,
			.help = "and their decoded fields"},
		{"new", .flag = &q.fresh,
			.help = "without those that were landed before"},
		{"related", .flag = &q.related,
			.help = "with those that stand beside the records"},
		{"from", .text = &q.from, .value = "N",
			.help = "the first record, counted from 0"},
		{"count", .text = &q.count, .value = "N",
			.help = "how many records"},
		{"source", .text = &q.source, .value = "S",
			.help = "where the name was delivered"},
	};
	int st = cli_parse(c, argc, argv, options, ARRAY_LEN(options));

	if (st == STATUS_DONE)
		st = (int)check_request(c, &q);
	if (st != STATUS_DONE)
		return st == CLI_STOP ? STATUS_DONE : (enum status)st;
	return cat(c, &q);
}
