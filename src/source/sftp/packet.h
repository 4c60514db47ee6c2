/*
 * packet.h - SFTP version 3 packets, byte by byte
 * (draft-ietf-secsh-filexfer-02; what OpenSSH adds: its PROTOCOL file).
 *
 *	length u32 | type u8 | body
 *
 * All big-endian; a string is its length as u32 and as many bytes. Taking
 * works as in message.h: what does not fit makes the packet bad for good, and
 * packet_end is asked once.
 */
#ifndef SOURCE_SFTP_PACKET_H
#define SOURCE_SFTP_PACKET_H

#include "landfall/sftp.h"

/* The longest packet we take: what OpenSSH's limit is, and a little. */
#define PACKET_MAX ((256u << 10) + 1024)
#define PACKET_OUT_MAX (34u << 10) /* the longest we send */
#define PACKET_HANDLE_MAX 256	   /* section 6.3 */

enum packet_type {
	PACKET_INIT = 1,
	PACKET_VERSION = 2,
	PACKET_OPEN = 3,
	PACKET_CLOSE = 4,
	PACKET_READ = 5,
	PACKET_WRITE = 6,
	PACKET_LSTAT = 7,
	PACKET_FSTAT = 8,
	PACKET_OPENDIR = 11,
	PACKET_READDIR = 12,
	PACKET_REMOVE = 13,
	PACKET_MKDIR = 14,
	PACKET_REALPATH = 16,
	PACKET_STAT = 17,
	PACKET_RENAME = 18,
	PACKET_STATUS = 101,
	PACKET_HANDLE = 102,
	PACKET_DATA = 103,
	PACKET_NAME = 104,
	PACKET_ATTRS = 105,
	PACKET_EXTENDED = 200,
	PACKET_EXTENDED_REPLY = 201,
};

enum packet_open {
	PACKET_OPEN_READ = 1,
	PACKET_OPEN_WRITE = 2,
	PACKET_OPEN_CREATE = 8,
	PACKET_OPEN_TRUNCATE = 16,
};

enum packet_status {
	PACKET_OK = 0,
	PACKET_EOF = 1,
};

/* ---- what comes ---- */

struct packet {
	uint8_t type;
	uint32_t id; /* 0 in a VERSION */
	const uint8_t *p;
	size_t len, at; /* of the body, behind the id */
	bool bad;
};

/*
 * The first packet in p[0 .. n). OK; AGAIN: not all of it is there; BAD_ITEM:
 * no packet we take. *ret_used bytes are its.
 */
enum rc packet_take(const uint8_t *p, size_t n, struct packet *ret,
	size_t *ret_used) MUST_USE;

uint32_t packet_u32(struct packet *p);
uint64_t packet_u64(struct packet *p);
const uint8_t *packet_bytes(struct packet *p, size_t *ret_len);
void packet_attrs(struct packet *p, struct sftp_attrs *ret);
bool packet_end(const struct packet *p) MUST_USE;

/* From the type in a mode; when there is none, from a line of ls -l. */
enum sftp_type
packet_type_of(const struct sftp_attrs *a, const uint8_t *line, size_t len);

/* The fault of a status code, and of words that servers put beside FAILURE. */
enum sftp_fault packet_fault(uint32_t code, const uint8_t *words, size_t len);

/* ---- what goes ---- */

struct packet_out {
	uint8_t p[PACKET_OUT_MAX];
	size_t len;
};

/* Every one fits: paths and handles are bounded, data by who writes it. */
void packet_begin(struct packet_out *o, uint8_t type, uint32_t id);
void packet_put_u32(struct packet_out *o, uint32_t v);
void packet_put_u64(struct packet_out *o, uint64_t v);
void packet_put_bytes(struct packet_out *o, const void *p, size_t n);
void packet_put_text(struct packet_out *o, const char *text);
/* Sets the length in front. */
void packet_finish(struct packet_out *o);

#endif
