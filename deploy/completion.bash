# completion.bash - for bash: commands, their flags, and options with the values they may take.
#
#     source deploy/completion.bash      # once per shell, or from ~/.bashrc

_lockstep() {
    local program=${COMP_WORDS[0]} command=${COMP_WORDS[1]:-} word=${COMP_WORDS[COMP_CWORD]} before i
    COMPREPLY=()
    # bash splits a word at '=': put the current one together again
    for ((i = COMP_CWORD - 1; i > 0; i--)); do
        before=${COMP_WORDS[i]}
        if [[ $word == '='* || $before == '=' ]]; then word=$before$word; else break; fi
    done

    if ((COMP_CWORD == 1)); then
        mapfile -t COMPREPLY < <(compgen -W 'train launch worker tune scale bench prepare eval generate translate average score inspect compare doctor options --help --version' -- "$word")
        return
    fi
    if [[ $word == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$("$program" "$command" --help 2>/dev/null |
            grep -oE -- '--[a-z][a-z-]*=?' | sort -u)" -- "$word")
    elif [[ $command == tune && $COMP_CWORD == 2 ]]; then
        mapfile -t COMPREPLY < <(compgen -W lr -- "$word")
    elif [[ $command == train || $command == launch || $command == tune || $command == scale || $command == bench ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$("$program" options --words 2>/dev/null)" -- "$word"
                                 compgen -f -X '!*.yaml' -- "$word"
                                 compgen -d -S / -- "$word")
        # what readline sees of "train.steps=" is what follows the '='
        [[ $word == *=* ]] && COMPREPLY=("${COMPREPLY[@]#*=}")
    else
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
    fi
    [[ ${COMPREPLY[0]:-} == *[=/] ]] && compopt -o nospace 2>/dev/null
    return 0
}
complete -F _lockstep lockstep
