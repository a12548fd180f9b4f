# SPDX-License-Identifier: ISC
#
# Who may come in, and what happens when too many do, as Markdown tables.  Comes after median.awk.
# "other" is the bare loop, or a begat of another configuration.

function only(who, key) {
	return value[who, key, 1]
}

# What the aim is for, and whether it is met; an empty aim: none.
function aim(text, is_met) {
	print (text == "" ? " | |" : " " text " | " verdict(is_met) " |")
}

function latency_row(text, key, when, limit,	begat, bare) {
	begat = median_ratio("begat", key "." when "-p99", "begat", key ".quiet-p99")
	bare = median_ratio("other", key "." when "-p99", "other", key ".quiet-p99")
	printf "| … %s | %d, × %.2f | %d, × %.2f | %.2f |", text,
		median_of("begat", key "." when "-p99"), begat,
		median_of("other", key "." when "-p99"), bare, begat / bare
	aim(limit == "" ? "" : "≤ " limit, begat <= limit)
}

function flood_rows(text, key,	ratio, early, late) {
	ratio = median_ratio("begat", key ".rate", "other", key ".rate")
	printf "| %s: refusals a second | %d | %d | %.2f |", text, median_of("begat", key ".rate"),
		median_of("other", key ".rate"), ratio
	aim("≥ 0.8", ratio >= 0.8)
	printf "| … the server's CPU a refusal, µs | %.1f | %.1f | %.2f | | |\n",
		median_of("begat", key ".cpu"), median_of("other", key ".cpu"),
		median_ratio("begat", key ".cpu", "other", key ".cpu")
	latency_row("p99 of another service, µs, and times its quiet value", key, "busy", 2)
	latency_row("the same at 10,000 refusals a second", key, "paced", 2)
	early = only("begat", key ".early-private")
	late = only("begat", key ".late-private")
	printf "| … the master's private KiB, before and after | %d, %d | %d, %d | |", early, late,
		only("other", key ".early-private"), only("other", key ".late-private")
	aim("equal", late <= early)
	early = only("begat", key ".early-descriptors")
	late = only("begat", key ".late-descriptors")
	printf "| … its descriptors | %d, %d | %d, %d | |", early, late,
		only("other", key ".early-descriptors"), only("other", key ".late-descriptors")
	aim("equal", late == early)
}

function flood_table() {
	printf "| %d refusals of one source in %d turns, %d at a time | begat | bare loop | ratio |",
		refusals, floods, clients
	print " aim | |"
	print "|---|--:|--:|--:|---|---|"
	flood_rows("`no-access`", "access")
	flood_rows("`ban`", "ban")
	flood_rows("`rate-per-source`", "rate")
	flood_rows("`per-source`", "source")
	print ""
}

function chain_row(text, key, what, format, limit,	ratio, spread) {
	ratio = median_ratio("begat", key "." what, "other", key "." what)
	spread = spread_text(rounds["begat", key "." what]) # before sample is another one
	printf "| %s | " format " | " format " | %s |", text, median_of("begat", key "." what),
		median_of("other", key "." what), spread
	aim(limit == "" ? "" : "≥ " limit, ratio >= limit)
}

function price_row(	i, price) {
	for (i = 1; i <= chains; i++)
		sample[i] = value["begat", "look.cpu", i] - value["other", "look.cpu", i]
	price = median(chains)
	printf "| … a look-up, the difference of the two, µs | %.2f ± %.2f | | |", price,
		error_of(chains)
	aim("≤ 1 µs", price <= 1)
}

function chain_table(	load) {
	printf "| in %d turns, %d at a time | with | without | ratio (middle half) | aim | |\n", chains,
		clients
	print "|---|--:|--:|--:|---|---|"
	chain_row("all checks: `daytime`, forked, connections a second", "chain", "rate", "%d", 0.97)
	chain_row("… the master's CPU a connection, µs", "chain", "cpu", "%.1f", "")
	chain_row(prefixes " prefixes: refusals a second, beside 1", "look", "rate", "%d", "")
	chain_row("… the master's CPU a refusal, µs", "look", "cpu", "%.2f", "")
	price_row()
	load = median_of("begat", "load.long") / 1000
	printf "| … `begatd -t`, ms | %.1f | %.1f | |", load, median_of("begat", "load.short") / 1000
	aim("≤ 1000 ms", load <= 1000)
	print ""
}

function crowd_rows(text, who,	ratio) {
	ratio = median_ratio(who, "crowd.held-p50", who, "crowd.empty-p50")
	printf "| %s: p50, µs | %d | %d | %.2f |", text, median_of(who, "crowd.held-p50"),
		median_of(who, "crowd.empty-p50"), ratio
	aim(who == "begat" ? "≤ 1.2" : "", ratio <= 1.2)
	printf "| … p99, µs | %d | %d | %.2f | | |\n", median_of(who, "crowd.held-p99"),
		median_of(who, "crowd.empty-p99"),
		median_ratio(who, "crowd.held-p99", who, "crowd.empty-p99")
}

function crowd_table() {
	printf "| %d connections held%s | held | none | ratio | aim | |\n", many,
		many < wanted ? ", for want of room" : ""
	print "|---|--:|--:|--:|---|---|"
	crowd_rows("begat, from connect to answer", "begat")
	crowd_rows("bare loop", "bare")
	print ""
}

# A shortage that ends when somebody has waited for long enough has no limit.
function shortage_row(text, kind, limit,	sleeps, recovery) {
	if (!(("begat", kind ".sleeps", 1) in value))
		return
	sleeps = only("begat", kind ".sleeps")
	recovery = only("begat", kind ".recovery")
	printf "| %s | %.1f | %.2f | %d | %s | %s |\n", text, sleeps, only("begat", kind ".cpu"),
		only("begat", kind ".away") + only("begat", kind ".lost"),
		recovery == "" ? "" : sprintf("%.2f", recovery),
		verdict(sleeps <= 20 && (limit == "" || recovery <= limit))
}

function shortage_table() {
	printf "| %d s of shortage, %d clients waiting | wake-ups a second | CPU, ms a second |",
		seconds, waiting
	print " turned away | until all are served, s | aims: ≤ 20, ≤ 1 s |"
	print "|---|--:|--:|--:|--:|---|"
	shortage_row("none, and nobody waits", "short-nothing")
	shortage_row("no descriptors: `RLIMIT_NOFILE`", "short-descriptors", 1)
	shortage_row("no processes: `fork` fails", "short-processes", 1)
	shortage_row("full: `instances = 1`, held", "short-full", 1)
	shortage_row("`rate` used up; until the next one is served after its token", "short-rate", 1)
	shortage_row("throttled: the program fails at once; until its pause has doubled out", "short-throttled")
}

END {
	flood_table()
	chain_table()
	crowd_table()
	shortage_table()
}
