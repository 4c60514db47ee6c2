/*
 * Any bytes as the body of a message, taken in an order the bytes choose:
 * what is taken lies within the body, and what does not fit stays bad.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "landfall/message.h"

static void
take(struct message *m, uint8_t how)
{
	bool was_bad = m->bad;
	const uint8_t *p;
	char text[16];
	size_t n;

	switch (how % 3) {
	case 0:
		(void)message_take_u64(m);
		break;
	case 1:
		p = message_take_bytes(m, &n);
		if (n > 0 && (p < m->body || p + n > m->body + m->len))
			abort();
		break;
	default:
		message_take_text(m, text, sizeof(text));
		if (strlen(text) >= sizeof(text))
			abort();
	}
	if (m->at > m->len || (was_bad && !m->bad))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct message m;
	size_t turns = size > 0 ? data[0] % 8 : 0;

	if (size <= turns || size - turns - 1 > MESSAGE_MAX)
		return 0;
	message_begin(&m, 1);
	m.len = (uint32_t)(size - turns - 1);
	memcpy(m.body, data + turns + 1, m.len);
	for (size_t i = 0; i < turns; i++)
		take(&m, data[1 + i]);
	if (message_end(&m) && (m.bad || m.at != m.len))
		abort();
	return 0;
}
