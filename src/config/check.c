/* SPDX-License-Identifier: ISC */
/*
 * Values of the configuration that stay text: paths, names, banners, programs and word lists.
 *
 * The other half of value.h.  Those for programs, directories and files that must be there are the
 * only ones that look at the system.
 */
#include "config.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/mem.h"
#include "config/value.h"

#define FAIL(why, ...) (snprintf(why, VALUE_WHY, __VA_ARGS__), -1)

#define SHOWN	       "%.80s" /* of a text in a reason */

#define NAME_LENGTH    32   /* of a service: it becomes a process title and a key of the log */
#define BANNER_LENGTH  1000 /* so that it fits one segment with what is expanded */

int value_check_path(const char *text, char why[static VALUE_WHY])
{
	if (text[0] != '/')
		return FAIL(why, "\"" SHOWN "\" is not an absolute path", text);
	if (strlen(text) >= PATH_MAX)
		return FAIL(why, "a path of %zu bytes is too long", strlen(text));
	return 0;
}

int value_check_name(const char *text, char why[static VALUE_WHY])
{
	size_t length = strlen(text);

	for (const char *c = text; *c; c++)
		if (!isalnum((unsigned char)*c) && strchr("_.-", *c) == NULL)
			return FAIL(why, "\"" SHOWN "\" may hold letters, digits and _ . - only",
				    text);
	if (length < 1 || length > NAME_LENGTH)
		return FAIL(why, "\"" SHOWN "\" is not 1 to %d characters long", text, NAME_LENGTH);
	return 0;
}

static size_t variable_length(const char *text)
{
	size_t length = 0;

	if (isdigit((unsigned char)text[0]))
		return 0;
	while (isalnum((unsigned char)text[length]) || text[length] == '_')
		length++;
	return length;
}

int value_check_variable(const char *text, char why[static VALUE_WHY])
{
	size_t length = variable_length(text);

	if (length == 0 || text[length])
		return FAIL(why, "\"" SHOWN "\" is not the name of a variable", text);
	return 0;
}

int value_check_assignment(const char *text, char why[static VALUE_WHY])
{
	size_t length = variable_length(text);

	if (length == 0 || text[length] != '=')
		return FAIL(why, "\"" SHOWN "\" is not of the form NAME=VALUE", text);
	return 0;
}

int value_check_banner(const char *text, char why[static VALUE_WHY])
{
	if (strlen(text) > BANNER_LENGTH)
		return FAIL(why, "%zu bytes are more than %d", strlen(text), BANNER_LENGTH);
	for (const char *percent = strchr(text, '%'); percent; percent = strchr(percent + 2, '%')) {
		if (percent[1] && strchr("hnpst%", percent[1]))
			continue;
		return FAIL(why,
			    "\"%.2s\" is not known; there are %%h (peer), %%n (its name), %%p "
			    "(port), %%s (service), %%t (time) and %%%%",
			    percent);
	}
	return 0;
}

bool value_has_field(const char *banner, char field)
{
	for (; (banner = strchr(banner, '%')); banner += 2)
		if (banner[1] == field)
			return true;
	return false;
}

int value_parse_path(const char *text, char **path, char why[static VALUE_WHY])
{
	char *out;

	if (value_check_path(text, why) < 0)
		return -1;
	*path = out = xcalloc(strlen(text) + 2, 1);
	for (const char *part = text + strspn(text, "/"); *part;) {
		size_t length = strcspn(part, "/");

		if ((length == 1 && part[0] == '.') || (length == 2 && memcmp(part, "..", 2) == 0))
			goto refused;
		*out++ = '/';
		out = (char *)mempcpy(out, part, length);
		part += length;
		part += strspn(part, "/");
	}
	if (out == *path)
		*out = '/';
	return 0;
refused:
	free(*path);
	*path = NULL;
	return FAIL(why, "\"" SHOWN "\" is not plain: write it without \".\" and \"..\"", text);
}

