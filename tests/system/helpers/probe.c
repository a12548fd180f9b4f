/* SPDX-License-Identifier: ISC */
/*
 * A program that tries to get out of its cage, as an intruder in a service would:
 *
 *     probe KEY=VALUE... TRY...      "all": all but "burn" and "terminate"; "list": their names;
 *                                    "here": those that follow are done in place
 *
 * and writes for each "NAME=done", "NAME=denied ERRNO" or "NAME=killed SIGNAL", in the order asked.
 * Each try has a process of its own; when none can be had that is said, "fork=denied ERRNO", and it
 * is done in place.  What a try would break is not broken: calls that need a privilege are made
 * with arguments that are no good, and the kernel's order of checks tells whether the privilege is
 * there.  Who tries is told whom and where by the administrator, never by a client.
 */
#include "probe.h"

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct target target = {
	.other = INT32_MAX, /* is nobody's */
	.bind = 7999,
	.path = "/nonexistent/socket",
	.abstract = "begat-probe-nobody",
	.suid = "/nonexistent/suid",
	.outside = "/nonexistent/outside",
	.forks = 64,
	.memory = 64,
};

static void say(const char *name, int error)
{
	if (error == 0)
		dprintf(STDOUT_FILENO, "%s=done\n", name);
	else
		dprintf(STDOUT_FILENO, "%s=denied %s\n", name, strerrorname_np(error) ?: "?");
}

static void say_ended(const char *name, int status)
{
	if (WIFSIGNALED(status))
		dprintf(STDOUT_FILENO, "%s=killed %s\n", name,
			sigabbrev_np(WTERMSIG(status)) ?: "?");
	else
		say(name, WEXITSTATUS(status)); /* no errno is above 255 */
}

/* Under a filter that ends whoever forks, or waits. */
static bool in_place;

static void attempt(const struct try *try)
{
	pid_t pid;
	int status;

	if (in_place) {
		say(try->name, try->run());
		return;
	}
	pid = fork();
	if (pid == 0) {
		(void)alarm(10);
		_exit(try->run());
	}
	if (pid < 0) {
		say("fork", errno);
		say(try->name, try->run());
	} else if (waitpid(pid, &status, 0) == pid) {
		say_ended(try->name, status);
	}
}

static bool takes(const char *word, const char *key, const char **value)
{
	size_t length = strlen(key);

	if (strncmp(word, key, length) != 0 || word[length] != '=')
		return false;
	*value = word + length + 1;
	return true;
}

static const struct {
	const char *key;
	const char **text; /* one of the three */
	int *number;
	uint16_t *port;
} keys[] = {
	{ "master", .number = &target.master },	  { "other", .number = &target.other },
	{ "tcp", .port = &target.tcp },		  { "udp", .port = &target.udp },
	{ "bind", .port = &target.bind },	  { "unix", .text = &target.path },
	{ "abstract", .text = &target.abstract }, { "suid", .text = &target.suid },
	{ "outside", .text = &target.outside },	  { "forks", .number = &target.forks },
	{ "memory", .number = &target.memory },
};

static void set(const char *word)
{
	const char *value;

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (!takes(word, keys[i].key, &value))
			continue;
		if (keys[i].text)
			*keys[i].text = value;
		else if (keys[i].port)
			*keys[i].port = (uint16_t)atoi(value);
		else
			*keys[i].number = atoi(value);
		return;
	}
	dprintf(STDOUT_FILENO, "%s=unknown\n", word);
}

static const struct try *const tables[] = {
	privilege_tries, file_tries, network_tries, process_tries, program_tries,
};

/* Those that end somebody, or use up what others need, are asked for by their names. */
static bool is_alone(const char *name)
{
	return strcmp(name, "burn") == 0 || strcmp(name, "terminate") == 0;
}

/* Each, or the one of that name; how many there were. */
static int run(const char *name, void (*what)(const struct try *try))
{
	int count = 0;

	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		for (const struct try *try = tables[i]; try->name; try++)
			if (name ? strcmp(try->name, name) == 0 : !is_alone(try->name)) {
				what(try);
				count++;
			}
	return count;
}

static void list(const struct try *try)
{
	dprintf(STDOUT_FILENO, "%s\n", try->name);
}

int main(int argc, char **argv)
{
	target.parent = getppid();
	if (argc == 2 && strcmp(argv[1], "am-i-root") == 0)
		return geteuid() == 0 ? 0 : EPERM;
	for (int i = 1; i < argc; i++)
		if (strchr(argv[i], '='))
			set(argv[i]);
		else if (strcmp(argv[i], "here") == 0)
			in_place = true;
		else if (strcmp(argv[i], "all") == 0)
			run(NULL, attempt);
		else if (strcmp(argv[i], "list") == 0)
			run(NULL, list);
		else if (run(argv[i], attempt) == 0)
			dprintf(STDOUT_FILENO, "%s=unknown\n", argv[i]);
	return 0;
}
