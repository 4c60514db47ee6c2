/*
 * rate.h - never faster than agreed: sliding windows over the requests to an
 * API, and the pace that answers ask for.
 *
 *	wait = rate_wait(&r, rates, key, path, now);	0: ask now
 *	rate_asked(&r, rates, key, path, now);
 *	rate_heard(&r, rates, key, path, &answer, now);
 *
 * A limit of N requests a time means that the request before the last N lies
 * that long back: N times are kept for each limit, RATE_KEPT at most; a
 * larger limit is kept as several smaller ones of the same rate. Times are
 * monotonic.
 */
#ifndef SOURCE_HTTP_RATE_H
#define SOURCE_HTTP_RATE_H

#include "landfall/api.h"
#include "landfall/http.h"

#define RATE_KEPT 4096u

struct rate_ring {
	const struct api_rate *rate;
	size_t limit; /* which of its limits */
	char *key;    /* of stream or partition; "" */
	int64_t *at;
	size_t cap, n, first;
	int64_t per;
};

struct rate {
	struct rate_ring *ring;
	size_t n;
	/* Nothing before then, as an answer asked. */
	int64_t not_before;
	/* What the last answer that spoke of it says is left. */
	bool has_left;
	uint64_t left, allowed; /* allowed 0: it did not say of how many */
};

#define RATE_INIT \
	{ \
		.n = 0 \
	}

void rate_release(struct rate *r);

/* stream and partition: of the request, for limits that are theirs. */
struct rate_of {
	const struct api_rates *rates;
	const char *stream, *partition;
	const char *path; /* of the URL */
};

int64_t rate_wait(struct rate *r, const struct rate_of *of, int64_t now);
void rate_asked(struct rate *r, const struct rate_of *of, int64_t now);

/*
 * What is over does not count any more, and takes no memory. What an answer
 * said is left is for who asks next to hear anew.
 */
void rate_forget(struct rate *r, int64_t now);

/*
 * When an answer says that little is left of what is allowed, the rest is
 * spread over the time until there is more. wall: now.
 */
void rate_heard(struct rate *r, const struct rate_of *of,
	const struct http_answer *a, int64_t now, int64_t wall);

#endif
