/*
 * wire.h - the messages between landfall/sftp.h and its child. Both sides
 * write and read them with the functions below, so that an order or an event
 * has one layout.
 *
 *	supervisor			child
 *	WIRE_OPTIONS ->			once, first
 *	WIRE_CONNECT + socket ->
 *					<- WIRE_EVENT host key
 *	WIRE_TRUST (+ agent) ->
 *					<- WIRE_EVENT up, or down
 *	WIRE_ORDER (+ file) ->
 *					<- WIRE_ITEMS, WIRE_EVENT ..., done
 *	WIRE_CANCEL, WIRE_DROP, WIRE_GOODBYE ->
 */
#ifndef SOURCE_SFTP_WIRE_H
#define SOURCE_SFTP_WIRE_H

#include "landfall/message.h"
#include "landfall/sftp.h"

enum wire_type {
	WIRE_OPTIONS = 1,
	WIRE_CONNECT,
	WIRE_TRUST,
	WIRE_ORDER,
	WIRE_CANCEL,  /* id */
	WIRE_DROP,    /* slot */
	WIRE_GOODBYE, /* nothing; the child ends */
	WIRE_EVENT,
	WIRE_ITEMS, /* id, then wire_put_item until the end */
};

/* Numbers, in the order of the fields. */
struct wire_options {
	uint64_t connections, files, max_rate, max_file;
	uint64_t auth_timeout, idle_timeout, keepalive;
};

enum wire_kind {
	WIRE_LIST,
	WIRE_FETCH,
	WIRE_LOOK,
	WIRE_REMOVE,
	WIRE_MOVE,
	WIRE_PUT,
	WIRE_KINDS,
};

/* One request of any kind; what a kind has no use for is 0. */
struct wire_order {
	uint64_t id;
	enum wire_kind kind;
	const uint8_t *path, *to; /* in the message */
	size_t path_len, to_len;
	bool flag; /* follow, or make_folders */
	struct sftp_attrs expected;
	uint64_t depth, max_names;
	uint64_t offset, window, max_size;
	uint8_t prefix_sum[HASH_LEN];
	uint64_t size;
};

#define WIRE_TYPES_MAX 512 /* bytes of a list of host key types */

struct wire_connect {
	uint64_t slot, old;
	char key_types[WIRE_TYPES_MAX];
};

void wire_put_options(struct message *m, const struct wire_options *o);
bool wire_take_options(struct message *m, struct wire_options *ret) MUST_USE;

void wire_put_connect(struct message *m, const struct wire_connect *c);
bool wire_take_connect(struct message *m, struct wire_connect *ret) MUST_USE;

/*
 * TRUST: slot, yes, user, number of credentials; for each kind, name, secret,
 * passphrase. The secrets are bytes in the message: wire_wipe it.
 */
#define WIRE_USER_MAX 256
#define WIRE_NAME_MAX 256

void
wire_put_trust(struct message *m, unsigned slot, const struct sftp_login *l);
void wire_wipe(struct message *m);

void wire_put_order(struct message *m, const struct wire_order *o);
bool wire_take_order(struct message *m, struct wire_order *ret) MUST_USE;

/* An event of any type but SFTP_ITEM. */
void wire_put_event(struct message *m, const struct sftp_event *ev);
/* Its texts are copied to buf, which lasts as long as they do. */
struct wire_texts {
	char text[2048], algorithms[512], banner[512];
};
bool wire_take_event(struct message *m, struct sftp_event *ret,
	struct wire_texts *buf) MUST_USE;

void wire_begin_items(struct message *m, uint64_t id);
/* False: it did not fit, and m is as before. */
bool wire_put_item(struct message *m, enum sftp_type kind,
	const struct sftp_attrs *a, const uint8_t *name, size_t len) MUST_USE;
/* The id was taken before. END: no more; BAD_ITEM: nonsense. */
enum rc wire_take_item(struct message *m, struct sftp_event *ret) MUST_USE;

/* May a file below a folder have this name? "" is no name. */
bool wire_name_ok(const uint8_t *name, size_t len) MUST_USE;

#endif
