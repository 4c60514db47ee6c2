/*
 * pax.h - the headers in front of a member of a tar archive, for the names
 * that libarchive cuts off at a NUL: it hands out strings.
 */
#ifndef UNPACK_PAX_H
#define UNPACK_PAX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * p: headers from the first on, with what is behind them. True: one that
 * extends the next (pax, GNU) names the member with a NUL in the middle; *ret
 * is that name, inside p.
 */
bool
pax_has_nul(const uint8_t *p, size_t n, const uint8_t **ret, size_t *ret_len);

#endif
