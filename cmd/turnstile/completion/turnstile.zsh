#compdef turnstile
# zsh completion for turnstile: source <(turnstile completion zsh)
_turnstile() {
	local -a ask answers
	local cur=${words[CURRENT]}
	local dashes=${words[(i)--]}
	if (( dashes < CURRENT )); then
		# The command to run, then its arguments.
		words=("${(@)words[dashes+1,-1]}")
		(( CURRENT -= dashes ))
		_normal
		return
	fi
	(( CURRENT > 2 )) && ask+=("${words[2]}")
	if [[ ${words[CURRENT - 1]} == --open ]]; then
		ask+=(--open)
	elif [[ $cur == -* ]]; then
		ask+=("$cur")
	fi
	answers=("${(@f)$(_CLI_ZSH_AUTOCOMPLETE_HACK=1 command ${words[1]} $ask --generate-bash-completion 2>/dev/null)}")
	if [[ -n ${answers[1]} ]]; then
		_describe 'turnstile' answers
	else
		_files
	fi
}
compdef _turnstile turnstile
