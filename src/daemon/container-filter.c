/*
 * What partners encrypt goes through a program of the source's first.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "daemon/container-state.h"
#include "landfall/filter.h"

#define STEP (256u << 10)

/* "orders.zip" of "in/orders.zip.gpg". */
static void
name_filtered(struct container_run *r)
{
	const uint8_t *name = r->job->name;
	size_t len = r->job->name_len;
	const uint8_t *slash = memrchr(name, '/', len), *dot;

	if (slash != NULL) {
		len -= (size_t)(slash + 1 - name);
		name = slash + 1;
	}
	dot = memrchr(name, '.', len);
	str_addn(&r->inner, name,
		dot != NULL && dot > name ? (size_t)(dot - name) : len);
	r->outer[1].name = (uint8_t *)r->inner.s;
	r->outer[1].name_len = r->inner.len;
	r->n_outer = 2;
}

/* What came out of it: its SHA-256, and what it is. */
static enum rc
look_at_filtered(struct container_run *r, struct err *e)
{
	CLEANUP(mem_release) uint8_t *part = mem_alloc(STEP);
	struct container *c = &r->outer[1];
	struct hash h;
	uint64_t at = 0;
	size_t got;

	hash_init(&h);
	do {
		if (io_pread(r->filtered, part, STEP, at, &got, BROKEN, e) !=
			OK) {
			hash_release(&h);
			return err_add(e, "spool");
		}
		if (at == 0)
			unpack_look(part, got < UNPACK_HEAD ? got : UNPACK_HEAD,
				c->name, c->name_len, &r->filtered_look);
		hash_add(&h, part, got);
		at += got;
	} while (got == STEP);
	hash_end(&h, c->bytes_sha256);
	if (lseek(r->filtered, 0, SEEK_SET) < 0)
		return err_sys(e, BROKEN, errno, "spool: seek");
	return OK;
}

enum rc
container_filter(struct container_run *r, int in, struct err *e)
{
	const struct unpack_config *u = &r->job->config->unpack;
	CLEANUP(secret_forget) struct buf password;
	CLEANUP(str_release) struct str weak = STR_INIT;
	struct filter_options o = {
		.argv = (const char *const *)u->filter.command.word,
		.home = u->filter.home,
		.read = (const char *const *)u->filter.read.word,
		.in = in,
		.limits = FILTER_LIMITS_DEFAULT,
	};
	enum rc rc;

	buf_init(&password, 0);
	rc = container_password(r, &password, e);
	o.password = password.len > 0 ? password.data : NULL;
	o.password_len = password.len;
	o.limits.bytes = u->max_bytes;
	o.limits.wall = u->max_time;
	o.limits.cpu = (uint64_t)(u->max_time / INT64_C(1000000000)) + 1;
	if (rc == OK)
		rc = room_floor(r->fetch->room, &o.limits.free_space, e);
	if (rc == OK)
		rc = io_open(r->fetch->spool, ".", O_TMPFILE | O_RDWR, 0600,
			&r->filtered, BROKEN, e);
	o.out = r->filtered;
	if (rc == OK)
		rc = filter_run(&o, &r->outer[1].size, &weak, e);
	if (weak.len > 0)
		container_warn(weak.s);
	if (rc != OK)
		return rc;
	/* gpg does that with a file that was cut off early. */
	if (r->outer[1].size == 0 && r->outer[0].size > 0 && !r->job->lenient)
		return err_set(e, BAD_ITEM,
			"filter %s: ended well and wrote nothing, of %llu "
			"bytes: the file may have been cut off; if it is to be "
			"empty `landfall release` takes it so",
			o.argv[0], (unsigned long long)r->outer[0].size);
	name_filtered(r);
	return look_at_filtered(r, e);
}
