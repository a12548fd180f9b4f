/* SPDX-License-Identifier: ISC */
/*
 * The text in effect, written and read.
 *
 * What is usual is never written down here: the defaults of the program are made by the same code
 * that loads a configuration (config_new_default(), service_new_default()), printed by the same
 * code that prints one, and each line that is the same is left out.  A new key needs nothing here.
 *
 * The reader takes what this or another version has written, or what is left of it: every line is
 * looked at before anything is compared, so whoever goes through the parts has no errors to handle.
 */
#include "config.h"

#include "config/effect.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/memory.h"
#include "config/loader.h"
#include "config/print.h"

#define KEYS_MAX 250 /* of one part: they are looked for one by one */

static char *format_global(const struct config *config)
{
	struct memory memory;

	print_global(memory_open(&memory), config);
	return memory_take(&memory);
}

static char *format_service(const struct service *service, const struct service *usual)
{
	struct memory memory;

	print_service(memory_open(&memory), service, usual);
	return memory_take(&memory);
}

/* What is usual, for each kind of service that there is: those of a handler, and programs. */
struct usual {
	struct service *service;
	char *text;
};

struct usual_list {
	struct usual *items;
	size_t count;
};

static const struct usual *find_usual(struct usual_list *list, const struct begat_handler *handler)
{
	struct usual *usual;

	for (size_t i = 0; i < list->count; i++)
		if (list->items[i].service->handler == handler)
			return &list->items[i];
	list->items = xreallocarray(list->items, list->count + 1, sizeof(*usual));
	usual = &list->items[list->count++];
	usual->service = service_new_default(handler);
	usual->text = format_service(usual->service, usual->service);
	return usual;
}

static void usual_list_fini(struct usual_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		service_free(list->items[i].service);
		free(list->items[i].text);
	}
	free(list->items);
}

static bool has_line(const char *text, const char *line, size_t length)
{
	for (size_t each; *text; text += each) {
		each = strcspn(text, "\n") + 1;
		if (each == length && memcmp(text, line, length) == 0)
			return true;
	}
	return false;
}

/* Takes the text over. */
static void write_unusual(FILE *out, char *text, const char *usual)
{
	size_t length;

	for (const char *line = text; *line; line += length) {
		length = strcspn(line, "\n") + 1;
		if (!has_line(usual, line, length))
			fprintf(out, "%.*s", (int)length, line);
	}
	free(text);
}

static void write_global(FILE *out, const struct config *config)
{
	struct config *usual = config_new_default();
	char *usual_text = format_global(usual);

	write_unusual(out, format_global(config), usual_text);
	free(usual_text);
	config_free(usual);
}

static void write_service(FILE *out, const struct service *service, struct usual_list *list)
{
	const struct usual *usual = find_usual(list, service->handler);

	fprintf(out, PRINT_SERVICE_BEGIN, service->name);
	write_unusual(out, format_service(service, usual->service), usual->text);
	fputs(PRINT_SERVICE_END, out);
}

char *effect_format(const struct config *config)
{
	struct usual_list list = { 0 };
	struct memory memory;
	FILE *out = memory_open(&memory);

	write_global(out, config);
	for (size_t i = 0; i < config->nservices; i++)
		if (!config->services[i]->disable)
			write_service(out, config->services[i], &list);
	usual_list_fini(&list);
	return memory_take(&memory);
}

/* Reading */

struct span {
	char *text;
	size_t size;
};

/* The next line, without its newline.  False: there is none, or it has no end. */
static bool take_line(struct span *rest, struct span *line)
{
	char *end = rest->size ? memchr(rest->text, '\n', rest->size) : NULL;

	if (end == NULL)
		return false;
	*line = (struct span){ rest->text, (size_t)(end - rest->text) };
	rest->text += line->size + 1;
	rest->size -= line->size + 1;
	return true;
}

static bool is_key(const struct span *line)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
	const char *equals = line->size ? memmem(line->text, line->size, " = ", 3) : NULL;
	const char *name = line->text;

	if (equals == NULL || equals + 3 == line->text + line->size)
		return false;
	name += *name == '\t';
	if (name == equals)
		return false;
	for (; name < equals; name++)
		if (strchr(letters, *name) == NULL)
			return false;
	return true;
}

