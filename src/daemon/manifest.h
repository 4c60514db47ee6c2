/*
 * manifest.h - what the manifests at a source name, in one look at it.
 *
 *	manifests_init(&ms, table, ops, source);
 *	manifests_add(&ms, &item);		each that is not over
 *	manifests_read(&ms, &e);		no more of them
 *	m = manifests_find(&ms, name, len);	does one of them name this?
 *	manifests_release(&ms);
 *
 * Names are relative to the manifest's folder. One that leads out of it, or a
 * line that cannot be understood, makes all of the manifest unusable: nothing
 * of a set is guessed. What a manifest says of itself is passed over.
 *
 * Memory is bounded: so many manifests and names at a time. What is more
 * waits until others have landed.
 */
#ifndef DAEMON_MANIFEST_H
#define DAEMON_MANIFEST_H

#include "base/hash.h"
#include "landfall/checklist.h"
#include "landfall/source.h"

#define MANIFESTS_MAX 4096
#define MANIFEST_NAMES_MAX 200000	 /* of all together */
#define MANIFEST_NAMES_BYTES (32u << 20) /* as paths below the root */
#define MANIFEST_TEXT_BYTES (32u << 20)

/* What a look found of a name that a manifest has. */
enum member_state {
	MEMBER_MISSING,
	MEMBER_THERE, /* to be read, if it is complete */
	MEMBER_OVER,  /* dealt with before, and it looks the same */
	MEMBER_QUARANTINED,
	MEMBER_IGNORED,	 /* as the configuration wants it */
	MEMBER_NOT_FILE, /* a link, a pipe */
};

struct member {
	const uint8_t *name; /* below the root */
	size_t name_len;
	bool claimed; /* a manifest says more of it than its name */
	enum member_state state;
	bool told;   /* it has its disposition in this look */
	bool failed; /* it was what a set waited for, at the look before */
	struct signature signature;
};

/* One line of a manifest. */
struct mention {
	size_t at; /* of the path, in `paths` */
	uint32_t len;
	uint32_t manifest, line;
	uint32_t member;
};

struct manifest {
	uint8_t *name;
	size_t name_len;
	struct signature signature;
	char *trouble; /* why it cannot be used now; NULL: it can */
	bool bad;      /* and somebody must correct it */
	int64_t wait;  /* ns until another look may help; 0: unknown */
	uint8_t sha256[HASH_LEN];
	struct checklist list;
	/* Of its names: places in mention, by name. */
	uint32_t *mention;
	size_t n;
	size_t names; /* how many of them differ */
	bool seen;    /* the second time, looking the same */
};

struct manifests {
	const struct checklist_table *table; /* n 0: they are none */
	const struct source_ops *ops;
	struct source *source;
	struct str paths;
	size_t text; /* bytes of all lists */
	struct manifest *manifest;
	size_t n, cap;
	struct mention *mention; /* by name, manifest, line once read */
	size_t n_mentions, cap_mentions;
	struct member *member; /* by name */
	size_t n_members;
};

void manifests_init(struct manifests *ms, const struct checklist_table *table,
	const struct source_ops *ops, struct source *s);
void manifests_release(struct manifests *ms);

/* False: there are MANIFESTS_MAX. */
bool manifests_add(struct manifests *ms, const struct item *it);

/*
 * Reads them all. What is wrong with one is kept in it. BAD_SOURCE: the
 * source failed.
 */
enum rc manifests_read(struct manifests *ms, struct err *e) MUST_USE;

/* NULL: no usable one names it. */
struct member *
manifests_find(struct manifests *ms, const uint8_t *name, size_t len);
/* The manifest of this name, or NULL. */
struct manifest *
manifests_named(struct manifests *ms, const uint8_t *name, size_t len);

/*
 * The path below the root of a name in a manifest that lies in a folder ("",
 * "in/"). Or why it has none; for a human, behind the name.
 */
const char *manifest_path(struct str *path, const uint8_t *folder,
	size_t folder_len, const uint8_t *name, size_t len) MUST_USE;

#endif
