# SPDX-License-Identifier: ISC
#
# For the tables: reads "ROUND WHO KEY VALUE" lines.  A ratio is the median of the ratios of the
# rounds, not the ratio of the medians: what disturbs a round disturbs both.

{
	value[$2, $3, $1] = $4
	if ($1 > rounds[$2, $3])
		rounds[$2, $3] = $1
}

# Sorts sample[1..count].
function sort(count,	i, j, each) {
	for (i = 2; i <= count; i++) {
		each = sample[i]
		for (j = i - 1; j > 0 && sample[j] > each; j--)
			sample[j + 1] = sample[j]
		sample[j + 1] = each
	}
}

function median(count) {
	sort(count)
	return (sample[int((count + 1) / 2)] + sample[int(count / 2) + 1]) / 2
}

function median_of(who, key,	i) {
	for (i = 1; i <= rounds[who, key]; i++)
		sample[i] = value[who, key, i] + 0
	return median(rounds[who, key])
}

# Leaves the sorted ratios of the rounds in sample.
function median_ratio(who, key, base, base_key,	i) {
	for (i = 1; i <= rounds[who, key]; i++)
		sample[i] = value[who, key, i] / value[base, base_key, i]
	return median(rounds[who, key])
}

# How far the median of sample may be from that of ever more rounds.
function error_of(count) {
	return 1.253 * (sample[int(count * 3 / 4 + 0.5)] - sample[int(count / 4 + 1)]) / 1.349 / \
		sqrt(count)
}

# With the middle half.
function spread_text(count) {
	return sprintf("%.3f ± %.3f (%.2f–%.2f)", median(count), error_of(count),
		sample[int(count / 4 + 1)], sample[int(count * 3 / 4 + 0.5)])
}

function sum_of(who, key,	i, sum) {
	for (i = 1; i <= rounds[who, key]; i++)
		sum += value[who, key, i]
	return sum
}

function verdict(is_met) {
	return is_met ? "met" : "**missed**"
}
