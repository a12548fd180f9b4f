/* SPDX-License-Identifier: ISC */
/*
 * The cages of all services.
 *
 * What a cage is made of is written down as one line of text, and services whose lines are the same
 * share it: a thousand services of one kind have one filter and one ruleset.  Filters are compiled
 * once for each list of system calls.
 */
#include "config.h"

#include "cage/cages.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/memory.h"
#include "cage/cgroup.h"
#include "cage/guard.h"
#include "cage/syscalls.h"
#include "report/log.h"

/* Keys */

static void write_list(FILE *out, char *const *list)
{
	for (; list && *list; list++)
		fprintf(out, " %s", *list);
	fputc('\n', out);
}

static void write_rules(FILE *out, const struct rules *rules)
{
	fprintf(out, "%" PRIx64 " %" PRIx64 " %" PRIx64 "\n", rules->handled.files,
		rules->handled.ports, rules->handled.scopes);
	for (size_t i = 0; i < rules->count; i++)
		fprintf(out, "%s %u %" PRIx64 "\n", rules->all[i].path ? rules->all[i].path : "",
			rules->all[i].port, rules->all[i].rights);
}

static void write_cage(FILE *out, const struct cage *cage)
{
	for (size_t i = 0; i < cage->nlimits; i++)
		fprintf(out, "%d %" PRIu64 " %" PRIu64 "\n", cage->limits[i].resource,
			cage->limits[i].soft, cage->limits[i].hard);
	fprintf(out, "%d %d %s\n", cage->set_nice, cage->nice, cage->chroot ? cage->chroot : "");
	fprintf(out, "%d%d %" PRIx64 "\n", cage->set_capabilities, cage->drop_bounding,
		cage->capabilities);
	fprintf(out, "%u %d%d%d%d%d\n", cage->guards, cage->private_network, cage->private_tmp,
		cage->private_pids, cage->deny_write_execute, cage->die_with_master);
	write_rules(out, &cage->rules);
	write_list(out, cage->system_calls);
}

/* A control group is one service's, and so is a network: who shares one can meet there. */
static char *make_key(const struct service *service, const struct cage *cage)
{
	struct memory memory;
	FILE *out = memory_open(&memory);

	fprintf(out, "%s\n", service->handler ? "handler" : "program");
	write_cage(out, cage);
	if (cage->cgroup || cage->private_network)
		fprintf(out, "%s\n", service->name);
	return memory_take(&memory);
}

/* What is there already: a text, and a place or a program. */
struct known {
	char *text;
	size_t place; /* of a cage */
	struct sock_filter *filter;
	size_t nfilter;
};

static int compare_known(const void *a, const void *b)
{
	return strcmp(((const struct known *)a)->text, ((const struct known *)b)->text);
}

/* Takes the text over.  The one that is known by it, new with all zero. */
static struct known *find_known(void **tree, char *text, bool *is_new)
{
	struct known *made = xcalloc(1, sizeof(*made));
	struct known **found;

	made->text = text;
	found = tsearch(made, tree, compare_known);
	if (found == NULL)
		err(EXIT_GENERIC, "memory");
	*is_new = *found == made;
	if (!*is_new) {
		free(made->text);
		free(made);
	}
	return *found;
}

static void free_known(void *known)
{
	free(((struct known *)known)->text);
	free(((struct known *)known)->filter);
	free(known);
}

/* Filters */

static char *format_filter(char *const *items, unsigned guards, const char *end)
{
	struct memory memory;
	FILE *out = memory_open(&memory);

	fprintf(out, "%s %u", end, guards);
	write_list(out, items);
	return memory_take(&memory);
}

/* Guards stand before the rest, and what they let through goes on there. */
static void put_guards(struct known *known, unsigned guards)
{
	struct sock_filter program[GUARD_MAX];
	const size_t count = guard_make(guards, program);

	known->filter =
		xreallocarray(known->filter, known->nfilter + count, sizeof(*known->filter));
	memmove(known->filter + count, known->filter, known->nfilter * sizeof(*known->filter));
	memcpy(known->filter, program, count * sizeof(*program));
	known->nfilter += count;
}

