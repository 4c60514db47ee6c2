/*
 * ledger-place.h - a zone and a state directory, and a ledger in them.
 */
#ifndef TESTS_LEDGER_PLACE_H
#define TESTS_LEDGER_PLACE_H

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "landfall/ledger.h"
#include "unit.h"

#define ORIGIN "ledger.example.com/zone1"

struct place {
	char root[64];
	int zone, state;
};

static inline int
open_dir(const char *root, const char *name)
{
	CLEANUP(str_release) struct str path = STR_INIT;
	struct err e = ERR_INIT;
	int fd = -1;

	str_addf(&path, "%s/%s", root, name);
	assert_int_equal(mkdir(path.s, 0700), 0);
	must(io_open(AT_FDCWD, path.s, O_RDONLY | O_DIRECTORY, 0, &fd, BROKEN,
		     &e),
		&e);
	return fd;
}

static inline struct place
place_make(void)
{
	struct place p = {.root = "/tmp/landfall-ledger.XXXXXX"};

	umask(022);
	assert_non_null(mkdtemp(p.root));
	p.zone = open_dir(p.root, "zone");
	p.state = open_dir(p.root, "state");
	return p;
}

static inline void
shell(const char *fmt, const char *root)
{
	CLEANUP(str_release) struct str command = STR_INIT;

	str_addf(&command, "set -e; cd %s; %s", root, fmt);
	if (system(command.s) != 0)
		fail_msg("%s", command.s);
}

static inline void
place_remove(struct place *p)
{
	io_drop(&p->zone);
	io_drop(&p->state);
	shell("chmod -R u+w . && rm -r zone state", p->root);
	rmdir(p->root);
}

static inline struct ledger *
must_open(const struct place *p)
{
	struct err e = ERR_INIT;
	struct ledger *l = NULL;

	must(ledger_open(p->zone, p->state, ORIGIN, &l, &e), &e);
	return l;
}

static inline struct ledger *
must_create(const struct place *p)
{
	struct err e = ERR_INIT;

	must(ledger_create(p->zone, p->state, ORIGIN, &e), &e);
	return must_open(p);
}

/* The i-th entry of every ledger in this file. */
static inline void
entry_text(uint64_t i, char out[64])
{
	snprintf(out, 64, "{\"index\":%" PRIu64 "}", i);
}

static inline enum rc
append(struct ledger *l, size_t n, struct err *e)
{
	struct ledger_entry *entries = mem_array(n + 1, sizeof(*entries));
	char(*text)[64] = mem_array(n + 1, sizeof(*text));
	uint64_t size = ledger_size(l);
	enum rc rc;

	for (size_t i = 0; i < n; i++) {
		entry_text(size + i, text[i]);
		entries[i].text = text[i];
		entries[i].len = strlen(text[i]);
	}
	rc = ledger_append(l, entries, n, e);
	free(entries);
	free(text);
	return rc;
}

static inline void
must_append(struct ledger *l, size_t n)
{
	struct err e = ERR_INIT;

	must(append(l, n, &e), &e);
}

static inline struct ledger_view *
must_view(const struct place *p)
{
	struct ledger_view *v = NULL;
	struct err e = ERR_INIT;

	must(ledger_view_open(p->zone, NULL, &v, &e), &e);
	return v;
}

/* Nothing is expected: the first finding is the failure's text. */
static inline void
no_finding(void *arg UNUSED, const char *file, const char *what)
{
	fail_msg("%s: %s", file, what);
}

static inline void
must_verify(const struct place *p, uint64_t size)
{
	struct ledger_view *v = must_view(p);
	struct err e = ERR_INIT;

	assert_int_equal(ledger_view_size(v), size);
	must(ledger_view_check(v, no_finding, NULL, &e), &e);
	ledger_view_close(v);
}

static inline bool
exists(int dir, const char *path)
{
	struct stat st;

	return fstatat(dir, path, &st, 0) == 0;
}

/* The key of the specification's example. */
#define SPEC_VKEY \
	"example.com/foo+530d903a+" \
	"AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"

#endif
