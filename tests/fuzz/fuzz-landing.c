/*
 * Any bytes as a landing file: opened, read, walked and checked. What is
 * accepted must be consistent: the bytes read are as many as promised, and
 * the records lie in order within them.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "landfall/land.h"

struct walked {
	uint64_t bytes;
	uint64_t records;
	uint64_t end;
	uint64_t size;
};

static enum rc
see_bytes(void *arg, const uint8_t *p UNUSED, size_t n, struct err *e UNUSED)
{
	((struct walked *)arg)->bytes += n;
	return OK;
}

static enum rc
see_record(void *arg, const struct landing_record *r, struct err *e UNUSED)
{
	struct walked *w = arg;

	if (r->offset < w->end || r->length > w->size - r->offset)
		abort();
	w->end = r->offset + r->length;
	w->records++;
	return OK;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err e = ERR_INIT;
	struct landing *l;
	uint8_t sum[HASH_LEN];
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	if (landing_open(fd, &l, &e) != OK)
		return 0;
	const struct provenance *p = landing_provenance(l);
	struct walked w = {.size = p->size};

	if (landing_bytes(l, see_bytes, &w, &e) == OK && w.bytes != p->size)
		abort();
	if (landing_records(l, 0, 0, see_record, &w, &e) == OK &&
		w.records != p->totals.records)
		abort();
	(void)!landing_check(l, sum, NULL, NULL, &e);
	landing_close(l);
	return 0;
}
