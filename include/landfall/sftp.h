/*
 * sftp.h - one partner's SFTP server, spoken to by a sandboxed child.
 *
 * The supervisor resolves, connects, reads secrets, decides about host keys
 * and opens spool files. The child (proc.h, CHILD_FETCH) gets connected
 * sockets and open descriptors, speaks SSH and SFTP version 3 on them
 * (draft-ietf-secsh-filexfer-02), and can reach nothing else.
 *
 *	sftp_start(&start, &s, &e)
 *	sftp_connect(s, &connection, &e)	for each slot, at any time
 *	    sftp_next -> SFTP_HOST_KEY		the server's key: policy is
 *yours sftp_trust(s, slot, true, &e)
 *	    sftp_next -> SFTP_UP		or SFTP_DOWN, with the fault
 *	sftp_list / _fetch / _look / ...(s, id, ...)	many at once
 *	    sftp_next -> SFTP_ITEM, SFTP_TROUBLE, SFTP_PROGRESS of an id ...
 *	    sftp_next -> SFTP_DONE		exactly one for each id
 *	sftp_end(s, deadline, &e)		an orderly goodbye
 *	sftp_free(s)
 *
 * Nothing here waits for the server: requests are taken at once, up to
 * SFTP_REQUESTS_MAX unfinished ones, and are dealt out to the connections that
 * are up, in order. A caller that waits for several things polls sftp_fd()
 * for reading and then calls sftp_next with a deadline in the past until it
 * says AGAIN.
 *
 * sftp_next belongs to one thread, and texts and names in an event are good
 * until its next call. Everything between sftp_start and sftp_end may be
 * called by any thread meanwhile.
 *
 * What the child says is checked here once more: a name that gets through is
 * never empty, absolute or with "." or ".." as a component, and has no NUL.
 * A child that breaks the rules is killed and all it had is BAD_SOURCE.
 */
#ifndef LANDFALL_SFTP_H
#define LANDFALL_SFTP_H

#include <stdbool.h>

#include "base/err.h"
#include "base/hash.h"
#include "landfall/proc.h"

#define SFTP_CONNECTIONS_MAX 8
#define SFTP_REQUESTS_MAX 256  /* unfinished, of all kinds */
#define SFTP_PATH_MAX 4096     /* bytes; longer names are trouble */
#define SFTP_CREDENTIALS_MAX 8 /* for one connection */
#define SFTP_SECRET_MAX 16384  /* bytes of one key or password */

/* Its row in cli/children.c. */
#define SFTP_CHILD "sftp"
int sftp_child(const struct child *c);

/* ---- what went wrong, by who must do something about it ---- */

enum sftp_fault {
	SFTP_FINE = 0,
	/* The source: nothing else will work either. */
	SFTP_AUTH,	/* it refuses user or credentials: stop, tell a human */
	SFTP_UNTRUSTED, /* sftp_trust said no */
	SFTP_MISMATCH,	/* no algorithm in common, or no SFTP there */
	SFTP_NETWORK,	/* lost, reset, silent, too slow: try again later */
	SFTP_GARBAGE,	/* it breaks the protocol */
	/* The item: others go on. */
	SFTP_GONE,	  /* no such file */
	SFTP_DENIED,	  /* permission */
	SFTP_EXISTS,	  /* the target is there already */
	SFTP_FULL,	  /* quota, no space on their side */
	SFTP_UNSUPPORTED, /* it cannot do this operation at all */
	SFTP_REFUSED,	  /* it says failure, and not why */
	SFTP_CHANGED,	  /* it is or became another file: look again */
	SFTP_TOO_LARGE,	  /* more than was allowed: bytes, names, depth */
	/* Us. */
	SFTP_SPOOL,	/* the spool file could not be written or read */
	SFTP_STALE,	/* the spool does not hold what prefix_sum says */
	SFTP_CANCELLED, /* sftp_cancel, sftp_end */
	SFTP_FAULTS,
};
const char *sftp_fault_name(enum sftp_fault f); /* "auth", "network", ... */

/* OK, END (gone), AGAIN, BAD_ITEM, BAD_SOURCE or BROKEN. */
enum rc sftp_fault_rc(enum sftp_fault f);

/* ---- starting ---- */

struct sftp_start {
	const char *source;   /* for texts */
	unsigned connections; /* slots, 1 .. SFTP_CONNECTIONS_MAX */
	unsigned files;	      /* in flight on each; 0: 32 */
	uint64_t max_rate;    /* bytes of content per second; 0: no limit */
	uint64_t max_file;    /* no file may be larger; 0: no limit */
	int64_t auth_timeout; /* ns to SFTP_HOST_KEY, and from sftp_trust to
				 SFTP_UP; 0: 60 s */
	int64_t idle_timeout; /* ns without an answer that was due; 0: 60 s */
	int64_t keepalive;    /* ns of quiet before one is sent; 0: 30 s */
};

struct sftp;

