/*
 * profile-read.h - from a tree of nodes to a struct api, by the table.
 */
#ifndef CONFIG_PROFILE_READ_H
#define CONFIG_PROFILE_READ_H

#include "config/profile-row.h"

/* A variable that some template uses, for the checks behind. */
struct profile_use {
	enum api_space space;
	char *name;
	const struct yaml_node *node;
	enum profile_place place;
	size_t stream; /* API_NO_STREAM: the top */
	bool in_auth;  /* within `auth` */
	bool in_job;   /* within `job`, where job.id is known */
	bool in_lookup;
};

/* A stream by name, to be found when all are read. */
struct profile_reference {
	const struct yaml_node *node;
	size_t *target;
	size_t stream; /* that says so */
	bool self;     /* "self" is this one */
};

struct profile_reading {
	struct report *report;
	const char *dir; /* of the configuration */
	struct api *api;
	size_t stream; /* being read */
	bool in_auth, in_job, in_lookup;
	bool integers; /* incremental, kind int */
	bool filling;  /* in defaults */
	struct profile_use *use;
	size_t n_uses;
	struct profile_reference *reference;
	size_t n_references;
};

/* ---- profile-file.c ---- */

/*
 * The profile that n names. *ret_file: where it is; places in messages refer
 * to it, so it lives as long as y, and both are the caller's. False: reported.
 */
bool profile_load(struct profile_reading *p, const struct yaml_node *n,
	struct yaml *y, char **ret_file) MUST_USE;

/* ---- profile-block.c ---- */

void profile_fill(
	struct profile_reading *p, const struct profile_block *b, void *base);

/* Every key of a mapping; false when something was wrong with it. */
bool profile_read_block(struct profile_reading *p,
	const struct profile_block *b, const struct yaml_node *n, void *base);

/* "unknown key ...", with what may be meant. */
void profile_unknown(struct profile_reading *p, const struct profile_block *b,
	const struct yaml_node *key);

/* ---- profile-field.c ---- */

/* A value that is no block. */
bool
profile_read_field(struct profile_reading *p, const struct profile_block *b,
	const struct profile_row *row, const struct yaml_node *n, void *field);

/* "a duration such as 30s or PT1H, up to 7d": for messages and manuals. */
void profile_add_expected(struct str *s, const struct profile_row *row);

/* Says what is wrong at a node, in the file it comes from. False. */
bool profile_wrong(struct profile_reading *p, const struct yaml_node *n,
	const char *fmt, ...) PRINTF_LIKE(3, 4);

/* "WHAT: expected EXPECTED, this is ...". False. */
bool profile_expected(struct profile_reading *p, const char *what,
	const struct yaml_node *n, const char *expected);

bool profile_is_text(const struct yaml_node *n);

/* ---- profile-value.c; false: reported ---- */

/* Text or a list of texts. */
bool profile_read_words(struct profile_reading *p, const char *what,
	const struct yaml_node *n, struct api_words *ret);

bool profile_read_template(struct profile_reading *p, const char *what,
	const struct yaml_node *n, enum profile_place place,
	struct api_template *ret);

bool profile_read_path(struct profile_reading *p, const char *what,
	const struct yaml_node *n, struct jsonpath *ret);
bool profile_read_place(struct profile_reading *p, const char *what,
	const struct yaml_node *n, struct api_place *ret);
bool profile_read_places(struct profile_reading *p, const char *what,
	const struct yaml_node *n, struct api_places *ret);
bool profile_read_selector(struct profile_reading *p, const char *what,
	const struct yaml_node *n, struct api_selector *ret);

/* ---- profile-part.c: values with a shape of their own ---- */

/* "{{config.NAME}}" and nothing else is what the source says; NULL: it is not
 * that, or nothing declares NAME. */
const struct api_config *
profile_config_of(const struct profile_reading *p, const struct yaml_node *n);

typedef bool profile_reader(struct profile_reading *p, const char *what,
	const struct profile_row *row, const struct yaml_node *n, void *field);

profile_reader profile_part_fields;
profile_reader profile_part_json;
profile_reader profile_part_method;
profile_reader profile_part_target;
profile_reader profile_part_body;
profile_reader profile_part_records;
profile_reader profile_part_decode;
profile_reader profile_part_values;
profile_reader profile_part_select;
profile_reader profile_part_sink;
profile_reader profile_part_capture;

/* ---- profile-limit.c: rates, rules, waits ---- */

profile_reader profile_limit_limits;
profile_reader profile_limit_statuses;
profile_reader profile_limit_phases;
profile_reader profile_limit_waits;
profile_reader profile_limit_expires;

/* ---- profile-check.c ---- */

struct profile_nodes {
	const struct yaml_node *top;
	const struct yaml_node **stream;
};

/* References, undefined variables, combinations that cannot work. */
void profile_check(struct profile_reading *p, const struct profile_nodes *n);

/* The node at "incremental.window" below n; else the key of n. */
const struct yaml_node *profile_at(const struct yaml_node *n, const char *path);

/* Whether a request of the stream uses a variable; name NULL: any. */
bool profile_uses(const struct profile_reading *p, size_t stream,
	enum api_space space, const char *name);

bool profile_has_place(const struct api_place *place);
enum api_layer profile_last_layer(const struct api_stream *s);

/* ---- profile-auth.c; n: the block, or what lacks it ---- */

void profile_check_auth(struct profile_reading *p, const struct yaml_node *n,
	struct api_auth *a);

/* ---- profile-pages.c; n: the block, or the stream ---- */

void profile_check_pagination(struct profile_reading *p,
	const struct yaml_node *n, struct api_pagination *g, bool stop_given);
void profile_check_paging_use(
	struct profile_reading *p, size_t i, const struct yaml_node *n);
void profile_check_incremental(
	struct profile_reading *p, size_t i, const struct yaml_node *n);

/* ---- profile-shape.c; n: the stream ---- */

void profile_check_records(struct profile_reading *p, const struct yaml_node *n,
	struct api_stream *s);
void profile_check_partitions(
	struct profile_reading *p, size_t i, const struct yaml_node *n);
void profile_check_job(struct profile_reading *p, const struct yaml_node *n,
	struct api_stream *s);
void profile_check_deletes(struct profile_reading *p, const struct yaml_node *n,
	struct api_stream *s);
void profile_check_reconcile(struct profile_reading *p,
	const struct yaml_node *n, struct api_stream *s);

/* ---- profile-vars.c ---- */

void profile_vars_check(struct profile_reading *p);

#endif
