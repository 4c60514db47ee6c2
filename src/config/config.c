#include "landfall/config.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "base/mem.h"
#include "config/alert.h"
#include "config/field-remote.h"
#include "config/field.h"
#include "config/help.h"
#include "config/parse.h"
#include "config/profile.h"
#include "config/ready.h"
#include "config/secret.h"
#include "config/total.h"
#include "config/value.h"

/* Reads it, or reports why not; END when there is no such file. */
static enum rc
load(const char *path, struct config **ret, struct report *r)
{
	CLEANUP(str_release) struct str text = STR_INIT;
	CLEANUP(mem_release) char *file = NULL;
	struct err e = ERR_INIT;

	switch (io_read_file(
		AT_FDCWD, path, YAML_SIZE_MAX, &text, BAD_ITEM, &e)) {
	case OK:
		break;
	case END:
		return END;
	default:
		report_add(r, 0, 0, "%s",
			e.cause != 0 ? strerror(e.cause) : "larger than 1 MiB");
		return BAD_ITEM;
	}
	file = realpath(path, NULL);
	if (file == NULL) {
		report_add(r, 0, 0, "%s", strerror(errno));
		return BAD_ITEM;
	}
	return parse_config(text.s, text.len, file, ret, r) ? OK : BAD_ITEM;
}

enum rc
config_load(const char *path, struct config **ret, struct str *report,
	struct err *e)
{
	struct report r = REPORT_INIT;
	enum rc rc = load(path, ret, &r);

	if (rc == BAD_ITEM) {
		report_write(&r, path, report);
		err_set(e, BAD_ITEM, "%s: %zu error%s", path, r.n,
			r.n == 1 ? "" : "s");
	}
	report_release(&r);
	return rc;
}

void
config_free(struct config *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < c->n_sources; i++) {
		struct source_config *s = &c->source[i];

		free(s->name);
		free(s->drop.path);
		remote_release(&s->sftp);
		api_free(s->api);
		free(s->after.folder);
		free(s->receipt.path);
		free(s->receipt.folder);
		alert_release(&s->own_alert);
		field_release_patterns(&s->match);
		field_release_patterns(&s->ignore);
		ready_release(&s->ready);
		schedule_release(&s->schedule);
		expect_release(&s->expect);
		total_release(&s->totals);
		field_release_patterns(&s->unpack.members);
		secret_release(&s->unpack.password);
		field_release_words(&s->unpack.filter.command);
		field_release_words(&s->unpack.filter.read);
		free(s->unpack.filter.home);
	}
	alert_release(&c->alert);
	free(c->source);
	free(c->origin);
	free(c->state);
	free(c->zone);
	free(c->path);
	free(c);
}

const struct source_config *
config_source(const struct config *c, const char *name)
{
	for (size_t i = 0; i < c->n_sources; i++)
		if (strcmp(c->source[i].name, name) == 0)
			return &c->source[i];
	return NULL;
}

const char *
config_nearest_source(const struct config *c, const char *name)
{
	const char *best = NULL;
	unsigned least = UINT_MAX;

	for (size_t i = 0; i < c->n_sources; i++) {
		unsigned d = value_nearness(name, c->source[i].name);

		if (d < least) {
			least = d;
			best = c->source[i].name;
		}
	}
	return best;
}

void
config_help(struct str *s)
{
	help_text(s);
}

bool
config_help_key(struct str *s, const char *key)
{
	static const char sources[] = "sources.";
	bool found;

	if (strncmp(key, sources, sizeof(sources) - 1) == 0) {
		/* Whatever its name is. */
		const char *dot = strchr(key + sizeof(sources) - 1, '.');
		key = dot != NULL ? dot + 1 : "sources";
	}
	found = help_key(s, key);
	return profile_help_block(s, key) || found || profile_help_key(s, key);
}

const char *
config_nearest_key(const char *key)
{
	return help_nearest(key);
}

void
config_help_mdoc(struct str *s)
{
	help_mdoc(s);
}

void
config_help_profile(struct str *s)
{
	profile_help_text(s);
}

void
config_help_profile_mdoc(struct str *s)
{
	profile_help_mdoc(s);
}
