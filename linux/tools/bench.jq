# SPDX-License-Identifier: GPL-2.0
# From a list of results, one for each kernel, platform, size and direction,
# to the report of bench-run.

def order($list): . as $x | $list | index($x) // length;
def hundredths: . * 100 | round |
	"\(. / 100 | floor).\(. % 100 | tostring | ("0" * (2 - length)) + .)";
def whole: if . == floor then tostring else hundredths end;
def cell: { instructions: .median, least, most, writes, writes_least,
	writes_most, shootdowns, exits, conversions };
def name: "\(.platform) \(.size) to \(.to)";
def changed: if $live then "Airlock" else "series" end;
def goal($text; $rows; test): { goal: $text,
	missed: [$rows[] | select(test | not) | name] } |
	.holds = (.missed | length == 0);
def known: { tdx: { shared: 2, private: 1 }, snp: { shared: 2, private: 2 },
	vtom: { shared: 3, private: 3 }, tdp: { shared: 3, private: 3 } };
# The most instructions to those of stock, with the series: see docs/linux.md.
def promised: . as $r | {
	tdx: { shared: [0.95, 1.02, 1.00, 0.99, 0.99],
	       private: [1.05, 1.14, 1.00, 1.06, 1.44] },
	snp: { shared: [0.92, 1.04, 1.00, 0.98, 0.99],
	       private: [0.92, 1.07, 1.00, 0.98, 0.99] },
	vtom: { shared: [0.36, 0.42, 0.72, 0.82, 0.99],
		private: [0.36, 0.42, 0.72, 0.82, 0.99] } } |
	(.[$r.platform] // .vtom)[$r.to][
		$r.size | order(["1", "8", "511", "512", "64M"])];

[group_by([.platform, .size, .to])[] |
	(map({ (.kind): . }) | add) as $k | $k.stock |
	{ platform, size, to, pages, entries, stock: cell,
	  airlock: ($k.airlock | cell), cpus: (.others + 1),
	  same_entries: (.entries == $k.airlock.entries) }] |
sort_by([(.platform | order(["tdx", "snp", "vtom", "tdp"])),
	(.size | order(["1", "8", "511", "512", "64M"])),
	(.to | order(["shared", "private"]))]) | . as $rows |
{
	stock: $stock, airlock: $airlock, live_patch: $live,
	rows: $rows,
	text: (
		["platform\tsize\tto\tinstructions\tX\tratio" +
		 "\tPTE writes\tX\tshootdowns\tX\texits\tX" |
			gsub("X"; changed)] +
		[$rows[] | [.platform, .size, .to, .stock.instructions,
			.airlock.instructions,
			(.airlock.instructions / .stock.instructions |
				hundredths),
			.stock.writes, .airlock.writes,
			(.stock.shootdowns | whole),
			(.airlock.shootdowns | whole),
			.stock.exits, .airlock.exits] |
			map(tostring) | join("\t")]
	),
	method: [
		"stock: \($stock); \(changed): " + if $live then
			"the same kernel with the live patch"
			else $airlock end,
		"one of \($rows[0].cpus) CPUs converts; the others are " +
			"busy, with interrupts on",
		"instructions  guest instructions of all CPUs, by the " +
			"machine's clock (-icount); median",
		"PTE writes    of all entries in one conversion, by debug " +
			"registers on each entry",
		"shootdowns    function-call interrupts of the other CPUs " +
			"/ those CPUs; median",
		"exits         by the machine, its own shootdowns left " +
			"out; median"
	],
	goals: ([
		goal("one shootdown a conversion"; $rows;
			.airlock.shootdowns == 1),
		goal("no more exits than stock"; $rows;
			.airlock.exits <= .stock.exits),
		goal("stock's shootdowns are those that its source has"; $rows;
			.stock.shootdowns == known[.platform][.to])
	] + if $live then [
		goal("fewer instructions than stock for 1, 8 and 512 pages";
			[$rows[] | select(.size == ("1", "8", "512"))];
			.airlock.instructions < .stock.instructions),
		goal("no more instructions than stock for 511 4K pages";
			[$rows[] | select(.size == "511")];
			.airlock.instructions <= .stock.instructions)
	] else [
		goal("instructions to those of stock as promised"; $rows;
			.airlock.instructions <=
				.stock.instructions * promised)
	] end)
}
