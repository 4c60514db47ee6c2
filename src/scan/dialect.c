#include <jansson.h>
#include <limits.h>
#include <string.h>

#include "landfall/scan.h"

const char *const scan_format_names[] = {
	[SCAN_OPAQUE] = "opaque",
	[SCAN_CSV] = "csv",
	[SCAN_LINES] = "lines",
	[SCAN_NDJSON] = "ndjson",
	[SCAN_FIXED] = "fixed",
	[SCAN_JSON] = "json",
	NULL,
};

const char *const scan_encoding_names[] = {
	[ENCODING_UTF8] = "utf-8",
	[ENCODING_LATIN1] = "latin1",
	[ENCODING_WINDOWS1252] = "windows-1252",
	[ENCODING_UTF16LE] = "utf-16le",
	[ENCODING_UTF16BE] = "utf-16be",
	NULL,
};

const char *const scan_terminator_names[] = {
	[TERMINATOR_AUTO] = "auto",
	[TERMINATOR_LF] = "lf",
	[TERMINATOR_CRLF] = "crlf",
	[TERMINATOR_CR] = "cr",
	NULL,
};

const char *const scan_escape_names[] = {
	[ESCAPE_DOUBLE] = "double",
	[ESCAPE_BACKSLASH] = "backslash",
	NULL,
};

void
dialect_init(struct dialect *d, enum scan_format format)
{
	*d = (struct dialect){
		.format = format,
		.delimiter = ',',
		.quote = '"',
		.comment = SCAN_NONE,
		.header = format == SCAN_CSV ? 1 : 0,
		.columns = SCAN_COLUMNS_HEADER,
		.max_record = SCAN_MAX_RECORD,
		.resync = true,
	};
	/* A CR is white space in JSON: it stays with its line either way. */
	if (format == SCAN_NDJSON)
		d->terminator = TERMINATOR_LF;
	if (format == SCAN_JSON)
		d->records[0] = '$';
}

/* ---- the JSON object: one row a key, in the order of the keys ---- */

/* A byte is a string of one character, U+0000 to U+00FF; none is null. */
static void
write_byte(struct jsonw *j, int c)
{
	char text[2] = {(char)(0xc0 | c >> 6), (char)(0x80 | (c & 0x3f))};

	if (c == SCAN_NONE)
		jsonw_null(j);
	else if (c < 0x80)
		jsonw_textn(j, &(char){(char)c}, 1);
	else
		jsonw_textn(j, text, sizeof(text));
}

static bool
read_byte(const json_t *v, int *ret)
{
	const unsigned char *p = (const void *)json_string_value(v);
	size_t n = json_string_length(v);

	if (n == 1)
		*ret = p[0];
	else if (n == 2 && (p[0] & 0xfc) == 0xc0)
		*ret = (p[0] & 3) << 6 | (p[1] & 0x3f);
	else
		return false;
	return true;
}

static bool
read_byte_or_none(const json_t *v, int *ret)
{
	if (json_is_null(v)) {
		*ret = SCAN_NONE;
		return true;
	}
	return read_byte(v, ret);
}

static bool
read_name(const json_t *v, const char *const *names, unsigned *ret)
{
	const char *text = json_string_value(v);

	for (unsigned i = 0; text != NULL && names[i] != NULL; i++)
		if (strcmp(names[i], text) == 0) {
			*ret = i;
			return true;
		}
	return false;
}

static bool
read_number(const json_t *v, uint64_t low, uint64_t high, uint64_t *ret)
{
	json_int_t n = json_integer_value(v);

	if (!json_is_integer(v) || n < 0 || (uint64_t)n < low ||
		(uint64_t)n > high)
		return false;
	*ret = (uint64_t)n;
	return true;
}

static bool
read_bool(const json_t *v, bool *ret)
{
	*ret = json_is_true(v);
	return json_is_boolean(v);
}

