/* SPDX-License-Identifier: ISC */
/*
 * The keys of the control socket.
 *
 * Its path goes with that of the pid file unless it is set: whoever runs two daemons has given them
 * two pid files already.  Called while a configuration is loaded, and again when begatd knows
 * better which pid file it is.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "config/account.h"
#include "config/loader.h"
#include "config/value.h"

#define PID_SUFFIX ".pid"

/* Takes the path over; what is wrong with it as that of a socket goes to why. */
static int set_path(struct config *config, char *path, char why[static VALUE_WHY])
{
	char *text = xasprintf("unix:%s", path);
	struct address *address;
	size_t count;
	int result = address_parse(text, &address, &count, why, VALUE_WHY);

	free(text);
	free(config->control);
	config->control = NULL;
	if (result < 0) {
		free(path);
		return -1;
	}
	config->control = path;
	config->control_address = *address;
	free(address);
	return 0;
}

/* "/run/begat.sock" for "/run/begat.pid". */
static char *path_beside(const char *pidfile)
{
	size_t length = strlen(pidfile), suffix = strlen(PID_SUFFIX);

	if (length > suffix && strcmp(pidfile + length - suffix, PID_SUFFIX) == 0)
		length -= suffix;
	return xasprintf("%.*s.sock", (int)length, pidfile);
}

/* A pid file's path may be longer than that of a socket; then there is none. */
static void set_default(struct config *config)
{
	char why[VALUE_WHY];

	config->control_is_default = true;
	if (config->pidfile)
		(void)set_path(config, path_beside(config->pidfile), why);
}

void config_set_pidfile(struct config *config, char *path)
{
	free(config->pidfile);
	config->pidfile = path;
	if (!config->control_is_default)
		return;
	free(config->control);
	config->control = NULL;
	set_default(config);
}

static void complain(struct loader *loader, enum key key, const char *why)
{
	problem_add(&loader->problems, &loader->global.settings[key].origin, "%s: %s",
		    key_table[key].name, why);
}

static void load_path(struct loader *loader)
{
	const char *text = loader->global.settings[KEY_CONTROL].items[0].text;
	char why[VALUE_WHY];

	if (strcmp(text, "none") == 0)
		return;
	if (value_check_path(text, why) < 0 || set_path(loader->config, xstrdup(text), why) < 0)
		complain(loader, KEY_CONTROL, why);
}

static void load_group(struct loader *loader)
{
	const struct setting *setting = &loader->global.settings[KEY_CONTROL_GROUP];
	gid_t *gid = &loader->config->control_gid;

	if (account_find_group(setting->items[0].text, gid) < 0)
		problem_add(&loader->problems, &setting->origin,
			    "control-group: there is no group \"%.64s\"", setting->items[0].text);
	else if (geteuid() != 0 && !group_member(*gid))
		complain(loader, KEY_CONTROL_GROUP,
			 "you are not in this group, and only root can use any");
}

void control_load(struct loader *loader)
{
	loader->config->control_gid = (gid_t)-1;
	if (section_has(&loader->global, KEY_CONTROL))
		load_path(loader);
	else
		set_default(loader->config);
	if (section_has(&loader->global, KEY_CONTROL_GROUP))
		load_group(loader);
}
