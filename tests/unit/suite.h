/* SPDX-License-Identifier: ISC */
/* What every unit test program ends with. */
#ifndef SUITE_H
#define SUITE_H

#include <check.h>
#include <stdlib.h>

/* Runs one set of tests, each in a process of its own; the status for main() to return. */
static inline int suite_finish(const char *name, TCase *tests)
{
	Suite *suite = suite_create(name);
	SRunner *runner;
	int failed;

	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* The same for tests that need neither fixtures nor a longer time limit. */
static inline int suite_run(const char *name, const TTest *const *tests, size_t count)
{
	TCase *all = tcase_create("all");

	for (size_t i = 0; i < count; i++)
		tcase_add_test(all, tests[i]);
	return suite_finish(name, all);
}

#define SUITE(name, ...)                                                                           \
	int main(void)                                                                             \
	{                                                                                          \
		const TTest *const tests[] = { __VA_ARGS__ };                                      \
		return suite_run(name, tests, sizeof(tests) / sizeof(*tests));                     \
	}

#endif
