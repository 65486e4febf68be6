# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# Completion of tenonctl. What there is to offer the program itself knows, with the names that the
# switch has now: tenonctl complete.

_tenonctl() {
	# shellcheck disable=SC2034 # set by _init_completion
	local cur prev words cword split offers plain keep
	_init_completion -n '=:,' || return
	mapfile -t offers < <(
		"${words[0]}" complete -- "${words[@]:1:cword}" 2>/dev/null)
	if [[ ${offers[*]} == :file ]]; then
		_filedir
		return
	fi
	COMPREPLY=("${offers[@]}")
	# The shell replaces what stands after the last of these only.
	plain=${cur#[\"\']}
	keep=${plain%"${plain##*[=:]}"}
	[[ $cur == "$plain" ]] && COMPREPLY=("${COMPREPLY[@]#"$keep"}")
	[[ ${#offers[@]} -eq 1 && ${offers[0]} == *[=:,\(] ]] && compopt -o nospace
}

complete -F _tenonctl tenonctl
