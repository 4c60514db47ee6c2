#include "base/jsonw.h"
#include "cli/commands.h"
#include "daemon/decide.h"
#include "daemon/poll-plan.h"

struct planning {
	const struct cli *cli;
	const struct source_config *config;
	struct catalog *catalog;
	struct decision decision;
	enum status worst;
};

static enum rc
plan_name(void *arg, const struct item *it, struct err *e UNUSED)
{
	CLEANUP(str_release) struct str s = STR_INIT;
	struct planning *p = arg;
	const struct decision *d = &p->decision;
	enum disposition would =
		d->archive ? DISPOSITION_UNPACKED : d->disposition;

	if (p->cli->json) {
		struct jsonw j = jsonw_to(&s);

		jsonw_object(&j);
		jsonw_key(&j, "source"), jsonw_text(&j, p->config->name);
		jsonw_key(&j, "name");
		jsonw_percent(&j, it->name, it->name_len);
		jsonw_key(&j, "would");
		jsonw_text(&j, disposition_name(would));
		jsonw_key(&j, "unchanged"), jsonw_bool(&j, d->unchanged);
		jsonw_key(&j, "rule"), jsonw_text(&j, d->rule.s);
		jsonw_end(&j);
	} else {
		str_addf(&s, "%-11s %s ", disposition_name(would),
			p->config->name);
		str_add_quoted(&s, it->name, it->name_len);
		str_addf(&s, ": %s", d->rule.s);
	}
	cli_line(&s);
	return OK;
}

static void
plan_trouble(void *arg, const uint8_t *name, size_t len, const struct err *why)
{
	CLEANUP(str_release) struct str s = STR_INIT;
	struct planning *p = arg;

	str_add_quoted(&s, name, len);
	fprintf(stderr, "landfall: error: source %s: %s: %s\n", p->config->name,
		s.s, why->text);
	p->worst = STATUS_UNREACHED;
}

/* A window of a polled API, and its first request. */
static enum rc
plan_step(void *arg, const struct poll_step *x, struct err *e UNUSED)
{
	const struct planning *p = arg;
	CLEANUP(str_release) struct str s = STR_INIT;
	struct jsonw j = jsonw_to(&s);

	if (!p->cli->json) {
		str_addf(&s, "request     %s.%s", p->config->name, x->stream);
		if (x->list_for != NULL)
			str_addf(&s, " for the partitions of %s", x->list_for);
		if (x->partition != NULL)
			str_addf(&s, " %s", x->partition);
		if (x->start != NULL)
			str_addf(&s, " from %s", x->start);
		if (x->end != NULL)
			str_addf(&s, " to %s", x->end);
		if (x->more_partitions > 0)
			str_addf(&s, ": and %llu more partitions",
				(unsigned long long)x->more_partitions);
		else
			str_addf(&s, ": %s %s", x->method, x->url);
		if (x->more > 0)
			str_addf(&s, " (and %llu more windows)",
				(unsigned long long)x->more);
		cli_line(&s);
		return OK;
	}
	jsonw_object(&j);
	jsonw_key(&j, "source"), jsonw_text(&j, p->config->name);
	jsonw_key(&j, "stream"), jsonw_text(&j, x->stream);
	if (x->partition != NULL)
		jsonw_key(&j, "partition"), jsonw_text(&j, x->partition);
	if (x->start != NULL)
		jsonw_key(&j, "start"), jsonw_text(&j, x->start);
	if (x->end != NULL)
		jsonw_key(&j, "end"), jsonw_text(&j, x->end);
	if (x->list_for != NULL)
		jsonw_key(&j, "list_for"), jsonw_text(&j, x->list_for);
	if (x->more_partitions > 0) {
		jsonw_key(&j, "more_partitions");
		jsonw_u64(&j, x->more_partitions);
	} else {
		jsonw_key(&j, "method"), jsonw_text(&j, x->method);
		jsonw_key(&j, "url"), jsonw_text(&j, x->url);
		jsonw_key(&j, "more"), jsonw_u64(&j, x->more);
	}
	jsonw_end(&j);
	cli_line(&s);
	return OK;
}

static enum rc
plan_source(struct planning *p, const struct source_config *cfg, struct err *e)
{
	const struct source_ops *ops = source_ops(cfg->kind);
	struct source *s = NULL;
	enum rc rc;

	p->config = cfg;
	if (cfg->kind == SOURCE_HTTP)
		return poll_plan(cfg, p->catalog, plan_step, p, e);
	rc = ops->open(cfg, NULL, &s, e);
	if (rc != OK)
		return rc;
	decision_init(&p->decision, p->catalog, cfg, ops, s);
	rc = decide_all(&p->decision, plan_name, plan_trouble, p, e);
	decision_release(&p->decision);
	ops->close(s);
	return rc;
}

enum status
cmd_plan(struct cli *c, int argc, char **argv)
{
	struct planning p = {.cli = c};
	struct err e = ERR_INIT;
	int parsed = cli_parse(c, argc, argv, NULL, 0);
	enum rc rc;

	if (parsed != STATUS_DONE)
		return parsed == CLI_STOP ? STATUS_DONE : (enum status)parsed;
	if (cli_config(c) != STATUS_DONE)
		return STATUS_USAGE;
	for (int i = 0; i < c->n_args; i++)
		if (cli_source(c, c->arg[i]) == NULL)
			return STATUS_USAGE;
	rc = catalog_open(c->config->state, false, &p.catalog, &e);
	if (rc == END) {
		err_set(&e, BROKEN,
			"%s/catalog.db is missing: run `landfall "
			"init`, or `landfall catalog rebuild`",
			c->config->state);
		return cli_fail(&e);
	}
	if (rc != OK)
		return cli_fail(&e);
	for (size_t i = 0; i < c->config->n_sources; i++) {
		const struct source_config *cfg = &c->config->source[i];
		enum status st;

		if (!cli_chosen(c, cfg->name))
			continue;
		if (plan_source(&p, cfg, &e) == OK)
			continue;
		st = cli_fail(&e);
		if (st > p.worst)
			p.worst = st;
	}
	catalog_close(p.catalog);
	return p.worst;
}
