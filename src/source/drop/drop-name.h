/*
 * drop-name.h - one name below a drop's root, and nothing outside of it: one
 * component at a time from a descriptor, so that no link on the way is
 * followed whatever happens meanwhile.
 */
#ifndef DROP_DROP_NAME_H
#define DROP_DROP_NAME_H

#include <stdbool.h>
#include <sys/stat.h>

#include "landfall/source.h"

struct signature drop_name_sign(const struct stat *st);

/* "WHAT NAME: cause", with whose fault it is; END: it is gone. */
enum rc drop_name_fail(struct err *e, int cause, const char *what,
	const void *name, size_t len);

/* A path below the root that leaves it nowhere. */
bool drop_name_is_below(const uint8_t *name, size_t len);

/*
 * Opens (O_PATH) the directory the name lies in. path becomes the name,
 * *ret_last its last component there. END: gone.
 */
enum rc
drop_name_find(int root, const uint8_t *name, size_t len, struct str *path,
	int *ret_dir, const char **ret_last, struct err *e) MUST_USE;

/* What ops->fetch() answers, with a descriptor. */
enum rc drop_name_open(int root, const uint8_t *name, size_t len, int *ret_fd,
	struct signature *ret, struct err *e) MUST_USE;

/*
 * Takes a read lease on an open file (F_SETLEASE, fcntl(2)): as long as it is
 * held, nobody opens the file for writing without our knowing. It ends with
 * the descriptor. AGAIN: somebody has it open for writing, and e stays as it
 * is; END: no leases here (a filesystem without them, or somebody else's
 * file without CAP_LEASE).
 */
enum rc drop_name_lease(int fd) MUST_USE;

/*
 * The folder at path below dir ("": dir itself), O_PATH; make: with all that
 * is missing on the way. END: gone.
 */
enum rc drop_name_folder(
	int dir, const char *path, bool make, int *ret, struct err *e) MUST_USE;

#endif
