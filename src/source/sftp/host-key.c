#include "source/sftp/host-key.h"

#include <string.h>

#include "base/hash.h"

#define PREFIX "SHA256:"
#define TYPE_MAX 64

void
host_key_add_fingerprint(struct str *s, const uint8_t *blob, size_t len)
{
	uint8_t sum[HASH_LEN];

	hash_bytes(blob, len, sum);
	str_add(s, PREFIX);
	str_add_base64(s, sum, sizeof(sum));
	/* 32 bytes end in one "=", which OpenSSH leaves out. */
	str_cut(s, s->len - 1);
}

bool
host_key_is_fingerprint(const char *text)
{
	CLEANUP(str_release) struct str padded = STR_INIT;
	uint8_t sum[HASH_LEN + 3];
	size_t n;

	if (strlen(text) != HOST_KEY_FINGERPRINT_LEN ||
		strncmp(text, PREFIX, strlen(PREFIX)) != 0)
		return false;
	str_addf(&padded, "%s=", text + strlen(PREFIX));
	return str_parse_base64(padded.s, padded.len, sum, sizeof(sum), &n) &&
		n == HASH_LEN;
}

bool
host_key_type(
	const uint8_t *blob, size_t len, const char **ret, size_t *ret_len)
{
	size_t n;

	if (len < 4)
		return false;
	n = (size_t)blob[0] << 24 | (size_t)blob[1] << 16 |
		(size_t)blob[2] << 8 | blob[3];
	if (n == 0 || n > TYPE_MAX || n > len - 4)
		return false;
	for (size_t i = 0; i < n; i++)
		if (blob[4 + i] <= ' ' || blob[4 + i] >= 0x7f)
			return false;
	*ret = (const char *)blob + 4;
	*ret_len = n;
	return true;
}
