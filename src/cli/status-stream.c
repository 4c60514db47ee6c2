#include "cli/status-stream.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "daemon/sweep.h"
#include "source/http/window.h"

#define TOLD 10 /* partitions of a stream, one by one */

/* Nobody counts further: a stream that begins in 1970, by the second. */
#define WINDOWS_MOST 1000000u

/* How far it has to go. */
struct distance {
	int64_t lag; /* what has not landed yet began so long ago; 0: now */
	uint64_t windows;
};

/* What its sweep has found to be gone: not asked for by window. */
static bool
is_sweep(const struct catalog_stream *s)
{
	return strcmp(s->partition, SWEEP_PARTITION) == 0;
}

static struct distance
distance_of(const struct api_stream *stream, const struct catalog_stream *s,
	int64_t now)
{
	const struct api_incremental *x = &stream->incremental;
	struct distance d = {0};
	struct windows it;
	struct api_window w;
	int64_t at;
	bool has = window_position(x, s->position, &at);

	if (!x->set || x->kind != API_KIND_TIME || is_sweep(s))
		return d;
	if (has && at < now)
		d.lag = now - at;
	windows_begin(&it, x, has ? &at : NULL, now);
	while (d.windows < WINDOWS_MOST && windows_next(&it, &w))
		d.windows++;
	return d;
}

static void
write_left(struct jsonw *j, bool said, uint64_t n)
{
	if (said)
		jsonw_u64(j, n);
	else
		jsonw_null(j);
}

static void
write_stream(struct jsonw *j, const struct api_stream *x,
	const struct catalog_stream *s)
{
	struct distance d = distance_of(x, s, clock_wall());

	jsonw_object(j);
	jsonw_key(j, "stream"), jsonw_text(j, s->stream);
	if (*s->partition != '\0' && !is_sweep(s))
		jsonw_key(j, "partition"), jsonw_text(j, s->partition);
	jsonw_key(j, "sweep"), jsonw_bool(j, is_sweep(s));
	jsonw_key(j, "position"), jsonw_text(j, s->position);
	jsonw_key(j, "lag_seconds");
	jsonw_u64(j, (uint64_t)(d.lag / CLOCK_SECOND));
	jsonw_key(j, "windows_to_go"), jsonw_u64(j, d.windows);
	jsonw_key(j, "files"), jsonw_u64(j, s->files);
	jsonw_key(j, "records"), jsonw_u64(j, s->records);
	jsonw_key(j, "requests_left"), write_left(j, s->has_left, s->left);
	jsonw_key(j, "requests_allowed");
	write_left(j, s->has_left && s->allowed > 0, s->allowed);
	jsonw_key(j, "job"), jsonw_bool(j, *s->job != '\0');
	jsonw_key(j, "parked_until"), jsonw_time_or_null(j, s->parked);
	jsonw_key(j, "why"), jsonw_text(j, s->why);
	jsonw_key(j, "last_run"), jsonw_time_or_null(j, s->looked);
	jsonw_key(j, "last_whole"), jsonw_time_or_null(j, s->whole);
	jsonw_end(j);
}

/* ---- in words ---- */

static void
add_time(struct str *s, int64_t ns)
{
	str_add_duration(
		s, ns > 0 ? (uint64_t)(ns / CLOCK_SECOND * CLOCK_SECOND) : 0);
}

static void
add_number(struct str *s, uint64_t n, const char *what)
{
	str_addf(s, "%" PRIu64 " %s%s", n, what, n == 1 ? "" : "s");
}

static void
add_stream(struct str *line, const struct api_stream *x,
	const struct catalog_stream *s, int64_t now)
{
	struct distance d = distance_of(x, s, now);

	str_addf(line, "%s%s%s: ", s->stream, *s->partition != '\0' ? " " : "",
		s->partition);
	add_number(line, s->records, "record");
	str_add(line, " in ");
	add_number(line, s->files, "file");
	if (s->whole == 0) {
		str_add(line, ", not whole yet");
	} else {
		str_add(line, ", whole ");
		add_time(line, now - s->whole);
		str_add(line, " ago");
	}
	if (d.lag > 0) {
		str_addf(line, "; landed up to %s, ", s->position);
		add_time(line, d.lag);
		str_add(line, " behind");
	}
	if (d.windows > 1) {
		str_add(line, "; ");
		add_number(line, d.windows, "window");
		str_add(line, " to go");
	}
	if (*s->job != '\0')
		str_add(line, "; its job is under way");
	if (s->has_left) {
		str_addf(line, "; %" PRIu64, s->left);
		if (s->allowed > 0)
			str_addf(line, " of %" PRIu64, s->allowed);
		str_add(line, " requests left");
	}
	if (s->parked > now) {
		str_add(line, "; waits until ");
		clock_add_time(line, s->parked);
	}
	if (*s->why != '\0')
		str_addf(line, "; %s", s->why);
}

