#include "daemon/waits.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "daemon/poll.h"

struct reading {
	const struct api *api;
	struct waits *w;
	int64_t now;
};

static void
add(struct waits *w, const struct catalog_stream *s)
{
	w->n++;
	if (w->first == 0 || s->parked < w->first)
		w->first = s->parked;
	if (s->parked <= w->last)
		return;
	w->last = s->parked;
	str_clear(&w->stream);
	str_add(&w->stream, s->stream);
	str_clear(&w->text);
	str_addf(&w->text, "%s%s%s waits until ", s->stream,
		*s->partition != '\0' ? " " : "", s->partition);
	clock_add_time(&w->text, s->parked);
	str_addf(&w->text, ": %s", s->why);
}

static enum rc
each(void *arg, const struct catalog_stream *s, struct err *e UNUSED)
{
	struct reading *r = arg;
	size_t i = api_find(r->api, s->stream);

	/* One that is not polled any more is history. */
	if (s->parked == 0 || i == API_NO_STREAM || !poll_asks(r->api, i))
		return OK;
	if (s->parked > r->now) {
		add(r->w, s);
	} else {
		r->w->over[i] = true;
		r->w->any_over = true;
	}
	return OK;
}

enum rc
waits_read(struct catalog *c, const struct source_config *s, int64_t now,
	struct waits *ret, struct err *e)
{
	struct reading r = {.api = s->api, .w = ret, .now = now};

	*ret = (struct waits){
		.over = mem_array(s->api->n_streams + 1, sizeof(*ret->over)),
		.stream = STR_INIT,
		.text = STR_INIT};
	return catalog_stream_each(c, s->name, each, &r, e);
}

void
waits_release(struct waits *w)
{
	free(w->over);
	str_release(&w->stream);
	str_release(&w->text);
}