/* The file that a process with this root would find: no link on the way leads outside. */
static int open_in_root(const char *root, const char *path)
{
	const struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT };
	int root_fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC), fd, error;

	if (root_fd < 0)
		return -1;
	fd = (int)syscall(SYS_openat2, root_fd, path, &how, sizeof(how));
	error = errno;
	close(root_fd); /* O_PATH: nothing to lose */
	errno = error;
	return fd;
}

static int stat_in_root(const char *root, const char *path, struct stat *status)
{
	int fd, result;

	if (root == NULL)
		return stat(path, status);
	fd = open_in_root(root, path);
	if (fd < 0)
		return -1;
	result = fstat(fd, status);
	close(fd); /* as above */
	return result;
}

static int refuse_file(const char *root, const char *path, const char *reason,
		       char why[static VALUE_WHY])
{
	if (root == NULL)
		return FAIL(why, "%.200s: %s", path, reason);
	return FAIL(why, "%.100s in the chroot %.100s: %s", path, root, reason);
}

int value_check_program(const char *root, const char *path, char why[static VALUE_WHY])
{
	struct stat status;

	if (value_check_path(path, why) < 0)
		return -1;
	if (stat_in_root(root, path, &status) < 0)
		return refuse_file(root, path, strerror(errno), why);
	if (!S_ISREG(status.st_mode))
		return refuse_file(root, path, "not a regular file", why);
	if ((status.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)) == 0)
		return refuse_file(root, path, "not executable", why);
	return 0;
}

int value_check_directory(const char *root, const char *path, char why[static VALUE_WHY])
{
	struct stat status;

	if (stat_in_root(root, path, &status) < 0)
		return refuse_file(root, path, strerror(errno), why);
	if (!S_ISDIR(status.st_mode))
		return refuse_file(root, path, "not a directory", why);
	return 0;
}

int value_check_there(const char *path, char why[static VALUE_WHY])
{
	struct stat status;

	return stat(path, &status) < 0 ? refuse_file(NULL, path, strerror(errno), why) : 0;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* One word at *text, unquoted into word; -1 when a quote is not closed. */
static int take_word(const char **text, char *word)
{
	bool quoted = false;
	const char *in = *text;

	for (; *in && (quoted || !is_blank(*in)); in++) {
		if (*in == '"') {
			quoted = !quoted;
			continue;
		}
		if (quoted && *in == '\\' && (in[1] == '"' || in[1] == '\\'))
			in++;
		*word++ = *in;
	}
	*word = '\0';
	*text = in;
	return quoted ? -1 : 0;
}

int value_parse_words(const char *text, char ***words, char why[static VALUE_WHY])
{
	char *word = xcalloc(strlen(text) + 1, 1);
	size_t count = 0;
	int result = 0;

	*words = xcalloc(1, sizeof(**words));
	for (;;) {
		while (is_blank(*text))
			text++;
		if (*text == '\0' || result < 0)
			break;
		result = take_word(&text, word);
		strv_add(words, &count, xstrdup(word));
	}
	free(word);
	if (result == 0)
		return 0;
	strv_free(*words);
	*words = NULL;
	return FAIL(why, "a double quote is not closed");
}

/* Quotes a word where it must be; returns the end. */
static char *put_word(char *out, const char *word)
{
	bool quote = *word == '\0' || word[strcspn(word, " \t\r\n\"")];

	if (quote)
		*out++ = '"';
	for (; *word; word++) {
		if (quote && (*word == '"' || *word == '\\'))
			*out++ = '\\';
		*out++ = *word;
	}
	if (quote)
		*out++ = '"';
	return out;
}

char *value_format_words(char *const *words)
{
	size_t size = 1;
	char *text, *out;

	for (size_t i = 0; words[i]; i++)
		size += 2 * strlen(words[i]) + 3;
	out = text = xcalloc(size, 1);
	for (size_t i = 0; words[i]; i++) {
		if (i)
			*out++ = ' ';
		out = put_word(out, words[i]);
	}
	return text;
}
