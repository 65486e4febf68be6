# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# Completion of tenonctl. What there is to offer the program itself knows, with the names that the
# switch has now: tenonctl complete.

# The words up to the cursor as they were typed: the shell takes them apart at = and :.
_tenonctl_words() {
	local line=${COMP_LINE:0:COMP_POINT} i word
	words=()
	for ((i = 0; i <= COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		if [[ ${#words[@]} -gt 0 && $line != [[:blank:]]* ]]; then
			words[-1]+=$word
		else
			words+=("$word")
		fi
		line=${line#"${line%%[![:blank:]]*}"}
		line=${line#"$word"}
	done
}

_tenonctl() {
	local words cur plain keep offers
	_tenonctl_words
	cur=${words[-1]}
	plain=${cur#[\"\']}
	words[-1]=$plain
	mapfile -t offers < <("${words[0]}" complete -- "${words[@]:1}" 2>/dev/null)
	if [[ ${offers[*]} == :file ]]; then
		compopt -o filenames
		mapfile -t COMPREPLY < <(compgen -f -- "$plain")
		return
	fi
	COMPREPLY=("${offers[@]}")
	# Of a word that is not quoted the shell replaces what stands after the last of these.
	keep=${plain%"${plain##*[=:]}"}
	[[ $cur == "$plain" ]] && COMPREPLY=("${COMPREPLY[@]#"$keep"}")
	[[ ${#offers[@]} -eq 1 && ${offers[0]} == *[=:,\(] ]] && compopt -o nospace
	return 0
}

complete -F _tenonctl tenonctl
