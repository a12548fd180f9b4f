/* SPDX-License-Identifier: ISC */
/* A key and its value as one line, in the form of the configuration file. */
#ifndef PRINT_KEY_H
#define PRINT_KEY_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "config/service.h"

void print_text(FILE *out, const char *key, const char *text); /* nothing for NULL */
void print_taken(FILE *out, const char *key, char *text);      /* likewise; frees it */
void print_bool(FILE *out, const char *key, bool yes);
void print_number(FILE *out, const char *key, unsigned number);
void print_duration(FILE *out, const char *key, int64_t ms);
void print_size(FILE *out, const char *key, int64_t bytes);
void print_rate(FILE *out, const char *key, const struct service_rate *rate); /* if any */
void print_mode(FILE *out, const char *key, mode_t mode);
void print_list(FILE *out, const char *key, char *const *items); /* NULL is empty */
void print_taken_list(FILE *out, const char *key, char **items); /* frees it */

#endif
