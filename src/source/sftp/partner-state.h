/*
 * partner-state.h - what the parts of a partner share: partner.c opens it and
 * reads from it, partner-list.c lists, partner-sides.c remembers side files
 * of a listing, partner-change.c changes what lies there.
 */
#ifndef SOURCE_SFTP_PARTNER_STATE_H
#define SOURCE_SFTP_PARTNER_STATE_H

#include "landfall/source.h"
#include "source/sftp/spool.h"
#include "source/sftp/transfer.h"
#include "source/sftp/trunk.h"

/*
 * Side files of a listing that was whole: what is not among them is not
 * there, and no delivery costs a round trip to see whether its own is.
 */
struct partner_sides {
	const struct source_config *source;
	bool wanted; /* some rule asks for them */
	bool whole;
	struct names names;
	struct sftp_attrs *attrs;
	enum item_type *type;
	size_t cap;
};

struct partner {
	const struct source_config *source;
	const struct sftp_config *config;
	struct partner_sides sides; /* of the last listing */
	struct trunk *trunk;
	struct spool spool;
	struct source_place place; /* all of it 0: there is none */
	struct transfers *transfers;
	bool listed; /* a listing was whole: the rest of the spool is waste */
};

static inline struct partner *
partner_of(struct source *s)
{
	return (struct partner *)s;
}

/* ---- partner.c ---- */

/* The path there of a name below the root: a transfers_options.path. */
void
partner_path(void *partner, struct str *s, const uint8_t *name, size_t len);

/* What went wrong with a name, with the name. Returns e->code. */
enum rc partner_fail_name(
	struct err *e, const char *what, const uint8_t *name, size_t len);

/* The same of a request: what its server refused has the name already. */
enum rc partner_fail_request(const struct trunk_request *r, struct err *e,
	const char *what, const uint8_t *name, size_t len);

enum item_type partner_type(unsigned kind);

/* ---- partner-sides.c ---- */

void partner_sides_init(struct partner_sides *x, const struct source_config *c);
void partner_sides_release(struct partner_sides *x);

/* A listing begins; each name of it, on any thread; it ends. */
void partner_sides_begin(struct partner_sides *x);
void partner_sides_note(struct partner_sides *x, const struct sftp_event *ev);
void partner_sides_end(struct partner_sides *x, bool whole);

/* Would the listing have shown it? */
bool partner_sides_know(const struct partner_sides *x, const uint8_t *name,
	size_t len) MUST_USE;

/* What it showed, if it would have. END: it is not there. */
enum rc partner_sides_find(const struct partner_sides *x, const uint8_t *name,
	size_t len, enum item_type *ret_type, struct signature *ret) MUST_USE;

/* ---- of the source's operations (landfall/source.h) ---- */

/* partner-list.c */
enum rc partner_list(struct source *s,
	enum rc (*each)(void *arg, const struct item *it, struct err *e),
	void (*trouble)(void *arg, const uint8_t *name, size_t len,
		const struct err *why),
	void *arg, struct err *e) MUST_USE;

/* partner-change.c */
enum rc partner_remove(struct source *s, const uint8_t *name, size_t len,
	const struct signature *expected, struct err *e) MUST_USE;
enum rc partner_move(struct source *s, const uint8_t *name, size_t len,
	const char *folder, const struct signature *expected,
	struct str *ret_to, struct err *e) MUST_USE;
enum rc partner_has(struct source *s, const char *folder, const char *file,
	struct err *e) MUST_USE;
enum rc partner_put(struct source *s, const char *folder, const char *file,
	const void *bytes, size_t n, struct err *e) MUST_USE;

#endif
