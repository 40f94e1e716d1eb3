# SPDX-License-Identifier: GPL-2.0
# Completion of airlock(1) for bash. Commands and options are those that the
# program's own --help names; only the values of some options stand here.

# Lines "  NAME  what": the commands in a help text.
_airlock_commands()
{
	"$@" help 2>/dev/null | sed -n 's/^  \([a-z][a-z-]*\)  .*/\1/p'
}

_airlock_options()
{
	"$@" --help 2>/dev/null | grep -oE -- '--[a-z][a-z-]*' | sort -u
}

# The values of an option, if they are few; else it is a FILE or a number.
_airlock_values()
{
	case $1 in
	--platform)
		case $2 in
		check | orders | prove) echo tdx snp vtom tdp sev all ;;
		*) echo tdx snp vtom tdp none ;;
		esac
		;;
	--order)
		"$3" orders 2>/dev/null | sed -n 's/^\([a-z][^ ]*\) .*/\1/p'
		[ "$2" != check ] || echo all
		;;
	--to) echo shared private both ;;
	--host)
		case $2 in
		check) echo benign slow failing hostile ;;
		*) echo kvm ve strict failing: hostile: ;;
		esac
		;;
	--leaf) echo 4k 2m ;;
	--mapping) echo direct vmalloc lazy ;;
	--overlap) echo none leaf same ;;
	--flush) echo ipi broadcast unsynced ;;
	--isolation) echo vbs snp ;;
	--only) echo 512 1 8 at-once vmalloc ;;
	esac
}

_airlock()
{
	local word=${COMP_WORDS[COMP_CWORD]} at=$((COMP_CWORD - 1)) option=
	local program=${COMP_WORDS[0]} command=${COMP_WORDS[1]} i
	local IFS=$' \t\n'
	local -a words=("$program")

	COMPREPLY=()
	# bash takes --option=value apart at the sign.
	if [ "$word" = = ]; then
		word=
		option=${COMP_WORDS[at]}
	elif [ "${COMP_WORDS[at]}" = = ]; then
		option=${COMP_WORDS[at - 1]}
	else
		option=${COMP_WORDS[at]}
	fi
	if [[ $option == --* ]]; then
		mapfile -t COMPREPLY < <(compgen -W \
			"$(_airlock_values "$option" "$command" "$program")" \
			-- "$word")
		[ ${#COMPREPLY[@]} -eq 0 ] || return 0
	fi
	# Commands stand first; `linux' has some of its own.
	for ((i = 1; i < COMP_CWORD; i++)); do
		[[ ${COMP_WORDS[i]} == [a-z]* ]] || break
		[ $i -eq 1 ] || [ "$command" = linux ] || break
		[ $i -lt 3 ] || break
		words+=("${COMP_WORDS[i]}")
	done
	if [[ $word == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W \
			"$(_airlock_options "${words[@]}")" -- "$word")
	elif [ $i -eq "$COMP_CWORD" ]; then
		case ${words[*]:1} in
		'' | linux | help) mapfile -t COMPREPLY < <(compgen -W \
			"$(_airlock_commands "$program" \
				$([ "$command" != linux ] || echo linux))" \
			-- "$word") ;;
		esac
	fi
}

complete -o default -F _airlock airlock
