/* SPDX-License-Identifier: ISC */
/*
 * The effective configuration as text, for begatd -T and for the text in effect (effect.c).
 *
 * Canonical: every key that has a value, in one order, one to a line, with addresses, users and
 * durations in one form; loading the output gives the same output again.  How a line is written is
 * print-key.c's; this is which keys there are, and when one stays away.
 */
#include "config.h"

#include "config/print.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/inet.h"
#include "base/mem.h"
#include "cage/capability.h"
#include "config/account.h"
#include "config/options.h"
#include "config/peers.h"
#include "config/ports.h"
#include "config/print-key.h"
#include "config/rlimit.h"
#include "config/schedule.h"
#include "handlers/handler.h"

/* Whether b is what a range of ports has after a. */
static bool is_next(const struct address *a, const struct address *b)
{
	struct address next = *a;
	unsigned port = inet_port(&a->sa);

	if (a->sa.sa_family == AF_UNIX || port == 0 || port == 65535 || a->type != b->type)
		return false;
	next.in.sin_port = htons((uint16_t)(port + 1)); /* in the same place for both families */
	return b->length == a->length && b->dual == a->dual &&
	       memcmp(&next.sa, &b->sa, b->length) == 0;
}

/* The address at first and those of the range that it begins; returns how many these are. */
static size_t format_range(const struct service *service, size_t first, char **range)
{
	char text[ADDRESS_TEXT];
	size_t last = first;

	while (last + 1 < service->nlisten &&
	       is_next(&service->listen[last].address, &service->listen[last + 1].address))
		last++;
	address_format(&service->listen[first].address, text, sizeof(text));
	if (last > first)
		*range = xasprintf("%s-%u", text, inet_port(&service->listen[last].address.sa));
	else
		*range = xstrdup(text);
	return last - first + 1;
}

static void print_listen(FILE *out, const struct service *service)
{
	char **items = NULL, *range;
	size_t count = 0;

	for (size_t i = 0; i < service->nlisten;) {
		i += format_range(service, i, &range);
		strv_add(&items, &count, range);
	}
	print_taken_list(out, "\tlisten", items);
}

static void print_where(FILE *out, const struct service *service)
{
	if (service->nlisten)
		print_listen(out, service);
	print_number(out, "\tbacklog", (unsigned)service->backlog);
	if (service->socket_uid != (uid_t)-1)
		print_taken(out, "\tsocket-user", account_user_name(service->socket_uid));
	if (service->socket_gid != (gid_t)-1)
		print_taken(out, "\tsocket-group", account_group_name(service->socket_gid));
	print_mode(out, "\tsocket-mode", service->socket_mode);
}

/* Whether the usual service has this at the same place, where the options of a handler are. */
static bool is_usual_option(const struct service *usual, size_t place, const char *text)
{
	char *other = usual && place < usual->nvalues
			      ? options_format(usual->handler, &usual->values[place])
			      : NULL;
	bool same = other && strcmp(other, text) == 0;

	free(other);
	return same;
}

static void print_options(FILE *out, const struct service *service, const struct service *usual)
{
	char **items = NULL;
	size_t count = 0;

	for (size_t i = 0; i < service->nvalues; i++) {
		char *text = options_format(service->handler, &service->values[i]);

		if (text && !is_usual_option(usual, i, text))
			strv_add(&items, &count, text);
		else
			free(text);
	}
	print_taken_list(out, "\toptions", items);
}

static void print_redirect(FILE *out, const struct service *service, const struct service *usual)
{
	char *const *targets = service_targets(service);

	if (service != usual)
		print_list(out, "\tredirect", targets);
	for (size_t i = 0; i < service->nvalues; i++) {
		const struct begat_value *value = &service->values[i];

		if (strcmp(value->name, "connect-timeout") == 0)
			print_duration(out, "\tconnect-timeout", value->number);
		else if (strcmp(value->name, "send-proxy") == 0)
			print_text(out, "\tsend-proxy", value->string);
	}
}

static void print_program(FILE *out, const struct service *service)
{
	print_list(out, "\texec", service->exec);
	print_text(out, "\targ0", service->arg0);
	print_bool(out, "\tcrlf", service->crlf);
}

/* A service that is only there to show what is usual has no handler of its own. */
static void print_what(FILE *out, const struct service *service, const struct service *usual)
{
	if (service->handler == &redirect_handler) {
		print_redirect(out, service, usual);
	} else if (service->handler) {
		if (service != usual)
			print_text(out, "\thandler", service->handler->name);
		print_options(out, service, usual);
	} else {
		print_program(out, service);
	}
}

