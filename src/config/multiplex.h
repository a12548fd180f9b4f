/* SPDX-License-Identifier: ISC */
/* The services that tcpmux hands clients over to. */
#ifndef MULTIPLEX_H
#define MULTIPLEX_H

#include "config/loader.h"

/* Of all services together: whether their names are told apart, and somebody asks for them. */
void multiplex_check(struct loader *loader);

#endif
