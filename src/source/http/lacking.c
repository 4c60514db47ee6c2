/*
 * What of the language is understood and cannot be polled yet: accepted and
 * then passed over it would be worse than an error.
 */
#include "landfall/api.h"

static const char *
of_partitions(const struct api_stream *s)
{
	if (s->partitions.n == 0)
		return NULL;
	return NULL;
}

static const char *
of_stream(const struct api_stream *s)
{
	const char *what = of_partitions(s);

	if (what != NULL)
		return what;
	if (s->reconcile.set)
		return "reconcile";
	if (s->land != API_LAND_RECORDS)
		return "land: keys";
	return NULL;
}

const char *
api_lacking(const struct api *a, const char **ret_stream)
{
	for (size_t i = 0; i < a->n_streams; i++) {
		const char *what =
			a->stream[i].enabled ? of_stream(&a->stream[i]) : NULL;

		if (what == NULL)
			continue;
		*ret_stream = a->stream[i].name;
		return what;
	}
	return NULL;
}