/*
 * AGAIN: not now. BAD_SOURCE: the child died at once. BROKEN: our program
 * cannot be started or locked in.
 */
enum rc sftp_start(
	const struct sftp_start *o, struct sftp **ret, struct err *e) MUST_USE;

/* Kills the child if it still runs. */
void sftp_free(struct sftp *s);

/* What this kernel lacks for the sandbox, or NULL (proc_weak): log it. */
const char *sftp_weak(const struct sftp *s);

/* Readable: sftp_next has something to say. -1 once the child is gone. */
int sftp_fd(struct sftp *s);

/* ---- connections ---- */

enum sftp_credential_kind {
	SFTP_KEY, /* a private key: PEM or OpenSSH format, as in its file */
	SFTP_PASSWORD, /* for password and for keyboard-interactive */
	SFTP_AGENT,    /* a socket that is connected to an ssh-agent */
};

struct sftp_credential {
	enum sftp_credential_kind kind;
	const char *name;      /* for texts: "key /etc/.../acme_ed25519" */
	const uint8_t *secret; /* <= SFTP_SECRET_MAX */
	size_t len;
	const char *passphrase; /* of an encrypted key; NULL: none */
	int agent;		/* stays open here */
};

/* More than today's servers need: for old partners, and said loudly. */
enum sftp_old {
	SFTP_OLD_SHA1_KEX = 1 << 0,  /* diffie-hellman-group*-sha1 */
	SFTP_OLD_SHA1_KEYS = 1 << 1, /* ssh-rsa with SHA-1 */
	SFTP_OLD_CBC = 1 << 2,	     /* aes*-cbc, 3des-cbc */
	SFTP_OLD_SHA1_MACS = 1 << 3, /* hmac-sha1 */
};

struct sftp_connection {
	unsigned slot; /* 0 .. connections - 1; none is up or under way there */
	int socket;    /* connected; stays open here, to be closed here */
	/*
	 * Host key types in order of preference, separated by commas, as
	 * known_hosts_types gives them; NULL or empty: all modern ones.
	 */
	const char *key_types;
	unsigned old; /* enum sftp_old, or-ed */
};

/* SFTP_HOST_KEY or SFTP_DOWN follows in any case. */
enum rc sftp_connect(struct sftp *s, const struct sftp_connection *c,
	struct err *e) MUST_USE;

struct sftp_login {
	const char *user;
	const struct sftp_credential *credential; /* tried in order */
	unsigned n_credentials; /* <= SFTP_CREDENTIALS_MAX, one an agent */
};

/*
 * The answer to SFTP_HOST_KEY; NULL: no. The child has no secret before it,
 * they are wiped on the way, and it forgets them once it is in. SFTP_UP or
 * SFTP_DOWN follows in any case.
 */
enum rc sftp_trust(struct sftp *s, unsigned slot, const struct sftp_login *l,
	struct err *e) MUST_USE;

/* Gives a connection up, whatever its state: SFTP_DOWN, SFTP_CANCELLED. */
enum rc sftp_drop(struct sftp *s, unsigned slot, struct err *e) MUST_USE;

/* ---- requests ---- */

/*
 * Each has an id of the caller's choice, unlike those of unfinished ones.
 * AGAIN: SFTP_REQUESTS_MAX are unfinished. BAD_SOURCE: the child is gone.
 * Paths are bytes, as the server takes them (relative: to the login folder).
 *
 * A request whose connection is lost is DONE with that connection's fault;
 * whether to try again is the caller's business. While no slot is up, or
 * coming up, requests are DONE with SFTP_NETWORK.
 */

struct sftp_attrs {
	bool has_size, has_time, has_mode;
	uint64_t size;
	int64_t mtime; /* seconds since 1970 */
	uint32_t mode; /* as in stat(2), with the type */
};

enum sftp_type {
	SFTP_TYPE_FILE,
	SFTP_TYPE_DIRECTORY,
	SFTP_TYPE_SYMLINK,
	SFTP_TYPE_OTHER,
	SFTP_TYPE_UNKNOWN, /* the server does not tell */
};

/* The same file, as far as both know? */
bool sftp_attrs_same(
	const struct sftp_attrs *a, const struct sftp_attrs *b) MUST_USE;

struct sftp_list {
	const uint8_t *path; /* empty: the login folder */
	size_t path_len;
	unsigned depth;	    /* levels below path: 0 is not recursive */
	uint64_t max_names; /* of all kinds; 0: 10 million */
	bool follow;	    /* symlinks to files are files; those to folders
			       stay symlinks */
};

/*
 * An SFTP_ITEM for each name that is no folder, in no order, its type always
 * known; names are below path. SFTP_TROUBLE: a folder that could not be
 * listed, or a name that no file may have. DONE with a fault: path itself
 * could not be listed, or the listing is not whole.
 */
enum rc sftp_list(struct sftp *s, uint64_t id, const struct sftp_list *l,
	struct err *e) MUST_USE;

