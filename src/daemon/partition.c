#include "daemon/partition.h"

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
