/*
 * Any bytes as what comes to a daemon's socket: an order, which says the same
 * when it is sent on, or none.
 */
#include <stdlib.h>
#include <string.h>

#include "daemon/order-wire.h"
#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct message m;
	static struct order_request q, back;
	struct err e = ERR_INIT;

	if (size < 1 || size - 1 > MESSAGE_MAX)
		return 0;
	message_begin(&m, data[0]);
	m.len = (uint32_t)(size - 1);
	memcpy(m.body, data + 1, m.len);
	if (order_wire_take(&m, &q, &e) != OK) {
		if (e.code != BAD_ITEM)
			abort();
		return 0;
	}
	for (size_t i = 0; i < ORDER_WIRE_ARGS; i++)
		if (memchr(q.arg[i], '\0', sizeof(q.arg[i])) == NULL)
			abort();
	order_wire_put(&m, &q);
	if (order_wire_take(&m, &back, &e) != OK ||
		memcmp(&q, &back, sizeof(q)) != 0)
		abort();
	return 0;
}
