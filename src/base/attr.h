/*
 * attr.h - compiler attributes, by the names the rest of the tree uses.
 *
 * gcc and clang both know all of them; there is no third compiler.
 */
#ifndef BASE_ATTR_H
#define BASE_ATTR_H

#include <stddef.h>
#include <stdint.h>

/* The caller must look at the result. Every function that can fail has it. */
#define MUST_USE __attribute__((warn_unused_result))

/* printf-like: argument f is the format, a the first value. */
#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))

/* Release by scope: CLEANUP(str_release) struct str s = STR_INIT; */
#define CLEANUP(release) __attribute__((cleanup(release)))

#define NORETURN __attribute__((noreturn))
#define UNUSED __attribute__((unused))

#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#endif
