#include "cli/audit.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "cli/audit-state.h"

/* Entries that cannot be read: past this many nobody learns from the next. */
#define BAD_ENTRIES_MAX 1000

#define RESTORE \
	"put back a copy of it whose SHA-256 is the one the ledger names; " \
	"until then do not use it"

static const struct {
	const char *name;
	const char *advice;
} kinds[] = {
	[LEDGER_DAMAGED] = {"ledger-damaged",
		"put back a copy of _ledger that verifies; landfall will not "
		"append to this one. Then verify again"},
	[FILE_MISSING] = {"file-missing",
		"put back a copy whose SHA-256 is the one the ledger names"},
	[FILE_UNREADABLE] = {"file-unreadable",
		"make it readable and verify again: it may be damaged or not"},
	[FILE_CHANGED] = {"file-changed", RESTORE},
	[BYTES_CHANGED] = {"bytes-changed", RESTORE},
	[INDEX_WRONG] = {"index-wrong",
		"the delivered bytes are right, their records are not to be "
		"trusted: land the file again and report this"},
	[PROVENANCE_WRONG] = {"provenance-wrong",
		"the ledger is right, the file's own account of itself is "
		"not: report this"},
	[FILE_UNLISTED] = {"file-unlisted",
		"landfall did not land it: find out who put it there, and "
		"move it out of the zone"},
	[DUPLICATE_WRONG] = {"duplicate-wrong",
		"nothing in the zone holds the bytes this entry speaks of: "
		"deliver them again"},
	[SETTLED_WRONG] = {"settled-wrong",
		"nobody may release or reject what was never quarantined: "
		"report this"},
	[SUMS_MISSING] = {"sums-missing",
		"the file is not in its SHA256SUMS: append the line the "
		"ledger implies"},
	[SUMS_WRONG] = {"sums-wrong",
		"correct the line: the ledger is signed, SHA256SUMS is not"},
	[SUMS_UNLISTED] = {"sums-unlisted",
		"no entry of the ledger names this file: remove the line"},
	[CATALOG_BEHIND] = {"catalog-behind", "run `landfall catalog rebuild`"},
	[CATALOG_WRONG] = {"catalog-wrong", "run `landfall catalog rebuild`"},
};

/* ---- findings ---- */

static void
tell(struct audit *a, enum finding_kind kind, const struct finding *f)
{
	pthread_mutex_lock(&a->lock);
	a->result.findings++;
	if (kind == FILE_UNREADABLE)
		a->result.unreadable++;
	a->o->finding(a->o->arg, f);
	pthread_mutex_unlock(&a->lock);
}

void
audit_find(struct audit *a, enum finding_kind kind, const char *file,
	const char *expected, const char *found, const char *what, ...)
{
	char text[2048];
	va_list ap;

	if (what != NULL) {
		va_start(ap, what);
		vsnprintf(text, sizeof(text), what, ap);
		va_end(ap);
	}
	tell(a, kind,
		&(struct finding){
			.kind = kinds[kind].name,
			.file = file,
			.expected = expected,
			.found = found,
			.what = what != NULL ? text : NULL,
			.advice = kinds[kind].advice,
		});
}

void
audit_find_sums(struct audit *a, enum finding_kind kind, const char *file,
	const uint8_t *expected, const uint8_t *found, const char *what)
{
	CLEANUP(str_release) struct str x = STR_INIT;
	CLEANUP(str_release) struct str y = STR_INIT;

	if (expected != NULL)
		str_add_hex(&x, expected, HASH_LEN);
	if (found != NULL)
		str_add_hex(&y, found, HASH_LEN);
	tell(a, kind,
		&(struct finding){
			.kind = kinds[kind].name,
			.file = file,
			.expected = expected != NULL ? x.s : NULL,
			.found = found != NULL ? y.s : NULL,
			.what = what,
			.advice = kinds[kind].advice,
		});
}

/* ---- what is asked for ---- */

/* Is path the same as base, or below it? */
static bool
is_within(const char *path, const char *base)
{
	size_t n = strlen(base);

	return strncmp(path, base, n) == 0 &&
		(path[n] == '\0' || path[n] == '/' || n == 0);
}

bool
audit_wants(const struct audit *a, const char *path)
{
	for (size_t i = 0; i < a->o->n_paths; i++)
		if (is_within(path, a->o->path[i]))
			return true;
	return a->o->n_paths == 0;
}

bool
audit_wants_below(const struct audit *a, const char *dir)
{
	for (size_t i = 0; i < a->o->n_paths; i++)
		if (*dir == '\0' || is_within(a->o->path[i], dir))
			return true;
	return audit_wants(a, dir);
}

/* ---- the ledger ---- */

