/*
 * mem.h - small allocations, which abort when there is no memory.
 *
 * For structures and names of our own making. Memory whose size an input
 * decides goes through struct buf (buf.h), which declares its maximum.
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include "base/attr.h"

void *mem_alloc(size_t size) MUST_USE;			   /* zeroed */
void *mem_array(size_t n, size_t size) MUST_USE;	   /* zeroed, checked */
void *mem_resize(void *p, size_t n, size_t size) MUST_USE; /* checked */
char *mem_strdup(const char *s) MUST_USE;
void *mem_dup(const void *p, size_t len) MUST_USE; /* plus a NUL behind */

/* For CLEANUP(mem_release): frees what the pointer variable points to. */
void mem_release(void *pointer_variable);

#endif
