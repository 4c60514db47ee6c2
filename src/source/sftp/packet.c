#include "source/sftp/packet.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/bytes.h"

/* ---- what comes ---- */

enum rc
packet_take(const uint8_t *p, size_t n, struct packet *ret, size_t *ret_used)
{
	size_t len, head = 1;

	if (n < 5)
		return AGAIN;
	len = get_be32(p);
	if (p[4] != PACKET_VERSION)
		head += 4;
	if (len < head || len > PACKET_MAX)
		return BAD_ITEM;
	if (n - 4 < len)
		return AGAIN;
	*ret = (struct packet){.type = p[4],
		.id = head > 1 ? get_be32(p + 5) : 0,
		.p = p + 4 + head,
		.len = len - head};
	*ret_used = 4 + len;
	return OK;
}

static const uint8_t *
packet_next(struct packet *p, size_t n)
{
	const uint8_t *at = p->p + p->at;

	if (p->bad || n > p->len - p->at) {
		p->bad = true;
		return NULL;
	}
	p->at += n;
	return at;
}

uint32_t
packet_u32(struct packet *p)
{
	const uint8_t *at = packet_next(p, 4);

	return at != NULL ? get_be32(at) : 0;
}

uint64_t
packet_u64(struct packet *p)
{
	uint64_t high = packet_u32(p);

	return high << 32 | packet_u32(p);
}

const uint8_t *
packet_bytes(struct packet *p, size_t *ret_len)
{
	size_t n = packet_u32(p);
	const uint8_t *at = packet_next(p, n);

	*ret_len = at != NULL ? n : 0;
	return at != NULL ? at : p->p;
}

enum {
	ATTR_SIZE = 1u << 0,
	ATTR_OWNER = 1u << 1,
	ATTR_MODE = 1u << 2,
	ATTR_TIMES = 1u << 3,
	ATTR_EXTENDED = 1u << 31,
};

/* Section 5. */
void
packet_attrs(struct packet *p, struct sftp_attrs *a)
{
	uint32_t has = packet_u32(p);
	size_t n;

	*a = (struct sftp_attrs){0};
	if (has & ATTR_SIZE) {
		a->size = packet_u64(p);
		a->has_size = true;
	}
	if (has & ATTR_OWNER) {
		packet_u32(p);
		packet_u32(p);
	}
	if (has & ATTR_MODE) {
		a->mode = packet_u32(p);
		a->has_mode = true;
	}
	if (has & ATTR_TIMES) {
		packet_u32(p);
		a->mtime = packet_u32(p);
		a->has_time = true;
	}
	if (has & ATTR_EXTENDED)
		for (uint32_t i = packet_u32(p); i > 0 && !p->bad; i--) {
			packet_bytes(p, &n);
			packet_bytes(p, &n);
		}
	if (p->bad)
		*a = (struct sftp_attrs){0};
}

bool
packet_end(const struct packet *p)
{
	return !p->bad && p->at == p->len;
}

enum sftp_type
packet_type_of(const struct sftp_attrs *a, const uint8_t *line, size_t len)
{
	if (a->has_mode && (a->mode & S_IFMT) != 0) {
		switch (a->mode & S_IFMT) {
		case S_IFREG:
			return SFTP_TYPE_FILE;
		case S_IFDIR:
			return SFTP_TYPE_DIRECTORY;
		case S_IFLNK:
			return SFTP_TYPE_SYMLINK;
		}
		return SFTP_TYPE_OTHER;
	}
	/* "-rw-r--r--    1 ...": nobody promises it, and some only have it. */
	if (len < 10)
		return SFTP_TYPE_UNKNOWN;
	for (size_t i = 1; i < 10; i++)
		if (memchr("-rwxsStTlL", line[i], 10) == NULL)
			return SFTP_TYPE_UNKNOWN;
	switch (line[0]) {
	case '-':
		return SFTP_TYPE_FILE;
	case 'd':
		return SFTP_TYPE_DIRECTORY;
	case 'l':
		return SFTP_TYPE_SYMLINK;
	}
	return SFTP_TYPE_UNKNOWN;
}

/*
 * Section 7, and codes of later versions that servers use all the same
 * (draft-ietf-secsh-filexfer-13 section 9.1).
 */
static const uint8_t faults[] = {
	[2] = SFTP_GONE,
	[3] = SFTP_DENIED,
	[4] = SFTP_REFUSED,
	[5] = SFTP_GARBAGE,
	[6] = SFTP_NETWORK,
	[7] = SFTP_NETWORK,
	[8] = SFTP_UNSUPPORTED,
	[10] = SFTP_GONE,
	[11] = SFTP_EXISTS,
	[12] = SFTP_DENIED,
	[14] = SFTP_FULL,
	[15] = SFTP_FULL,
	[29] = SFTP_DENIED,
};

static bool
has_word(const uint8_t *words, size_t len, const char *word)
{
	size_t n = strlen(word);

	for (size_t i = 0; i + n <= len; i++)
		if (strncasecmp((const char *)words + i, word, n) == 0)
			return true;
	return false;
}

enum sftp_fault
packet_fault(uint32_t code, const uint8_t *words, size_t len)
{
	static const struct {
		const char *word;
		enum sftp_fault fault;
	} said[] = {
		{"quota", SFTP_FULL},
		{"no space", SFTP_FULL},
		{"disk full", SFTP_FULL},
		{"exists", SFTP_EXISTS},
	};
	enum sftp_fault f = SFTP_REFUSED;

	if (code < ARRAY_LEN(faults) && faults[code] != 0)
		f = (enum sftp_fault)faults[code];
	for (size_t i = 0; f == SFTP_REFUSED && i < ARRAY_LEN(said); i++)
		if (has_word(words, len, said[i].word))
			f = said[i].fault;
	return f;
}

/* ---- what goes ---- */

static void
packet_add(struct packet_out *o, const void *p, size_t n)
{
	if (n > sizeof(o->p) - o->len)
		abort();
	if (n > 0)
		memcpy(o->p + o->len, p, n);
	o->len += n;
}

void
packet_begin(struct packet_out *o, uint8_t type, uint32_t id)
{
	o->len = 4;
	packet_add(o, &type, 1);
	packet_put_u32(o, id);
}

void
packet_put_u32(struct packet_out *o, uint32_t v)
{
	uint8_t raw[4];

	put_be32(raw, v);
	packet_add(o, raw, sizeof(raw));
}

void
packet_put_u64(struct packet_out *o, uint64_t v)
{
	uint8_t raw[8];

	put_be64(raw, v);
	packet_add(o, raw, sizeof(raw));
}

void
packet_put_bytes(struct packet_out *o, const void *p, size_t n)
{
	packet_put_u32(o, (uint32_t)n);
	packet_add(o, p, n);
}

void
packet_put_text(struct packet_out *o, const char *text)
{
	packet_put_bytes(o, text, strlen(text));
}

void
packet_finish(struct packet_out *o)
{
	put_be32(o->p, (uint32_t)(o->len - 4));
}
