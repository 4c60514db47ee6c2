/*
 * value.h - what one word of the configuration means.
 *
 * Each returns false when the text is not of that kind, and then leaves the
 * result alone; ranges are the caller's business.
 */
#ifndef CONFIG_VALUE_H
#define CONFIG_VALUE_H

#include <stdbool.h>

#include "base/str.h"

/* "64MiB", "64 MiB", "512": bytes, in B, KiB, MiB, GiB or TiB. */
bool value_size(const char *text, uint64_t *ret) MUST_USE;

/* "250ms", "30s", "5 m", "2h", "1d": nanoseconds. A unit is required. */
bool value_duration(const char *text, int64_t *ret_ns) MUST_USE;
#define VALUE_DURATION "a duration in ms, s, m, h or d, such as 30s"

/*
 * The same, or as ISO 8601 writes it: "P7D", "PT1H30M", "PT0.001S"; perhaps
 * behind a minus. No years and months: they have no length.
 */
bool value_span(const char *text, int64_t *ret_ns) MUST_USE;

/* true and false, in the three spellings of YAML 1.2.2 section 10.3.2. */
bool value_bool(const char *text, bool *ret) MUST_USE;

/* One ASCII character except NUL, or "tab", "space", "comma", ... */
bool value_byte(const char *text, uint8_t *ret) MUST_USE;

/* Place of the word in a NULL-terminated table. */
bool value_choice(
	const char *text, const char *const *names, unsigned *ret) MUST_USE;

/* The words of a table: "a, b or c". */
void value_add_choices(struct str *s, const char *const *names);

/* As the configuration would say it, exact: "16MiB", "1000B"; "90s". */
void value_add_size(struct str *s, uint64_t bytes);
void value_add_duration(struct str *s, uint64_t ns);

/* How far the word is from what may be meant; UINT_MAX: too far. */
unsigned value_nearness(const char *word, const char *meant);

#endif
