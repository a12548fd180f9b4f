/* SPDX-License-Identifier: ISC */
/* What the administrator said: loaded whole or not at all, never changed afterwards. */
#ifndef CONFIG_H
#define CONFIG_H

#include <stdio.h>

#include "config/service.h"

enum config_log { CONFIG_LOG_STDERR, CONFIG_LOG_SYSLOG, CONFIG_LOG_FILE };

struct config {
	char *file; /* absolute path of the main file */
	enum config_log log;
	char *log_file;	    /* absolute; CONFIG_LOG_FILE only */
	int log_level;	    /* LOG_ERR (3) to LOG_DEBUG (7) of syslog(3) */
	unsigned instances; /* workers of all services together */
	unsigned sources;   /* that are remembered, for the limits of each */
	int64_t stop_timeout_ms;
	int64_t reload_timeout_ms; /* for the preflight */
	char *pidfile;		   /* absolute */
	char *control;		   /* absolute path of the control socket; NULL: there is none */
	bool control_is_default;   /* it goes with the pid file */
	struct address control_address; /* where control is not NULL */
	gid_t control_gid;	   /* who may use it beside root and ourselves; (gid_t)-1: nobody */
	struct service **services; /* in the order of the files; disabled ones too */
	size_t nservices;
	struct peers **peers; /* those of all services, each once */
	size_t npeers;
	struct schedule **schedules; /* likewise */
	size_t nschedules;
	char **files; /* every file that was read; owns the names of all origins */
	size_t nfiles;
};

/* The problems found while loading, in the order of the files. */
struct config_problems {
	char **lines; /* "file:line: message" each, no newline */
	size_t count;
	size_t warnings; /* how many of these are warnings ("file:line: warning: ...") */
};

/* Loads and checks everything: grammar, values, users, programs, handlers and their options,
 * addresses against each other.  Returns NULL when there is at least one error; problems is filled
 * in both cases and must be freed by config_problems_free().  Reads files and NSS; never exits. */
struct config *config_load(const char *path, struct config_problems *problems);

/* Of enabled services. */
size_t config_count_listeners(const struct config *config);

/* A path as seen from the current directory; unchanged when that is gone.  The caller frees it. */
char *config_absolute_path(const char *path);

/* Another pid file, which is taken over (NULL: none), and with it the default of the control
 * socket.
 */
void config_set_pidfile(struct config *config, char *path);

void config_free(struct config *config);
void config_problems_free(struct config_problems *problems);

/* The effective configuration with every key, in a canonical form that loads to the same again. */
void config_print(const struct config *config, FILE *out);

#endif
