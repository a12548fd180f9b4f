/* SPDX-License-Identifier: ISC */
/* client/report: what people see, of a daemon that may be of any version, or none of ours. */
#include "config.h"

#include "client/report.h"

#include <stdio.h>
#include <string.h>

#include "client/duration.h"
#include "suite.h"

static char *print(const char *json, size_t service)
{
	json_t *status = json_loads(json, 0, NULL);
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	ck_assert_ptr_nonnull(status);
	ck_assert_ptr_nonnull(out);
	if (service == SIZE_MAX)
		report_print(status, out);
	else
		report_print_service(
			status, json_array_get(json_object_get(status, "services"), service), out);
	ck_assert_int_eq(fclose(out), 0);
	json_decref(status);
	return text;
}

static void check(const char *json, const char *expected)
{
	char *text = print(json, SIZE_MAX);

	ck_assert_str_eq(text, expected);
	free(text);
}

static const char everything[] =
	"{\"release\":\"0.9\",\"pid\":4711,\"generation\":3,\"started-ns\":1000000000,"
	"\"now-ns\":273601000000000,\"log-dropped\":1,\"listeners\":["
	"{\"service\":\"a\",\"address\":\"tcp:7\"},{\"service\":\"bad\",\"address\":\"tcp:8\"},"
	"{\"service\":\"full\",\"address\":\"unix:/x\"},{\"control\":true,\"address\":\"x\"}],"
	"\"services\":["
	"{\"name\":\"a\",\"begat\":1204,\"active\":1,\"instances\":100,"
	"\"ended\":{\"ok\":1200,\"timed-out\":3},\"refused\":{\"access\":20,\"banned\":11,\"x\":0}}"
	","
	"{\"name\":\"bad\",\"begat\":\"18446744073709551615\",\"active\":0,\"instances\":50,"
	"\"throttle\":{\"bad\":5,\"pause-s\":16,\"until-ns\":273612500000000,"
	"\"reason\":\"exit status 1\"}},"
	"{\"name\":\"full\",\"begat\":2,\"active\":2,\"instances\":2},"
	"{\"name\":\"off\",\"begat\":0,\"active\":0,\"instances\":2}],"
	"\"bans\":[{\"service\":\"a\",\"source\":\"192.0.2.7\",\"until-ns\":274200000000000},"
	"{\"service\":\"full\",\"source\":\"uid=7\",\"until-ns\":1}]}";

START_TEST(tells_all)
{
	check(everything,
	      "begat 0.9 running, pid 4711, up 3d 4h, generation 3\n"
	      "1 line of the log dropped\n"
	      "\n"
	      "SERVICE  STATE      ACTIVE                TOTAL  REFUSED  WHY\n"
	      "a        open        1/100                 1204       31\n"
	      "bad      throttled    0/50  9223372036854775807        0  12 s left: exit status 1\n"
	      "full     full          2/2                    2        0  all instances are busy\n"
	      "off      closed        0/2                    0        0\n"
	      "\n"
	      "refused by a: 20 access, 11 banned\n"
	      "\n"
	      "ban 192.0.2.7 from a, 9 min left\n"
	      "ban uid=7 from full, 1 s left\n");
}
END_TEST

START_TEST(tells_of_one)
{
	char *text = print(everything, 0);

	ck_assert_str_eq(text, "a: open\n"
			       "listening on tcp:7\n"
			       "1 worker of at most 100, 1204 since the start\n"
			       "ended: 1200 ok, 3 timed-out\n"
			       "refused: 20 access, 11 banned\n"
			       "ban 192.0.2.7 from a, 9 min left\n");
	free(text);
	text = print(everything, 1);
	ck_assert_str_eq(text, "bad: throttled, 12 s left: exit status 1\n"
			       "listening on tcp:8\n"
			       "0 workers of at most 50, 9223372036854775807 since the start\n");
	free(text);
}
END_TEST

/* P2: the administrator who asks is to see it. */
START_TEST(tells_of_a_failed_reload)
{
	setenv("TZ", "UTC0", 1);
	check("{\"now-ns\":1,\"reloads\":{\"ok\":2,\"failed\":1,\"last\":86400,"
	      "\"failure\":\"begat.conf:3: what?\"}}",
	      "begat  running, pid 0, up 0 s, generation 0\n"
	      "last reload 1970-01-02 00:00:00; 2 succeeded, 1 failed\n"
	      "last failure: begat.conf:3: what?\n"
	      "\n"
	      "SERVICE  STATE  ACTIVE  TOTAL  REFUSED  WHY\n");
}
END_TEST

