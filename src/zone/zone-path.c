#include <string.h>

#include "base/clock.h"
#include "landfall/zone.h"

#define NAME_MOST 255	  /* bytes in one directory entry: NAME_MAX */
#define EXTENSION_MOST 16 /* longer is part of the stem */
#define CUT_MARK '~'
#define CUT_DIGEST 8 /* bytes of the name's digest after the mark */

static bool
is_alnum(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
		(c >= 'a' && c <= 'z');
}

/* Bytes of the name before its extension's dot; all of it when it has none. */
static size_t
stem_len(const uint8_t *name, size_t len)
{
	size_t dot = len;

	while (dot > 0 && is_alnum(name[dot - 1]) && len - dot < EXTENSION_MOST)
		dot--;
	if (dot == len || dot < 2 || name[dot - 1] != '.' ||
		name[dot - 2] == '/')
		return len;
	return dot - 1;
}

void
zone_add_name(struct str *s, const uint8_t *name, size_t name_len, size_t stem,
	size_t most)
{
	CLEANUP(str_release) struct str enc = STR_INIT;
	uint8_t digest[HASH_LEN];
	size_t cut = most - 1 - (size_t)2 * CUT_DIGEST;

	if (stem > 0 && strchr("_.-", name[0]) != NULL && name[0] != '\0')
		str_addf(&enc, "%%%02X", name[0]);
	str_add_percent(&enc, name + (enc.len > 0), stem - (enc.len > 0), "");
	if (enc.len > most) {
		/* Never inside a %XX. */
		for (size_t back = 1; back <= 2; back++)
			if (enc.s[cut - back] == '%') {
				cut -= back;
				break;
			}
		str_cut(&enc, cut);
		hash_bytes(name, name_len, digest);
		str_addc(&enc, CUT_MARK);
		str_add_hex(&enc, digest, CUT_DIGEST);
	}
	str_addn(s, enc.s, enc.len);
}

void
zone_path(struct str *s, const char *root, const char *source,
	int64_t landed_at, const uint8_t *name, size_t name_len,
	const uint8_t sha256[HASH_LEN], unsigned sha_chars)
{
	CLEANUP(str_release) struct str tail = STR_INIT;
	CLEANUP(str_release) struct str hex = STR_INIT;
	size_t stem = stem_len(name, name_len);

	str_add_hex(&hex, sha256, HASH_LEN);
	str_cut(&hex, sha_chars);
	str_addf(&tail, ".%s", hex.s);
	str_addn(&tail, name + stem, name_len - stem);
	str_add(&tail, ".zst");

	if (*root != '\0')
		str_addf(s, "%s/", root);
	str_addf(s, "%s/dt=", source);
	clock_add_date(s, landed_at);
	str_addc(s, '/');
	zone_add_name(s, name, name_len, stem, NAME_MOST - tail.len);
	str_addn(s, tail.s, tail.len);
}
