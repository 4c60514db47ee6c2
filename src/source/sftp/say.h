/*
 * say.h - what the child says to its supervisor, without ever waiting for
 * it: what the channel does not take at once stands in a queue. Whoever makes
 * more of it asks say_full first, and lets the server wait.
 */
#ifndef SOURCE_SFTP_SAY_H
#define SOURCE_SFTP_SAY_H

#include "landfall/message.h"
#include "landfall/sftp.h"

struct note;

struct say {
	int fd;
	bool gone; /* nobody listens any more */
	struct note *first, *last;
	size_t bytes;	       /* in the queue */
	struct message *m;     /* for one event */
	struct message *items; /* of items_id, not yet in the queue */
	uint64_t items_id;
	bool any_items;
};

void say_init(struct say *t, int fd);
void say_release(struct say *t);

void say_event(struct say *t, const struct sftp_event *ev);
void say_item(struct say *t, uint64_t id, enum sftp_type kind,
	const struct sftp_attrs *a, const uint8_t *name, size_t len);

bool say_full(const struct say *t) MUST_USE;

/* Takes the next one out of the queue instead; false: it is empty. */
bool say_next(struct say *t, struct message *ret) MUST_USE;

/* As much as the channel takes. */
void say_flush(struct say *t);
/* Is there more to send once the channel takes some? */
bool say_waits(const struct say *t) MUST_USE;

#endif
