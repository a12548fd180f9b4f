/* SPDX-License-Identifier: ISC */
/*
 * The arguments of begat-master.
 *
 *	begat-master PLAN STATE TALK BACK-MASTER BACK-PLAN BACK-STATE MESSAGE PADDING
 *
 * All but the last two are numbers of descriptors, "-" for none.  The padding makes room for
 *process titles, which are written over the arguments.
 */
#include "config.h"

#include "plan/launch.h"

#include <bsd/stdlib.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"

enum { NAME, PLAN, STATE, TALK, BACK_MASTER, BACK_PLAN, BACK_STATE, MESSAGE, PADDING, ARGUMENTS };

#define NUMBER_SIZE  16
#define PADDING_SIZE 128

int launch_master(int master_fd, const struct launch *launch)
{
	const int fds[ARGUMENTS] = {
		[PLAN] = launch->plan_fd,	    [STATE] = launch->state_fd,
		[TALK] = launch->talk_fd,	    [BACK_MASTER] = launch->back.master_fd,
		[BACK_PLAN] = launch->back.plan_fd, [BACK_STATE] = launch->back.state_fd,
	};
	char numbers[ARGUMENTS][NUMBER_SIZE], padding[PADDING_SIZE];
	char *arguments[ARGUMENTS + 1] = { NULL };

	for (int i = PLAN; i <= BACK_STATE; i++) {
		snprintf(numbers[i], NUMBER_SIZE, fds[i] < 0 ? "-" : "%d", fds[i]);
		arguments[i] = numbers[i];
	}
	memset(padding, '-', sizeof(padding) - 1);
	padding[sizeof(padding) - 1] = '\0';
	arguments[NAME] = (char *)(uintptr_t) "begat-master";
	arguments[MESSAGE] = (char *)(uintptr_t)(launch->message ? launch->message : "");
	arguments[PADDING] = padding;
	return fd_execute(master_fd, arguments);
}

static int parse(const char *text, int *fd)
{
	const char *error;

	*fd = -1;
	if (strcmp(text, "-") == 0)
		return 0;
	*fd = (int)strtonum(text, STDERR_FILENO + 1, INT_MAX, &error);
	return error ? -1 : 0;
}

int launch_parse(int argc, char **argv, struct launch *launch)
{
	int *const fds[ARGUMENTS] = {
		[PLAN] = &launch->plan_fd,	     [STATE] = &launch->state_fd,
		[TALK] = &launch->talk_fd,	     [BACK_MASTER] = &launch->back.master_fd,
		[BACK_PLAN] = &launch->back.plan_fd, [BACK_STATE] = &launch->back.state_fd,
	};

	if (argc < ARGUMENTS)
		return -1;
	for (int i = PLAN; i <= BACK_STATE; i++)
		if (parse(argv[i], fds[i]) < 0)
			return -1;
	launch->message = argv[MESSAGE][0] ? argv[MESSAGE] : NULL;
	return launch->plan_fd < 0 ? -1 : 0;
}
