# SPDX-License-Identifier: ISC
#
# What reloads cost, as two Markdown tables.  Comes after median.awk; the storm has one round.

function storm(key) {
	return value["begat", "storm." key, 1]
}

function lost(key, when,	kind, sum) {
	for (kind = 1; kind <= 4; kind++)
		sum += sum_of("begat", key "." when "-" kinds[kind])
	return sum
}

function storm_table(	kind, text) {
	printf "| %d reloads under %d clients and %d more every 100 ms | | aim | |\n", reloads,
		clients, burst
	print "|---|--:|---|---|"
	printf "| connections answered | %d | | |\n", storm("busy-answers")
	for (kind = 1; kind <= 4; kind++)
		text = text (kind > 1 ? ", " : "") storm("busy-" kinds[kind])
	printf "| refused, reset, unanswered, changed | %s | 0 | %s |\n", text,
		verdict(lost("storm", "busy") == 0)
	printf "| the master's descriptors, after %d reloads and after all | %d, %d | equal | %s |\n",
		10, storm("early-descriptors"), storm("late-descriptors"),
		verdict(storm("early-descriptors") == storm("late-descriptors"))
	printf "| … its private KiB | %d, %d | equal | %s |\n", storm("early-private"),
		storm("late-private"), verdict(storm("late-private") <= storm("early-private"))
	printf "| from the signal to the line in the log, ms: mean, longest | %.1f, %.1f | | |\n\n",
		storm("reload-mean"), storm("reload-longest")
}

# The aim is for the ratio (of what = "ratio") or for the number with reloads; "" for none.
function row(text, key, what, format, of, aim,	quiet, busy, ratio, measured) {
	quiet = median_of("begat", key ".quiet-" what)
	busy = median_of("begat", key ".busy-" what)
	ratio = median_ratio("begat", key ".busy-" what, "begat", key ".quiet-" what)
	measured = of == "ratio" ? ratio : busy
	printf "| %s | " format " | " format " | %.2f |", text, quiet, busy, ratio
	if (aim == "")
		print " | |"
	else
		printf " ≤ %s%s | %s |\n", aim, of == "ratio" ? "" : " " of, verdict(measured <= aim)
}

function pause(text, key, p99_aim) {
	row(text ": p50, µs", key, "p50", "%d")
	row("… p99, µs", key, "p99", "%d", "ratio", p99_aim)
	row("… longest, ms", key, "longest", "%.1f", "ms", 50)
	row("… longest time without an answer, ms", key, "gap", "%.1f")
	printf "| … lost of %d, of %d | %d | %d | | 0 | %s |\n",
		sum_of("begat", key ".quiet-answers"), sum_of("begat", key ".busy-answers"),
		lost(key, "quiet"), lost(key, "busy"), verdict(lost(key, "busy") == 0)
	printf "| … a reload, mean, ms | | %.1f | | | |\n", median_of("begat", key ".reload-mean")
}

END {
	split("refused reset unanswered changed", kinds)
	storm_table()
	printf "| a new connection each millisecond | without reloads | one every %d ms ", interval
	print "| ratio | aim | |"
	print "|---|--:|--:|--:|---|---|"
	pause("10 services", "ten", 1.11)
	pause(many " services, " crowd " programs running", "many", "")
	pause("10 services, a configuration that is refused", "broken", 1.11)
}
