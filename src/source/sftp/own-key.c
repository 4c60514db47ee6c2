#include "source/sftp/own-key.h"

#include <string.h>

#include "base/attr.h"
#include "source/sftp/host-key.h"

/* Of an RSA key of 16384 bits, and what stands before it. */
#define HEAD_MAX 3072
#define TEXT_MAX (HEAD_MAX / 3 * 4)

static bool
begins_with(const uint8_t *p, size_t len, const char *text)
{
	return len >= strlen(text) && memcmp(p, text, strlen(text)) == 0;
}

bool
own_key_is_public(const uint8_t *key, size_t len)
{
	static const char *const heads[] = {"ssh-", "ecdsa-sha2-", "sk-",
		"---- BEGIN SSH2 PUBLIC KEY", "-----BEGIN PUBLIC KEY"};

	for (size_t i = 0; i < ARRAY_LEN(heads); i++)
		if (begins_with(key, len, heads[i]))
			return true;
	return false;
}

/* The next string of RFC 4251; false: there is none. */
static bool
take_string(
	const uint8_t **p, const uint8_t *end, const uint8_t **ret, size_t *len)
{
	size_t n;

	if (end - *p < 4)
		return false;
	n = (size_t)(*p)[0] << 24 | (size_t)(*p)[1] << 16 |
		(size_t)(*p)[2] << 8 | (*p)[3];
	*p += 4;
	if (n > (size_t)(end - *p))
		return false;
	*ret = *p;
	*len = n;
	*p += n;
	return true;
}

/* PROTOCOL.key of OpenSSH: cipher, kdf, its options, how many, public key. */
static void
add_name(struct str *s, const uint8_t *p, const uint8_t *end)
{
	const uint8_t *blob;
	const char *type;
	size_t len, type_len;

	if (!begins_with(p, (size_t)(end - p), "openssh-key-v1"))
		return;
	p += sizeof("openssh-key-v1");
	for (int i = 0; i < 3; i++)
		if (p > end || !take_string(&p, end, &blob, &len))
			return;
	if (end - p < 4)
		return;
	p += 4;
	if (!take_string(&p, end, &blob, &len) ||
		!host_key_type(blob, len, &type, &type_len))
		return;
	host_key_add_fingerprint(s, blob, len);
	str_addf(s, " (%.*s)", (int)type_len, type);
}

void
own_key_add_name(struct str *s, const uint8_t *key, size_t len)
{
	static const char head[] = "-----BEGIN OPENSSH PRIVATE KEY-----";
	/* What follows the public key may come with it: wiped below. */
	uint8_t raw[HEAD_MAX];
	char text[TEXT_MAX];
	size_t n = 0, raw_len;

	if (!begins_with(key, len, head))
		return;
	for (size_t i = sizeof(head) - 1;
		i < len && n < sizeof(text) && key[i] != '-'; i++)
		if (key[i] != '\n' && key[i] != '\r')
			text[n++] = (char)key[i];
	if (str_parse_base64(text, n / 4 * 4, raw, sizeof(raw), &raw_len))
		add_name(s, raw, raw + raw_len);
	explicit_bzero(raw, sizeof(raw));
	explicit_bzero(text, sizeof(text));
}
