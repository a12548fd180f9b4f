/* SPDX-License-Identifier: ISC */
/* What ps(1) shows: the process title, written over the arguments. */
#ifndef TITLE_H
#define TITLE_H

/* Before anything else; the titles find room in what argv takes. */
void title_init(int argc, char **argv);

/* "begat: FIRST SECOND", cut to the room there is.  Allocates nothing. */
void title_set(const char *first, const char *second);

#endif
