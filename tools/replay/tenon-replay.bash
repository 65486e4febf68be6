# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# Completion of tenon-replay's options, files and the ports of its configuration.

_tenon_replay_ports() {
	local i config=
	for ((i = 1; i < ${#words[@]} - 1; i++)); do
		[[ ${words[i]} == --config ]] && config=${words[i + 1]}
	done
	[[ -r $config ]] || return 0
	tr -d '\n' <"$config" | grep -o '"ports" *: *\[[^]]*\]' |
		grep -o '"name" *: *"[^"]*"' | sed 's/.*: *"\(.*\)"/\1=/'
}

_tenon_replay() {
	# shellcheck disable=SC2034 # set by _init_completion
	local cur prev words cword split
	_init_completion -n = || return
	case $prev in
	--config | --diff)
		_filedir json
		return
		;;
	--report | --trace)
		_filedir
		return
		;;
	--out)
		_filedir -d
		return
		;;
	--loop | --host)
		return
		;;
	--in)
		if [[ $cur == *=* ]]; then
			local port=${cur%%=*}
			cur=${cur#*=}
			_filedir '@(pcap|pcapng|cap)?(.gz)'
			COMPREPLY=("${COMPREPLY[@]/#/$port=}")
		else
			mapfile -t COMPREPLY < <(compgen -W "$(_tenon_replay_ports)" -- "$cur")
			compopt -o nospace
		fi
		return
		;;
	esac
	mapfile -t COMPREPLY < <(compgen -W '--config --in --out --report --trace --diff --host --loop
		--progress --check --help --version' -- "$cur")
}

complete -F _tenon_replay tenon-replay
