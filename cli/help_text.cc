#include "cli/help_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <vector>

#include "cli/aliases.h"
#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/partition/verb_options.h"
#include "cli/table.h"

namespace pgalter::cli {

namespace {

constexpr std::size_t kWidth = 100;

struct ExitCodeText {
  int code;
  std::string_view meaning;
};

constexpr std::array kExitCodes{
    ExitCodeText{0, "done"},
    ExitCodeText{1, "error"},
    ExitCodeText{2, "usage or configuration"},
    ExitCodeText{3, "findings, pending, changes"},
    ExitCodeText{4, "refused by policy; nothing was changed"},
    ExitCodeText{5, "a lock was not obtained in its budget"},
    ExitCodeText{6, "paused or aborted"},
    ExitCodeText{7, "verification mismatch"},
    ExitCodeText{8, "history divergence"},
    ExitCodeText{9, "connection"},
    ExitCodeText{10, "unsupported server or missing right"},
};

struct Variable {
  std::string_view name;
  std::string_view meaning;
};

constexpr std::array kVariables{
    Variable{"PGALTER_DSN", "where to connect, when neither --dsn nor --env is given"},
    Variable{"PGHOST, PGPORT, PGUSER, PGDATABASE, PGPASSWORD, PGSERVICE, ...",
             "as libpq reads them, for what the connection string leaves open"},
    Variable{"NO_COLOR", "no colours, when set and not empty"},
    Variable{"PGALTER_PG_BIN", "the server programs of a sandbox"},
};

std::string Invocation(const Command& command) {
  return command.usage.empty() ? fmt::format("pgalter {}", command.name)
                               : fmt::format("pgalter {} {}", command.name, command.usage);
}

// troff reads a leading dot or quote and every backslash; a hyphen of ours is a minus sign.
std::string Troff(std::string_view text) {
  std::string escaped;
  bool line_begins = true;
  for (const char c : text) {
    if (line_begins && (c == '.' || c == '\'')) escaped += "\\&";
    if (c == '\\') {
      escaped += "\\e";
    } else if (c == '-') {
      escaped += "\\-";
    } else {
      escaped += c;
    }
    line_begins = c == '\n';
  }
  return escaped;
}

std::string Paragraphs(std::string_view description) {
  std::string text;
  for (std::size_t at = 0; at < description.size();) {
    const std::size_t end = std::min(description.find("\n\n", at), description.size());
    if (!text.empty()) text += "\n.PP\n";
    text += Troff(description.substr(at, end - at));
    at = end + 2;
  }
  return text;
}

// Boost writes "-y [ --yes ]".
std::string OptionName(const boost::program_options::option_description& option) {
  std::string name = option.format_name();
  if (const auto at = name.find(" [ "); at != std::string::npos) {
    name.replace(at, 3, ", ");
    name.resize(name.find(" ]"));
  }
  const std::string parameter = option.format_parameter();
  return parameter.empty() ? name : name + " " + parameter;
}

// Lines of at most `width` characters, the later ones indented.
std::string Wrapped(std::string_view text, std::size_t width, std::size_t indent) {
  std::string wrapped;
  std::size_t column = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find(' ', at), text.size());
    const std::string word(text.substr(at, end - at));
    if (column > 0 && column + 1 + DisplayWidth(word) > width) {
      wrapped += "\n" + std::string(indent, ' ');
      column = 0;
    } else if (column > 0) {
      wrapped += ' ';
      ++column;
    }
    wrapped += word;
    column += DisplayWidth(word);
    at = end + 1;
  }
  return wrapped;
}

std::string OptionsText(std::string_view caption,
                        const boost::program_options::options_description& options) {
  constexpr std::size_t kIndent = 26;
  std::string text = fmt::format("\n{}:\n", caption);
  for (const auto& option : options.options()) {
    const std::string name = OptionName(*option);
    const bool fits = name.size() <= kIndent - 4;
    text += fits ? fmt::format("  {:<{}}", name, kIndent - 2)
                 : fmt::format("  {}\n{}", name, std::string(kIndent, ' '));
    text += Wrapped(option->description(), kWidth - kIndent, kIndent) + "\n";
  }
  return text;
}

std::string ParagraphsText(std::string_view description) {
  std::string text;
  for (std::size_t at = 0; at < description.size();) {
    const std::size_t end = std::min(description.find("\n\n", at), description.size());
    text +=
        (text.empty() ? "" : "\n") + Wrapped(description.substr(at, end - at), kWidth, 0) + "\n";
    at = end + 2;
  }
  return text;
}

std::string TroffOptions(const boost::program_options::options_description& options) {
  std::string text;
  for (const auto& option : options.options()) {
    text += fmt::format(".TP\n\\fB{}\\fR\n{}\n", Troff(OptionName(*option)),
                        Troff(option->description()));
  }
  return text;
}

// Empty for those that print text and JSON only, as most do.
std::string OutputsText(const Command& command) {
  std::string names(command.body->outputs);
  if (names == CommandBody{}.outputs) return "";
  for (std::size_t at = 0; (at = names.find(' ', at)) != std::string::npos; at += 2)
    names.replace(at, 1, ", ");
  return fmt::format("--output is one of {}.", names);
}

