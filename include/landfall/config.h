/*
 * config.h - landfall.yaml, read, checked and with all defaults filled in.
 *
 * One table of options (name, type, range, default, help) drives parsing,
 * `landfall help config` and the man page. Every mistake is reported as
 * `file:line:column: error: ...`, all of them in one go; a configuration
 * with an error is never returned.
 *
 *	struct str report = STR_INIT;
 *	if (config_load(path, &cfg, &report, &e) != OK)
 *		fputs(report.s, stderr);
 *	...
 *	config_free(cfg);
 *
 * Relative paths in the file are resolved against the file's directory, so
 * that it means the same whatever the working directory is.
 */
#ifndef LANDFALL_CONFIG_H
#define LANDFALL_CONFIG_H

#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"
#include "landfall/api.h"
#include "landfall/checklist.h"
#include "landfall/scan.h"
#include "landfall/schedule.h"
#include "landfall/secret.h"
#include "landfall/totals.h"

enum source_kind {
	SOURCE_DROP, /* a local directory */
	SOURCE_SFTP, /* a folder on a partner's server */
	SOURCE_HTTP, /* an API that is polled */
};

/* What to do with bytes this source has landed under another name. */
enum duplicate_policy {
	DUPLICATE_NOTE, /* one ledger entry that names the file; the default */
	DUPLICATE_LAND, /* a landing file of its own */
};

/* What shows that a delivery is complete. */
enum ready_kind {
	READY_STABLE,	/* size and change times stood still for `time` */
	READY_AGE,	/* the last change lies `time` back */
	READY_SENTINEL, /* the side file `side` is there */
	READY_CLOSED,	/* nobody has it open for writing */
	READY_CHECKSUM, /* the side file `side` has its digest */
	READY_MANIFEST, /* all of the set is there that a manifest names */
	READY_KINDS,
};

struct ready_rule {
	enum ready_kind kind;
	int64_t time; /* ns */
	char *side;   /* "{name}.done", see side.h; of a manifest a glob */
	bool ignore;  /* READY_MANIFEST: what no manifest names is ignored */
	struct checklist_table table; /* the same: its columns, if it has any */
};

#define READY_RULES 8

struct ready {
	bool all; /* every rule, not any */
	struct ready_rule rule[READY_RULES];
	size_t n;
};

/* What becomes of a file at its source once the ledger holds it. */
enum after_action {
	AFTER_KEEP, /* the default */
	AFTER_DELETE,
	AFTER_MOVE,
};

/* What to do with a delivery that is not shaped like the one before. */
enum drift_policy {
	DRIFT_LAND, /* and tell; the default */
	DRIFT_HOLD, /* until somebody decides */
	DRIFT_QUARANTINE,
};

/* A list of globs; n may be 0. */
struct patterns {
	char **glob;
	size_t n;
};

/* A list that ends with NULL; n may be 0, and then there may be no list. */
struct words {
	char **word;
	size_t n;
};

/* A name that comes again in one archive. */
enum same_name_policy {
	SAME_NAME_REFUSE, /* the archive; the default */
	SAME_NAME_NUMBER,
};

/* An archive that is not good as a whole. */
enum partial_policy {
	PARTIAL_REFUSE, /* it; the default */
	PARTIAL_ALLOW,	/* what is good lands, and what is missing is told */
};

/* How archives are taken apart. */
struct unpack_config {
	bool set;		 /* false: they land as they are */
	struct patterns members; /* default: everything */
	uint64_t max_bytes;
	uint64_t max_member; /* bytes */
	uint32_t max_members;
	uint32_t max_ratio;
	uint32_t max_depth;
	uint64_t max_memory; /* bytes */
	int64_t max_time;    /* ns */
	enum same_name_policy same_name;
	enum partial_policy partial;
	bool keep_container;
	struct secret password; /* n 0: none */
	struct {
		struct words command; /* n 0: there is no filter */
		char *home;	      /* NULL: none */
		struct words read;
	} filter;
};

/* What somebody may want to be told at once. */
enum alert_event {
	ALERT_LATE,
	ALERT_SHORT,
	ALERT_MISSING,
	ALERT_COULD_NOT_LOOK,
	ALERT_QUARANTINED,
	ALERT_DRIFT,   /* a delivery is held because of its shape */
	ALERT_FAILING, /* a source cannot be looked at, for long */
	ALERT_NO_SPACE,
	ALERT_RECEIPTS, /* cannot be given, for long */
	ALERT_WAITING,	/* a stream, for its API has told it to; long */
	ALERT_RECOVERED,
	ALERT_EVENTS, /* how many */
};
extern const char *const alert_event_names[]; /* "late", ..., NULL */

/* Whom to tell: a command, or an HTTP endpoint. Neither: nobody. */
struct alert_config {
	bool set;
	char **command; /* ends with NULL; absolute path first */
	size_t n_command;
	char *url;
	struct secret secret_url; /* n 0: it is no secret */
	struct alert_header {
		char *name;
		char *text; /* NULL: the secret */
		struct secret secret;
	} * header;
	size_t n_headers;
	uint32_t on;	 /* a bit for each event */
	int64_t timeout; /* ns, of one attempt */
};

/* http or https, a host, no password, nothing that is not ASCII. */
bool alert_url_is_right(const char *url);

/* Control totals; n may be 0. */
struct total_list {
	struct total *row;
	size_t n;
};

