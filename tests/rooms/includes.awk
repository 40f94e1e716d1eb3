# SPDX-License-Identifier: GPL-2.0
# "FILE HEADER" for each #include; files= names a list of all files there are.
# As the compiler does it: first beside the file, then where -I points.
function clean(path) {
	sub(/^\.\//, "", path)
	while (path ~ /[^\/]+\/\.\.\//)
		sub(/[^\/]+\/\.\.\//, "", path)
	return path
}
BEGIN {
	while ((getline line < files) > 0)
		there[clean(line)]
	n = split("include cvm cvm/machine cvm/launch lab cli cli/linux " \
		"bare watch watch/cmd", i)
}
/^[ \t]*#[ \t]*include[ \t]*["<]/ {
	name = $0
	sub(/^[^"<]*["<]/, "", name)
	sub(/[">].*/, "", name)
	file = clean(FILENAME)
	dir = file
	sub(/\/[^\/]*$/, "", dir)
	path = clean(dir "/" name)
	for (k = 1; !(path in there) && k <= n; k++)
		path = i[k] "/" name
	if (path in there)
		print file, path
}
