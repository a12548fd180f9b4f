/* SPDX-License-Identifier: ISC */
/*
 * begatd, as a child of the master becomes it.
 *
 * A preflight wants the one that is installed now, for that is what a reload is for; a resolver
 * wants the one that this master came from, since the two talk in packets of one build.
 */
#include "config.h"

#include "master/begatd.h"

#include <errno.h>
#include <stddef.h>
#include <unistd.h>

#include "base/fd.h"

bool begatd_is_gone(const struct plan *plan)
{
	const char *path = plan_text(plan, plan->global.begatd_path);

	return path == NULL ||
	       (access(path, F_OK) < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP));
}

void begatd_execute(const struct plan *plan, bool by_descriptor, char **arguments)
{
	if (by_descriptor)
		(void)fd_execute(plan->global.begatd_fd, arguments);
	else
		(void)execve(plan_text(plan, plan->global.begatd_path), arguments, environ);
}