/* Limits of what datagrams bring about: of handlers, which see them. */
static void print_reply(FILE *out, const struct service *service, const struct service *usual)
{
	if (service->handler == NULL || service->handler == &redirect_handler)
		return;
	if (service != usual && service_find_listen(service, SOCK_DGRAM) == NULL)
		return;
	print_size(out, "\treply-max", service->reply_max);
	print_number(out, "\treply-factor", service->reply_factor);
}

/* Where only some of the listeners have a standing worker there is no word for it. */
static void print_wait(FILE *out, const struct service *service)
{
	if (service->waits || service_stands_wholly(service))
		print_bool(out, "\twait", true);
	else if (!service_stands(service))
		print_bool(out, "\twait", false);
}

static void print_how(FILE *out, const struct service *service)
{
	static const char *const stderr_words[] = { "log", "client", "null" };

	print_wait(out, service);
	print_bool(out, "\ttcpmux", service->multiplexed);
	print_text(out, "\tbanner", service->banner);
	print_text(out, "\tstderr", stderr_words[service->stderr_to]);
	print_text(out, "\tdirectory", service->directory);
	print_list(out, "\tenv", service->env);
	print_list(out, "\tpass-env", service->pass_env);
}

/* Beside the usual service, a list that thousands of services may share is only told apart. */
static void print_peers(FILE *out, const char *key, const struct peers *peers,
			const struct service *usual)
{
	if (peers == NULL)
		return;
	if (usual == NULL || peers->ntexts <= PRINT_PEERS_MAX)
		print_list(out, key, peers->texts);
	else
		print_taken(out, key,
			    xasprintf("%zu entries with the checksum %016" PRIx64, peers->ntexts,
				      peers->checksum));
}

static void print_who(FILE *out, const struct service *service, const struct service *usual)
{
	const struct service_admission *admission = &service->admission;

	print_peers(out, "\tonly-from", admission->only_from, usual);
	print_peers(out, "\tno-access", admission->no_access, usual);
	print_peers(out, "\tproxy-protocol", admission->proxies, usual);
	if (admission->times)
		print_list(out, "\taccess-times", admission->times->texts);
}

/* Where others have no limit and datagrams their usual one there is no word for both. */
static void print_source_rate(FILE *out, const struct service *service)
{
	const bool is_answered = service->handler && service->handler != &redirect_handler &&
				 service_find_listen(service, SOCK_DGRAM);

	if (service->admission.source_rate.count)
		print_rate(out, "\trate-per-source", &service->admission.source_rate);
	else if (is_answered && service->reply_rate.count == 0)
		print_text(out, "\trate-per-source", "none");
	else if (is_answered && service_stands_wholly(service))
		print_rate(out, "\trate-per-source", &service->reply_rate);
}

static void print_how_many(FILE *out, const struct service *service)
{
	const struct service_admission *admission = &service->admission;

	print_number(out, "\tinstances", service->instances);
	if (admission->per_source)
		print_number(out, "\tper-source", admission->per_source);
	print_rate(out, "\trate", &admission->rate);
	print_source_rate(out, service);
	fprintf(out, "\tsource-prefix = { %u, %u }\n", admission->prefix4, admission->prefix6);
	print_text(out, "\twhen-full", admission->refuse_when_full ? "refuse" : "wait");
	print_text(out, "\tbanner-fail", admission->banner_fail);
	print_duration(out, "\tban", admission->ban_ms);
	print_rate(out, "\tban-after", &admission->ban_after);
}

/* A standing worker of a handler goes by no client's time. */
static void print_how_long(FILE *out, const struct service *service)
{
	const bool is_shared = service->handler && service_stands_wholly(service);

	if (service->handler && service->handler != &redirect_handler && !is_shared)
		print_duration(out, "\tfirst-byte-timeout", service->first_byte_ms);
	if (service->handler)
		print_duration(out, "\tidle-timeout", service->idle_ms);
	if (!is_shared)
		print_duration(out, "\tmax-time", service->max_time_ms);
	print_duration(out, "\tkill-grace", service->kill_grace_ms);
	print_text(out, "\ton-master-death", service->cage.die_with_master ? "die" : "finish");
}

/* Where there is no user of the usual name, nobody is like it. */
static bool is_usual_identity(const struct service_identity *identity,
			      const struct service_identity *usual)
{
	return usual->user && strcmp(identity->user, usual->user) == 0 &&
	       identity->gid == usual->gid && identity->ngroups == usual->ngroups &&
	       memcmp(identity->groups, usual->groups, usual->ngroups * sizeof(gid_t)) == 0;
}

/* Without another identity the keys stay away: only root may set them.  What is usual for one of
 * them depends on the others, so it is all or none. */
static void print_identity(FILE *out, const struct service_identity *identity,
			   const struct service *usual)
{
	char **items = NULL;
	size_t count = 0;

	if (!identity->set || (usual && is_usual_identity(identity, &usual->identity)))
		return;
	for (size_t i = 0; i < identity->ngroups; i++)
		strv_add(&items, &count, account_group_name(identity->groups[i]));
	print_text(out, "\tuser", identity->user);
	print_text(out, "\tgroup", identity->group);
	print_taken_list(out, "\tgroups", items);
}

