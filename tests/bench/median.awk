# SPDX-License-Identifier: ISC
#
# For the tables: reads "ROUND WHO KEY VALUE" lines.  A ratio is the median of the ratios of the
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

function median_ratio(who, key, base, base_key,	i) {
	for (i = 1; i <= rounds; i++)
		sample[i] = value[who, key, i] / value[base, base_key, i]
	return median()
}

function sum_of(who, key,	i, sum) {
	for (i = 1; i <= rounds; i++)
		sum += value[who, key, i]
	return sum
}

function verdict(is_met) {
	return is_met ? "met" : "**missed**"
}
