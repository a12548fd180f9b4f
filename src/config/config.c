/* SPDX-License-Identifier: ISC */
/*
 * Loading the configuration: the order in which everything is looked at.
 *
 * Files are read and parsed one after the other (confile, scrub, schema), their sections are put
 * together, and then values are made of them (value, service).  Problems are collected on the way;
 * one error means that there is no configuration.  Called by begatd, before anything is bound.
 */
#include "config.h"

#include "config/config.h"

#include <bsd/string.h>
#include <err.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "base/mem.h"
#include "config/account.h"
#include "config/confile.h"
#include "config/loader.h"
#include "config/multiplex.h"
#include "config/schedule.h"
#include "config/schema.h"
#include "config/value.h"

#define MINUTE_MS 60000LL
#define HOUR_MS	  (60 * MINUTE_MS)

/* Sections */

static void complain_twice(struct loader *loader, const struct origin *second, const char *what,
			   const struct origin *first)
{
	problem_add(&loader->problems, second, "%s already: %s:%d", what, first->file, first->line);
}

static void merge_global(struct loader *loader, struct section *global)
{
	for (enum key key = 0; key < KEY_COUNT; key++) {
		struct setting *setting = &global->settings[key];
		struct setting *old = &loader->global.settings[key];

		if (setting->origin.file == NULL)
			continue;
		if (old->origin.file) {
			problem_add(&loader->problems, &setting->origin, "%s is set already: %s:%d",
				    key_table[key].name, old->origin.file, old->origin.line);
			continue;
		}
		*old = *setting;
		*setting = (struct setting){ 0 };
	}
}

static void merge_defaults(struct loader *loader, struct section *section)
{
	if (loader->defaults == NULL) {
		loader->defaults = section;
		return;
	}
	complain_twice(loader, &section->origin, "defaults are there", &loader->defaults->origin);
	section_free(section);
}

static int compare_titles(const void *a, const void *b)
{
	return strcmp(((const struct section *)a)->title, ((const struct section *)b)->title);
}

/* The section of that title that is there already, or this one, which is from now on. */
static const struct section *find_or_add(struct loader *loader, const struct section *section)
{
	const struct section *const *node = tsearch(section, &loader->titles, compare_titles);

	if (node == NULL)
		err(EXIT_FAILURE, "memory");
	return *node;
}

static void merge_service(struct loader *loader, struct section *section)
{
	const struct section *old = find_or_add(loader, section);

	if (old != section) {
		problem_add(&loader->problems, &section->origin,
			    "service \"%.64s\" is there already: %s:%d", section->title,
			    old->origin.file, old->origin.line);
		section_free(section);
		return;
	}
	loader->services =
		xreallocarray(loader->services, loader->nservices + 1, sizeof(*loader->services));
	loader->services[loader->nservices++] = section;
}

static void merge(struct loader *loader, struct schema_file *file)
{
	merge_global(loader, &file->global);
	for (size_t i = 0; i < file->nsections; i++) {
		if (file->sections[i]->kind == SECTION_DEFAULTS)
			merge_defaults(loader, file->sections[i]);
		else
			merge_service(loader, file->sections[i]);
		file->sections[i] = NULL;
	}
}

/* Files */

static void parse_file(struct loader *loader, struct confile_queue *queue, size_t index,
		       const struct scrubbed *scrubbed)
{
	struct schema_file file;

	schema_read(queue->files[index].name, scrubbed, &file, &loader->problems);
	merge(loader, &file);
	for (size_t i = 0; i < file.nincludes; i++)
		confile_add(queue, index, &file.includes[i].origin, file.includes[i].pattern,
			    &loader->problems);
	schema_fini(&file);
}

static void read_file(struct loader *loader, struct confile_queue *queue, size_t index)
{
	const struct confile *file = &queue->files[index];
	struct scrubbed scrubbed;
	size_t length;
	char *text = confile_read(file, &length, &loader->problems);

	if (text == NULL)
		return;
	if (scrub_text(text, length, file->name, &scrubbed, &loader->problems) == 0)
		parse_file(loader, queue, index, &scrubbed);
	scrub_fini(&scrubbed);
	free(text);
}

