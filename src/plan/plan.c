/* SPDX-License-Identifier: ISC */
/*
 * The plan, as the master sees it: mapped shared and read-only, so that a fork copies none of it.
 *
 * It is trusted once its seals and its stamp are right: begatd wrote it a moment ago and nobody can
 * have changed it since (memfd_create(2), F_SEAL_WRITE).  plan/build.c is the other half.
 */
#include "config.h"

#include "plan/plan.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/memfd.h"
#include "plan/layout.h"

static int check(const struct plan *plan, size_t size)
{
	if (memcmp(plan->magic, PLAN_MAGIC, sizeof(plan->magic)) != 0)
		return EINVAL;
	if (strncmp(plan->stamp, PLAN_STAMP, sizeof(plan->stamp)) != 0)
		return ESTALE;
	return plan->size == size ? 0 : EINVAL;
}

const struct plan *plan_map(int fd)
{
	const struct plan *plan;
	struct stat status;
	int error;

	if (fstat(fd, &status) < 0)
		return NULL;
	errno = EINVAL;
	if ((size_t)status.st_size < sizeof(*plan) || !memfd_has_seals(fd, PLAN_SEALS))
		return NULL;
	plan = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (plan == MAP_FAILED)
		return NULL;
	error = check(plan, (size_t)status.st_size);
	if (error == 0)
		return plan;
	(void)munmap((void *)(uintptr_t)plan, (size_t)status.st_size); /* we are failing already */
	errno = error;
	return NULL;
}

const void *plan_at(const struct plan *plan, uint32_t offset)
{
	return offset ? (const char *)plan + offset : NULL;
}

const char *plan_text(const struct plan *plan, uint32_t offset)
{
	return plan_at(plan, offset);
}

const struct plan_service *plan_service(const struct plan *plan, size_t index)
{
	return (const struct plan_service *)plan_at(plan, plan->services) + index;
}

const struct plan_listener *plan_listener(const struct plan *plan, size_t index)
{
	return (const struct plan_listener *)plan_at(plan, plan->listeners) + index;
}

const struct plan_cage *plan_cage(const struct plan *plan, const struct plan_service *service)
{
	return plan_at(plan, service->cage);
}

bool plan_has_port(const struct plan *plan, uint16_t port)
{
	const uint16_t *ports = plan_at(plan, plan->ports);
	size_t from = 0, to = plan->nports;

	while (from < to) {
		const size_t middle = (from + to) / 2;

		if (ports[middle] == port)
			return true;
		if (ports[middle] < port)
			from = middle + 1;
		else
			to = middle;
	}
	return false;
}

const int *plan_fds(const struct plan *plan)
{
	return plan_at(plan, plan->fds);
}

const struct plan_listener *plan_control(const struct plan *plan)
{
	const struct plan_listener *last;

	if (plan->nlisteners == 0)
		return NULL;
	last = plan_listener(plan, plan->nlisteners - 1);
	return last->service == PLAN_CONTROL ? last : NULL;
}

size_t plan_vector(const struct plan *plan, uint32_t offset, char **out)
{
	const uint32_t *vector = plan_at(plan, offset);
	size_t count = vector ? *vector : 0;

	for (size_t i = 0; i < count; i++)
		out[i] = (char *)(uintptr_t)plan_text(plan, vector[1 + i]);
	out[count] = NULL;
	return count;
}