/* An older daemon does not say it, a newer one may say it otherwise. */
START_TEST(misses_nothing)
{
	static const char *const texts[] = {
		"{}",
		"{\"services\":1,\"listeners\":{},\"bans\":\"x\",\"reloads\":[]}",
		"{\"services\":[null,1,\"x\",[],{}],\"listeners\":[null,{\"service\":1}],"
		"\"bans\":[null,{}]}",
		"{\"services\":[{\"name\":1,\"refused\":[1],\"throttle\":1,\"active\":\"x\"},"
		"{\"name\":\"a\",\"refused\":{\"x\":-1,\"y\":[],\"z\":\"99999999999999999999\"}}]}",
		"{\"reloads\":{\"last\":9223372036854775807}}",
		"{\"now-ns\":-9223372036854775807,\"started-ns\":9223372036854775807}",
		"{\"now-ns\":-9223372036854775807,\"services\":[{\"throttle\":"
		"{\"until-ns\":9223372036854775807}}]}",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		char *text = print(texts[i], SIZE_MAX);

		ck_assert_ptr_nonnull(strstr(text, "SERVICE"));
		free(text);
		free(print(texts[i], 0));
	}
}
END_TEST

/* F121: what comes from a client, or from a socket that is not ours, must not move the cursor. */
START_TEST(shows_printable_ascii_alone)
{
	static const char json[] =
		"{\"release\":\"\\u001b[2J\",\"services\":[{\"name\":\"\\u00e9\\n\","
		"\"refused\":{\"\\u009b\":1},\"throttle\":{\"until-ns\":9000000000000000000,"
		"\"reason\":\"\\u2028\\r\"}}],\"listeners\":[{\"service\":\"\\u00e9\\n\","
		"\"address\":\"\\u0007\"}],\"bans\":[{\"service\":\"\\u00e9\\n\","
		"\"source\":\"\\u0008\"}]}";
	char *texts[] = { print(json, SIZE_MAX), print(json, 0) };

	for (size_t i = 0; i < 2; i++) {
		for (const char *c = texts[i]; *c; c++)
			ck_assert(*c == '\n' || (*c >= ' ' && *c <= '~'));
		ck_assert_ptr_nonnull(strstr(texts[i], "\\351\\n"));
		free(texts[i]);
	}
}
END_TEST

/* As the descriptor's size is not ours to choose. */
START_TEST(cuts_what_is_too_long)
{
	char json[70000], *text;

	memset(json, 'x', sizeof(json));
	memcpy(json, "{\"release\":\"", 12);
	memcpy(json + sizeof(json) - 3, "\"}", 3);
	text = print(json, SIZE_MAX);
	ck_assert_uint_lt(strlen(text), 1000);
	free(text);
}
END_TEST

START_TEST(leaves_out_bans)
{
	char json[8000] = "{\"bans\":[{}", *text;

	for (int i = 1; i < 1000; i++)
		strcat(json, ",{}");
	strcat(json, "]}");
	text = print(json, SIZE_MAX);
	ck_assert_ptr_nonnull(strstr(text, "\nand 980 more: --json has them all\n"));
	free(text);
}
END_TEST

START_TEST(durations)
{
	static const struct {
		int64_t seconds;
		const char *text;
	} all[] = {
		{ -1, "0 s" },	      { 0, "0 s" },
		{ 59, "59 s" },	      { 60, "1 min" },
		{ 3599, "59 min" },   { 3600, "1h 0m" },
		{ 86399, "23h 59m" }, { 86400, "1d 0h" },
		{ 273600, "3d 4h" },  { INT64_MAX, "106751991167300d 15h" },
	};
	char text[DURATION_TEXT];

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		ck_assert_str_eq(duration_format(all[i].seconds, text), all[i].text);
	ck_assert_str_eq(duration_format_left(5, 5, text), "1 s");
	ck_assert_str_eq(duration_format_left(4, 5, text), "1 s");
	ck_assert_str_eq(duration_format_left(2000000001, 0, text), "3 s");
}
END_TEST

SUITE("report", tells_all, tells_of_one, tells_of_a_failed_reload, misses_nothing,
      shows_printable_ascii_alone, cuts_what_is_too_long, leaves_out_bans, durations)