/* Handlers make few calls in their lives, and say which one was too many. */
static void make_filter(struct cages *cages, const struct service *service, struct made_cage *made)
{
	static const char *const all[] = { "@all", NULL };
	const bool handler = service->handler != NULL;
	const unsigned guards = made->cage.guards;
	char *const *items = made->cage.system_calls;
	struct known *known;
	char why[SYSCALLS_WHY];
	bool is_new;

	if (items == NULL && guards == 0)
		return;
	if (items == NULL)
		items = (char *const *)all;
	known = find_known(&cages->filters, format_filter(items, guards, handler ? "trap" : "kill"),
			   &is_new);
	if (is_new)
		known->filter = syscalls_compile(items, handler ? SYSCALLS_TRAP : SYSCALLS_KILL,
						 handler, &known->nfilter, why);
	if (known->filter == NULL)
		fatal(EXIT_GENERIC, "%s: system-calls: %s", service->name, why);
	if (is_new)
		put_guards(known, guards);
	made->filter = known->filter;
	made->nfilter = known->nfilter;
}

/* Descriptors */

static int add_fd(struct cages *cages, int fd)
{
	cages->fds = xreallocarray(cages->fds, cages->nfds + 1, sizeof(*cages->fds));
	cages->fds[cages->nfds] = fd_park(fd);
	if (cages->fds[cages->nfds] < 0)
		fatal(EXIT_GENERIC, "descriptors: %m");
	return (int)cages->nfds++;
}

static struct cage_rule_file find_file(const struct rules *rules, size_t index)
{
	struct stat there;

	if (rules->all[index].path == NULL || rules_stat(rules, index, &there) < 0)
		return (struct cage_rule_file){ 0, 0 };
	return (struct cage_rule_file){ there.st_dev, there.st_ino };
}

static void make_ruleset(struct cages *cages, const struct service *service, struct made_cage *made)
{
	struct rules *rules = &made->cage.rules;
	const char *which;
	int fd;

	if ((rules->handled.files | rules->handled.ports | rules->handled.scopes) == 0)
		return;
	rules_settle(rules);
	/* Before they are opened: a file that is replaced in between is found to be another. */
	made->files = xcalloc(rules->count, sizeof(*made->files));
	for (size_t i = 0; i < rules->count; i++)
		made->files[i] = find_file(rules, i);
	fd = rules_build(rules, &which);
	if (fd < 0)
		fatal(EXIT_GENERIC, "%s: %s: %m", service->name, which ? which : "Landlock");
	made->ruleset = add_fd(cages, fd);
}

/* What was there when the configuration was checked may not be there now. */
static void leave_cgroup(const struct service *service, struct made_cage *made, const char *why)
{
	fprintf(stderr, "%s:%d: warning: cgroup: %s\n", service->origin.file, service->origin.line,
		why);
	made->cage.cgroup = false;
	made->cage.memory_max = 0;
	made->cage.tasks_max = 0;
}

static void make_cgroup(struct cages *cages, const struct service *service, struct made_cage *made)
{
	const struct cgroup_limits limits = { made->cage.memory_max, made->cage.tasks_max };
	char why[CGROUP_WHY];
	int fd;

	if (!made->cage.cgroup)
		return;
	fd = cgroup_open(service->name, &limits, why);
	if (fd >= 0)
		made->cgroup = add_fd(cages, fd);
	else if (service->cage.best_effort)
		leave_cgroup(service, made, why);
	else
		fatal(EXIT_GENERIC, "%s: cgroup: %s", service->name, why);
}

/* A process of its own goes there, and what it leaves is the door. */
static int open_empty_network(void)
{
	char path[64];
	int ends[2], fd = -1;
	char byte;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* cannot fail */
		byte = unshare(CLONE_NEWNET) < 0 ? (char)errno : 0;
		(void)!write(ends[1], &byte, 1);
		for (;;)
			pause();
	}
	(void)close(ends[1]); /* the child has it */
	if (pid > 0 && read(ends[0], &byte, 1) == 1) {
		errno = byte;
		snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
		if (byte == 0)
			fd = open(path, O_RDONLY | O_CLOEXEC);
	}
	(void)close(ends[0]); /* was read from */
	if (pid > 0) {
		(void)kill(pid, SIGKILL);
		(void)waitpid(pid, NULL, 0);
	}
	return fd;
}

