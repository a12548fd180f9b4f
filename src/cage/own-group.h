/* SPDX-License-Identifier: ISC */
/* The control group of version 2 that this process is in, as a path. */
#ifndef OWN_GROUP_H
#define OWN_GROUP_H

struct own_group {
	char *path; /* owned; NULL: there is none, or it cannot be seen from here */
	char *top;  /* where its hierarchy, or the branch that we see, is mounted */
};

/* In a group of the name within, the one above it counts. */
void own_group_find(const char *within, struct own_group *group);
void own_group_fini(struct own_group *group);

#endif
