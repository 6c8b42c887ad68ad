# bash completion for turnstile: source <(turnstile completion bash)
_turnstile() {
	local cur=${COMP_WORDS[COMP_CWORD]} i words
	COMPREPLY=()
	for ((i = 1; i < COMP_CWORD; i++)); do
		if [[ ${COMP_WORDS[i]} == -- ]]; then
			# The command to run, then its arguments.
			((COMP_CWORD == i + 1)) && mapfile -t COMPREPLY < <(compgen -c -- "$cur")
			return 0
		fi
	done
	local ask=()
	((COMP_CWORD > 1)) && ask+=("${COMP_WORDS[1]}")
	if [[ ${COMP_WORDS[COMP_CWORD - 1]} == --open ]]; then
		ask+=(--open)
	elif [[ $cur == -* ]]; then
		ask+=("$cur")
	fi
	words=$(command "${COMP_WORDS[0]}" "${ask[@]}" --generate-bash-completion 2>/dev/null)
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}
complete -o default -F _turnstile turnstile