static void make_network(struct cages *cages, const struct service *service, struct made_cage *made)
{
	int fd;

	if (!made->cage.private_network)
		return;
	fd = open_empty_network();
	if (fd < 0)
		fatal(EXIT_GENERIC, "%s: private-network: %m", service->name);
	made->network = add_fd(cages, fd);
}

/* All together */

static size_t add_cage(struct cages *cages, const struct service *service, struct cage *cage)
{
	struct made_cage *made;
	struct known *known;
	bool is_new;

	known = find_known(&cages->keys, make_key(service, cage), &is_new);
	if (!is_new) {
		cage_fini(cage);
		return known->place;
	}
	known->place = cages->count;
	cages->all = xreallocarray(cages->all, cages->count + 1, sizeof(*cages->all));
	made = &cages->all[cages->count++];
	*made = (struct made_cage){
		.cage = *cage, .ruleset = CAGES_NO_FD, .network = CAGES_NO_FD, .cgroup = CAGES_NO_FD
	};
	make_filter(cages, service, made);
	make_ruleset(cages, service, made);
	make_network(cages, service, made);
	make_cgroup(cages, service, made);
	return known->place;
}

/* Where there is a pid file, it keeps a second daemon of the same away. */
void cages_begin(const struct config *config, bool is_start)
{
	cgroup_init(config->pidfile ? config->pidfile : config->file, is_start);
}

void cages_open(const struct config *config, struct cages *cages)
{
	const struct service *service;
	struct cage cage;

	*cages = (struct cages){ .count = 0 };
	cages->of_service = xcalloc(config->nservices, sizeof(*cages->of_service));
	for (size_t i = 0; i < config->nservices; i++) {
		service = config->services[i];
		if (service->disable)
			cage = (struct cage){ .limits = NULL };
		else
			cage_make(service, &cage);
		cages->of_service[i] = add_cage(cages, service, &cage);
	}
}

/* By name: the descriptors may be numbered as somebody else has them. */
static int settle_limits(const struct config *config, const struct cages *cages,
			 char why[static CGROUP_WHY])
{
	int result = 0;

	for (size_t i = 0; i < config->nservices; i++) {
		const struct cage *cage = &cages->all[cages->of_service[i]].cage;
		const struct cgroup_limits limits = { cage->memory_max, cage->tasks_max };

		if (cage->cgroup && cgroup_set_limits(config->services[i]->name, &limits, why) < 0)
			result = -1;
	}
	return result;
}

int cages_settle(const struct config *config, const struct cages *cages,
		 char why[static CGROUP_WHY])
{
	char **names = xcalloc(config->nservices + 1, sizeof(*names));
	size_t count = 0;

	for (size_t i = 0; i < config->nservices; i++)
		if (!config->services[i]->disable && config->services[i]->cage.cgroup)
			names[count++] = config->services[i]->name;
	cgroup_clean(names);
	free(names);
	return settle_limits(config, cages, why);
}

void cages_fini(struct cages *cages)
{
	for (size_t i = 0; i < cages->count; i++) {
		cage_fini(&cages->all[i].cage);
		free(cages->all[i].files);
	}
	tdestroy(cages->keys, free_known);
	tdestroy(cages->filters, free_known);
	free(cages->all);
	free(cages->of_service);
	free(cages->fds);
	*cages = (struct cages){ .count = 0 };
}

/* A ruleset, a control group and a network each; the commands of a handler may have one unasked. */
size_t cages_count_fds(const struct config *config)
{
	size_t count = 0;

	for (size_t i = 0; i < config->nservices; i++) {
		const struct service *service = config->services[i];

		if (service->disable)
			continue;
		count += service->cage.cgroup;
		count += service->cage.private_network || service->nvalues;
		count += service->exec == NULL || service->cage.read_only ||
			 service->cage.read_write || service->cage.execute ||
			 service->cage.connect.set || service->cage.bind.set;
	}
	return count;
}
