# SPDX-License-Identifier: ISC
#
# begat beside the bare loops, as a Markdown table.  Comes after median.awk.

# The aim is for the ratio (of what = "ratio") or for begat's own number; "" for none.
function row(text, key, format, of, relation, aim,	begat, ratio, measured) {
	begat = median_of("begat", key)
	ratio = median_ratio("begat", key, "bare", key)
	measured = of == "ratio" ? ratio : begat
	printf "| %s | " format " | " format " | %.2f | %s %s%s | %s |\n", text, begat,
		median_of("bare", key), ratio, relation == ">=" ? "≥" : "≤", aim,
		of == "ratio" ? "" : " " of,
		verdict(relation == ">=" ? measured >= aim : measured <= aim)
}

END {
	print "| | begat | bare loop | ratio | aim | |"
	print "|---|--:|--:|--:|---|---|"
	row("`daytime`, forked: connections a second", "handler.rate", "%d", "ratio", ">=", 0.9)
	row("… p99, µs", "handler.p99", "%d", "ratio", "<=", 1.11)
	row("… server CPU a connection, µs", "handler.cpu", "%.1f", "ratio", "<=", 1.11)
	row("exec'd program: connections a second", "exec.rate", "%d", "ratio", ">=", 0.9)
	row("… p99, µs", "exec.p99", "%d", "ratio", "<=", 1.11)
	row("… server CPU a connection, µs", "exec.cpu", "%.1f", "ratio", "<=", 1.11)
	row("`echo`, " held " held: private KiB each", "echo.held", "%.1f", "KiB", "<=", 26)
	row("idle with 1 service: private dirty KiB", "one.dirty", "%d", "KiB", "<=", 200)
	row("idle with " many " services: private dirty KiB", "many.dirty", "%d", "KiB", "<=", 600)
	row("start with " many " services, ms", "many.start", "%.1f", "ms", "<=", 30)
}