enum rc
audit_open(struct audit **ret, const struct audit_options *o, struct err *e)
{
	struct audit *a = mem_alloc(sizeof(*a));
	enum rc rc;

	a->o = o;
	a->known = (struct known)KNOWN_INIT;
	a->zone = -1;
	a->err = (struct err)ERR_INIT;
	pthread_mutex_init(&a->lock, NULL);
	rc = io_open(AT_FDCWD, o->zone, O_RDONLY | O_DIRECTORY, 0, &a->zone,
		BROKEN, e);
	if (rc == OK)
		rc = ledger_view_open(a->zone, o->vkey, &a->view, e);
	if (rc != OK) {
		audit_close(a);
		return rc;
	}
	a->size = a->result.ledger_size = ledger_view_size(a->view);
	ledger_view_root(a->view, a->result.root);
	*ret = a;
	return OK;
}

void
audit_close(struct audit *a)
{
	if (a == NULL)
		return;
	known_release(&a->known);
	ledger_view_close(a->view);
	io_drop(&a->zone);
	pthread_mutex_destroy(&a->lock);
	free(a);
}

static void
ledger_finding(void *arg, const char *file, const char *what)
{
	audit_find(arg, LEDGER_DAMAGED, file, NULL, NULL, "%s", what);
}

enum rc
audit_ledger(struct audit *a, struct err *e)
{
	/* Others take the key from the zone: it must be as good as ours. */
	if (a->o->vkey != NULL) {
		struct ledger_view *own = NULL;

		if (ledger_view_open(a->zone, NULL, &own, e) != OK)
			audit_find(a, LEDGER_DAMAGED, FORMAT_LEDGER_DIR "/vkey",
				NULL, NULL,
				"by the key in this file the checkpoint does "
				"not verify: %s",
				e->text);
		ledger_view_close(own);
	}
	/* Its findings are ours already. */
	(void)!ledger_view_check(a->view, ledger_finding, a, e);
	for (uint64_t i = 0; i < a->size && a->bad_entries < BAD_ENTRIES_MAX;
		i++) {
		struct entry x;

		if (entry_at(&x, a->view, i, e) != OK) {
			/* One for a bundle that cannot be read at all. */
			if (a->bad_entries++ == 0 || i % FORMAT_TILE_WIDTH == 0)
				audit_find(a, LEDGER_DAMAGED, FORMAT_LEDGER_DIR,
					NULL, NULL, "%s", e->text);
			continue;
		}
		a->result.unknown += x.disposition == 0;
		if (entry_has_file(&x) && audit_wants(a, x.file)) {
			known_add(&a->known, x.file, x.file_sha256, i);
			a->result.expected += x.size;
		}
		entry_release(&x);
	}
	known_seal(&a->known);
	return OK;
}

/* ---- the files, by all threads ---- */

/* The same archive under another name: was it unpacked before? */
static void
check_again(struct audit *a, struct ledger_view *v, const struct entry *x)
{
	struct err e = ERR_INIT;
	struct entry first;
	bool right =
		x->again < x->index && entry_at(&first, v, x->again, &e) == OK;

	if (right) {
		right = first.disposition == DISPOSITION_UNPACKED &&
			memcmp(first.bytes_sha256, x->bytes_sha256, HASH_LEN) ==
				0;
		entry_release(&first);
	}
	if (!right)
		audit_find(a, DUPLICATE_WRONG, FORMAT_LEDGER_DIR, NULL, NULL,
			"entry %" PRIu64 " says that entry %" PRIu64
			" unpacked the same archive, and it did not",
			x->index, x->again);
}

/* A duplicate, or a rejection: it names the file of another entry. */
static void
check_reference(struct audit *a, struct ledger_view *v, const struct entry *x)
{
	size_t i;

	if (x->is_again)
		check_again(a, v, x);
	if (*x->file == '\0')
		return;
	i = known_find(&a->known, x->file);
	if (i == KNOWN_NONE)
		audit_find(a, DUPLICATE_WRONG, x->file, NULL, NULL,
			"entry %" PRIu64 " says that its bytes lie there, and "
			"no entry landed such a file",
			x->index);
	else if (!known_has_sum(&a->known, i, x->file, x->file_sha256))
		audit_find_sums(a, DUPLICATE_WRONG, x->file, NULL,
			x->file_sha256,
			"an entry of a duplicate names another SHA-256 than "
			"the entry of the file");
}

/* What was released or rejected must have been quarantined before. */
static void
check_settled(struct audit *a, struct ledger_view *v, const struct entry *x)
{
	struct err e = ERR_INIT;
	struct entry q;
	bool right;

	if (!x->settles)
		return;
	right = x->settled < x->index && entry_at(&q, v, x->settled, &e) == OK;
	if (right) {
		right = q.disposition == DISPOSITION_QUARANTINED &&
			!q.rejected &&
			memcmp(q.bytes_sha256, x->bytes_sha256, HASH_LEN) == 0;
		entry_release(&q);
	}
	if (!right)
		audit_find(a, SETTLED_WRONG,
			*x->file != '\0' ? x->file : FORMAT_LEDGER_DIR, NULL,
			NULL,
			"entry %" PRIu64 " settles entry %" PRIu64
			", which did not quarantine these bytes",
			x->index, x->settled);
}

