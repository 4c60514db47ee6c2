/*
 * Pages and windows: what cannot lead from one to the next.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "config/profile-read.h"

void
profile_check_pagination(struct profile_reading *p, const struct yaml_node *n,
	struct api_pagination *g, bool stop_given)
{
	bool token = g->type == API_PAGES_TOKEN;
	bool counts =
		g->type == API_PAGES_NUMBER || g->type == API_PAGES_OFFSET;

	if ((token || g->type == API_PAGES_LINK) &&
		g->next.from == API_FROM_NOTHING)
		profile_wrong(p, n, "pagination: type %s needs next",
			token ? "token" : "link");
	if (!token && g->type != API_PAGES_LINK &&
		g->next.from != API_FROM_NOTHING)
		profile_wrong(p, profile_at(n, "next"),
			"pagination.next: goes with type token and link");
	if (!token && g->initial != NULL)
		profile_wrong(p, profile_at(n, "initial"),
			"pagination.initial: goes with type token");
	if (!counts && g->total.from != API_FROM_NOTHING)
		profile_wrong(p, profile_at(n, "total"),
			"pagination.total: goes with type page and offset");
	if (g->total.from != API_FROM_NOTHING && g->type == API_PAGES_NUMBER &&
		g->size == 0)
		profile_wrong(p, profile_at(n, "total"),
			"pagination.total: pages of what size? add size");
	if (stop_given && g->stop == API_STOP_ON_SHORT && g->size == 0)
		profile_wrong(p, profile_at(n, "stop_on"),
			"pagination.stop_on: shorter than what? add size");
	if (!stop_given && counts && g->total.from == API_FROM_NOTHING &&
		g->more.from == API_FROM_NOTHING &&
		g->done.from == API_FROM_NOTHING)
		g->stop = API_STOP_ON_EMPTY;
	if (stop_given && g->stop == API_STOP_NEVER && counts &&
		g->total.from == API_FROM_NOTHING &&
		g->more.from == API_FROM_NOTHING &&
		g->done.from == API_FROM_NOTHING)
		profile_wrong(p, profile_at(n, "stop_on"),
			"pagination.stop_on: none, and nothing else says "
			"which page is the last");
}

void
profile_check_paging_use(
	struct profile_reading *p, size_t i, const struct yaml_node *n)
{
	const struct api_stream *s = &p->api->stream[i];
	enum api_paging type = s->pagination->type;

	if (type == API_PAGES_NONE || type == API_PAGES_LINK ||
		profile_uses(p, i, API_PAGE, "token"))
		return;
	profile_wrong(p, profile_at(n, "pagination"),
		"pagination: nothing in the request of %s uses "
		"{{page.token}}: every page would be the first",
		s->name);
}

static int64_t
smallest_step(const struct api_incremental *inc)
{
	return api_format_step(&inc->format);
}

static void
check_steps(struct profile_reading *p, const struct yaml_node *n,
	struct api_incremental *inc)
{
	int64_t step = smallest_step(inc);

	if (inc->granularity < step &&
		profile_at(n, "incremental.granularity") != n->key)
		profile_wrong(p, profile_at(n, "incremental.granularity"),
			"incremental.granularity: is finer than the format can "
			"say");
	if (inc->granularity < step)
		inc->granularity = step;
	if (inc->align == 0)
		inc->align = inc->granularity;
	if (inc->align % inc->granularity != 0)
		profile_wrong(p, profile_at(n, "incremental.align"),
			"incremental.align: is no multiple of granularity");
	if (inc->window > 0 && inc->window < inc->align)
		profile_wrong(p, profile_at(n, "incremental.window"),
			"incremental.window: is less than one step (align, or "
			"granularity)");
	if (inc->window > 0 && inc->align > 0 && inc->window % inc->align != 0)
		profile_wrong(p, profile_at(n, "incremental.window"),
			"incremental.window: is no multiple of align");
}

static void
check_kind(struct profile_reading *p, const struct yaml_node *n,
	struct api_incremental *inc)
{
	static const char *const of_time[] = {
		"align", "lag", "retention", "format", "record_format"};

	if (inc->kind == API_KIND_INT) {
		for (size_t i = 0; i < ARRAY_LEN(of_time); i++)
			if (yaml_get(yaml_get(n, "incremental"), of_time[i]) !=
				NULL)
				profile_wrong(p, profile_at(n, "incremental"),
					"incremental.%s: goes with kind time",
					of_time[i]);
		inc->lag = 0;
		if (yaml_get(yaml_get(n, "incremental"), "granularity") == NULL)
			inc->granularity = 1;
		inc->align = 1;
	}
	if (inc->kind == API_KIND_TOKEN && inc->window > 0)
		profile_wrong(p, profile_at(n, "incremental.window"),
			"incremental.window: kind token has no windows");
	if (inc->kind == API_KIND_TOKEN && inc->lookback > 0)
		profile_wrong(p, profile_at(n, "incremental.lookback"),
			"incremental.lookback: kind token goes on where it "
			"was");
	if (inc->commit == API_COMMIT_PAGE && inc->kind != API_KIND_TOKEN &&
		inc->order != API_ORDER_ASC)
		profile_wrong(p, profile_at(n, "incremental.commit"),
			"incremental.commit: page needs kind token or order "
			"asc: a page that is missing would be skipped");
}

void
profile_check_incremental(
	struct profile_reading *p, size_t i, const struct yaml_node *n)
{
	struct api_stream *s = &p->api->stream[i];
	struct api_incremental *inc = &s->incremental;
	const struct yaml_node *block = yaml_get(n, "incremental");
	bool start = yaml_get(n, "start") != NULL ||
		yaml_get(block, "start") != NULL;

	if (!inc->set) {
		if (yaml_get(n, "start") != NULL)
			profile_wrong(p, profile_at(n, "start"),
				"start: %s has no incremental", s->name);
		return;
	}
	if (yaml_get(block, "record_format") == NULL) {
		inc->record_format = inc->format;
		if (inc->format.custom != NULL)
			inc->record_format.custom =
				mem_strdup(inc->format.custom);
	}
	check_kind(p, n, inc);
	if (inc->kind == API_KIND_TIME)
		check_steps(p, n, inc);
	if (!start && inc->retention == 0 && inc->kind != API_KIND_INT)
		profile_wrong(p, profile_at(n, "incremental"),
			"start is missing: where does the first window of %s "
			"begin?",
			s->name);
	if (inc->kind != API_KIND_TOKEN && inc->filter == API_FILTER_SERVER &&
		!profile_uses(p, i, API_WINDOW, NULL))
		profile_wrong(p, profile_at(n, "incremental"),
			"incremental: no request of %s uses a {{window...}}; "
			"an API that cannot filter has filter: client",
			s->name);
	if (inc->kind == API_KIND_TOKEN &&
		s->pagination->type != API_PAGES_TOKEN)
		profile_wrong(p, profile_at(n, "incremental"),
			"incremental: kind token goes with pagination of type "
			"token");
	if ((inc->filter != API_FILTER_SERVER ||
		    inc->commit == API_COMMIT_PAGE ||
		    inc->kind == API_KIND_INT) &&
		inc->kind != API_KIND_TOKEN && !profile_has_place(&inc->cursor))
		profile_wrong(p, profile_at(n, "incremental"),
			"incremental.cursor is missing: where a record has "
			"its %s",
			inc->kind == API_KIND_INT ? "number" : "time");
	if (inc->filter == API_FILTER_STOP && inc->order != API_ORDER_DESC)
		profile_wrong(p, profile_at(n, "incremental.filter"),
			"incremental.filter: stop needs order: desc");
	if (inc->n_on_gap > 0 && inc->retention == 0)
		profile_wrong(p, profile_at(n, "incremental.on_gap"),
			"incremental.on_gap: without retention there is no "
			"gap");
}
