#include "pages.h"

static const char *const words[] = {"north", "harbour", "Zürich", "oak",
	"signal", "Łódź", "river", "granite", "東京", "lantern", "copper",
	"meadow", "Ærø", "salt", "window", "ember", "quarter", "paper",
	"orange", "cedar", "market", "velvet", "stone", "morning"};
static const char *const escapes[] = {
	"\\n", "\\\"", "\\/", "\\u00e9", "\\t", "\\ud83d\\ude00", "\\\\"};

void
pages_init(struct pages *m, uint64_t seed)
{
	*m = (struct pages){.random = (seed + 1) * 0x9e3779b97f4a7c15u | 1};
}

/* 0 .. n-1, by Marsaglia's xorshift64. */
static uint32_t
draw(struct pages *m, uint32_t n)
{
	m->random ^= m->random << 13;
	m->random ^= m->random >> 7;
	m->random ^= m->random << 17;
	return (uint32_t)((m->random >> 32) * n >> 32);
}

static void
add_words(struct pages *m, struct str *s, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		if (i > 0)
			str_addc(s, ' ');
		str_add(s, words[draw(m, ARRAY_LEN(words))]);
	}
}

/* A text as people write it: some have line ends, quotes and emoji. */
static void
add_text(struct pages *m, struct str *s)
{
	bool escaped = draw(m, 3) == 0;

	for (unsigned i = 0, n = 4 + draw(m, 10); i < n; i++) {
		add_words(m, s, 2 + draw(m, 6));
		str_add(s,
			escaped ? escapes[draw(m, ARRAY_LEN(escapes))] : ". ");
	}
}

static void
add_time(struct pages *m, struct str *s, const char *name)
{
	str_addf(s, ",\"%s\":\"2026-%02u-%02uT%02u:%02u:%02u+00:00\"", name,
		1 + draw(m, 12), 1 + draw(m, 28), draw(m, 24), draw(m, 60),
		draw(m, 60));
}

static void
add_named_words(struct pages *m, struct str *s, const char *name, unsigned n)
{
	str_addf(s, ",\"%s\":\"", name);
	add_words(m, s, n);
	str_addc(s, '"');
}

static void
add_item(struct pages *m, struct str *s)
{
	str_addf(s,
		"{\"sku\":\"%c%c-%u\",\"quantity\":%u,\"price\":%u.%02u,"
		"\"discount\":%s",
		'A' + draw(m, 26), 'A' + draw(m, 26), draw(m, 1000000),
		1 + draw(m, 9), draw(m, 900), draw(m, 100),
		draw(m, 4) == 0 ? "0.15" : "null");
	add_named_words(m, s, "title", 2 + draw(m, 4));
	str_addf(s, ",\"taxable\":%s}", draw(m, 2) ? "true" : "false");
}

static void
add_list(struct pages *m, struct str *s, const char *name, unsigned n,
	void (*add)(struct pages *, struct str *))
{
	str_addf(s, ",\"%s\":[", name);
	for (unsigned i = 0; i < n; i++) {
		if (i > 0)
			str_addc(s, ',');
		add(m, s);
	}
	str_addc(s, ']');
}

static void
add_label(struct pages *m, struct str *s)
{
	str_addc(s, '"');
	add_words(m, s, 1);
	str_addc(s, '"');
}

static void
add_record(struct pages *m, struct str *s)
{
	str_addf(s,
		"{\"type\":\"event\",\"id\":\"%08x%08x\",\"attributes\":{"
		"\"number\":%llu,\"amount\":%s%u.%02u,\"ratio\":%u.%ue-%u",
		draw(m, UINT32_MAX), draw(m, UINT32_MAX),
		(unsigned long long)++m->record, draw(m, 8) == 0 ? "-" : "",
		draw(m, 100000), draw(m, 100), draw(m, 10), draw(m, 100000),
		draw(m, 20));
	add_time(m, s, "created_at");
	add_time(m, s, "updated_at");
	add_named_words(m, s, "name", 2);
	str_addf(s, ",\"email\":\"%s.%u@example.com\"", words[draw(m, 2)],
		draw(m, 100000));
	str_add(s, ",\"address\":{\"country\":\"DE\"");
	add_named_words(m, s, "street", 2);
	add_named_words(m, s, "city", 1);
	str_addf(s,
		",\"zip\":\"%05u\",\"latitude\":%u.%06u,\"longitude\":%u.%06u}",
		draw(m, 100000), draw(m, 90), draw(m, 1000000), draw(m, 180),
		draw(m, 1000000));
	add_list(m, s, "labels", draw(m, 6), add_label);
	add_list(m, s, "items", 8 + draw(m, 9), add_item);
	str_add(s, ",\"note\":\"");
	add_text(m, s);
	str_addf(s, "\",\"active\":%s,\"archived\":%s,\"parent\":%s}",
		draw(m, 2) ? "true" : "false", draw(m, 9) ? "false" : "true",
		draw(m, 2) ? "null" : "{\"data\":[],\"meta\":{}}");
	str_addf(s,
		",\"relationships\":{\"profile\":{\"data\":{\"type\":"
		"\"profile\",\"id\":\"%08x\"},\"links\":{\"self\":\"https://"
		"api.example.com/api/profiles/%08x\",\"related\":\"https://"
		"api.example.com/api/profiles/%08x/events?page=%u\"}}},"
		"\"links\":{\"self\":\"https://api.example.com/api/events/"
		"%08x\"}}",
		draw(m, UINT32_MAX), draw(m, UINT32_MAX), draw(m, UINT32_MAX),
		draw(m, 100), draw(m, UINT32_MAX));
}

void
pages_add(struct pages *m, struct str *s, unsigned records, const char *next)
{
	str_add(s, "{\"data\":[");
	for (unsigned i = 0; i < records; i++) {
		if (i > 0)
			str_addc(s, ',');
		add_record(m, s);
	}
	str_add(s,
		"],\"links\":{\"self\":\"https://api.example.com/api/events\","
		"\"next\":");
	if (next != NULL)
		str_addf(s, "\"%s\"", next);
	else
		str_add(s, "null");
	str_addf(s, ",\"prev\":null},\"meta\":{\"total\":%u}}",
		draw(m, UINT32_MAX));
}
