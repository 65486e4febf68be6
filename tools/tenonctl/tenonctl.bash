# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# Completion of tenonctl: commands, options, files, ports.

_tenonctl_options='--json --file --strict --app --dry-run --confirm-within --no-wait --no-stats
	--no-names --kinds --count --interval --packet --color --socket --server --token-file --ca
	--cert --key --timeout --help --version'

# Options that say where the daemon is, as they stand in the line.
_tenonctl_where() {
	local i
	for ((i = 1; i < ${#words[@]} - 1; i++)); do
		case ${words[i]} in
		--socket | --server | --token-file | --ca | --cert | --key)
			printf '%s\n%s\n' "${words[i]}" "${words[i + 1]}"
			;;
		esac
	done
}

_tenonctl_ports() {
	local where
	mapfile -t where < <(_tenonctl_where)
	"${words[0]}" "${where[@]}" --timeout 2 --json port list 2>/dev/null |
		grep -o '"name": *"[^"]*"' | sed 's/.*: *"\(.*\)"/\1/'
}

# The words so far that are no options and no values of options.
_tenonctl_plain() {
	local i
	for ((i = 1; i < cword; i++)); do
		case ${words[i]} in
		--json | --strict | --dry-run | --no-*) ;;
		-*) ((i++)) ;;
		*) printf '%s\n' "${words[i]}" ;;
		esac
	done
}

_tenonctl() {
	# shellcheck disable=SC2034 # set by _init_completion
	local cur prev words cword split plain
	_init_completion -n = || return
	case $prev in
	-f | --file | --token-file | --ca | --cert | --key | --socket)
		_filedir
		return
		;;
	--color)
		mapfile -t COMPREPLY < <(compgen -W 'auto always never' -- "$cur")
		return
		;;
	--kinds)
		mapfile -t COMPREPLY < <(compgen -W 'flow group meter port table host packet-in' \
			-- "$cur")
		return
		;;
	--app | --confirm-within | --count | --interval | --packet | --timeout | --server)
		return
		;;
	esac
	if [[ $cur == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$_tenonctl_options" -- "$cur")
		return
	fi
	mapfile -t plain < <(_tenonctl_plain)
	case "${plain[*]}" in
	'port show' | 'port del' | 'port up' | 'port down')
		mapfile -t COMPREPLY < <(compgen -W "$(_tenonctl_ports)" -- "$cur")
		;;
	'flow replace' | 'flow diff' | 'flow diff '* | 'flow parse' | 'config put' | bundle)
		_filedir
		;;
	'' | help)
		mapfile -t COMPREPLY < <(compgen -W "$("${words[0]}" list-words) help" -- "$cur")
		;;
	*)
		[[ ${#plain[@]} -eq 1 ]] && mapfile -t COMPREPLY < <(
			compgen -W "$("${words[0]}" list-words "${plain[0]}")" -- "$cur")
		;;
	esac
}

complete -F _tenonctl tenonctl
