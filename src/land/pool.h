/*
 * pool.h - compressing threads and the buffers they work in.
 *
 * A task is one frame: raw bytes in, one independent zstd frame out. Tasks of
 * one object may run in parallel; whoever finishes one tells the object,
 * which puts them in order (land.c). Compression contexts and buffers are
 * reused: a context costs more to make than a small object to compress.
 */
#ifndef LAND_POOL_H
#define LAND_POOL_H

#include "base/err.h"
#include "landfall/format.h"
#include "landfall/land.h"

/* A reader looks this far past a frame's end to find where to cut. */
#define POOL_SLACK (16u << 10)
#define POOL_RAW (FORMAT_FRAME_TARGET + POOL_SLACK)

struct task {
	struct task *next;
	struct land *land;
	uint64_t number; /* of the data frame within its object */
	uint8_t *raw;	 /* raw_cap >= POOL_RAW */
	size_t raw_len;
	size_t raw_cap;
	uint8_t *out; /* room for any frame of FORMAT_FRAME_TARGET bytes */
	size_t out_len;
};

/* A task with empty buffers; never fails, never waits. */
struct task *pool_take(struct land_pool *p) MUST_USE;
void pool_give(struct land_pool *p, struct task *t);

/* raw grows to hold n bytes; its content is kept. */
void pool_grow(struct task *t, size_t n);

/* Compress on some thread of the pool; done(t) is called there. */
void pool_submit(struct land_pool *p, struct task *t);

/* Compress here and now. */
void pool_compress(struct land_pool *p, struct task *t);

unsigned pool_threads(const struct land_pool *p);

/* Called by the pool when a submitted task is compressed. In land.c. */
void land_frame_done(struct task *t);

#endif