static void
write_columns(const struct dialect *d, struct jsonw *j)
{
	if (d->columns == SCAN_COLUMNS_HEADER)
		jsonw_text(j, "header");
	else if (d->columns == SCAN_COLUMNS_ANY)
		jsonw_text(j, "any");
	else
		jsonw_u64(j, (uint64_t)d->columns);
}

static bool
read_columns(struct dialect *d, const json_t *v)
{
	static const char *const words[] = {"any", "header", NULL};
	unsigned word;
	uint64_t n;

	if (read_name(v, words, &word))
		d->columns = word == 0 ? SCAN_COLUMNS_ANY : SCAN_COLUMNS_HEADER;
	else if (read_number(v, 1, INT32_MAX, &n))
		d->columns = (int32_t)n;
	else
		return false;
	return true;
}

static void
write_comment(const struct dialect *d, struct jsonw *j)
{
	write_byte(j, d->comment);
}

static bool
read_comment(struct dialect *d, const json_t *v)
{
	return read_byte_or_none(v, &d->comment);
}

static void
write_delimiter(const struct dialect *d, struct jsonw *j)
{
	write_byte(j, d->delimiter);
}

static bool
read_delimiter(struct dialect *d, const json_t *v)
{
	int c;

	if (!read_byte(v, &c))
		return false;
	d->delimiter = (uint8_t)c;
	return true;
}

static void
write_encoding(const struct dialect *d, struct jsonw *j)
{
	jsonw_text(j, scan_encoding_names[d->encoding]);
}

static bool
read_encoding(struct dialect *d, const json_t *v)
{
	return read_name(v, scan_encoding_names, &d->encoding);
}

static void
write_escape(const struct dialect *d, struct jsonw *j)
{
	jsonw_text(j, scan_escape_names[d->escape]);
}

static bool
read_escape(struct dialect *d, const json_t *v)
{
	return read_name(v, scan_escape_names, &d->escape);
}

static void
write_format(const struct dialect *d, struct jsonw *j)
{
	jsonw_text(j, scan_format_names[d->format]);
}

/* Known since before the other keys: dialect_read() begins with it. */
static bool
read_format(struct dialect *d UNUSED, const json_t *v UNUSED)
{
	return true;
}

static void
write_header(const struct dialect *d, struct jsonw *j)
{
	jsonw_u64(j, d->header);
}

static bool
read_header(struct dialect *d, const json_t *v)
{
	uint64_t n;

	if (!read_number(v, 0, UINT32_MAX, &n))
		return false;
	d->header = (uint32_t)n;
	return true;
}

static void
write_length(const struct dialect *d, struct jsonw *j)
{
	jsonw_u64(j, d->length);
}

static bool
read_length(struct dialect *d, const json_t *v)
{
	uint64_t n;

	if (!read_number(v, 1, SCAN_MAX_RECORD, &n))
		return false;
	d->length = (uint32_t)n;
	return true;
}

static void
write_max_record(const struct dialect *d, struct jsonw *j)
{
	jsonw_u64(j, d->max_record);
}

static bool
read_max_record(struct dialect *d, const json_t *v)
{
	return read_number(v, 1, INT64_MAX, &d->max_record);
}

static void
write_quote(const struct dialect *d, struct jsonw *j)
{
	write_byte(j, d->quote);
}

static bool
read_quote(struct dialect *d, const json_t *v)
{
	return read_byte_or_none(v, &d->quote);
}

static bool
read_path(char path[SCAN_PATH_MAX], const json_t *v)
{
	size_t n = json_string_length(v);

	if (n == 0 || n >= SCAN_PATH_MAX || strlen(json_string_value(v)) != n)
		return false;
	memcpy(path, json_string_value(v), n + 1);
	return true;
}

static void
write_records(const struct dialect *d, struct jsonw *j)
{
	jsonw_text(j, d->records);
}

static bool
read_records(struct dialect *d, const json_t *v)
{
	return read_path(d->records, v);
}

