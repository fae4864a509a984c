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
    cases += fmt::format("    {}) words='{}' ;;\n", command.name, Choices(command));
  return fmt::format(R"(# bash completion for pgalter
_pgalter() {{
  local current="${{COMP_WORDS[COMP_CWORD]}}" previous="${{COMP_WORDS[COMP_CWORD-1]}}" words=''
  COMPREPLY=()
  case "$previous" in
    --output) COMPREPLY=($(compgen -W 'text json' -- "$current")); return ;;
    --config|--log-file) COMPREPLY=($(compgen -f -- "$current")); return ;;
  esac
  if ((COMP_CWORD == 1)); then
    COMPREPLY=($(compgen -W '{}' -- "$current"))
    return
  fi
  case "${{COMP_WORDS[1]}}" in
{}  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
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
    cases += fmt::format("    {}) compadd -- {} ;;\n", command.name, Choices(command));
  }
  return fmt::format(R"(#compdef pgalter
_pgalter() {{
  local -a commands
  commands=(
{}  )
  if ((CURRENT == 2)); then
    _describe 'command' commands
    return
  fi
  case "$words[CURRENT-1]" in
    --output) compadd -- text json; return ;;
    --config|--log-file) _files; return ;;
  esac
  case "$words[2]" in
{}  esac
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
