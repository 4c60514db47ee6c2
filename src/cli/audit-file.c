/*
 * One landing file against its entry: quickly by the SHA-256 of the file,
 * deeply by what is in it.
 */
#include <errno.h>
#include <string.h>

#include "base/io.h"
#include "base/mem.h"
#include "cli/audit-state.h"
#include "cli/place.h"
#include "landfall/land.h"

enum { PART = 256 << 10 };

/* The SHA-256 of the file as it lies there. */
static enum rc
hash_file(struct audit *a, int fd, uint8_t sum[HASH_LEN], struct err *e)
{
	CLEANUP(mem_release) uint8_t *part = mem_alloc(PART);
	struct hash h;
	uint64_t at = 0;
	size_t got;

	hash_init(&h);
	do {
		if (io_pread(fd, part, PART, at, &got, BROKEN, e) != OK) {
			hash_release(&h);
			return e->code;
		}
		hash_add(&h, part, got);
		at += got;
	} while (got == PART && !atomic_load(&a->stop));
	hash_end(&h, sum);
	return OK;
}

static void
unreadable(struct audit *a, const struct entry *x, const struct err *e)
{
	audit_find(a, FILE_UNREADABLE, x->file, NULL, NULL, "%s", e->text);
}

/* True: it is the file the ledger names. */
static bool
is_file(struct audit *a, const struct entry *x, int fd, const char *what)
{
	struct err e = ERR_INIT;
	uint8_t sum[HASH_LEN];

	if (hash_file(a, fd, sum, &e) != OK) {
		unreadable(a, x, &e);
		return false;
	}
	if (memcmp(sum, x->file_sha256, HASH_LEN) == 0)
		return true;
	audit_find_sums(a, FILE_CHANGED, x->file, x->file_sha256, sum, what);
	return false;
}

/* ---- deep ---- */

struct deep {
	struct audit *a;
	uint64_t told; /* bytes that progress has seen */
};

static void
advance(void *arg, uint64_t bytes)
{
	struct deep *d = arg;

	d->told += bytes;
	atomic_fetch_add(&d->a->done, bytes);
}

static enum rc
hash_part(void *arg, const uint8_t *p, size_t n, struct err *e UNUSED)
{
	hash_add(arg, p, n);
	return OK;
}

/* What is wrong with a file that is the one the ledger names, and how. */
static enum finding_kind
kind_of(struct landing *l, const struct entry *x)
{
	struct err e = ERR_INIT;
	uint8_t sum[HASH_LEN];
	struct hash h;

	hash_init(&h);
	if (landing_bytes(l, hash_part, &h, &e) != OK) {
		hash_release(&h);
		return BYTES_CHANGED;
	}
	hash_end(&h, sum);
	return memcmp(sum, x->bytes_sha256, HASH_LEN) == 0 ? INDEX_WRONG
							   : BYTES_CHANGED;
}

/* The provenance was verified against the bytes; now against the entry. */
static void
compare(struct audit *a, const struct entry *x, const struct provenance *p)
{
	const char *wrong = NULL;

	if (memcmp(p->bytes_sha256, x->bytes_sha256, HASH_LEN) != 0) {
		audit_find_sums(a, BYTES_CHANGED, x->file, x->bytes_sha256,
			p->bytes_sha256,
			"the delivered bytes are not those of the entry");
		return;
	}
	if (p->size != x->size)
		wrong = "size";
	else if (p->name_len != x->name_len ||
		memcmp(p->name, x->name, x->name_len) != 0)
		wrong = "name";
	else if (strcmp(p->source, x->source) != 0)
		wrong = "source";
	else if (p->totals.records != x->records)
		wrong = "number of records";
	else if (p->generation != x->generation)
		wrong = "generation";
	if (wrong != NULL)
		audit_find(a, PROVENANCE_WRONG, x->file, NULL, NULL,
			"its %s is not that of the entry", wrong);
}

static void
check_deep(struct audit *a, const struct entry *x, struct landing *l,
	uint64_t *told)
{
	struct deep d = {.a = a};
	uint8_t sum[HASH_LEN] = {0};
	struct err e = ERR_INIT;
	enum rc rc = landing_check(l, sum, advance, &d, &e);

	*told = d.told;
	if (rc != OK && e.cause != 0) {
		unreadable(a, x, &e);
		return;
	}
	if (memcmp(sum, x->file_sha256, HASH_LEN) != 0)
		audit_find_sums(a, FILE_CHANGED, x->file, x->file_sha256, sum,
			rc != OK ? e.text : NULL);
	else if (rc != OK)
		audit_find(a, kind_of(l, x), x->file, NULL, NULL, "%s", e.text);
	else
		compare(a, x, landing_provenance(l));
}

static void
check(struct audit *a, const struct entry *x, int fd, uint64_t *told)
{
	struct landing *l;
	struct err e = ERR_INIT;
	int again = -1;

	if (!a->o->deep) {
		(void)is_file(a, x, fd, NULL);
		io_drop(&fd);
		return;
	}
	if (landing_open(fd, &l, &e) == OK) {
		check_deep(a, x, l, told);
		landing_close(l);
		return;
	}
	/* Not even a landing file; is it at least what was landed? */
	if (place_file(a->zone, x->file, &again, &(struct err)ERR_INIT) != OK)
		return;
	if (is_file(a, x, again, e.text))
		audit_find(a, BYTES_CHANGED, x->file, NULL, NULL, "%s", e.text);
	io_drop(&again);
}

void
audit_file(struct audit *a, const struct entry *x)
{
	struct err e = ERR_INIT;
	uint64_t told = 0;
	int fd = -1;

	switch (place_file(a->zone, x->file, &fd, &e)) {
	case OK:
		check(a, x, fd, &told);
		break;
	case END:
		audit_find_sums(a, FILE_MISSING, x->file, x->file_sha256, NULL,
			"the ledger says that it was landed");
		break;
	default:
		/* A link, a folder: readable or not, it was not landed. */
		if (e.cause == 0 || e.cause == ELOOP)
			audit_find_sums(a, FILE_CHANGED, x->file,
				x->file_sha256, NULL, e.text);
		else
			unreadable(a, x, &e);
		break;
	}
	/* A damaged file may claim more than the entry, or be cut. */
	atomic_fetch_add(&a->done, x->size - told);
}
