/*
 * Extended headers of tar: POSIX.1-2017, pax, "pax Interchange Format"; GNU's
 * long names. libarchive has read them before; here nothing is judged but
 * where a name ends.
 */
#include "unpack/pax.h"

#include <string.h>

#include "base/attr.h"

enum { BLOCK = 512, SIZE_AT = 124, SIZE_LEN = 12, TYPE_AT = 156 };

static bool
header_size(const uint8_t *h, uint64_t *ret)
{
	uint64_t size = 0;
	size_t i = 0;

	/* In base 256, as GNU writes what is large; nobody checks that it is.
	 */
	if (h[SIZE_AT] & 0x80) {
		size = h[SIZE_AT] & 0x7f;
		for (i = 1; i < SIZE_LEN; i++) {
			if (size >> 56 != 0)
				return false;
			size = size << 8 | h[SIZE_AT + i];
		}
		*ret = size;
		return true;
	}
	while (i < SIZE_LEN && h[SIZE_AT + i] == ' ')
		i++;
	for (; i < SIZE_LEN; i++) {
		uint8_t c = h[SIZE_AT + i];

		if (c == '\0' || c == ' ')
			break;
		if (c < '0' || c > '7')
			return false;
		size = size * 8 + (c - '0');
	}
	*ret = size;
	return true;
}

static bool
names(const uint8_t *key, size_t len)
{
	static const char *const keys[] = {"path", "GNU.sparse.name"};

	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (strlen(keys[i]) == len && memcmp(keys[i], key, len) == 0)
			return true;
	return false;
}

/* "LENGTH key=value\n", LENGTH of all of it, one after another. */
static bool
records(const uint8_t *p, size_t n, const uint8_t **ret, size_t *ret_len)
{
	while (n > 0) {
		size_t len = 0, i = 0;
		const uint8_t *is;

		while (i < n && i < 8 && p[i] >= '0' && p[i] <= '9')
			len = len * 10 + (p[i++] - '0');
		if (i == n || p[i] != ' ' || len < i + 2 || len > n)
			return false;
		i++;
		is = memchr(p + i, '=', len - i);
		if (is != NULL && names(p + i, (size_t)(is - p) - i)) {
			*ret = is + 1;
			*ret_len = len - 1 - (size_t)(is + 1 - p);
			if (memchr(*ret, '\0', *ret_len) != NULL)
				return true;
		}
		p += len;
		n -= len;
	}
	return false;
}

/* NULs fill up to the end; what is between them is part of a name. */
static bool
long_name(const uint8_t *p, size_t n, const uint8_t **ret, size_t *ret_len)
{
	while (n > 0 && p[n - 1] == '\0')
		n--;
	*ret = p;
	*ret_len = n;
	return memchr(p, '\0', n) != NULL;
}

bool
pax_has_nul(const uint8_t *p, size_t n, const uint8_t **ret, size_t *ret_len)
{
	while (n >= BLOCK) {
		uint8_t type = p[TYPE_AT];
		uint64_t size, all;

		/* What may stand in front of a member: also the name of the
		 * volume, and Solaris' access lists. */
		if (strchr("xXLKgVA", type) == NULL || type == '\0' ||
			!header_size(p, &size) || size > n - BLOCK)
			return false;
		if ((type == 'x' || type == 'X') &&
			records(p + BLOCK, (size_t)size, ret, ret_len))
			return true;
		if (type == 'L' &&
			long_name(p + BLOCK, (size_t)size, ret, ret_len))
			return true;
		all = BLOCK + (size + BLOCK - 1) / BLOCK * BLOCK;
		if (all > n)
			return false;
		p += all;
		n -= (size_t)all;
	}
	return false;
}
