/*
 * durable.h - the one implementation of the durable write.
 *
 * Nothing else in the tree calls rename, link or any kind of fsync; a test
 * greps for it. All failures are BROKEN: it is our disk that failed. A
 * descriptor on which a sync failed must be dropped and never synced again,
 * because Linux marks the pages clean after the first report.
 *
 *	publish one file that must never be overwritten:
 *	    write fd; durable_sync(fd); io_close(&fd);
 *	    durable_mkdirs(root, "a/b", 0755);
 *	    durable_publish(stage, "id", root, "a/b/name");
 *	    durable_sync_dir(root, "a/b");
 *
 *	replace a small file of ours:
 *	    durable_replace(root, "checkpoint", text, len, 0444);
 */
#ifndef BASE_DURABLE_H
#define BASE_DURABLE_H

#include "base/io.h"

/* fsync one descriptor. */
enum rc durable_sync(int fd, struct err *e) MUST_USE;

/*
 * Ask the kernel to begin writing back [offset, offset + n) of fd, so that the
 * sync to come has less to wait for. A hint: it promises nothing and cannot
 * fail.
 */
void durable_hint(int fd, uint64_t offset, uint64_t n);

/* fsync the directory at path below dir. */
enum rc durable_sync_dir(int dir, const char *path, struct err *e) MUST_USE;

/*
 * Make everything written so far on the filesystem of fd durable (syncfs).
 * For groups: one call instead of one for each file. Errors that happened
 * since fd was opened are reported (Linux >= 5.8), so keep fd open from
 * before the first write to after this call.
 */
enum rc durable_sync_fs(int fd, struct err *e) MUST_USE;

/*
 * Give the staged file its final name, atomically, without ever replacing
 * anything: renameat2(RENAME_NOREPLACE), and link + unlink where the
 * filesystem does not know it. BAD_ITEM with cause EEXIST: the name is taken,
 * nothing was changed. The caller syncs both directories.
 */
enum rc durable_publish(int from_dir, const char *from, int to_dir,
	const char *to, struct err *e) MUST_USE;

/*
 * mkdir -p below root. Every directory made, and the parent that names it,
 * is fsynced. Existing directories cost one mkdirat.
 */
enum rc
durable_mkdirs(int root, const char *path, mode_t mode, struct err *e) MUST_USE;

/* The same without any sync: see durable_replace_later. */
enum rc durable_mkdirs_later(
	int root, const char *path, mode_t mode, struct err *e) MUST_USE;

/*
 * The file `name` in dir holds exactly these bytes, now and after a power
 * cut: temporary file, fsync, rename over, fsync of the directory. Readers
 * see the old file or the new one.
 */
enum rc durable_replace(int dir, const char *name, const void *p, size_t n,
	mode_t mode, struct err *e) MUST_USE;

/*
 * The same without any sync, for files whose whole group is synced by one
 * durable_sync_fs afterwards and which nobody trusts before that.
 */
enum rc durable_replace_later(int dir, const char *name, const void *p,
	size_t n, mode_t mode, struct err *e) MUST_USE;

/*
 * Renames within dir, over what is there, and syncs the directories. END:
 * there is no such file.
 */
enum rc
durable_move(int dir, const char *from, const char *to, struct err *e) MUST_USE;

/* One write at the end of fd (opened O_APPEND), then fsync. */
enum rc durable_append(int fd, const void *p, size_t n, struct err *e) MUST_USE;

#endif
