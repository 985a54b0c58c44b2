/** `busbar completion`: the scripts with which shells complete the words of busbar. */
import type { Command } from '../command.js';
import { UsageFailure } from '../failure.js';
import { nameHint, quoted, withHints } from '../words.js';

/** bash splits words at colons, so busbar gets the line, and the part before the last colon is taken off the answers. */
const bash = `_busbar() {
  local IFS=$'\\n' line="\${COMP_LINE:0:COMP_POINT}" prefix
  local word="\${line##*[[:space:]]}"
  COMPREPLY=($("\${COMP_WORDS[0]}" __complete --line "$line" 2>/dev/null | cut -f1))
  prefix="\${word%"\${word##*:}"}"
  if [[ -n $prefix && $COMP_WORDBREAKS == *:* ]]; then COMPREPLY=("\${COMPREPLY[@]#"$prefix"}"); fi
}
complete -o nosort -o default -F _busbar busbar
`;

const zsh = `#compdef busbar
_busbar() {
  local -a values
  local value
  for value in "\${(@f)$("\${(Q)words[1]}" __complete -- "\${(@Q)words[2,CURRENT]}" 2>/dev/null)}"; do
    [[ -n $value ]] && values+=("\${\${value//:/\\\\:}/$'\\t'/:}")
  done
  if (( $#values )); then _describe -V busbar values; else _files; fi
}
if [[ $funcstack[1] == _busbar ]]; then _busbar "$@"; else compdef _busbar busbar; fi
`;

const fish = `function __busbar_complete
  set -l words (commandline -opc)
  set -l current (commandline -ct)
  set -l values ($words[1] __complete -- $words[2..-1] "$current" 2>/dev/null)
  if set -q values[1]; printf '%s\\n' $values; else; __fish_complete_path "$current"; end
end
complete -c busbar -f -k -a '(__busbar_complete)'
`;

const scripts: Readonly<Record<string, string>> = { bash, zsh, fish };

export const completion: Command = {
  name: 'completion',
  summary: 'prints the script that completes commands, names, paths and members in a shell',
  arguments: [{ name: 'SHELL', docs: 'bash, zsh or fish', complete: Object.keys(scripts) }],
  options: [],
  examples: [
    ['busbar completion bash > ~/.local/share/bash-completion/completions/busbar', 'for bash'],
    ['busbar completion zsh > "$' + '{fpath[1]}/_busbar"', 'for zsh'],
    ['busbar completion fish > ~/.config/fish/completions/busbar.fish', 'for fish'],
  ],
  async run(session, [shell = '']) {
    const script = Object.hasOwn(scripts, shell) ? scripts[shell] : undefined;
    if (script === undefined) {
      throw new UsageFailure(
        withHints(`there is no completion for ${quoted(shell)}`, nameHint(shell, Object.keys(scripts))),
      );
    }
    session.output.line(script.trimEnd());
  },
};
