# SPDX-License-Identifier: ISC
#
# What the cage costs, as Markdown tables.  Comes after median.awk.  Everything is beside the same
# without a cage, in the same round.

# The time of a connection, of a rate too.
function us_of(key, measured) {
	return key == "rate" ? 1e6 / measured : measured
}

# What a connection takes more than one without a cage, µs, with the error of the median.
function more(who, none, key,	i, count) {
	count = rounds[who, key]
	for (i = 1; i <= count; i++)
		sample[i] = us_of(key, value[who, key, i]) - us_of(key, value[none, key, i])
	return sprintf("%+.1f ± %.1f", median(count), error_of(count))
}

function row(text, who, none, aim,	ratio, spread) {
	if (!((who, "rate", 1) in value))
		return
	ratio = median_ratio(who, "rate", none, "rate")
	spread = spread_text(rounds[who, "rate"])
	printf "| %s | %d | %s | %s | %.1f | %s |", text, median_of(who, "rate"),
		who == none ? "" : more(who, none, "rate"), who == none ? "" : spread,
		median_of(who, "cpu"), who == none ? "" : more(who, none, "cpu")
	print (aim == "" ? " | |" : " ≥ " aim " | " verdict(ratio >= aim) " |")
}

function handler_rows() {
	row("`daytime`, forked, without a cage", "daytime-none", "daytime-none")
	row("… with the default cage", "daytime", "daytime-none", 0.85)
	row("… of which without a filter: `system-calls = { \"@all\" }`", "daytime-ruleset",
		"daytime-none")
	row("… the bare loop", "daytime-bare", "daytime-none")
}

function program_rows() {
	row("exec'd program without a cage", "exec-none", "exec-none")
	row("… with the default cage", "exec", "exec-none", 0.85)
	row("… the bare loop", "exec-bare", "exec-none")
	row("… `limits`, five of them", "limits", "exec-none")
	row("… `nice`", "nice", "exec-none")
	row("… `chroot`", "exec-chroot", "exec-none")
	row("… `capabilities = {}`", "capabilities", "exec-none")
	row("… `capabilities`, one of them", "ambient", "exec-none")
	row("… `private-network`", "network", "exec-none")
	row("… `private-tmp`", "tmp", "exec-none")
	row("… `private-pids`", "pids", "exec-none")
	row("… `read-only`, five paths", "read-only", "exec-none")
	row("… `connect`, two ports", "connect", "exec-none")
	row("… `system-calls = { \"@system-service\" }`", "allow", "exec-none")
	row("… `system-calls`, seven sets denied", "deny", "exec-none")
	row("… `memory-deny-write-execute`", "write-execute", "exec-none")
	row("… `on-master-death = \"die\"`", "die", "exec-none")
	row("… `cgroup`", "cgroup", "exec-none")
	row("… all of these but `chroot` and `connect`", "exec-all", "exec-none")
}

function held_row(text, who) {
	printf "| %s | %.1f | %.1f | %.1f |\n", text, median_of(who, "held"),
		median_of(who, "held") - median_of("echo-none", "held"), median_of(who, "kernel")
}

END {
	printf "| | connections a second | more a connection than without a cage, µs |"
	printf " rate, of that without a cage (middle half) | server CPU a connection, µs | more, µs |"
	print " aim | |"
	print "|---|--:|--:|--:|--:|--:|---|---|"
	handler_rows()
	program_rows()
	print ""
	printf "| `echo`, %d held | private KiB each | more | KiB of the kernel each |\n", held
	print "|---|--:|--:|--:|"
	held_row("with the default cage", "echo")
	held_row("… without a filter", "echo-ruleset")
	held_row("without a cage", "echo-none")
	held_row("the bare loop", "echo-bare")
}
