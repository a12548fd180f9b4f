/* SPDX-License-Identifier: ISC */
/* Services as a configuration leaves them, made by hand, and what their cages come to. */
#ifndef CAGING_H
#define CAGING_H

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "cage/cage.h"
#include "cage/kernel.h"
#include "cage/syscalls.h"
#include "handlers/handler.h"

#define NOBODY 65534

/* A list that lives as long as the test. */
#define LIST(...) keep_list((const char *const[]){ __VA_ARGS__, NULL })

/* Everything that nobody frees, so that a leak checker finds it. */
static inline void *keep(void *memory)
{
	static void *all[8192];
	static size_t count;

	ck_assert_uint_lt(count, sizeof(all) / sizeof(*all));
	all[count++] = memory;
	return memory;
}

static inline char **keep_list(const char *const *texts)
{
	return keep(strv_dup((char *const *)(uintptr_t)texts));
}

/* What is there to be had, as the tests go by it. */

static inline bool has_landlock(void)
{
	return kernel_get()->landlock > 0;
}

static inline uint64_t all_files(void)
{
	return kernel_landlock_files(kernel_get()->landlock);
}

static inline uint64_t all_ports(void)
{
	return kernel_landlock_ports(kernel_get()->landlock);
}

/* Services */

/* As a configuration that says no word about a cage leaves it. */
static inline struct service plain(void)
{
	static char name[] = "s";

	return (struct service){
		.name = name,
		.no_new_privileges = true,
		.identity = { .set = geteuid() == 0, .uid = NOBODY, .gid = NOBODY },
	};
}

static inline struct service program(const char *path)
{
	struct service service = plain();

	service.exec = LIST(path);
	return service;
}

/* With the defaults of its options, and room for a command. */
static inline struct service handler(const char *name)
{
	struct service service = plain();
	const struct begat_option *option;

	service.handler = handler_find(name);
	ck_assert_ptr_nonnull(service.handler);
	service.values = keep(xcalloc(32, sizeof(*service.values)));
	for (option = service.handler->options; option && option->name; option++) {
		if (option->type == BEGAT_OPTION_COMMAND)
			continue;
		service.values[service.nvalues].name = option->name;
		service.values[service.nvalues++].string = option->fallback;
	}
	return service;
}

static inline void set_option(struct service *service, const char *name, const char *text)
{
	for (size_t i = 0; i < service->nvalues; i++)
		if (strcmp(service->values[i].name, name) == 0)
			service->values[i].string = text;
}

static inline void add_command(struct service *service, const char *path)
{
	service->values[service->nvalues].name = "command.x";
	service->values[service->nvalues++].argv = LIST(path);
}

/* 0: there is no rule. */
static inline uint64_t rights_of(const struct cage *cage, const char *path)
{
	for (size_t i = 0; i < cage->rules.count; i++)
		if (cage->rules.all[i].path && strcmp(cage->rules.all[i].path, path) == 0)
			return cage->rules.all[i].rights;
	return 0;
}

static inline bool has_nothing(const struct cage *cage)
{
	return cage->rules.count == 0 && cage->rules.handled.files == 0 &&
	       cage->rules.handled.ports == 0 && cage->rules.handled.scopes == 0 &&
	       cage->system_calls == NULL;
}

/* Whether the list leaves the call; without filters there is no list, and any answer is right. */
static inline void expect_call(const struct cage *cage, const char *name, bool expected)
{
	if (!kernel_get()->has_filters) {
		ck_assert_ptr_null(cage->system_calls);
		return;
	}
	ck_assert_msg(cage->system_calls != NULL, "there is no list for %s", name);
	ck_assert_msg(syscalls_has(cage->system_calls, name) == expected, "%s: %s", name,
		      expected ? "missing" : "let in");
}

#endif