static void
check_entry(struct audit *a, struct ledger_view *v, const struct entry *x)
{
	if (x->disposition == 0 || !audit_wants(a, x->file))
		return;
	check_settled(a, v, x);
	if (!entry_has_file(x)) {
		check_reference(a, v, x);
		return;
	}
	audit_file(a, x);
	atomic_fetch_add(&a->files, 1);
}

static void *
work(void *arg)
{
	struct audit *a = arg;
	struct ledger_view *v = NULL;
	struct err e = ERR_INIT;
	uint64_t i;
	enum rc rc = ledger_view_open(a->zone, a->o->vkey, &v, &e);

	if (rc == OK && ledger_view_size(v) < a->size)
		rc = err_set(&e, BROKEN, "the ledger shrinks while it is read");
	while (rc == OK && !atomic_load(&a->stop) &&
		(i = atomic_fetch_add(&a->next, 1)) < a->size) {
		struct entry x;

		/* What cannot be read is a finding of audit_ledger. */
		if (entry_at(&x, v, i, &e) != OK)
			continue;
		check_entry(a, v, &x);
		entry_release(&x);
	}
	ledger_view_close(v);
	if (rc == OK)
		return NULL;
	pthread_mutex_lock(&a->lock);
	if (a->err.code == OK)
		a->err = e;
	a->err.code = BROKEN;
	pthread_mutex_unlock(&a->lock);
	atomic_store(&a->stop, true);
	return NULL;
}

enum rc
audit_files(struct audit *a, struct err *e)
{
	long online = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned n = a->o->threads > 0 ? a->o->threads
		: online > 0	       ? (unsigned)online
				       : 1;
	pthread_t *thread = mem_array(n, sizeof(*thread));
	unsigned started = 0;

	while (started < n &&
		pthread_create(&thread[started], NULL, work, a) == 0)
		started++;
	if (started == 0)
		work(a);
	for (unsigned i = 0; i < started; i++)
		pthread_join(thread[i], NULL);
	free(thread);
	a->result.files = atomic_load(&a->files);
	a->result.bytes = atomic_load(&a->done);
	if (a->err.code == OK)
		return OK;
	*e = a->err;
	return e->code;
}

/* ---- the catalog ---- */

struct versions {
	struct audit *a;
	uint64_t n;
};

static enum rc
check_version(void *arg, const struct catalog_name *n, struct err *e UNUSED)
{
	struct versions *vs = arg;
	const struct catalog_version *v = &n->version;
	struct audit *a = vs->a;
	size_t i;

	if (v->index >= a->size)
		return OK;
	vs->n++;
	i = known_find(&a->known, v->file);
	if (i == KNOWN_NONE)
		audit_find(a, CATALOG_WRONG, v->file, NULL, NULL,
			"the catalog knows this file, no entry names it");
	else if (known_index(&a->known, i) != v->index)
		audit_find(a, CATALOG_WRONG, v->file, NULL, NULL,
			"the catalog says ledger entry %" PRIu64
			", it is entry %" PRIu64,
			v->index, known_index(&a->known, i));
	else if (!known_has_sum(&a->known, i, v->file, v->file_sha256))
		audit_find_sums(a, CATALOG_WRONG, v->file, NULL, v->file_sha256,
			"the catalog has another SHA-256 than the ledger");
	return OK;
}

enum rc
audit_catalog(struct audit *a, struct catalog *c, struct err *e)
{
	struct versions vs = {.a = a};
	uint64_t recorded;
	enum rc rc;

	if (catalog_ledger_size(c, &recorded, e) != OK)
		return e->code;
	if (recorded < a->size)
		audit_find(a, CATALOG_BEHIND, FORMAT_LEDGER_DIR, NULL, NULL,
			"the ledger has %" PRIu64 " entries, the catalog "
			"knows %" PRIu64,
			a->size, recorded);
	rc = catalog_each_landed(c, NULL, check_version, &vs, e);
	if (rc != OK && rc != END)
		return rc;
	if (vs.n < a->known.n && recorded >= a->size)
		audit_find(a, CATALOG_BEHIND, FORMAT_LEDGER_DIR, NULL, NULL,
			"the ledger names %zu landing files, the catalog "
			"knows %" PRIu64 " of them",
			a->known.n, vs.n);
	return OK;
}

void
audit_result(const struct audit *a, struct audit_result *ret)
{
	*ret = a->result;
}

uint64_t
audit_done(const struct audit *a)
{
	return atomic_load(&a->done);
}
