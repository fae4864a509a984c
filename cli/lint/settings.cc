#include "cli/lint/settings.h"

#include <fmt/format.h>

#include <filesystem>

#include "cli/config.h"
#include "cli/lint/config.h"
#include "cli/rejected.h"

namespace pgalter::cli {

namespace po = boost::program_options;

namespace {

using Texts = std::vector<std::string>;

[[noreturn]] void Reject(const std::string& text, const std::string& hint) {
  throw Rejected(ExitCode::kUsage, text, hint);
}

Texts AllOf(const Context& context, const std::string& option) {
  return context.Has(option) ? context.Get<Texts>(option) : Texts{};
}

void ReadRules(const Context& context, LintSettings& settings) {
  // Off before on, so that --no-rule all --rule X leaves X alone.
  for (const std::string& rule : AllOf(context, "no-rule"))
    SetRule(settings, "--no-rule", rule, "off");
  for (const std::string& rule : AllOf(context, "rule")) SetRule(settings, "--rule", rule, "on");
  for (const std::string& pair : AllOf(context, "severity")) {
    const auto equals = pair.find('=');
    const std::string level = equals == std::string::npos ? "" : pair.substr(equals + 1);
    if (!lint::SeverityFromName(level))
      Reject(fmt::format("--severity is RULE=error, RULE=warning or RULE=note: not \"{}\"", pair),
             "--no-rule RULE turns one off");
    const std::string rule = pair.substr(0, equals);
    const bool off = settings.options.off.contains(rule);
    SetRule(settings, "--severity", rule, level);
    if (off) settings.options.off.insert(rule);
  }
}

void CheckTogether(const LintSettings& settings) {
  if (settings.diff && !settings.fix)
    Reject("--diff shows what --fix would write", "give both: --fix --diff");
  if (settings.write_baseline && settings.baseline.empty())
    Reject("--write-baseline needs the file to write", "add --baseline FILE");
  if (settings.write_baseline && settings.fix)
    Reject("--fix and --write-baseline are two wishes", "fix first, then write the baseline");
  if (settings.write_baseline && !settings.git_base.empty())
    Reject("--write-baseline writes every finding, and --git-base hides most",
           "leave --git-base out");
  if (settings.diff && settings.output != "text")
    Reject("--diff prints a diff, in no other format", "leave --output out");
  if (settings.connect && !settings.schema.empty())
    Reject("--schema and a connection both tell what is there", "give one of them");
  if (!settings.git_base.empty() && settings.paths == Texts{"-"})
    Reject("--git-base compares files, and \"-\" is none", "name the directory");
}

}  // namespace

void AddLintOptions(po::options_description& options) {
  const auto text = [](const char* name) { return po::value<std::string>()->value_name(name); };
  const auto texts = [](const char* name) { return po::value<Texts>()->value_name(name); };
  options.add_options()                                                              //
      ("out", text("FILE"), "write the report to FILE; the summary goes to stderr")  //
      ("server-version", po::value<int>()->value_name("N"),
       "the major version that production runs, 13 to 18; default: the server's with --dsn, "
       "else 15")  //
      ("fail-on", text("LEVEL"),
       "exit with 3 if there is a finding of this severity or above: error (default), warning, "
       "note, never")  //
      ("format", text("NAME"),
       "the tool that the migrations are for; default: found out for each directory and file")  //
      ("down", "judge the way down: what takes a migration back")                               //
      ("transaction", text("HOW"),
       "whether each file is run in a transaction: by-format (default: as its tool is known to "
       "do), always, never")  //
      ("assume-lock-timeout", text("TIME"),
       "the role, the database or the runner sets lock_timeout")                             //
      ("assume-statement-timeout", text("TIME"), "and statement_timeout")                    //
      ("schema", text("FILE"), "what there is before the first file: a dump by pg_dump -s")  //
      ("table-sizes", text("FILE"),
       "how many rows tables have: lines of table, rows and, if you like, bytes, with tabs or "
       "commas between")  //
      ("git-base", text("REF"),
       "judge only what differs from where this branch left REF; the other files are history")  //
      ("rule", texts("RULE"), "turn a rule on; can be given again")                             //
      ("no-rule", texts("RULE"), "turn a rule off, or with \"all\" every one")                  //
      ("severity", texts("RULE=LEVEL"), "another severity for a rule")                          //
      ("baseline", text("FILE"), "do not count the findings that this file lists")              //
      ("write-baseline", "write the findings there are to the baseline")                        //
      ("fix", "rewrite, in the files, what has one safe form")                                  //
      ("diff", "with --fix: print the changes and write nothing")                               //
      ("list-rules", "list the rules");
}

LintSettings SettleLint(const Context& context) {
  LintSettings settings;
  const std::string config = context.Has("config") ? context.Get("config") : kDefaultConfig;
  if (context.Has("config") || std::filesystem::exists(config)) ReadLintConfig(config, settings);
  if (!context.operands.empty()) settings.paths = context.operands;
  if (context.Has("server-version"))
    SetServerVersion(settings, "--server-version", context.Get<int>("server-version"));
  if (context.Has("fail-on")) SetFailOn(settings, "--fail-on", context.Get("fail-on"));
  if (context.Has("transaction")) SetRunner(settings, "--transaction", context.Get("transaction"));
  if (context.Has("assume-lock-timeout"))
    settings.options.assumed_lock_timeout =
        ReadTimeout("--assume-lock-timeout", context.Get("assume-lock-timeout"));
  if (context.Has("assume-statement-timeout"))
    settings.options.assumed_statement_timeout =
        ReadTimeout("--assume-statement-timeout", context.Get("assume-statement-timeout"));
  const std::pair<const char*, std::string LintSettings::*> texts[] = {
      {"schema", &LintSettings::schema},           {"git-base", &LintSettings::git_base},
      {"table-sizes", &LintSettings::table_sizes}, {"baseline", &LintSettings::baseline},
      {"output", &LintSettings::output},           {"out", &LintSettings::out}};
  for (const auto& [option, member] : texts)
    if (context.Has(option)) settings.*member = context.Get(option);
  if (context.Has("format")) SetFormat(settings, "--format", context.Get("format"));
  settings.down = context.Has("down");
  // Only when asked for in so many words: PGALTER_DSN in the surroundings is for other commands.
  settings.connect = context.Has("dsn") || context.Has("env");
  settings.fix = context.Has("fix");
  settings.diff = context.Has("diff");
  settings.write_baseline = context.Has("write-baseline");
  ReadRules(context, settings);
  CheckTogether(settings);
  return settings;
}

}  // namespace pgalter::cli
