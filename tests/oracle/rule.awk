# SPDX-License-Identifier: GPL-2.0
# The rule, held against the lab's verdicts: lines of `airlock check --steps N
# -v`. It knows no machine: only what any CPU may hold of a page, as a set.
#
#   1 before the host works on the page, only former translations
#   2 while it works, none
#   3 after that, only new ones; and at the end the new one, surely
#   4 dirty lines are gone before (SEV, where nobody works: by the end)
#   5 what an instruction needs mapped is mapped when it comes: CLFLUSH, and on
#     SNP PVALIDATE, which under rule 2 is only so in the window

# When the platform works: in prepare, if the order has one, or in notify.
function early(on, to)
{
	return on == "snp" && to == "shared" || on == "tdx" && to == "private"
}

# Does the owner leave lines that must go?
function dirty_at_first(on, to)
{
	return on == "snp" || on == "sev" || on == "tdx" && to == "shared"
}

# What a CPU may still hold, after an entry was this: old, new, or absent.
function hold()
{
	if (present) {
		old = old || !flipped
		new = new || flipped
	}
}

function pass(p, f)
{
	present = p
	flipped = f
	hold()
}

function safe(on, to, order,	n, step, i, s, w, done, dirty, works)
{
	present = 1; flipped = 0; old = 1; new = 0
	dirty = dirty_at_first(on, to)
	works = early(on, to) && order ~ /prepare/ ? "prepare" : "notify"
	if (on == "sev")
		works = "never"
	n = split(order, step, ", ")
	for (i = 1; i <= n; i++) {
		s = step[i]
		w = sub(/@window$/, "", s)
		if (s == "np")			pass(0, flipped)
		else if (s == "flip")		pass(present, 1)
		else if (s == "np+flip")	pass(0, 1)
		else if (s == "present")	pass(1, flipped)
		else if (s == "flip+present")	pass(1, 1)
		else if (s == "tlb") {
			old = new = 0
			hold()
		} else if (s == "cache" && dirty_at_first(on, to)) {
			# Through the range it meets what is there, in any view
			# that a CPU holds; the window has the former one.
			if (!w && !present)
				return 0
			if (w || !new)
				dirty = 0
		} else if (s == works) {
			if (old || new || dirty)
				return 0
			if (on == "snp" && !w)
				return 0
			done = 1
			continue
		}
		if (on != "sev" && (done ? old : new))
			return 0
	}
	return !old && present && flipped && !dirty
}

$2 == "to" {
	order = $0
	sub(/^[^ ]+ +to [^ ]+ +[^ ]+ +/, "", order)
	said = $4 == "safe"
	asked++
	agree += safe($1, $3, order) == said
	if (safe($1, $3, order) != said)
		print "the lab says " $4 ", the rule " \
			(said ? "no" : "safe") ": " $0
	nsafe += said
}

END {
	print asked + 0 " verdicts, " nsafe + 0 " of them safe"
	print agree + 0 " passed, " asked - agree " failed"
	exit(!asked || agree != asked)
}