static void
write_related(const struct dialect *d, struct jsonw *j)
{
	jsonw_array(j);
	for (size_t i = 0; i < d->n_related; i++)
		jsonw_text(j, d->related[i]);
	jsonw_end(j);
}

static bool
read_related(struct dialect *d, const json_t *v)
{
	d->n_related = json_array_size(v);
	if (!json_is_array(v) || d->n_related > SCAN_RELATED_MAX)
		return false;
	for (size_t i = 0; i < d->n_related; i++)
		if (!read_path(d->related[i], json_array_get(v, i)))
			return false;
	return true;
}

static void
write_resync(const struct dialect *d, struct jsonw *j)
{
	jsonw_bool(j, d->resync);
}

static bool
read_resync(struct dialect *d, const json_t *v)
{
	return read_bool(v, &d->resync);
}

static void
write_strict(const struct dialect *d, struct jsonw *j)
{
	jsonw_bool(j, d->strict);
}

static bool
read_strict(struct dialect *d, const json_t *v)
{
	return read_bool(v, &d->strict);
}

static void
write_terminator(const struct dialect *d, struct jsonw *j)
{
	jsonw_text(j, scan_terminator_names[d->terminator]);
}

static bool
read_terminator(struct dialect *d, const json_t *v)
{
	return read_name(v, scan_terminator_names, &d->terminator);
}

static void
write_trailer(const struct dialect *d, struct jsonw *j)
{
	if (d->trailer == 0 && d->trailer_prefix_len == 0) {
		jsonw_null(j);
		return;
	}
	jsonw_object(j);
	if (d->trailer > 0)
		jsonw_key(j, "lines"), jsonw_u64(j, d->trailer);
	if (d->trailer_prefix_len > 0) {
		jsonw_key(j, "prefix");
		jsonw_textn(j, (const char *)d->trailer_prefix,
			d->trailer_prefix_len);
	}
	jsonw_end(j);
}

static bool
read_trailer(struct dialect *d, const json_t *v)
{
	const json_t *lines = json_object_get(v, "lines");
	const json_t *prefix = json_object_get(v, "prefix");
	size_t n = json_string_length(prefix);
	uint64_t count = 0;

	if (json_is_null(v))
		return true;
	if (json_object_size(v) != (lines != NULL) + (size_t)(prefix != NULL) ||
		json_object_size(v) == 0)
		return false;
	if (lines != NULL && !read_number(lines, 0, SCAN_TRAILER_MAX, &count))
		return false;
	if (prefix != NULL && (n == 0 || n > SCAN_PREFIX_MAX))
		return false;
	d->trailer = (uint32_t)count;
	if (prefix != NULL)
		memcpy(d->trailer_prefix, json_string_value(prefix), n);
	d->trailer_prefix_len = (uint32_t)n;
	return true;
}

#define IN(format) (1u << (format))
#define IN_TEXT (IN(SCAN_CSV) | IN(SCAN_LINES) | IN(SCAN_NDJSON))
#define IN_ALL (IN_TEXT | IN(SCAN_OPAQUE) | IN(SCAN_FIXED) | IN(SCAN_JSON))

