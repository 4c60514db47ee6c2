/*
 * Names that somebody could take for a way out. None is ever used as a path;
 * but who sends one means harm or has a broken program, and a human should
 * know. Backslashes separate as well: archives of Windows programs have them.
 */
#include <string.h>

#include "unpack/walk.h"

static bool
is_separator(uint8_t c)
{
	return c == '/' || c == '\\';
}

static bool
is_letter(uint8_t c)
{
	return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

static bool
has_dots(const uint8_t *name, size_t len)
{
	size_t begin = 0;

	for (size_t i = 0; i <= len; i++) {
		if (i < len && !is_separator(name[i]))
			continue;
		if (i - begin == 2 && name[begin] == '.' &&
			name[begin + 1] == '.')
			return true;
		begin = i + 1;
	}
	return false;
}

const char *
walk_name(const uint8_t *name, size_t len)
{
	if (len == 0)
		return "empty name";
	if (memchr(name, '\0', len) != NULL)
		return "NUL in its name";
	if (is_separator(name[0]) ||
		(len > 2 && is_letter(name[0]) && name[1] == ':' &&
			is_separator(name[2])))
		return "absolute name";
	if (has_dots(name, len))
		return "'..' in its name";
	return NULL;
}