static void
add_sweep(struct str *line, const struct catalog_stream *s, int64_t now)
{
	str_addf(line, "%s: ", s->stream);
	if (s->whole == 0) {
		str_add(line, "not swept yet");
	} else {
		str_add(line, "swept ");
		add_time(line, now - s->whole);
		str_add(line, " ago");
	}
	str_add(line, "; ");
	add_number(line, s->records, "tombstone");
	str_add(line, " in ");
	add_number(line, s->files, "file");
}

/* The rows of one stream: how many there are, and what they sum up to. */
struct stream_sum {
	uint64_t rows, told;
	uint64_t records, files;
	uint64_t not_whole, parked, failed;
};

struct telling {
	const struct api *api;
	struct jsonw *j;	/* NULL: in words */
	struct stream_sum *sum; /* for each stream */
	bool summing;
	size_t width;
	int64_t now;
};

static void
print_line(const struct telling *t, const struct str *line)
{
	printf("  %-*s  %s\n", (int)t->width, "", line->s);
}

static void
add_to(struct stream_sum *sum, const struct catalog_stream *s, int64_t now)
{
	bool waits = s->parked > now;

	sum->rows++;
	sum->records += s->records;
	sum->files += s->files;
	sum->not_whole += s->whole == 0;
	sum->parked += waits;
	sum->failed += !waits && *s->why != '\0';
}

static enum rc
each_stream(void *arg, const struct catalog_stream *s, struct err *e UNUSED)
{
	CLEANUP(str_release) struct str line = STR_INIT;
	struct telling *t = arg;
	size_t i = api_find(t->api, s->stream);
	struct stream_sum *sum;

	/* One that is not configured any more is history. */
	if (i == API_NO_STREAM)
		return OK;
	if (t->j != NULL) {
		write_stream(t->j, &t->api->stream[i], s);
		return OK;
	}
	sum = &t->sum[i];
	if (t->summing) {
		if (!is_sweep(s))
			add_to(sum, s, t->now);
		return OK;
	}
	if (is_sweep(s)) {
		add_sweep(&line, s, t->now);
		print_line(t, &line);
		return OK;
	}
	if (sum->rows > TOLD &&
		((s->parked <= t->now && *s->why == '\0') ||
			sum->told++ >= TOLD))
		return OK;
	add_stream(&line, &t->api->stream[i], s, t->now);
	print_line(t, &line);
	return OK;
}

static void
print_sum(const struct telling *t, const char *stream,
	const struct stream_sum *sum)
{
	CLEANUP(str_release) struct str line = STR_INIT;

	str_addf(&line, "%s: ", stream);
	add_number(&line, sum->rows, "partition");
	str_add(&line, ", ");
	add_number(&line, sum->records, "record");
	str_add(&line, " in ");
	add_number(&line, sum->files, "file");
	str_addf(&line,
		"; %" PRIu64 " not whole yet, %" PRIu64 " wait, %" PRIu64
		" failed",
		sum->not_whole, sum->parked, sum->failed);
	print_line(t, &line);
}

void
status_streams_json(
	struct jsonw *j, const struct source_config *source, struct catalog *c)
{
	struct telling t = {.api = source->api, .j = j};
	struct err ignored = ERR_INIT;

	(void)!catalog_stream_each(c, source->name, each_stream, &t, &ignored);
}

void
status_streams_words(
	const struct source_config *source, struct catalog *c, size_t width)
{
	struct telling t = {.api = source->api,
		.sum = mem_array(
			source->api->n_streams + 1, sizeof(struct stream_sum)),
		.summing = true,
		.width = width,
		.now = clock_wall()};
	struct err ignored = ERR_INIT;
	enum rc rc =
		catalog_stream_each(c, source->name, each_stream, &t, &ignored);

	t.summing = false;
	if (rc == OK)
		(void)!catalog_stream_each(
			c, source->name, each_stream, &t, &ignored);
	for (size_t i = 0; i < source->api->n_streams; i++)
		if (t.sum[i].rows > TOLD)
			print_sum(&t, source->api->stream[i].name, &t.sum[i]);
	free(t.sum);
}
