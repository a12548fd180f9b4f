/* SPDX-License-Identifier: ISC */
/* What a daemon says about itself, for people. */
#ifndef REPORT_H
#define REPORT_H

#include <jansson.h>
#include <stdio.h>

/* All of it: a head, a line for each service, what was refused, who is banned. */
void report_print(const json_t *status, FILE *out);

/* One service, with more to it. */
void report_print_service(const json_t *status, const json_t *service, FILE *out);

#endif
