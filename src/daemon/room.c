#include "daemon/room.h"

#include <errno.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#define AUTO_MOST (UINT64_C(1) << 30)
#define AUTO_PART 20 /* of the filesystem */

/* One filesystem. */
struct space {
	const char *what;
	uint64_t left, floor;
};

void
room_init(struct room *r, struct zone *z, int state, uint64_t floor)
{
	*r = (struct room){.zone = z, .state = state, .floor = floor};
	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->given, NULL);
}

void
room_release(struct room *r)
{
	pthread_cond_destroy(&r->given);
	pthread_mutex_destroy(&r->lock);
}

void
room_configure(struct room *r, uint64_t floor)
{
	pthread_mutex_lock(&r->lock);
	r->floor = floor;
	pthread_mutex_unlock(&r->lock);
}

static uint64_t
floor_of(const struct room *r, uint64_t size)
{
	if (r->floor != CONFIG_FREE_SPACE_AUTO)
		return r->floor;
	return size / AUTO_PART < AUTO_MOST ? size / AUTO_PART : AUTO_MOST;
}

/* The zone's filesystem, or the state's if asked for. */
static enum rc
space_of(const struct room *r, bool state, struct space *ret, struct err *e)
{
	uint64_t left, size;
	struct statvfs v;

	if (!state) {
		if (zone_space(r->zone, &left, &size, e) != OK)
			return e->code;
	} else {
		if (fstatvfs(r->state, &v) < 0)
			return err_sys(e, BROKEN, errno, "state: free space");
		left = (uint64_t)v.f_bavail * v.f_frsize;
		size = (uint64_t)v.f_blocks * v.f_frsize;
	}
	*ret = (struct space){.what = state ? "state" : "zone",
		.left = left,
		.floor = floor_of(r, size)};
	return OK;
}

/* OK: so many more bytes leave both above their floors. END: *ret does not. */
static enum rc
fits(const struct room *r, uint64_t more, struct space *ret, struct err *e)
{
	if (r->floor == 0)
		return OK;
	if (space_of(r, false, ret, e) != OK)
		return e->code;
	if (ret->left < ret->floor || ret->left - ret->floor < more)
		return END;
	if (space_of(r, true, ret, e) != OK)
		return e->code;
	return ret->left < ret->floor ? END : OK;
}

enum rc
room_floor(struct room *r, uint64_t *ret, struct err *e)
{
	struct space s;
	enum rc rc;

	pthread_mutex_lock(&r->lock);
	rc = space_of(r, true, &s, e);
	pthread_mutex_unlock(&r->lock);
	if (rc == OK)
		*ret = s.floor;
	return rc;
}

/* Nothing in it changes from look to look: a story tells it once. */
static void
add_reason(const struct room *r, struct str *why)
{
	str_add(why, "no space: it would leave less than limits.free_space ");
	if (r->floor != CONFIG_FREE_SPACE_AUTO) {
		str_addc(why, '(');
		str_add_size(why, r->floor);
		str_add(why, ") ");
	}
	str_add(why, "free on the filesystem of the zone or the state");
}

/* It waits until there is room for the least that was refused. */
static void
refuse(struct room *r, uint64_t size, struct str *why)
{
	if (!r->wanting || size < r->least)
		r->least = size;
	r->wanting = true;
	add_reason(r, why);
}

enum rc
room_take(struct room *r, uint64_t size, struct str *why, struct err *e)
{
	struct space s;
	enum rc rc;

	pthread_mutex_lock(&r->lock);
	for (;;) {
		rc = fits(r, r->reserved + size, &s, e);
		if (rc != END || r->reserved == 0)
			break;
		rc = fits(r, size, &s, e);
		if (rc != OK)
			break;
		/* Others may turn out smaller than they are reserved for. */
		pthread_cond_wait(&r->given, &r->lock);
	}
	if (rc == OK)
		r->reserved += size;
	if (rc == END)
		refuse(r, size, why);
	pthread_mutex_unlock(&r->lock);
	return rc;
}

enum rc
room_spool(struct room *r, uint64_t size, struct str *why, struct err *e)
{
	struct space s;
	enum rc rc = OK;

	pthread_mutex_lock(&r->lock);
	if (r->floor != 0)
		rc = space_of(r, true, &s, e);
	if (r->floor != 0 && rc == OK &&
		(s.left < s.floor || s.left - s.floor < size)) {
		refuse(r, size, why);
		rc = END;
	}
	pthread_mutex_unlock(&r->lock);
	return rc;
}

void
room_give(struct room *r, uint64_t size)
{
	pthread_mutex_lock(&r->lock);
	r->reserved -= size;
	pthread_cond_broadcast(&r->given);
	pthread_mutex_unlock(&r->lock);
}

bool
room_refuses(struct room *r, uint64_t size, struct str *why)
{
	bool refused;

	pthread_mutex_lock(&r->lock);
	refused = r->wanting && size >= r->least;
	if (refused)
		add_reason(r, why);
	pthread_mutex_unlock(&r->lock);
	return refused;
}

bool
room_wanted(struct room *r, struct str *why)
{
	struct err ignored = ERR_INIT;
	struct space s;
	bool wanted;

	pthread_mutex_lock(&r->lock);
	wanted = r->wanting;
	if (wanted && fits(r, r->least, &s, &ignored) == END) {
		str_addf(why, "no space on the filesystem of the %s: ", s.what);
		str_add_size(why, s.left);
		str_add(why, " are free, limits.free_space keeps ");
		str_add_size(why, s.floor);
		str_add(why, ", the smallest delivery that waits needs up to ");
		str_add_size(why, r->least);
	} else if (wanted) {
		str_add(why, "there was no space");
	}
	pthread_mutex_unlock(&r->lock);
	return wanted;
}

enum rc
room_again(struct room *r, struct err *e)
{
	struct space s;
	enum rc rc;

	pthread_mutex_lock(&r->lock);
	rc = r->wanting ? fits(r, r->least, &s, e) : OK;
	if (rc == OK)
		r->wanting = false;
	pthread_mutex_unlock(&r->lock);
	return rc;
}
