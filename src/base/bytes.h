/*
 * bytes.h - integers at any address: little-endian as ours, and big-endian
 * as protocols have them.
 */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

#define BYTES(end, bits) \
	static inline uint##bits##_t get_##end##bits(const void *p) \
	{ \
		uint##bits##_t v; \
		memcpy(&v, p, sizeof(v)); \
		return end##bits##toh(v); \
	} \
	static inline void put_##end##bits(void *p, uint##bits##_t v) \
	{ \
		v = hto##end##bits(v); \
		memcpy(p, &v, sizeof(v)); \
	}

BYTES(le, 16)
BYTES(le, 32)
BYTES(le, 64)
BYTES(be, 32)
BYTES(be, 64)

#endif
