#include "daemon/sums.h"

#include <string.h>

static enum rc
read_text(struct feed *f, uint64_t size, struct buf *b, struct err *e)
{
	size_t got;

	if (size > CHECKLIST_BYTES)
		return err_set(e, BAD_ITEM, "is larger than %u MiB",
			CHECKLIST_BYTES >> 20);
	/* One byte more than there should be: it may be growing. */
	if (buf_reserve(b, (size_t)size + 1, e) != OK ||
		feed_read(f, b->data, (size_t)size + 1, &got, e) != OK)
		return e->code;
	b->len = got;
	return got == size ? OK : AGAIN;
}

enum rc
sums_load(const struct source_ops *ops, struct source *s, const uint8_t *name,
	size_t len, enum checklist_kind kind,
	const struct checklist_table *table, struct checklist *ret,
	struct signature *ret_signature, uint8_t sha256[HASH_LEN],
	struct err *e)
{
	struct signature before, after;
	struct buf text;
	struct feed *f;
	enum rc rc = ops->fetch(s, name, len, &f, &before, e);

	if (rc != OK)
		return rc;
	buf_init(&text, (size_t)CHECKLIST_BYTES + 1);
	rc = read_text(f, before.size, &text, e);
	feed_free(f);
	if (rc == OK)
		rc = ops->look(s, name, len, NULL, &after, e);
	if (rc == OK && !signature_equal(&before, &after))
		rc = AGAIN;
	if (rc == OK && sha256 != NULL)
		hash_bytes(text.data, text.len, sha256);
	if (rc == OK)
		rc = checklist_read(ret, kind, table, &text, e);
	buf_release(&text);
	if (rc == OK)
		*ret_signature = before;
	return rc;
}

void
sums_release(struct sums *s)
{
	checklist_release(&s->list);
	str_release(&s->name);
}

enum rc
sums_get(struct sums *s, const struct source_ops *ops, struct source *source,
	const struct str *name, struct checklist **ret, struct err *e)
{
	const uint8_t *bytes = (const uint8_t *)name->s;
	struct signature now;
	enum item_type type;
	enum rc rc = ops->look(source, bytes, name->len, &type, &now, e);

	if (rc != OK)
		return rc;
	if (type != ITEM_FILE)
		return err_set(e, BAD_ITEM, "is not a regular file");
	if (s->name.len != name->len ||
		memcmp(s->name.s, name->s, name->len) != 0 ||
		!signature_equal(&s->signature, &now)) {
		checklist_release(&s->list);
		str_clear(&s->name);
		rc = sums_load(ops, source, bytes, name->len, CHECKLIST_SUMS,
			NULL, &s->list, &s->signature, NULL, e);
		if (rc != OK)
			return rc;
		str_addn(&s->name, name->s, name->len);
	}
	*ret = &s->list;
	return OK;
}