std::string AliasesText(const Command& command) {
  std::vector<std::string> names;
  for (const Alias& alias : AllAliases()) {
    if (alias.command != command.name) continue;
    names.emplace_back(alias.name);
    if (!alias.option.empty()) names.back() += fmt::format(" (with {})", alias.option);
  }
  return names.empty() ? "" : fmt::format("Also called {}.", fmt::join(names, ", "));
}

std::string Description(const Command& command) {
  std::string text(command.body->description);
  for (const std::string& more : {OutputsText(command), AliasesText(command)})
    if (!more.empty()) text += "\n\n" + more;
  return text;
}

// The paragraph of the description that begins "WORD …: ".
std::string_view AboutWord(const Command& command, std::string_view word) {
  if (command.name != "partition" || word.empty()) return "";
  const std::string_view all = command.body->description;
  const std::string begin = fmt::format("{} ", word);
  for (std::size_t at = 0; at < all.size();) {
    const std::size_t end = std::min(all.find("\n\n", at), all.size());
    const std::string_view paragraph = all.substr(at, end - at);
    if (paragraph.starts_with(begin) && paragraph.find(": ") != std::string_view::npos)
      return paragraph;
    at = end + 2;
  }
  return "";
}

std::string TroffCommand(const Command& command) {
  std::string text = fmt::format(".SS \"{}\"\n{}.\n.PP\n{}\n", Troff(Invocation(command)),
                                 Troff(command.summary), Paragraphs(Description(command)));
  return text + TroffOptions(OwnOptions(command));
}

}  // namespace

std::string OverviewText() {
  std::string text =
      "pgalter: online schema changes for PostgreSQL\n\n"
      "Usage: pgalter COMMAND [options]\n";
  for (const std::string_view group : Groups()) {
    text += fmt::format("\n{}{}:\n", static_cast<char>(std::toupper(group[0])), group.substr(1));
    for (const Command& command : AllCommands())
      if (command.group == group)
        text += fmt::format("  {:<12}{}\n", command.name, command.summary);
  }
  text += "\npgalter help COMMAND shows the options of one. Exit codes:\n";
  for (const ExitCodeText& entry : kExitCodes)
    text += fmt::format("  {:<4}{}\n", entry.code, entry.meaning);
  return text;
}

std::string HelpText(const Command& command) {
  std::string text = fmt::format("{}.\n\nUsage: {}\n\n{}", command.summary,
                                 Wrapped(Invocation(command), kWidth - 7, 11),
                                 ParagraphsText(Description(command)));
  const auto own = OwnOptions(command);
  if (!own.options().empty()) text += OptionsText("Options", own);
  return text + OptionsText("Options of every command", CommonOptions());
}

std::string HelpText(const Command& command, std::string_view word) {
  const std::string_view about = AboutWord(command, word);
  if (about.empty()) return HelpText(command);
  const std::size_t colon = about.find(": ");
  const std::string usage =
      fmt::format("pgalter {} {} [options]", command.name, about.substr(0, colon));
  std::string text = fmt::format("Usage: {}\n\n", Wrapped(usage, kWidth - 7, 11));
  std::string sentences(about.substr(colon + 2));
  sentences.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(sentences[0])));
  text += ParagraphsText(sentences);
  text += fmt::format("\npgalter help {} has the other verbs.\n", command.name);
  boost::program_options::options_description own;
  const auto all = OwnOptions(command);
  for (const auto& option : all.options())
    if (VerbTakes(word, option->long_name())) own.add(option);
  if (!own.options().empty()) text += OptionsText("Options", own);
  return text + OptionsText("Options of every command", CommonOptions());
}

std::string ManPage(std::string_view version) {
  std::string text = fmt::format(
      ".TH PGALTER 1 \"\" \"pgalter {}\" \"User Commands\"\n"
      ".SH NAME\npgalter \\- online schema changes for PostgreSQL\n"
      ".SH SYNOPSIS\n.B pgalter\n\\fICOMMAND\\fR [options]\n"
      ".SH DESCRIPTION\n"
      "Changes the schema of a PostgreSQL database while it is in full use.\n"
      "Results go to standard output, progress and errors to standard error.\n"
      ".SH COMMANDS\n",
      version);
  for (const Command& command : AllCommands()) text += TroffCommand(command);
  text += ".SH OPTIONS\nThese are taken by every command.\n" + TroffOptions(CommonOptions());
  text += ".SH EXIT STATUS\n";
  for (const ExitCodeText& entry : kExitCodes)
    text += fmt::format(".TP\n.B {}\n{}\n", entry.code, Troff(entry.meaning));
  text += ".SH ENVIRONMENT\n";
  for (const Variable& variable : kVariables)
    text += fmt::format(".TP\n.B {}\n{}\n", Troff(variable.name), Troff(variable.meaning));
  text +=
      ".SH FILES\n.TP\n.B pgalter.toml\n"
      "In the working directory: connections by name, [env.NAME] with dsn = \"...\"; and [lint], "
      "what lint takes for its options.\n"
      ".SH SEE ALSO\n.BR psql (1)\n";
  return text;
}

}  // namespace pgalter::cli
