/* SPDX-License-Identifier: ISC */
/* The parts of a configuration as text: one key to a line. */
#ifndef PRINT_H
#define PRINT_H

#include <stdio.h>

#include "config/config.h"

/* Around the keys of a service, of that name. */
#define PRINT_SERVICE_BEGIN "\nservice \"%s\" {\n"
#define PRINT_SERVICE_END   "}\n"

void print_global(FILE *out, const struct config *config);

#define PRINT_PEERS_MAX 1000 /* entries */

/* The keys, each with a tab in front.  With a usual service of the same kind (NULL: none), options
 * and identity only as far as they differ from its, and of a list of more than PRINT_PEERS_MAX
 * peers their number and a checksum; it itself is printed without its handler. */
void print_service(FILE *out, const struct service *service, const struct service *usual);

#endif