struct sftp_fetch {
	const uint8_t *path;
	size_t path_len;
	int spool; /* a regular file, read and write; stays open here */
	/*
	 * Resume: so many bytes are in the spool already and have this
	 * SHA-256 (else SFTP_STALE); `window` bytes before offset are read
	 * again from the server and compared (else SFTP_CHANGED).
	 */
	uint64_t offset;
	const uint8_t *prefix_sum; /* NULL when offset is 0 */
	uint64_t window;
	/* As listed; what is known must be so when it is opened. */
	struct sftp_attrs expected;
	uint64_t max_size; /* SFTP_TOO_LARGE beyond; 0: no limit */
};

/*
 * Reads the file to its end, whatever size the server tells, and writes it to
 * the spool in order. FINE: attributes were the same before the first and
 * after the last byte, the size is theirs, nothing came behind the end.
 * SFTP_PROGRESS every MiB or 100 ms. The spool is not synced, nor is a
 * longer one cut. DONE with a fault still says how many bytes are good.
 */
enum rc sftp_fetch(struct sftp *s, uint64_t id, const struct sftp_fetch *f,
	struct err *e) MUST_USE;

/* DONE with attrs and type; follow: of what a symlink points to. */
enum rc sftp_look(struct sftp *s, uint64_t id, const uint8_t *path,
	size_t path_len, bool follow, struct err *e) MUST_USE;

/*
 * Looks first (without following): what is known in expected must be so,
 * else SFTP_CHANGED; expected may be NULL. What happens between the look and
 * the removal is beyond SFTP.
 */
enum rc
sftp_remove(struct sftp *s, uint64_t id, const uint8_t *path, size_t path_len,
	const struct sftp_attrs *expected, struct err *e) MUST_USE;

struct sftp_move {
	const uint8_t *path, *to;
	size_t path_len, to_len;
	bool make_folders; /* of `to`, below its first component */
	const struct sftp_attrs *expected;
};

/*
 * Never over another file: a target that is there is SFTP_EXISTS, and the
 * rename is the one that fails then, on servers that keep to version 3.
 */
enum rc sftp_move(struct sftp *s, uint64_t id, const struct sftp_move *m,
	struct err *e) MUST_USE;

struct sftp_put {
	const uint8_t *path;
	size_t path_len;
	int fd; /* a regular file: its first `size` bytes; stays open here */
	uint64_t size;
	bool make_folders;
};

/*
 * Writes path.part (over an older one), then renames it to path; SFTP_EXISTS
 * when path is there.
 */
enum rc sftp_put(struct sftp *s, uint64_t id, const struct sftp_put *p,
	struct err *e) MUST_USE;

/* It is DONE, one way or another, soon. Unknown ids are fine. */
enum rc sftp_cancel(struct sftp *s, uint64_t id, struct err *e) MUST_USE;

/* ---- events ---- */

enum sftp_event_type {
	SFTP_HOST_KEY,
	SFTP_UP,
	SFTP_DOWN,
	SFTP_ITEM,
	SFTP_TROUBLE,
	SFTP_PROGRESS,
	SFTP_DONE,
};

struct sftp_event {
	enum sftp_event_type type;
	unsigned slot; /* HOST_KEY, UP, DOWN */
	uint64_t id;   /* ITEM, TROUBLE, PROGRESS, DONE */

	/* DOWN, TROUBLE, DONE: why, and the text for a human. */
	enum sftp_fault fault;
	const char *text;

	/* HOST_KEY: the blob of RFC 4253 section 6.6; see host-key.h. */
	const uint8_t *key;
	size_t key_len;
	/* UP: "curve25519-sha256 aes256-gcm@openssh.com ...". DOWN: empty */
	const char *algorithms;
	const char *banner; /* UP: the server's version text, escaped */

	/* ITEM, TROUBLE: below the path that was listed */
	const uint8_t *name;
	size_t name_len;
	enum sftp_type kind;	 /* ITEM; DONE of a look */
	struct sftp_attrs attrs; /* ITEM; DONE of look and fetch: at the end */

	/* PROGRESS, DONE of a fetch: of the spool's first `size` bytes */
	uint64_t size;
	uint8_t sum[HASH_LEN];
	uint64_t received; /* DONE of a fetch: content bytes that came */
	uint64_t names;	   /* DONE of a list: names told, trouble included */
};

/*
 * The next event. AGAIN: none by the deadline. BAD_SOURCE: the child is gone,
 * and e says how; what was unfinished is lost.
 */
enum rc sftp_next(struct sftp *s, struct sftp_event *ret, int64_t deadline,
	struct err *e) MUST_USE;

/* How many requests are unfinished. */
unsigned sftp_pending(struct sftp *s);

/*
 * Says goodbye to the server on all connections; what is unfinished is
 * forgotten. BAD_SOURCE: it did not end well, or not by the deadline.
 */
enum rc sftp_end(struct sftp *s, int64_t deadline, struct err *e) MUST_USE;

#endif
