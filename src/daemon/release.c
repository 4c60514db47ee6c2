#include "daemon/release.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"

struct source {
	const struct config *config;
	struct zone *zone;
	struct landing *landing;
	uint8_t bytes_sha256[HASH_LEN]; /* as the ledger has it */
	struct signature signature;
};

enum rc
release_new(const struct config *c, const struct catalog_name *n,
	struct source **ret, struct err *e)
{
	struct source *s = mem_alloc(sizeof(*s));
	const struct provenance *p;
	int fd = -1;
	enum rc rc;

	s->config = c;
	memcpy(s->bytes_sha256, n->version.bytes_sha256, HASH_LEN);
	rc = zone_open(c->zone, &s->zone, e);
	if (rc == OK)
		rc = zone_read(s->zone, n->version.file, &fd, e);
	if (rc == OK && landing_open(fd, &s->landing, e) != OK)
		rc = err_add(e, "%s", n->version.file);
	if (rc != OK) {
		release_free(s);
		return rc;
	}
	p = landing_provenance(s->landing);
	s->signature = (struct signature){.size = p->size, .mtime = p->mtime};
	*ret = s;
	return OK;
}

void
release_free(struct source *s)
{
	if (s == NULL)
		return;
	landing_close(s->landing);
	zone_close(s->zone);
	free(s);
}

struct job *
release_job(struct source *s, const struct source_config *cfg,
	const struct catalog_name *n, const char *why)
{
	const struct provenance *p = landing_provenance(s->landing);
	struct job *j = job_new(cfg, n->name, n->name_len);

	j->source = s;
	j->ops = &release_ops;
	j->by_hand = true;
	j->lenient = true;
	/* A file that is still at the source has been dealt with by this. */
	j->signature = n->signature;
	j->seen_at = p->seen_at;
	j->evidence = mem_strdup(p->evidence);
	j->transport = p->transport;
	j->release.why = why;
	j->release.entry = n->version.index;
	j->release.stands = n->disposition;
	return j;
}

struct copy {
	int fd;
	struct hash hash;
};

static enum rc
copy_part(void *arg, const uint8_t *p, size_t n, struct err *e)
{
	struct copy *c = arg;

	hash_add(&c->hash, p, n);
	return io_write(c->fd, p, n, BROKEN, e);
}

/* The delivered bytes in an unlinked file of the spool, proved. */
static enum rc
release_fetch(struct source *s, const uint8_t *name UNUSED, size_t len UNUSED,
	struct feed **ret_feed, struct signature *ret, struct err *e)
{
	CLEANUP(str_release) struct str spool = STR_INIT;
	struct copy c = {.fd = -1};
	uint8_t sum[HASH_LEN];
	enum rc rc;

	str_addf(&spool, "%s/spool", s->config->state);
	if (io_open(AT_FDCWD, spool.s, O_TMPFILE | O_RDWR, 0600, &c.fd, BROKEN,
		    e) != OK)
		return e->code;
	hash_init(&c.hash);
	rc = landing_bytes(s->landing, copy_part, &c, e);
	hash_end(&c.hash, sum);
	if (rc == OK && memcmp(sum, s->bytes_sha256, HASH_LEN) != 0)
		rc = err_set(e, BAD_ITEM,
			"the quarantined bytes are not those the ledger "
			"names: run `landfall verify --deep`");
	if (rc == OK && lseek(c.fd, 0, SEEK_SET) < 0)
		rc = err_set(e, BROKEN, "spool: cannot seek");
	if (rc != OK) {
		io_drop(&c.fd);
		return rc;
	}
	*ret_feed = feed_file(c.fd);
	*ret = s->signature;
	return OK;
}

static enum rc
release_look(struct source *s, const uint8_t *name UNUSED, size_t len UNUSED,
	enum item_type *ret_type UNUSED, struct signature *ret,
	struct err *e UNUSED)
{
	*ret = s->signature;
	return OK;
}

const struct source_ops release_ops = {
	.fetch = release_fetch,
	.look = release_look,
};
