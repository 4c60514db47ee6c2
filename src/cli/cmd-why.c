/*
 * landfall why: the whole story of a name, oldest first.
 */
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "cli/commands.h"
#include "cli/place.h"
#include "cli/show.h"
#include "cli/why-stream.h"

/* Lines at the end of a story; a name may be that of many. */
#define STEPS_MOST 10

static void
print_json(const struct catalog_event *ev)
{
	const struct catalog_version *v = ev->version;
	CLEANUP(str_release) struct str s = STR_INIT;
	struct jsonw j = jsonw_to(&s);

	jsonw_object(&j);
	jsonw_key(&j, "at"), jsonw_time(&j, ev->at);
	jsonw_key(&j, "source"), jsonw_text(&j, ev->source);
	jsonw_key(&j, "name"), jsonw_percent(&j, ev->name, ev->name_len);
	jsonw_key(&j, "state");
	jsonw_text(&j, disposition_name(ev->disposition));
	jsonw_key(&j, "reason"), jsonw_text(&j, ev->reason);
	if (v != NULL) {
		jsonw_key(&j, "file"), jsonw_text(&j, v->file);
		jsonw_key(&j, "generation"), jsonw_u64(&j, v->generation);
		jsonw_key(&j, "relation");
		jsonw_text(&j, relation_name(v->relation));
		jsonw_key(&j, "records"), jsonw_u64(&j, v->records);
		jsonw_key(&j, "malformed"), jsonw_u64(&j, v->malformed);
		jsonw_key(&j, "size"), jsonw_u64(&j, v->size);
		jsonw_key(&j, "bytes_sha256");
		jsonw_hex(&j, v->bytes_sha256, HASH_LEN);
		jsonw_key(&j, "index"), jsonw_u64(&j, v->index);
	}
	jsonw_end(&j);
	cli_line(&s);
}

static void
add_version(struct str *s, const struct catalog_version *v)
{
	if (*v->file != '\0')
		str_addf(s, "%s%s,",
			v->disposition == DISPOSITION_DUPLICATE ? " of "
								: " as ",
			v->file);
	str_addc(s, ' ');
	str_add_size(s, v->size);
	if (*v->file != '\0')
		str_add(s, ", "), str_add_count(s, v->records, "record");
	if (v->malformed > 0)
		str_addf(s, ", %" PRIu64 " malformed", v->malformed);
	if (v->generation > 1)
		str_addf(s, ", generation %" PRIu32 " (%s)", v->generation,
			relation_name(v->relation));
	str_addf(s, ", ledger entry %" PRIu64, v->index);
}

static void
print_text(const struct catalog_event *ev)
{
	CLEANUP(str_release) struct str s = STR_INIT;

	clock_add_time(&s, ev->at);
	str_addf(&s, "  %s  ", ev->source);
	str_add_quoted(&s, ev->name, ev->name_len);
	str_addf(&s, "  %s", disposition_name(ev->disposition));
	if (ev->version != NULL)
		add_version(&s, ev->version);
	if (*ev->reason != '\0') {
		str_add(&s, ": ");
		str_add(&s, ev->reason);
	}
	cli_line(&s);
}

/* A story being told, and what of it waits for a decision. */
struct telling {
	const struct cli *cli;
	struct catalog *catalog;
	struct str todo; /* lines */
	unsigned n;
};

static enum rc
note_undecided(struct telling *t, const struct catalog_event *ev, struct err *e)
{
	uint64_t entry = ev->version->index;
	enum rc rc =
		catalog_unsettled(t->catalog, ev->source, entry, entry + 1, e);

	if (rc != OK)
		return rc == END ? OK : rc;
	if (t->n++ >= STEPS_MOST)
		return OK;
	str_addf(&t->todo, "entry %" PRIu64 " waits for a decision: ", entry);
	show_decision(&t->todo, entry);
	str_addc(&t->todo, '\n');
	return OK;
}

static enum rc
print_event(void *arg, const struct catalog_event *ev, struct err *e)
{
	struct telling *t = arg;

	(t->cli->json ? print_json : print_text)(ev);
	if (t->cli->json || ev->version == NULL ||
		ev->version->disposition != DISPOSITION_QUARANTINED)
		return OK;
	return note_undecided(t, ev, e);
}

/* Names in our JSON are percent-encoded, and people paste them. */
static enum rc
tell_decoded(
	struct telling *t, const char *source, const char *name, struct err *e)
{
	size_t len = strlen(name), n;
	CLEANUP(mem_release) uint8_t *bytes = mem_alloc(len + 1);

	if (!str_parse_percent(name, len, bytes, len, &n) || n == len)
		return END;
	return catalog_story(t->catalog, source, bytes, n, print_event, t, e);
}

static enum status
tell(struct cli *c, struct catalog *cat, const char *source)
{
	const char *name = c->arg[0];
	CLEANUP(str_release) struct str quoted = STR_INIT;
	struct telling t = {.cli = c, .catalog = cat, .todo = STR_INIT};
	struct err e = ERR_INIT;
	enum rc rc = catalog_story(cat, source, (const uint8_t *)name,
		strlen(name), print_event, &t, &e);

	if (rc == END)
		rc = tell_decoded(&t, source, name, &e);
	if (t.n > STEPS_MOST)
		str_addf(&t.todo,
			"and %u more: `landfall ls --quarantined` has all\n",
			t.n - STEPS_MOST);
	/* The story alone is the output: its last line is how it stands. */
	fflush(stdout);
	if (!c->quiet)
		fputs(t.todo.s, stderr);
	str_release(&t.todo);
	if (rc == OK)
		return STATUS_DONE;
	if (rc != END)
		return cli_fail(&e);
	if (source != NULL && cli_source(c, source) == NULL)
		return STATUS_USAGE;
	str_add_quoted(&quoted, name, strlen(name));
	fprintf(stderr,
		"landfall: error: %s has never been seen%s%s; a name is the "
		"path below the source's root, or its last component. A file "
		"that lies there is looked at by the next `landfall run`; "
		"`landfall plan` shows what that would do\n",
		quoted.s, source != NULL ? " in " : "",
		source != NULL ? source : "");
	return STATUS_USAGE;
}

enum status
cmd_why(struct cli *c, int argc, char **argv)
{
	const char *source = NULL, *key = NULL, *at = NULL;
	const struct cli_option options[] = {
		{"source", .text = &source, .value = "S",
			.help = "only the name of this source"},
		{"key", .text = &key, .value = "KEY",
			.help = "a record of a polled API's stream"},
		{"at", .text = &at, .value = "T",
			.help = "what such a stream has of this moment"},
	};
	struct place p = PLACE_INIT;
	int st = cli_parse(c, argc, argv, options, ARRAY_LEN(options));

	if (st != STATUS_DONE)
		return st == CLI_STOP ? STATUS_DONE : (enum status)st;
	if (key != NULL || at != NULL) {
		if (c->n_args != 1 || source != NULL ||
			(key != NULL && at != NULL))
			return cli_usage(
				c, "give one SOURCE.STREAM, and --key or --at");
	} else if (c->n_args != 1) {
		return cli_usage(c, "give one name");
	}
	st = (int)place_open(c, PLACE_CATALOG, &p);
	if (st == STATUS_DONE)
		st = (int)(key != NULL || at != NULL
				? why_stream(c, &p, key, at)
				: tell(c, p.catalog, source));
	place_close(&p);
	return (enum status)st;
}