/* What is done with symbolic links on a server. */
enum symlink_policy {
	SYMLINKS_IGNORE, /* they are names that are no files; the default */
	SYMLINKS_FOLLOW, /* those to files are files */
};

/* In which order files are fetched. */
enum fetch_order {
	ORDER_LISTED,
	ORDER_LARGE_FIRST,
};

/* More than today's servers need, for old ones; bits. */
enum sftp_widening {
	SFTP_WIDEN_SHA1_KEX = 1 << 0,
	SFTP_WIDEN_SHA1_KEYS = 1 << 1,
	SFTP_WIDEN_CBC = 1 << 2,
	SFTP_WIDEN_SHA1_MACS = 1 << 3,
};
extern const char *const sftp_widening_names[]; /* in order of the bits */

struct sftp_config {
	char *host;
	unsigned port;
	char *user;
	struct secret key, passphrase, password; /* n 0: none */
	char *agent;		  /* the socket of an ssh-agent, or NULL */
	struct patterns host_key; /* fingerprints; or */
	char *known_hosts;	  /* a file */
	char *path; /* "": the login folder; no slash at its end */
	bool recursive;
	unsigned depth; /* levels below path, when recursive */
	enum symlink_policy symlinks;
	unsigned connections;
	uint64_t max_rate; /* bytes a second; 0: no limit */
	enum fetch_order order;
	int64_t connect_timeout, auth_timeout, idle_timeout; /* ns */
	int64_t keepalive;				     /* ns */
	uint32_t algorithms; /* enum sftp_widening, or-ed */
	struct {
		unsigned attempts;
		int64_t base, ceiling; /* ns */
	} retry;
};

struct source_config {
	char *name;    /* [a-z0-9][a-z0-9._-]*, at most 64 bytes */
	unsigned line; /* where it stands in the file */
	enum source_kind kind;
	struct {
		char *path;
		bool recursive;
	} drop;
	struct sftp_config sftp; /* SOURCE_SFTP */
	struct api *api;	 /* SOURCE_HTTP: api.h; else NULL */
	struct patterns match;	 /* default: everything */
	struct patterns ignore;	 /* default: *.filepart *.part *.tmp .* */
	struct ready ready;	 /* default: {stable: 2s} */
	enum duplicate_policy duplicates;
	struct {
		enum after_action action;
		char *folder; /* AFTER_MOVE: below the source's root, without
				 slashes at its ends; else NULL */
	} after;
	struct {
		char *path;   /* the outbox; NULL: nobody wants any */
		char *folder; /* at the partner, as sftp.path; or NULL */
	} receipt;
	struct schedule schedule; /* all-zero: none */
	struct expect expect;	  /* set: there is one */
	struct total_list totals;
	enum drift_policy drift;
	struct alert_config own_alert;
	const struct alert_config *alert; /* whom to tell; NULL: nobody */
	struct dialect dialect;
	struct unpack_config unpack;
};

/* limits.free_space: 5 % of the filesystem, at most 1 GiB. */
#define CONFIG_FREE_SPACE_AUTO UINT64_MAX

struct config {
	char *path;   /* of the file itself, absolute */
	char *zone;   /* absolute */
	char *state;  /* absolute */
	char *origin; /* the ledger's name */
	struct {
		unsigned workers; /* 0: one for each processor */
		uint64_t memory;
		/* Stays free where zone and state are; 0: nothing. */
		uint64_t free_space;
		uint64_t spool; /* of what is fetched, not yet landed */
	} limits;
	int level; /* zstd compression level, 1..19, default 3 */
	struct alert_config alert; /* of sources without their own */
	struct source_config *source;
	size_t n_sources;
};

/*
 * BAD_ITEM: the file has mistakes; report holds one line for each, in order
 * of position, and e a summary ("landfall.yaml: 3 errors"). END: there is no
 * such file.
 */
enum rc config_load(const char *path, struct config **ret, struct str *report,
	struct err *e) MUST_USE;
void config_free(struct config *c);

/* NULL when there is none of that name. */
const struct source_config *
config_source(const struct config *c, const char *name);

/* The name most like this one, for "did you mean"; NULL when none is near. */
const char *config_nearest_source(const struct config *c, const char *name);

/*
 * A dialect from a command line: format as in `format:`, and n options
 * "KEY=VALUE" as they would stand in that format's block, e.g. "header=0" or
 * "trailer={prefix: T}". What is not a mapping is taken literally: "quote='"
 * is one quote. BAD_ITEM: report holds a line for each mistake.
 */
enum rc config_dialect(const char *format, const char *const *option, size_t n,
	struct dialect *ret, struct str *report, struct err *e) MUST_USE;

/* The option table as text: `landfall help config`. */
void config_help(struct str *s);

/*
 * One key of it, or of a profile, with what is below it: "schedule", "every",
 * "sources.NAME.ready". False: there is none.
 */
bool config_help_key(struct str *s, const char *key);

/* The key most like it, for "did you mean"; NULL when none is near. */
const char *config_nearest_key(const char *key);

/* The same as the body of landfall.yaml(5), in mdoc. */
void config_help_mdoc(struct str *s);

/* What a profile can say: `landfall help profile`, landfall-profile(5). */
void config_help_profile(struct str *s);
void config_help_profile_mdoc(struct str *s);

#endif
