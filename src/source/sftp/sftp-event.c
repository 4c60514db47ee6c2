/*
 * What the child says, checked against what it was asked.
 */
#include <poll.h>

#include "base/clock.h"
#include "source/sftp/sftp-state.h"

/* Does the event fit to what is under way? Notes what it ends. Locked. */
static bool
sftp_fits(struct sftp *s, const struct sftp_event *ev)
{
	struct unfinished *u = NULL;
	enum slot *slot = NULL;

	if (ev->type <= SFTP_DOWN) {
		if (ev->slot >= s->n_slots)
			return false;
		slot = &s->slot[ev->slot];
	} else {
		u = sftp_unfinished(s, ev->id);
		if (u == NULL)
			return false;
	}
	switch (ev->type) {
	case SFTP_HOST_KEY:
		if (*slot != SLOT_SHAKING)
			return false;
		*slot = SLOT_KEY;
		return true;
	case SFTP_UP:
		if (*slot != SLOT_LOGIN)
			return false;
		*slot = SLOT_UP;
		return true;
	case SFTP_DOWN:
		if (*slot == SLOT_FREE)
			return false;
		*slot = SLOT_FREE;
		return true;
	case SFTP_ITEM:
	case SFTP_TROUBLE:
		return u->kind == WIRE_LIST;
	case SFTP_PROGRESS:
		return u->kind == WIRE_FETCH;
	case SFTP_DONE:
		*u = s->unfinished[--s->n_unfinished];
		return true;
	}
	return false;
}

static bool
sftp_understand(struct sftp *s, struct sftp_event *ev)
{
	switch (s->in->type) {
	case WIRE_EVENT:
		return wire_take_event(s->in, ev, &s->texts) &&
			sftp_fits(s, ev);
	case WIRE_ITEMS:
		*ev = (struct sftp_event){.type = SFTP_ITEM};
		ev->id = s->items_id = message_take_u64(s->in);
		s->items = true;
		return sftp_fits(s, ev);
	}
	return false;
}

/* One message, if there is one. */
static enum rc
sftp_hear(struct sftp *s, struct sftp_event *ev, struct err *e)
{
	enum rc rc;

	pthread_mutex_lock(&s->lock);
	if (s->gone.code != OK) {
		rc = sftp_gone(s, e);
	} else {
		rc = proc_recv(s->proc, s->in, 0, e);
		if (rc == OK && !sftp_understand(s, ev))
			rc = sftp_lose(s, "sftp child: it talks nonsense", e);
		else if (rc != OK && rc != AGAIN)
			rc = sftp_lose(s, e->text, e);
	}
	pthread_mutex_unlock(&s->lock);
	return rc;
}

/* The next of the items at hand. END: there is none. */
static enum rc
sftp_item(struct sftp *s, struct sftp_event *ev, struct err *e)
{
	enum rc rc;

	*ev = (struct sftp_event){.id = s->items_id, .text = ""};
	rc = wire_take_item(s->in, ev);
	if (rc == OK)
		return OK;
	s->items = false;
	if (rc == END)
		return END;
	pthread_mutex_lock(&s->lock);
	rc = sftp_lose(s, "sftp child: it tells of names that are none", e);
	pthread_mutex_unlock(&s->lock);
	return rc;
}

enum rc
sftp_next(
	struct sftp *s, struct sftp_event *ev, int64_t deadline, struct err *e)
{
	for (;;) {
		struct pollfd p = {.fd = sftp_fd(s), .events = POLLIN};
		int64_t left;
		enum rc rc;

		if (s->items) {
			rc = sftp_item(s, ev, e);
			if (rc != END)
				return rc;
		}
		rc = sftp_hear(s, ev, e);
		if (rc == OK && s->items)
			continue;
		if (rc != AGAIN)
			return rc;
		left = deadline - clock_mono();
		if (left <= 0)
			return AGAIN;
		/* Another thread may find the child gone, and close: look
		 * again now and then. */
		if (left > CLOCK_SECOND)
			left = CLOCK_SECOND;
		(void)poll(&p, 1, (int)(left / 1000000 + 1));
	}
}
