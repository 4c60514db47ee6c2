/*
 * again.h - where reading back an object stands; land.h has land_again().
 */
#ifndef LAND_AGAIN_H
#define LAND_AGAIN_H

struct again;

void again_free(struct again *a);

#endif