static const struct key {
	const char *name;
	unsigned formats;
	void (*write)(const struct dialect *d, struct jsonw *j);
	bool (*read)(struct dialect *d, const json_t *v);
	const char *expected;
} keys[] = {
	{"columns", IN(SCAN_CSV), write_columns, read_columns,
		"\"header\", \"any\" or a number from 1"},
	{"comment", IN(SCAN_CSV), write_comment, read_comment,
		"one character or null"},
	{"delimiter", IN(SCAN_CSV), write_delimiter, read_delimiter,
		"one character"},
	{"encoding", IN_TEXT | IN(SCAN_FIXED), write_encoding, read_encoding,
		"utf-8, latin1, windows-1252, utf-16le or utf-16be"},
	{"escape", IN(SCAN_CSV), write_escape, read_escape,
		"double or backslash"},
	{"format", IN_ALL, write_format, read_format, ""},
	{"header", IN(SCAN_CSV), write_header, read_header, "a number"},
	{"length", IN(SCAN_FIXED), write_length, read_length,
		"a number from 1 to 16777216"},
	{"max_record", IN_TEXT | IN(SCAN_JSON), write_max_record,
		read_max_record, "a number from 1"},
	{"quote", IN(SCAN_CSV), write_quote, read_quote,
		"one character or null"},
	{"records", IN(SCAN_JSON), write_records, read_records, "a path"},
	{"related", IN(SCAN_JSON), write_related, read_related,
		"at most 4 paths"},
	{"resync", IN(SCAN_CSV), write_resync, read_resync, "true or false"},
	{"strict", IN(SCAN_CSV), write_strict, read_strict, "true or false"},
	{"terminator", IN_TEXT, write_terminator, read_terminator,
		"auto, lf, crlf or cr"},
	{"trailer", IN(SCAN_CSV), write_trailer, read_trailer,
		"null, {\"lines\": 1 to 16} or {\"prefix\": text}"},
};

void
dialect_write(const struct dialect *d, struct jsonw *j)
{
	jsonw_object(j);
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (keys[i].formats & IN(d->format)) {
			jsonw_key(j, keys[i].name);
			keys[i].write(d, j);
		}
	jsonw_end(j);
}

static const struct key *
find_key(const char *name, unsigned format)
{
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (strcmp(keys[i].name, name) == 0)
			return keys[i].formats & IN(format) ? &keys[i] : NULL;
	return NULL;
}

/* Bytes that mean two things at once would make the rules ambiguous. */
static enum rc
check(const struct dialect *d, struct err *e)
{
	const int bytes[] = {d->delimiter, d->quote, d->comment, '\r', '\n',
		d->escape == ESCAPE_BACKSLASH ? '\\' : SCAN_NONE};

	if (d->format == SCAN_FIXED && d->length == 0)
		return err_set(
			e, BAD_ITEM, "dialect: fixed: length is missing");
	if (d->format == SCAN_JSON && !dialect_paths_are_right(d, e))
		return err_add(e, "dialect");
	if (d->format != SCAN_CSV)
		return OK;
	for (size_t i = 0; i < ARRAY_LEN(bytes); i++)
		for (size_t k = 0; k < i; k++)
			if (bytes[i] == bytes[k] && bytes[i] != SCAN_NONE)
				return err_set(e, BAD_ITEM,
					"dialect: byte 0x%02x has two meanings "
					"(delimiter, quote, comment, "
					"terminator, escape)",
					(unsigned)bytes[i]);
	return OK;
}

static enum rc
read_object(struct dialect *d, json_t *o, struct err *e)
{
	unsigned format;
	const char *name;
	json_t *v;

	if (!read_name(
		    json_object_get(o, "format"), scan_format_names, &format))
		return err_set(e, BAD_ITEM,
			"dialect: format: expected opaque, csv, lines, "
			"ndjson, fixed or json");
	dialect_init(d, format);
	json_object_foreach(o, name, v)
	{
		const struct key *key = find_key(name, format);

		if (key == NULL)
			return err_set(e, BAD_ITEM,
				"dialect: %s: no such key for format %s", name,
				scan_format_names[format]);
		if (!key->read(d, v))
			return err_set(e, BAD_ITEM, "dialect: %s: expected %s",
				name, key->expected);
	}
	return check(d, e);
}

enum rc
dialect_read(struct dialect *d, const char *text, size_t len, struct err *e)
{
	struct dialect new;
	json_error_t why;
	json_t *o;
	enum rc rc;

	o = json_loadb(
		text, len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &why);
	if (o == NULL)
		return err_set(e, BAD_ITEM, "dialect: not JSON: %s", why.text);
	rc = read_object(&new, o, e);
	json_decref(o);
	if (rc == OK)
		*d = new;
	return rc;
}
