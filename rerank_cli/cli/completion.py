"""`rerank-cli completion`: what makes bash, zsh and fish complete the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from rerank_cli.cli.completing import Ending

Shell = Literal["bash", "zsh", "fish"]

SCRIPTS: dict[Shell, str] = {
    "bash": """\
_rerank_cli() {
    local reply
    mapfile -t reply < <("${1/#\\~/$HOME}" completion bash "${COMP_LINE:0:COMP_POINT}" 2>/dev/null)
    COMPREPLY=("${reply[@]:1}")
    if [[ ${reply[0]} == files ]]; then compopt -o default; fi
}
complete -F _rerank_cli rerank-cli
""",
    "zsh": """\
#compdef rerank-cli
_rerank_cli() {
    local -a reply
    reply=("${(@f)$(${(Q)~words[1]} completion zsh "${(j: :)words[1,CURRENT]}" 2>/dev/null)}")
    if [[ $reply[1] == files ]]; then
        compset -P '--*='
        _files
    elif (( $#reply > 1 )); then
        reply=("${(@)reply[2,-1]}")
        _describe rerank-cli reply
    fi
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    _rerank_cli "$@"
else
    compdef _rerank_cli rerank-cli
fi
""",
    "fish": """\
function __rerank_cli
    set -l line (commandline -cp | string collect)
    set -l reply (rerank-cli completion fish "$line" 2>/dev/null)
    if test "$reply[1]" = files
        set -l flag (commandline -ct | string match -r '^--[^=]*=')
        set -l file (commandline -ct | string replace -r '^--[^=]*=' '')
        printf '%s\\n' "$flag"(__fish_complete_path $file)
    else
        printf '%s\\n' $reply[2..]
    end
end
complete -c rerank-cli -f -a '(__rerank_cli)'
""",
}
"""Each asks this command with the line up to the cursor. What goes wrong there is nothing to tell amid a line."""


def run(
    shell: Annotated[Shell, typer.Argument(help="The shell that is to complete.", show_default=False)],
    line: Annotated[
        str | None,
        typer.Argument(help="Print what may end this line; a shell's script asks so.", show_default=False),
    ] = None,
) -> int:
    """Print the script by which a shell completes commands, options, indexes, models and files.

    \b
    Examples:
      source <(rerank-cli completion bash)
      rerank-cli completion fish > ../rerank-cli.fish
    """
    if line is None:
        print(SCRIPTS[shell], end="")
        return 0
    from rerank_cli.cli.completing import endings_of

    endings = endings_of(line)
    print("files" if endings.are_files else "words")
    for ending in endings.words:
        print(_for_shell(shell, ending, typed=endings.typed, is_quoted=endings.are_quoted))
    return 0


def _for_shell(shell: Shell, ending: Ending, *, typed: str, is_quoted: bool) -> str:
    """The *ending* as the script of this *shell* takes it, with what it means where that is shown."""
    word, meaning = ending.word, ending.meaning
    if shell == "bash":
        begun = max(typed.rfind(sign) for sign in ":=") + 1  # where what is typed begins anew for bash
        return word if is_quoted else _escaped(word[begun:], " \\\t'\"`$&|;<>()[]{}*?!#~")
    if shell == "zsh":
        escaped = _escaped(word, "\\:")
        return f"{escaped}:{meaning}" if meaning else escaped
    return f"{word}\t{meaning}" if meaning else word


def _escaped(word: str, signs: str) -> str:
    """*word* with a backslash before each of *signs*."""
    return "".join(f"\\{letter}" if letter in signs else letter for letter in word)
