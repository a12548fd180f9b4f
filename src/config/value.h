/* SPDX-License-Identifier: ISC */
/* Values of the configuration: text in, checked values out. */
#ifndef VALUE_H
#define VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define VALUE_WHY  320 /* bytes of a reason */
#define VALUE_TEXT 32  /* bytes that a number, a duration or a mode needs as text */

/* Each returns 0, or -1 with the reason in why, which names the text.  Ranges include both ends. */

/* Decimal, without leading zeros. */
int value_parse_number(const char *text, long long min, long long max, long long *number,
		       char why[static VALUE_WHY]);

/* Bytes: "512", "64k", "1m", "2g". */
int value_parse_size(const char *text, long long min, long long max, long long *bytes,
		     char why[static VALUE_WHY]);

/* Milliseconds: "500ms", "30s", "5m", "1h30m", "2d", "0"; each unit once, the largest first. */
int value_parse_duration(const char *text, long long min, long long max, long long *ms,
			 char why[static VALUE_WHY]);

/* So many in so much time: "50/10s", "50/s". */
int value_parse_rate(const char *text, unsigned *count, int64_t *period_ms,
		     char why[static VALUE_WHY]);

/* true yes on, false no off. */
int value_parse_bool(const char *text, bool *yes, char why[static VALUE_WHY]);

/* Permission bits: three or four octal digits. */
int value_parse_mode(const char *text, mode_t *mode, char why[static VALUE_WHY]);

/* One of the words, NULL-terminated, by its place. */
int value_parse_word(const char *text, const char *const *words, int *place,
		     char why[static VALUE_WHY]);

int value_check_path(const char *text, char why[static VALUE_WHY]);	  /* absolute */
int value_check_name(const char *text, char why[static VALUE_WHY]);	  /* of a service */
int value_check_variable(const char *text, char why[static VALUE_WHY]);	  /* NAME */
int value_check_assignment(const char *text, char why[static VALUE_WHY]); /* NAME=VALUE */
int value_check_banner(const char *text, char why[static VALUE_WHY]);	  /* %h %n %p %s %t %% */

/* Whether a banner that has been checked has this field: 'n' for "%n". */
bool value_has_field(const char *banner, char field);

/* An absolute path with single slashes and none at its end, which the caller frees; parts that are
 * "." or ".." are refused. */
int value_parse_path(const char *text, char **path, char why[static VALUE_WHY]);

/* A program to run: absolute path, a regular file that somebody may execute.  A directory to enter.
 * Both as one finds them whose root directory this is; NULL: ours. */
int value_check_program(const char *root, const char *path, char why[static VALUE_WHY]);
int value_check_directory(const char *root, const char *path, char why[static VALUE_WHY]);

int value_check_there(const char *path, char why[static VALUE_WHY]); /* of any kind */

/* Splits at blanks; "double quotes" group, and \" and \\ stand for themselves within them.  The
 * vector is the caller's. */
int value_parse_words(const char *text, char ***words, char why[static VALUE_WHY]);

/* The opposite ways. */
void value_format_size(long long bytes, char text[static VALUE_TEXT]);
void value_format_rate(unsigned count, int64_t period_ms, char text[static VALUE_TEXT]);
char *value_format_words(char *const *words); /* the caller frees it */

#endif
