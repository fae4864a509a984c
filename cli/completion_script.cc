#include "cli/completion_script.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/arguments.h"
#include "cli/commands.h"

namespace pgalter::cli {

namespace {

std::string Names() {
  std::vector<std::string_view> names;
  for (const Command& command : AllCommands()) names.push_back(command.name);
  return fmt::format("{}", fmt::join(names, " "));
}

// What can stand after the command: its words, then its options.
std::string Choices(const Command& command) {
  const std::string words = command.name == "help" ? Names() : std::string(command.body->words);
  return fmt::format("{}{}{}", words, words.empty() ? "" : " ",
                     fmt::join(OptionNames(command), " "));
}

std::string Bash() {
  std::string cases;
  for (const Command& command : AllCommands())
    cases +=
        fmt::format("    {}) words='{}' outputs='{}'{} ;;\n", command.name, Choices(command),
                    command.body->outputs, command.body->takes_files ? " files=(-o default)" : "");
  return fmt::format(R"(# bash completion for pgalter
_pgalter() {{
  local current="${{COMP_WORDS[COMP_CWORD]}}" previous="${{COMP_WORDS[COMP_CWORD-1]}}"
  local words='' outputs='' files=()
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    COMPREPLY=($(compgen -W '{}' -- "$current"))
    return
  fi
  case "${{COMP_WORDS[1]}}" in
{}  esac
  case "$previous" in
    --output) COMPREPLY=($(compgen -W "$outputs" -- "$current")); return ;;
    --config|--log-file) COMPREPLY=($(compgen -f -- "$current")); return ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  if ((${{#files[@]}})); then compopt "${{files[@]}}"; fi
}}
complete -F _pgalter pgalter
)",
                     Names(), cases);
}

std::string Zsh() {
  std::string names;
  std::string cases;
  for (const Command& command : AllCommands()) {
    names += fmt::format("    '{}:{}'\n", command.name, command.summary);
    cases += fmt::format("    {}) choices=({}) outputs=({}){} ;;\n", command.name, Choices(command),
                         command.body->outputs, command.body->takes_files ? "; _files" : "");
  }
  return fmt::format(R"(#compdef pgalter
_pgalter() {{
  local -a commands choices outputs
  commands=(
{}  )
  if ((CURRENT == 2)); then
    _describe 'command' commands
    return
  fi
  case "$words[2]" in
{}  esac
  case "$words[CURRENT-1]" in
    --output) compadd -- $outputs; return ;;
    --config|--log-file) _files; return ;;
  esac
  compadd -- $choices
}}
if [[ $funcstack[1] == _pgalter ]]; then
  _pgalter "$@"
else
  compdef _pgalter pgalter
fi
)",
                     names, cases);
}

std::string FishOptions(const Command& command) {
  std::string lines;
  for (const std::string& word : OptionNames(command))
    lines += fmt::format("complete -c pgalter -n '__fish_seen_subcommand_from {}' -l {}\n",
                         command.name, word.substr(2));
  if (command.body->takes_files)
    lines +=
        fmt::format("complete -c pgalter -n '__fish_seen_subcommand_from {}' -F\n", command.name);
  const std::string words = command.name == "help" ? Names() : std::string(command.body->words);
  if (!words.empty())
    lines += fmt::format("complete -c pgalter -n '__fish_seen_subcommand_from {}' -a '{}'\n",
                         command.name, words);
  return lines;
}

std::string Fish() {
  std::string script = "# fish completion for pgalter\ncomplete -c pgalter -f\n";
  for (const Command& command : AllCommands()) {
    script += fmt::format("complete -c pgalter -n __fish_use_subcommand -a {} -d '{}'\n",
                          command.name, command.summary);
    script += FishOptions(command);
  }
  return script;
}

}  // namespace

std::string CompletionScript(Shell shell) {
  switch (shell) {
    case Shell::kBash:
      return Bash();
    case Shell::kZsh:
      return Zsh();
    case Shell::kFish:
      return Fish();
  }
  return "";
}

}  // namespace pgalter::cli
