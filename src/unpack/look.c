/*
 * What first bytes and names say. Names are bytes: letters fold in ASCII and
 * nothing else does.
 */
#include <string.h>
#include <strings.h>

#include "base/str.h"
#include "landfall/unpack.h"

const char *
unpack_kind_name(enum unpack_kind k)
{
	static const char *const names[] = {
		[UNPACK_NOTHING] = "no archive",
		[UNPACK_ZIP] = "zip",
		[UNPACK_TAR] = "tar",
		[UNPACK_GZIP] = "gzip",
		[UNPACK_BZIP2] = "bzip2",
		[UNPACK_XZ] = "xz",
		[UNPACK_ZSTD] = "zstd",
	};

	return names[k];
}

/* ---- names ---- */

static const struct suffix {
	const char *text;
	enum unpack_kind kind;
	bool tar;
} suffixes[] = {
	{".zip", UNPACK_ZIP, false},
	{".tar", UNPACK_TAR, false},
	{".tar.gz", UNPACK_GZIP, true},
	{".tgz", UNPACK_GZIP, true},
	{".taz", UNPACK_GZIP, true},
	{".gz", UNPACK_GZIP, false},
	{".tar.bz2", UNPACK_BZIP2, true},
	{".tbz2", UNPACK_BZIP2, true},
	{".tbz", UNPACK_BZIP2, true},
	{".bz2", UNPACK_BZIP2, false},
	{".tar.xz", UNPACK_XZ, true},
	{".txz", UNPACK_XZ, true},
	{".xz", UNPACK_XZ, false},
	{".tar.zst", UNPACK_ZSTD, true},
	{".tar.zstd", UNPACK_ZSTD, true},
	{".tzst", UNPACK_ZSTD, true},
	{".zst", UNPACK_ZSTD, false},
	{".zstd", UNPACK_ZSTD, false},
};

/* Kinds of file that happen to be made of a zip. */
static const char *const documents[] = {".xlsx", ".xlsm", ".xlsb", ".xltx",
	".docx", ".docm", ".dotx", ".pptx", ".pptm", ".odt", ".ods", ".odp",
	".odg", ".ott", ".ots", ".jar", ".war", ".ear", ".apk", ".aar", ".epub",
	".kmz", ".nupkg", ".whl", ".vsdx", ".xps", ".3mf", ".ipa"};

/* A suffix alone is no name with a suffix: ".gz" is a hidden file. */
static bool
ends_with(const uint8_t *name, size_t len, const char *suffix)
{
	size_t n = strlen(suffix);

	return len > n && name[len - n - 1] != '/' &&
		strncasecmp((const char *)name + len - n, suffix, n) == 0;
}

static void
look_at_name(const uint8_t *name, size_t len, struct unpack_look *ret)
{
	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
		if (!ends_with(name, len, suffixes[i].text))
			continue;
		ret->named = suffixes[i].kind;
		ret->named_tar = suffixes[i].tar;
		return;
	}
}

static bool
is_document(const uint8_t *name, size_t len)
{
	for (size_t i = 0; i < ARRAY_LEN(documents); i++)
		if (ends_with(name, len, documents[i]))
			return true;
	return false;
}

/* ---- contents ---- */

/*
 * A tar header carries the sum of its bytes, in octal, taken as if the field
 * were blank; some writers took the bytes as signed. POSIX ustar is not
 * asked for: older archives have no magic.
 */
static bool
is_tar(const uint8_t *p, size_t n)
{
	enum { BLOCK = 512, AT = 148, WIDTH = 8 };
	unsigned long want = 0;
	long sum = 0, as_signed = 0;
	size_t i = AT;

	if (n < BLOCK || p[0] == '\0')
		return false;
	while (i < AT + WIDTH && p[i] == ' ')
		i++;
	if (i == AT + WIDTH || p[i] < '0' || p[i] > '7')
		return false;
	for (; i < AT + WIDTH && p[i] >= '0' && p[i] <= '7'; i++)
		want = want * 8 + (p[i] - '0');
	for (i = 0; i < BLOCK; i++) {
		uint8_t c = i >= AT && i < AT + WIDTH ? ' ' : p[i];

		sum += c;
		as_signed += (int8_t)c;
	}
	return sum == (long)want || as_signed == (long)want;
}

static bool
begins(const uint8_t *p, size_t n, const char *magic, size_t len)
{
	return n >= len && memcmp(p, magic, len) == 0;
}

/* RFC 1952 2.3; bzip2's magic is followed by a level and a block's magic. */
static bool
is_gzip(const uint8_t *p, size_t n)
{
	return begins(p, n, "\x1f\x8b\x08", 3) && (n < 4 || p[3] < 0x20);
}

static bool
is_bzip2(const uint8_t *p, size_t n)
{
	return begins(p, n, "BZh", 3) && n > 3 && p[3] >= '1' && p[3] <= '9' &&
		(n < 10 || memcmp(p + 4, "1AY&SY", 6) == 0 ||
			memcmp(p + 4, "\x17rE8P\x90", 6) == 0);
}

/* RFC 8878: a frame, or one to be skipped before it. */
static bool
is_zstd(const uint8_t *p, size_t n)
{
	return begins(p, n, "\x28\xb5\x2f\xfd", 4) ||
		(n >= 4 && (p[0] & 0xf0) == 0x50 &&
			memcmp(p + 1, "\x2a\x4d\x18", 3) == 0);
}

static enum unpack_kind
content_of(const uint8_t *p, size_t n)
{
	if (begins(p, n, "PK\3\4", 4) || begins(p, n, "PK\5\6", 4) ||
		begins(p, n, "PK\7\10", 4) || begins(p, n, "PK00PK\3\4", 8))
		return UNPACK_ZIP;
	if (is_gzip(p, n))
		return UNPACK_GZIP;
	if (is_bzip2(p, n))
		return UNPACK_BZIP2;
	if (begins(p, n,
		    "\xfd"
		    "7zXZ\0",
		    6))
		return UNPACK_XZ;
	if (is_zstd(p, n))
		return UNPACK_ZSTD;
	return is_tar(p, n) ? UNPACK_TAR : UNPACK_NOTHING;
}

/* An empty tar archive is nothing but zeros: only its name tells. */
static bool
is_zeros(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] != 0)
			return false;
	return n > 0;
}

void
unpack_look(const uint8_t *head, size_t n, const uint8_t *name, size_t len,
	struct unpack_look *ret)
{
	*ret = (struct unpack_look){.content = content_of(head, n)};
	look_at_name(name, len, ret);
	if (ret->content == UNPACK_NOTHING && ret->named == UNPACK_TAR &&
		is_zeros(head, n))
		ret->content = UNPACK_TAR;
	ret->document = ret->content == UNPACK_ZIP && is_document(name, len);
}

bool
unpack_disagrees(const struct unpack_look *l, struct str *s)
{
	if (l->content == l->named || l->document)
		return false;
	str_addf(s, "its name says %s, its bytes are %s",
		unpack_kind_name(l->named), unpack_kind_name(l->content));
	return true;
}
