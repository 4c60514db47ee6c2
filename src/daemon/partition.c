#include "daemon/partition.h"

#include <string.h>

#include "base/mem.h"

/* Number i of those that the values make with each other. False: no more. */
static bool
set(const struct api_stream *s, const struct parents *parents, uint64_t i,
	struct vars *v, struct str *name)
{
	size_t n = parents != NULL ? parents_count(parents) : 0;

	if (parents != NULL) {
		if (n == 0)
			return false;
		parents_set(parents, i % n, v, name);
		i /= n;
	}
	for (size_t k = 0; k < s->partitions.n; k++) {
		const struct api_partition *x = &s->partitions.row[k];
		const char *value;

		if (x->values.n == 0 && parents != NULL)
			continue;
		if (x->values.n == 0)
			return false;
		value = x->values.word[i % x->values.n];
		i /= x->values.n;
		vars_set_text(v, API_PARTITION, x->name, value);
		str_addf(name, "%s%s=%s", name->len > 0 ? "," : "", x->name,
			value);
	}
	return i == 0;
}

static const char *
variable(const struct api_partitions *q, const char *name, size_t len)
{
	for (size_t i = 0; i < q->n; i++)
		if (strlen(q->row[i].name) == len &&
			memcmp(q->row[i].name, name, len) == 0)
			return q->row[i].name;
	return NULL;
}

bool
partition_set(const struct api_stream *s, const char *name, struct vars *v)
{
	vars_unset_all(v, API_PARTITION);
	for (const char *p = name, *end; *p != '\0';
		p = *end != '\0' ? end + 1 : end) {
		size_t len = strcspn(p, "=,"), n;
		const char *x = variable(&s->partitions, p, len);
		CLEANUP(mem_release) uint8_t *value = NULL;

		end = p + strcspn(p, ",");
		if (x == NULL || p[len] != '=')
			return false;
		p += len + 1;
		value = mem_alloc((size_t)(end - p) + 1);
		if (!str_parse_percent(
			    p, (size_t)(end - p), value, (size_t)(end - p), &n))
			return false;
		vars_set(v, API_PARTITION, x, value, n);
	}
	return true;
}

enum rc
partition_each(const struct api_stream *s, struct vars *v,
	const struct parents *parents,
	enum rc (*each)(void *arg, const char *partition, struct err *e),
	void *arg, struct err *e)
{
	enum rc rc = OK;

	vars_unset_all(v, API_PARTITION);
	if (s->partitions.n == 0)
		return each(arg, NULL, e);
	for (uint64_t i = 0; rc == OK; i++) {
		CLEANUP(str_release) struct str name = STR_INIT;

		if (!set(s, parents, i, v, &name))
			break;
		rc = each(arg, name.s, e);
	}
	if (rc == OK)
		vars_unset_all(v, API_PARTITION);
	return rc;
}
