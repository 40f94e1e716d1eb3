# SPDX-License-Identifier: GPL-2.0
# rooms.awk RULES ARROWS: the arrows that the rules forbid. An arrow is "FILE
# HEADER", or "FILE D SYMBOL" and "FILE U SYMBOL" of an object; a symbol that
# several rooms define is that of one that may be used. What a C library has
# is nobody's, and the port is whoever's who links the engine.
function room(path,   i, best) {
	for (i in rooms)
		if (index(path, i "/") == 1 && length(i) > length(best))
			best = i
	return best
}
NR == FNR {
	if ($1 ~ /^#/)
		next
	rooms[$1]
	may[$1, $1]
	for (i = 2; i <= NF; i++)
		may[$1, $i]
	next
}
NF == 2 {
	a = room($1)
	b = room($2)
	if (a && b && !((a, b) in may))
		print $1 " includes " $2
	next
}
$3 ~ /^(mem(cpy|set|cmp|move)|strlen|airlock_port_.*)$/ { next }
$2 == "D" { where[$3] = where[$3] " " room($1) }
$2 == "U" { user[$1, $3] }
END {
	for (key in user) {
		split(key, f, SUBSEP)
		if (!(f[2] in where))
			continue
		k = split(where[f[2]], d, " ")
		ok = 0
		for (i = 1; i <= k; i++)
			if ((room(f[1]), d[i]) in may)
				ok = 1
		if (!ok)
			print f[1] " uses " f[2] " of" where[f[2]]
	}
}
