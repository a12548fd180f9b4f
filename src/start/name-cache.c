/* SPDX-License-Identifier: ISC */
/*
 * The answers of the last half minute, for the resolver.
 *
 * That a client has no name is an answer, too: while a name server hangs, the first client waits
 * for it, and those after it need not.  A host without an address is asked for again soon.  Nobody
 * can fill it with more than it holds; who tries makes lookups slower, and nothing else.
 */
#include "config.h"

#include "start/name-cache.h"

#include <stdbool.h>
#include <stddef.h>

#include "base/clock.h"
#include "start/question.h"

struct cached {
	int64_t since_ns, until_ns; /* monotonic; 0: nothing was ever here */
	struct resolve_question question;
	struct resolve_answer answer;
};

static struct cached cache[NAME_CACHE_SIZE];

static struct cached *find(const struct resolve_question *question)
{
	for (size_t i = 0; i < NAME_CACHE_SIZE; i++)
		if (cache[i].until_ns && question_is_same(&cache[i].question, question))
			return &cache[i];
	return NULL;
}

static struct cached *find_oldest(void)
{
	struct cached *oldest = cache;

	for (size_t i = 1; i < NAME_CACHE_SIZE; i++)
		if (cache[i].since_ns < oldest->since_ns)
			oldest = &cache[i];
	return oldest;
}

void name_cache_add(const struct resolve_question *question, const struct resolve_answer *answer)
{
	const bool failed = question->kind == RESOLVE_HOST && answer->count == 0;
	struct cached *place = find(question);

	if (place == NULL)
		place = find_oldest();
	place->question = *question;
	place->answer = *answer;
	place->since_ns = clock_now_ns();
	place->until_ns =
		place->since_ns + (failed ? NAME_CACHE_FAILED_MS : NAME_CACHE_MS) * NS_IN_MS;
}

const struct resolve_answer *name_cache_find(const struct resolve_question *question,
					     int64_t asked_ns)
{
	const struct cached *place = find(question);

	if (place == NULL || (question->fresh && place->since_ns < asked_ns) ||
	    clock_now_ns() >= place->until_ns)
		return NULL;
	return &place->answer;
}
