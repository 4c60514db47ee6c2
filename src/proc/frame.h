/*
 * frame.h - what proc.c and child.c say to each other before anybody else.
 */
#ifndef PROC_FRAME_H
#define PROC_FRAME_H

#define FRAME_ARGUMENT "--child="

/* Types that no kind of child may use. */
enum frame_type {
	/* supervisor: memory, widened, file_size, cpu, fds, number of
	 * descriptors (u64) */
	FRAME_START = 0xffff0000,
	/* child: what the sandbox lacks (text; empty: nothing) */
	FRAME_READY,
	/* child: why it cannot (text) */
	FRAME_FAILED,
};

#endif