static void print_limits(FILE *out, const struct service_cage *cage)
{
	char **items = NULL, text[RLIMIT_TEXT];
	size_t count = 0;

	for (size_t i = 0; i < cage->nlimits; i++) {
		rlimit_format(&cage->limits[i], text);
		strv_add(&items, &count, xstrdup(text));
	}
	if (items)
		print_taken_list(out, "\tlimits", items);
}

static void print_capabilities(FILE *out, uint64_t capabilities)
{
	char **items = NULL, name[CAPABILITY_NAME];
	size_t count = 0;

	for (int number = 0; number < 64; number++) {
		if (!(capabilities >> number & 1))
			continue;
		capability_format(number, name);
		strv_add(&items, &count, xstrdup(name));
	}
	print_taken_list(out, "\tcapabilities", items);
}

static void print_process(FILE *out, const struct service_cage *cage)
{
	print_text(out, "\tsandbox", cage->best_effort ? "best-effort" : "require");
	if (cage->set_nice)
		fprintf(out, "\tnice = %d\n", cage->nice);
	print_limits(out, cage);
	print_text(out, "\tchroot", cage->chroot);
	if (cage->set_capabilities)
		print_capabilities(out, cage->capabilities);
	print_bool(out, "\tmemory-deny-write-execute", cage->deny_write_execute);
}

/* An empty list allows nothing, and none at all forbids nothing. */
static void print_set(FILE *out, const char *key, char *const *items)
{
	if (items)
		print_list(out, key, items);
}

static void print_ports(FILE *out, const char *key, const struct service_ports *ports)
{
	if (ports->set)
		print_taken_list(out, key, ports_format(ports));
}

/* What private-network is where nothing is said depends on the handler. */
static void print_reach(FILE *out, const struct service_cage *cage)
{
	if (cage->set_private_network)
		print_bool(out, "\tprivate-network", cage->private_network);
	print_bool(out, "\tprivate-tmp", cage->private_tmp);
	print_bool(out, "\tprivate-pids", cage->private_pids);
	print_set(out, "\tread-only", cage->read_only);
	print_set(out, "\tread-write", cage->read_write);
	print_set(out, "\texecute", cage->execute);
	print_ports(out, "\tconnect", &cage->connect);
	print_ports(out, "\tbind", &cage->bind);
	print_set(out, "\tsystem-calls", cage->system_calls);
}

static void print_group(FILE *out, const struct service_cage *cage)
{
	print_bool(out, "\tcgroup", cage->cgroup);
	if (cage->memory_max)
		print_size(out, "\tmemory-max", cage->memory_max);
	if (cage->tasks_max)
		print_number(out, "\ttasks-max", cage->tasks_max);
}

void print_service(FILE *out, const struct service *service, const struct service *usual)
{
	print_bool(out, "\tdisable", service->disable);
	print_where(out, service);
	print_what(out, service, usual);
	print_reply(out, service, usual);
	print_how(out, service);
	print_who(out, service, usual);
	print_how_many(out, service);
	print_how_long(out, service);
	print_identity(out, &service->identity, usual);
	print_mode(out, "\tumask", service->umask);
	print_bool(out, "\tno-new-privileges", service->no_new_privileges);
	print_process(out, &service->cage);
	print_reach(out, &service->cage);
	print_group(out, &service->cage);
}

static const char *log_text(const struct config *config)
{
	if (config->log == CONFIG_LOG_FILE)
		return config->log_file;
	return config->log == CONFIG_LOG_STDERR ? "stderr" : "syslog";
}

void print_global(FILE *out, const struct config *config)
{
	static const char *const levels[] = { "error", "warning", "notice", "info", "debug" };

	print_text(out, "log", log_text(config));
	print_text(out, "log-level", levels[config->log_level - 3]);
	print_number(out, "instances", config->instances);
	print_number(out, "sources", config->sources);
	print_duration(out, "stop-timeout", config->stop_timeout_ms);
	print_duration(out, "reload-timeout", config->reload_timeout_ms);
	print_text(out, "pidfile", config->pidfile);
	print_text(out, "control", config->control ? config->control : "none");
	if (config->control_gid != (gid_t)-1)
		print_taken(out, "control-group", account_group_name(config->control_gid));
}

void config_print(const struct config *config, FILE *out)
{
	print_global(out, config);
	for (size_t i = 0; i < config->nservices; i++) {
		fprintf(out, PRINT_SERVICE_BEGIN, config->services[i]->name);
		print_service(out, config->services[i], NULL);
		fputs(PRINT_SERVICE_END, out);
	}
}
