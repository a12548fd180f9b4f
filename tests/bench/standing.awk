# SPDX-License-Identifier: ISC
#
# One worker for all clients, and redirects, as Markdown tables.  Comes after median.awk.

# A number of a server in a column; an empty one where it was not measured.
function column(who, key, format) {
	return (who, key, 1) in value ? sprintf(format, median_of(who, key)) : ""
}

# Beside another one; with the middle half where there is room.
function beside(who, key, base, short,	ratio) {
	if (!((base, key, 1) in value))
		return ""
	ratio = median_ratio(who, key, base, key)
	return short ? sprintf("%.2f", ratio) : spread_text(rounds[who, key])
}

function aim(text, is_met) {
	print (text == "" ? " | |" : " " text " | " verdict(is_met) " |")
}

function columns(text, who, base, key, format) {
	printf "| %s | %s | %s | %s |", text, column(who, key, format), column(base, key, format),
		beside(who, key, base)
}

function rate_row(text, who, base, key, format, limit,	ratio) {
	columns(text, who, base, key, format)
	ratio = median_ratio(who, key, base, key)
	aim(limit == "" ? "" : "≥ " limit, ratio >= limit)
}

function cpu_row(text, who, base, key, format, limit,	ratio) {
	columns(text, who, base, key, format)
	ratio = median_ratio(who, key, base, key)
	aim(limit == "" ? "" : "≤ " limit, ratio <= limit)
}

function lost_row(text, who, base, key) {
	printf "| %s | %d | %d | |", text, sum_of(who, key), sum_of(base, key)
	aim("0", sum_of(who, key) == 0)
}

function rate_table() {
	printf "| %d clients | begat | bare loop | ratio (middle half) | aim | |\n", clients
	print "|---|--:|--:|--:|---|---|"
	rate_row("`daytime`, `wait = true`: connections a second", "begat", "bare", "daytime.rate",
		"%d", 0.9)
	cpu_row("… server CPU a connection, µs", "begat", "bare", "daytime.cpu", "%.1f", 1.15)
	rate_row("… forked: connections a second", "forked", "bare", "daytime.rate", "%d")
	cpu_row("… server CPU a connection, µs", "forked", "bare", "daytime.cpu", "%.1f")
	rate_row("`time` over UDP: answers a second", "begat", "bare", "time.rate", "%d", 0.8)
	cpu_row("… server CPU an answer, µs", "begat", "bare", "time.cpu", "%.2f")
	lost_row("… questions without an answer, in all", "begat", "bare", "time.lost")
	rate_row("… with a rate for each source", "counted", "bare", "time.rate", "%d", 0.8)
	cpu_row("… server CPU an answer, µs", "counted", "bare", "time.cpu", "%.2f")
	rate_row("… beside a loop of recvfrom and sendto", "begat", "singly", "time.rate", "%d")
	cpu_row("… server CPU an answer, µs", "begat", "singly", "time.cpu", "%.2f")
	print ""
}

# The aim is one beside the bare loop (of = "bare") or beside socat; where there is none, none.
function redirect_row(text, key, format, of, limit,	ratio) {
	printf "| %s | %s | %s | %s | %s | %s |", text, column("begat", key, format),
		column("bare", key, format), column("socat", key, format),
		beside("begat", key, "bare", 1), beside("begat", key, "socat", 1)
	if (of == "" || !((of, key, 1) in value))
		return aim("")
	ratio = median_ratio("begat", key, of, key)
	aim("≥ " limit " × " (of == "bare" ? "bare loop" : of), ratio >= limit)
}

function redirect_table() {
	print "| redirect | begat | bare loop | socat | of the bare loop | of socat | aim | |"
	print "|---|--:|--:|--:|--:|--:|---|---|"
	redirect_row("one stream: GiB a second", "one.rate", "%.2f", "bare", 0.9)
	redirect_row("… server CPU a GiB, ms", "one.cpu", "%d")
	redirect_row(streams " streams: GiB a second", "many.rate", "%.2f", "bare", 0.9)
	redirect_row("… server CPU a GiB, ms", "many.cpu", "%d")
	redirect_row("connections a second, " clients " at a time", "connect.rate", "%d", "socat", 1)
	redirect_row("… server CPU a connection, µs", "connect.cpu", "%.1f")
	print ""
}

function flood_columns(who, when) {
	return sprintf(" %s | %s | %s |", column(who, "flood." when "-p50", "%d"),
		column(who, "flood." when "-p99", "%d"), column(who, "flood." when "-lost", "%.1f"))
}

function flood_row(text, when) {
	print "| " text " |" flood_columns("begat", when) flood_columns("limited", when) \
		flood_columns("bare", when)
}

function flood_table() {
	print "| a datagram each ms | begat: p50, µs | p99 | lost, % | begat, a rate: p50, µs |" \
		" p99 | lost, % | bare loop: p50, µs | p99 | lost, % |"
	print "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|"
	flood_row("nobody else", "quiet")
	flood_row("beside " flood " a second of another source", "paced")
	flood_row(sprintf("beside %d a second, as many as it can", median_of("begat", "flood.sent")),
		"busy")
}

END {
	rate_table()
	redirect_table()
	flood_table()
}
