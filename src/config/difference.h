/* SPDX-License-Identifier: ISC */
/*
 * What a configuration would change.  Two configurations are compared by their text in effect
 * (effect.h), so that a version which knows more keys sees no difference where there is none.
 */
#ifndef DIFFERENCE_H
#define DIFFERENCE_H

#include <stdbool.h>
#include <stddef.h>

#include "config/config.h"

#define DIFFERENCE_NAME "begat.conf in effect"

/* The text in effect in a memfd of this name, parked, close-on-exec and sealed; -1
 * with errno. */
int difference_save(const struct config *config);

struct difference {
	unsigned kept, added, changed, removed; /* services, by name; disabled ones are none */
	char **lines;	  /* what a person wants to read, NULL-terminated, never NULL; owned */
	char **unchanged; /* names of the services that are the same, sorted; owned */
	size_t nunchanged;
};

/* From the text behind one descriptor to that behind the other, both read from their start.  0, or
 * -1 with errno (EINVAL: not such a text).  The caller frees it with difference_fini(). */
int difference_make(int before_fd, int after_fd, struct difference *difference);
void difference_fini(struct difference *difference);

/* Whether a service is among the unchanged ones. */
bool difference_has_unchanged(const struct difference *difference, const char *service);

#endif