/* Keys, up to a line that begins with this byte. */
static bool parse_keys(struct span *rest, char end, struct effect_part *part)
{
	struct span line;
	size_t count = 0;

	part->text = rest->text;
	while (rest->size && *rest->text != end)
		if (!take_line(rest, &line) || !is_key(&line) || ++count > KEYS_MAX)
			return false;
	part->size = (size_t)(rest->text - part->text);
	return true;
}

/* "service "NAME" {", whose name is given an end. */
static bool parse_name(const struct span *line, const char **name)
{
	static const char before[] = "service \"", after[] = "\" {";
	const size_t head = sizeof(before) - 1, tail = sizeof(after) - 1;
	char *end = line->text + line->size - tail;

	if (line->size <= head + tail || memcmp(line->text, before, head) != 0 ||
	    memcmp(end, after, tail) != 0)
		return false;
	*end = '\0';
	*name = line->text + head;
	return (*name)[strcspn(*name, "\"\\\t")] == '\0';
}

static bool parse_service(struct span *rest, struct effect_part *part)
{
	struct span line;

	return take_line(rest, &line) && line.size == 0 && take_line(rest, &line) &&
	       parse_name(&line, &part->name) && parse_keys(rest, '}', part) &&
	       take_line(rest, &line) && line.size == 1;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(((const struct effect_part *)a)->name, ((const struct effect_part *)b)->name);
}

static bool sort_services(struct effect *effect)
{
	if (effect->nservices)
		qsort(effect->services, effect->nservices, sizeof(*effect->services),
		      compare_names);
	for (size_t i = 1; i < effect->nservices; i++)
		if (compare_names(&effect->services[i - 1], &effect->services[i]) == 0)
			return false;
	return true;
}

/* A terminal or a log gets to see it, and a NUL would end it before its end. */
static bool is_clean(const struct span *text, size_t *nlines)
{
	for (size_t i = 0; i < text->size; i++) {
		unsigned char byte = (unsigned char)text->text[i];

		if (byte == '\n')
			(*nlines)++;
		else if (byte == 127 || (byte < ' ' && byte != '\t'))
			return false;
	}
	return true;
}

static bool parse(struct effect *effect, struct span rest)
{
	struct effect_part part;

	if (!is_clean(&rest, &effect->nlines) || !parse_keys(&rest, '\n', &effect->global))
		return false;
	while (rest.size) {
		if (!parse_service(&rest, &part))
			return false;
		effect->services = xreallocarray(effect->services, effect->nservices + 1,
						 sizeof(*effect->services));
		effect->services[effect->nservices++] = part;
	}
	return sort_services(effect);
}

static ssize_t read_all(int fd, char *text, size_t size)
{
	size_t done = 0;
	ssize_t length;

	do {
		length = pread(fd, text + done, size - done, (off_t)done);
		if (length < 0)
			return -1;
		done += (size_t)length;
	} while (length > 0 && done < size);
	return (ssize_t)done;
}

int effect_read(int fd, struct effect *effect)
{
	struct stat status;
	ssize_t size;

	*effect = (struct effect){ 0 };
	if (fstat(fd, &status) < 0)
		return -1;
	/* Not xcalloc(): of what is damaged the size may be, too. */
	effect->text = S_ISREG(status.st_mode) ? malloc((size_t)status.st_size + 1) : NULL;
	if (effect->text == NULL) {
		errno = S_ISREG(status.st_mode) ? ENOMEM : EINVAL;
		return -1;
	}
	size = read_all(fd, effect->text, (size_t)status.st_size);
	if (size >= 0 && parse(effect, (struct span){ effect->text, (size_t)size }))
		return 0;
	effect_fini(effect);
	if (size >= 0)
		errno = EINVAL;
	return -1;
}

void effect_fini(struct effect *effect)
{
	free(effect->services);
	free(effect->text);
	*effect = (struct effect){ 0 };
}

bool effect_take_key(struct effect_part *rest, struct effect_key *key)
{
	const char *end, *equals;

	if (rest->size == 0)
		return false;
	end = memchr(rest->text, '\n', rest->size);
	equals = memmem(rest->text, rest->size, " = ", 3);
	key->name = rest->text + (*rest->text == '\t');
	key->name_length = (size_t)(equals - key->name);
	key->value = equals + 3;
	key->value_length = (size_t)(end - key->value);
	rest->size -= (size_t)(end + 1 - rest->text);
	rest->text = end + 1;
	return true;
}
