# SPDX-License-Identifier: ISC
#
# From "ROUND WHO KEY VALUE" lines to a Markdown table.  The ratio is the median of the ratios of the
# rounds, not the ratio of the medians: what disturbs a round disturbs both.

{
	value[$2, $3, $1] = $4
	if ($1 > rounds)
		rounds = $1
}

# The median of sample[1..rounds].
function median(	i, j, each) {
	for (i = 2; i <= rounds; i++) {
		each = sample[i]
		for (j = i - 1; j > 0 && sample[j] > each; j--)
			sample[j + 1] = sample[j]
		sample[j + 1] = each
	}
	return (sample[int((rounds + 1) / 2)] + sample[int(rounds / 2) + 1]) / 2
}

function median_of(who, key,	i) {
	for (i = 1; i <= rounds; i++)
		sample[i] = value[who, key, i] + 0
	return median()
}

function median_ratio(key,	i) {
	for (i = 1; i <= rounds; i++)
		sample[i] = value["begat", key, i] / value["bare", key, i]
	return median()
}

# The aim is for the ratio (of what = "ratio") or for begat's own number; "" for none.
function row(text, key, format, of, relation, aim,	begat, ratio, measured, verdict) {
	begat = median_of("begat", key)
	ratio = median_ratio(key)
	measured = of == "ratio" ? ratio : begat
	verdict = (relation == ">=" ? measured >= aim : measured <= aim) ? "met" : "**missed**"
	printf "| %s | " format " | " format " | %.2f | %s %s%s | %s |\n", text, begat,
		median_of("bare", key), ratio, relation == ">=" ? "≥" : "≤", aim,
		of == "ratio" ? "" : " " of, verdict
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
