/* SPDX-License-Identifier: ISC */
/* What a configuration file says, by the grammar of libconfuse. */
#ifndef SCHEMA_H
#define SCHEMA_H

#include <stddef.h>

#include "config/problem.h"
#include "config/scrub.h"
#include "config/section.h"

struct include {
	struct origin origin;
	char *pattern; /* as it was written */
};

/* What one file says. */
struct schema_file {
	struct section global;
	struct section **sections; /* complete ones, in the order of the file */
	size_t nsections;
	struct include *includes;
	size_t nincludes;
};

/* Parses the scrubbed text of a file; name must outlive everything that is made from it.  Every
 * problem is added; a syntax error ends the file, and what stands before it is returned.  Not
 * reentrant. */
void schema_read(const char *name, const struct scrubbed *scrubbed, struct schema_file *file,
		 struct problem_list *problems);
void schema_fini(struct schema_file *file);

#endif
