#include "daemon/memory.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"

#define FIRST 1024

void
memory_init(struct memory *m, struct catalog *c, int64_t stream, int64_t until)
{
	*m = (struct memory){.catalog = c, .stream = stream, .until = until};
}

void
memory_release(struct memory *m)
{
	free(m->slot);
	free(m->used);
	m->slot = NULL;
	m->used = NULL;
	m->cap = m->n = 0;
}

/* Where it is, or would be: a digest is as random as a hash can be. */
static size_t
place(const struct memory *m, const uint8_t digest[CATALOG_SEEN])
{
	size_t at = (size_t)get_le64(digest) & (m->cap - 1);

	while (m->used[at] && memcmp(m->slot[at], digest, CATALOG_SEEN) != 0)
		at = (at + 1) & (m->cap - 1);
	return at;
}

static void
take(struct memory *m, const uint8_t digest[CATALOG_SEEN])
{
	size_t at = place(m, digest);

	memcpy(m->slot[at], digest, CATALOG_SEEN);
	m->used[at] = true;
}

static void
grow(struct memory *m)
{
	struct memory old = *m;

	m->cap = old.cap > 0 ? 2 * old.cap : FIRST;
	m->slot = mem_array(m->cap, sizeof(*m->slot));
	m->used = mem_array(m->cap, sizeof(*m->used));
	for (size_t i = 0; i < old.cap; i++)
		if (old.used[i])
			take(m, old.slot[i]);
	free(old.slot);
	free(old.used);
}

enum rc
memory_look(struct memory *m, const uint8_t digest[CATALOG_SEEN],
	bool *ret_seen, struct err *e)
{
	enum rc rc = END;

	if (m->cap > 0 && m->used[place(m, digest)]) {
		*ret_seen = true;
		return OK;
	}
	if (m->stream != 0)
		rc = catalog_seen_find(m->catalog, m->stream, digest, e);
	if (rc != OK && rc != END)
		return rc;
	*ret_seen = rc == OK;
	/* What was seen is held too: it is remembered for longer now. */
	if (m->n >= MEMORY_PENDING) {
		m->forgotten += rc == END;
		return OK;
	}
	if (2 * (m->n + 1) > m->cap)
		grow(m);
	take(m, digest);
	m->n++;
	return OK;
}

enum rc
memory_put(const struct memory *m, struct catalog *c, int64_t stream,
	struct err *e)
{
	for (size_t i = 0; i < m->cap; i++)
		if (m->used[i] &&
			catalog_seen_put(c, stream, m->slot[i], m->until, e) !=
				OK)
			return e->code;
	return OK;
}

void
memory_clear(struct memory *m)
{
	if (m->cap > 0)
		memset(m->used, 0, m->cap * sizeof(*m->used));
	m->n = 0;
}
