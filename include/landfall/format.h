/*
 * format.h - what lies on disk, byte by byte. The truth for land/ and
 * ledger/; contrib/readers/ states it a second time, independently.
 *
 * A landing file (all integers little-endian):
 *
 *	+---------------------+  only when two or more data frames follow
 *	| empty zstd frame    |  the tripwire: readers that stop after one
 *	+---------------------+  frame see nothing instead of a prefix
 *	| data frame 0        |  independent zstd frames of whole records,
 *	| data frame 1 ...    |  content size and XXH64 present
 *	+---------------------+
 *	| skippable "LFIX"    |  record index: what the bytes are
 *	+---------------------+
 *	| skippable "LFPV"    |  provenance: one canonical JSON object
 *	+---------------------+
 *	| skippable seek table|  zstd seekable format 0.1.0, last bytes
 *	+---------------------+
 *
 * zstd -dc FILE prints the delivered bytes, whatever reads it.
 */
#ifndef LANDFALL_FORMAT_H
#define LANDFALL_FORMAT_H

#include <stdbool.h>
#include <stdint.h>

#define FORMAT_VERSION 1

/* RFC 8878 section 3.1.2: magic number and length of a skippable frame. */
#define FORMAT_SKIPPABLE_MAGIC 0x184D2A5Du /* LFIX and LFPV */
#define FORMAT_SEEK_MAGIC 0x184D2A5Eu
#define FORMAT_SKIPPABLE_HEAD 8

/* zstd seekable format: entries of 8 bytes, then this footer. */
#define FORMAT_SEEK_ENTRY 8
#define FORMAT_SEEK_FOOTER 9 /* frames u32, descriptor u8, magic u32 */
#define FORMAT_SEEK_FOOTER_MAGIC 0x8F92EAB1u

/* Frame 0 is cut at the last span end within this many raw bytes. */
#define FORMAT_FRAME_TARGET (1u << 20)
#define FORMAT_FRAMES_MAX (1u << 24) /* 16 TiB in one object */

/*
 * LFIX payload, version 1:
 *	tag "LFIX" | version u16 | flags u16 | records u64 | malformed u64 |
 *	frames u32 | exceptions u32
 *	per data frame: first_record u64 | records u32 | flags u32
 *	per exception:  offset u64 | length u64 | record u64 | count u32 |
 *	                kind u16 | detail u16
 */
#define FORMAT_INDEX_TAG "LFIX"
#define FORMAT_INDEX_VERSION 1
#define FORMAT_INDEX_HEAD 32
#define FORMAT_INDEX_FRAME 16
#define FORMAT_INDEX_EXCEPTION 32
#define FORMAT_FRAME_INSIDE 1u /* flags: starts inside a span */

/* LFPV payload: tag "LFPV" | version u16 | flags u16 | JSON. */
#define FORMAT_PROVENANCE_TAG "LFPV"
#define FORMAT_PROVENANCE_VERSION 1
#define FORMAT_PROVENANCE_HEAD 8
#define FORMAT_PROVENANCE_MAX (1u << 20)

/* Exception kinds. Numbers are on disk: add, never change. */
enum exception_kind {
	KIND_HEADER = 1,
	KIND_TRAILER = 2,
	KIND_COMMENT = 3,
	KIND_BLANK = 4,
	KIND_SEPARATOR = 5, /* between the parts of an object */
	KIND_ENVELOPE = 6,  /* JSON around and between records */
	KIND_RELATED = 7,   /* a record at another path; detail: which */
	KIND_SEEN = 8,	    /* a record that was landed before */
	/* Malformed from here on; the bytes are kept all the same. */
	KIND_UNTERMINATED_QUOTE = 16,
	KIND_JUNK_AFTER_QUOTE = 17,
	KIND_WRONG_FIELD_COUNT = 18,
	KIND_RECORD_TOO_LONG = 19,
	KIND_SHORT_RECORD = 20, /* fixed: the last one is cut */
	KIND_INVALID_JSON = 21,
	KIND_STRAY_QUOTE = 22, /* only in strict dialects */
};

static inline bool
format_is_malformed(unsigned kind)
{
	return kind >= KIND_UNTERMINATED_QUOTE;
}

/* "header", "unterminated-quote", ...; NULL for an unknown number. */
const char *format_kind_name(unsigned kind);

/*
 * A member of an archive is named by all it came out of, "a.zip!/b.tar.gz!/c";
 * the lineage in its provenance has the SHA-256 of each.
 */
#define FORMAT_MEMBER "!/"

/* The ledger: C2SP tlog-tiles, RFC 6962 hashing with SHA-256. */
#define FORMAT_TILE_WIDTH 256
#define FORMAT_ENTRY_MAX 65535

/* The own directories of a zone: globs of sources do not match them. */
#define FORMAT_LEDGER_DIR "_ledger"
#define FORMAT_QUARANTINE_DIR "_quarantine"
#define FORMAT_STAGING_DIR "_staging"
#define FORMAT_SUMS_NAME "SHA256SUMS"

#endif
