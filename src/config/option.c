#include "config/option.h"

#include <string.h>

#include "config/option-part.h"

static const struct option_part *const parts[] = {
	&option_top,
	&option_drop,
	&option_sftp,
	&option_api,
	&option_delivery,
	&option_unpack,
	&option_when,
	&option_content,
	&option_format,
};

size_t
option_count(void)
{
	size_t n = 0;

	for (size_t k = 0; k < ARRAY_LEN(parts); k++)
		n += parts[k]->n;
	return n;
}

const struct option *
option_at(size_t i)
{
	size_t k = 0;

	for (; i >= parts[k]->n; k++)
		i -= parts[k]->n;
	return &parts[k]->row[i];
}

const char *
option_name(const struct option *o)
{
	static const char source[] = "sources.*.";
	size_t n = sizeof(source) - 1;

	return strncmp(o->path, source, n) == 0 ? o->path + n : o->path;
}

const char *
option_key_in(const struct option *o, const char *prefix)
{
	size_t n = strlen(prefix);
	const char *key = o->path;

	if (n > 0) {
		if (strncmp(key, prefix, n) != 0 || key[n] != '.')
			return NULL;
		key += n + 1;
	}
	return strchr(key, '.') == NULL ? key : NULL;
}

const struct option *
option_find(const char *prefix, const char *key, size_t len)
{
	for (size_t k = 0; k < ARRAY_LEN(parts); k++)
		for (size_t i = 0; i < parts[k]->n; i++) {
			const struct option *o = &parts[k]->row[i];
			const char *in = option_key_in(o, prefix);

			if (in != NULL && strlen(in) == len &&
				memcmp(in, key, len) == 0)
				return o;
		}
	return NULL;
}