static void read_files(struct loader *loader, const char *path)
{
	struct confile_queue *queue = xcalloc(1, sizeof(*queue));

	confile_add_main(queue, path);
	for (size_t i = 0; i < queue->count; i++)
		read_file(loader, queue, i);
	confile_take_names(queue, &loader->config->files, &loader->config->nfiles);
	free(queue);
}

/* Keys of the whole daemon */

static void complain(struct loader *loader, enum key key, const char *why)
{
	problem_add(&loader->problems, &loader->global.settings[key].origin, "%s: %s",
		    key_table[key].name, why);
}

static const char *global_text(const struct loader *loader, enum key key)
{
	return section_has(&loader->global, key) ? loader->global.settings[key].items[0].text
						 : NULL;
}

static void load_log(struct loader *loader)
{
	static const char *const words[] = { "stderr", "syslog", NULL };
	const char *text = global_text(loader, KEY_LOG);
	struct config *config = loader->config;
	char why[VALUE_WHY];
	int place;

	config->log = CONFIG_LOG_SYSLOG;
	if (text == NULL)
		return;
	if (text[0] == '/') {
		config->log = CONFIG_LOG_FILE;
		config->log_file = xstrdup(text);
	} else if (value_parse_word(text, words, &place, why) == 0) {
		config->log = place == 0 ? CONFIG_LOG_STDERR : CONFIG_LOG_SYSLOG;
	} else {
		strlcat(why, ", or an absolute path", sizeof(why));
		complain(loader, KEY_LOG, why);
	}
}

static void load_log_level(struct loader *loader)
{
	static const char *const words[] = { "error", "warning", "notice", "info", "debug", NULL };
	const char *text = global_text(loader, KEY_LOG_LEVEL);
	int place = LOG_INFO - LOG_ERR;
	char why[VALUE_WHY];

	if (text && value_parse_word(text, words, &place, why) < 0)
		complain(loader, KEY_LOG_LEVEL, why);
	loader->config->log_level = LOG_ERR + place;
}

static void load_number(struct loader *loader, enum key key, long long min, long long max,
			unsigned *number)
{
	const char *text = global_text(loader, key);
	char why[VALUE_WHY];
	long long value;

	if (text == NULL)
		return;
	if (value_parse_number(text, min, max, &value, why) < 0)
		complain(loader, key, why);
	else
		*number = (unsigned)value;
}

static void load_numbers(struct loader *loader)
{
	struct config *config = loader->config;

	config->instances = 10000;
	config->sources = 65536;
	load_number(loader, KEY_INSTANCES, 1, 1000000, &config->instances);
	load_number(loader, KEY_SOURCES, 1024, 16777216, &config->sources);
}

static void load_duration(struct loader *loader, enum key key, long long min, long long max,
			  int64_t *ms)
{
	const char *text = global_text(loader, key);
	char why[VALUE_WHY];
	long long value;

	if (text == NULL)
		return;
	if (value_parse_duration(text, min, max, &value, why) < 0)
		complain(loader, key, why);
	else
		*ms = value;
}

static void load_timeouts(struct loader *loader)
{
	struct config *config = loader->config;

	config->stop_timeout_ms = 30000;
	config->reload_timeout_ms = 30000;
	load_duration(loader, KEY_STOP_TIMEOUT, 0, HOUR_MS, &config->stop_timeout_ms);
	load_duration(loader, KEY_RELOAD_TIMEOUT, 1000, 10 * MINUTE_MS, &config->reload_timeout_ms);
}

/* An ordinary user without a directory of its own has no pid file: one in /tmp could be anybody's.
 */
static char *default_pidfile(void)
{
	const char *directory = getenv("XDG_RUNTIME_DIR");

	if (geteuid() == 0)
		return xstrdup(BEGAT_PIDFILE);
	if (directory == NULL || directory[0] != '/')
		return NULL;
	return xasprintf("%s/begat/begat.pid", directory);
}

