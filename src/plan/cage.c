/* SPDX-License-Identifier: ISC */
/*
 * From the cages of the services to the plan.
 *
 * Nothing is decided here.  Paths are laid down as they are seen by the worker, which is in its
 * chroot when it looks at them.
 */
#include "config.h"

#include "plan/cage.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/path.h"
#include "plan/plan.h"

static uint32_t put_limits(struct buffer *buffer, const struct cage *cage)
{
	struct plan_limit *limits = xcalloc(cage->nlimits, sizeof(*limits));
	uint32_t at;

	for (size_t i = 0; i < cage->nlimits; i++) {
		limits[i].resource = (uint32_t)cage->limits[i].resource;
		limits[i].soft = cage->limits[i].soft;
		limits[i].hard = cage->limits[i].hard;
	}
	at = buffer_put(buffer, limits, cage->nlimits * sizeof(*limits));
	free(limits);
	return at;
}

/* The configuration has seen to it that it lies beneath the root, which may have another name than
 * the one that leads there through a link. */
static uint32_t put_path(struct buffer *buffer, const char *path, const char *root)
{
	const char *inside = root ? path_inside(path, root) : path;
	char *real = NULL, *real_root = NULL;
	uint32_t at;

	if (inside == NULL) {
		real = realpath(path, NULL);
		real_root = realpath(root, NULL);
		inside = real && real_root ? path_inside(real, real_root) : NULL;
	}
	at = buffer_put_text(buffer, inside ? inside : path);
	free(real);
	free(real_root);
	return at;
}

static uint32_t put_rules(struct buffer *buffer, const struct made_cage *made)
{
	const struct rules *rules = &made->cage.rules;
	struct plan_rule *planned = xcalloc(rules->count, sizeof(*planned));
	uint32_t at;

	for (size_t i = 0; i < rules->count; i++) {
		const struct rule *rule = &rules->all[i];

		if (rule->path)
			planned[i].path = put_path(buffer, rule->path, made->cage.chroot);
		planned[i].port = rule->port;
		planned[i].rights = rule->rights;
		planned[i].fixed = rule->writable > 0;
		planned[i].device = made->files[i].device;
		planned[i].inode = made->files[i].inode;
	}
	at = buffer_put(buffer, planned, rules->count * sizeof(*planned));
	free(planned);
	return at;
}

static int fd_of(const struct cages *cages, int place)
{
	return place == CAGES_NO_FD ? -1 : cages->fds[place];
}

static bool says_nothing(const struct made_cage *made)
{
	const struct cage *cage = &made->cage;

	return cage->nlimits == 0 && !cage->set_nice && !cage->chroot && !cage->set_capabilities &&
	       !cage->private_tmp && !cage->private_pids && !cage->deny_write_execute &&
	       !cage->die_with_master && made->nfilter == 0 && made->ruleset == CAGES_NO_FD &&
	       made->network == CAGES_NO_FD && made->cgroup == CAGES_NO_FD;
}

uint32_t cage_put(struct buffer *buffer, const struct cages *cages, size_t index)
{
	const struct made_cage *made = &cages->all[index];
	const struct cage *cage = &made->cage;
	const struct plan_cage planned = {
		.limits = put_limits(buffer, cage),
		.nlimits = (uint32_t)cage->nlimits,
		.chroot = buffer_put_text(buffer, cage->chroot),
		.filter = buffer_put(buffer, made->filter, made->nfilter * sizeof(*made->filter)),
		.nfilter = (uint32_t)made->nfilter,
		.rules = put_rules(buffer, made),
		.nrules = (uint32_t)cage->rules.count,
		.handled = cage->rules.handled,
		.ruleset_fd = fd_of(cages, made->ruleset),
		.network_fd = fd_of(cages, made->network),
		.cgroup_fd = fd_of(cages, made->cgroup),
		.capabilities = cage->capabilities,
		.set_capabilities = cage->set_capabilities,
		.drop_bounding = cage->drop_bounding,
		.set_nice = cage->set_nice,
		.nice = cage->nice,
		.private_tmp = cage->private_tmp,
		.private_pids = cage->private_pids,
		.deny_write_execute = cage->deny_write_execute,
		.die_with_master = cage->die_with_master,
	};

	return says_nothing(made) ? 0 : buffer_put(buffer, &planned, sizeof(planned));
}
