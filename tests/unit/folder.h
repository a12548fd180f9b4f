/* SPDX-License-Identifier: ISC */
/* A folder of a test's own, as its working directory, and files in it. */
#ifndef FOLDER_H
#define FOLDER_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

static char directory[] = "/tmp/begat-test-XXXXXX";

static inline void enter_directory(void)
{
	umask(022);
	ck_assert_ptr_nonnull(mkdtemp(directory));
	ck_assert_int_eq(chdir(directory), 0);
}

static inline void leave_directory(void)
{
	char *command = xasprintf("rm -rf %s", directory);

	ck_assert_int_eq(system(command), 0);
	free(command);
}

static inline void write_file(const char *name, const char *text)
{
	FILE *file = fopen(name, "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(text, file), 0);
	ck_assert_int_eq(fclose(file), 0);
}

#endif