static void load_path(struct loader *loader, enum key key, char **path)
{
	const char *text = global_text(loader, key);
	char why[VALUE_WHY];

	if (text == NULL)
		return;
	if (value_check_path(text, why) < 0) {
		complain(loader, key, why);
		return;
	}
	free(*path);
	*path = xstrdup(text);
}

static void load_paths(struct loader *loader)
{
	struct config *config = loader->config;

	config->pidfile = default_pidfile();
	load_path(loader, KEY_PIDFILE, &config->pidfile);
	control_load(loader);
}

static void load_global(struct loader *loader)
{
	load_log(loader);
	load_log_level(loader);
	load_numbers(loader);
	load_timeouts(loader);
	load_paths(loader);
}

/* The whole */

static void load_services(struct loader *loader)
{
	struct config *config = loader->config;
	struct origin whole = { .file = config->files[0] };

	config->services = xcalloc(loader->nservices, sizeof(*config->services));
	for (size_t i = 0; i < loader->nservices; i++)
		config->services[config->nservices++] = service_load(loader, loader->services[i]);
	if (config->nservices == 0 && loader->problems.errors == 0)
		problem_add(&loader->problems, &whole, "there is no service");
}

size_t config_count_listeners(const struct config *config)
{
	size_t count = 0;

	for (size_t i = 0; i < config->nservices; i++)
		if (!config->services[i]->disable)
			count += config->services[i]->nlisten;
	return count;
}

/* Not realpath(3): where the file is a link, it may lead elsewhere tomorrow. */
char *config_absolute_path(const char *path)
{
	char *directory, *absolute;

	if (path[0] == '/')
		return xstrdup(path);
	directory = getcwd(NULL, 0);
	absolute = directory ? xasprintf("%s/%s", directory, path) : xstrdup(path);
	free(directory);
	return absolute;
}

static void leave(void *section)
{
	(void)section; /* is freed with the others */
}

static void loader_fini(struct loader *loader)
{
	section_fini(&loader->global);
	tdestroy(loader->titles, leave);
	section_free(loader->defaults);
	for (size_t i = 0; i < loader->nservices; i++)
		section_free(loader->services[i]);
	free(loader->services);
	rosters_fini(loader->shared);
	rosters_fini(loader->own);
	account_fini(&loader->identity);
}

struct config *config_new_default(void)
{
	struct config *config = xcalloc(1, sizeof(*config));
	struct loader loader = { .config = config };

	load_global(&loader);
	return config;
}

struct config *config_load(const char *path, struct config_problems *problems)
{
	struct config *config = xcalloc(1, sizeof(*config));
	struct loader loader = { .config = config };
	bool failed;

	*problems = (struct config_problems){ 0 };
	config->file = config_absolute_path(path);
	read_files(&loader, path);
	load_global(&loader);
	if (loader.defaults)
		service_check_defaults(&loader);
	load_services(&loader);
	conflict_check(&loader);
	multiplex_check(&loader);
	failed = loader.problems.errors > 0;
	problem_report(&loader.problems, config->files, problems);
	loader_fini(&loader);
	if (!failed)
		return config;
	config_free(config);
	return NULL;
}

void config_free(struct config *config)
{
	if (config == NULL)
		return;
	for (size_t i = 0; i < config->nservices; i++)
		service_free(config->services[i]);
	free(config->services);
	for (size_t i = 0; i < config->npeers; i++)
		peers_free(config->peers[i]);
	free(config->peers);
	for (size_t i = 0; i < config->nschedules; i++)
		schedule_free(config->schedules[i]);
	free(config->schedules);
	strv_free(config->files);
	free(config->file);
	free(config->log_file);
	free(config->pidfile);
	free(config->control);
	free(config);
}

void config_problems_free(struct config_problems *problems)
{
	strv_free(problems->lines);
	*problems = (struct config_problems){ 0 };
}
