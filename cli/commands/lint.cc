// Judges migrations: files in, findings out. The judging itself is planner/lint's, which is pure;
// here files are read, and written.
#include <fmt/format.h>

#include <filesystem>
#include <set>

#include "cli/context.h"
#include "cli/json_output.h"
#include "cli/lint/baseline.h"
#include "cli/lint/fix.h"
#include "cli/lint/input.h"
#include "cli/lint/known_schema.h"
#include "cli/lint/rule_pages.h"
#include "cli/lint/unified_diff.h"
#include "cli/lint/write_file.h"
#include "cli/rejected.h"
#include "cli/report.h"
#include "migrations/formats/folder.h"
#include "planner/lint/render/format.h"
#include "planner/lint/rules.h"

namespace pgalter::cli {

namespace {

ExitCode ListRules(const Context& context, const LintSettings& settings) {
  if (context.output == Output::kJson) {
    PrintJson(RuleListJson(settings.options));
  } else {
    Print(RuleListText(settings.options));
  }
  return ExitCode::kDone;
}

Baseline ReadBaseline(const LintSettings& settings) {
  if (settings.baseline.empty()) return {};
  if (!std::filesystem::exists(settings.baseline)) {
    if (settings.write_baseline) return {};
    throw Rejected(ExitCode::kUsage, fmt::format("there is no baseline {}", settings.baseline),
                   "make one with --write-baseline, or leave --baseline out");
  }
  try {
    return ParseBaseline(settings.baseline, formats::ReadWhole(settings.baseline));
  } catch (const Rejected&) {
    throw;
  } catch (const std::runtime_error& error) {
    throw Rejected(ExitCode::kError,
                   fmt::format("cannot read the baseline {}: {}", settings.baseline, error.what()),
                   "");
  }
}

// One invocation, step by step.
class Linting {
 public:
  Linting(const Context& context, const LintSettings& settings, KnownSchema known)
      : context_(context), settings_(settings), known_(std::move(known)) {}

  ExitCode Run() {
    for (const std::string& remark : known_.remarks) Say(context_, remark);
    input_ = ReadInput(settings_);
    for (const std::string& note : input_.notes) Say(context_, note);
    report_.rules = lint::AllRules();
    report_.fail_on = settings_.fail_on;
    report_.program_version = PGALTER_VERSION;
    baseline_ = ReadBaseline(settings_);
    for (const auto& [fingerprint, file] : baseline_) report_.baseline.insert(fingerprint);
    report_.result = lint::Lint(input_.files, settings_.options, known_.schema);
    report_.files = SourcesOf(input_);
    if (settings_.write_baseline) return WriteBaseline();
    if (settings_.fix && settings_.diff) return ShowFixes();
    if (settings_.fix) Fix();
    Show();
    return End();
  }

 private:
  [[nodiscard]] bool stdin_is_fixed() const {
    return settings_.fix && settings_.paths == std::vector<std::string>{"-"};
  }
  [[nodiscard]] Fixed MakeFixes();
  ExitCode WriteBaseline();
  ExitCode ShowFixes();
  void Fix();
  void Show();
  [[nodiscard]] ExitCode End() const;

  const Context& context_;
  const LintSettings& settings_;
  KnownSchema known_;
  LintInput input_;
  Baseline baseline_;
  lint::Report report_;
};

ExitCode Linting::WriteBaseline() {
  report_.baseline.clear();
  WriteFile(settings_.baseline, BaselineText(report_));
  const lint::Tally tally = lint::TallyOf(report_);
  Say(context_, fmt::format("{} findings are in the baseline {}",
                            tally.errors + tally.warnings + tally.notes, settings_.baseline));
  return End();
}

Fixed Linting::MakeFixes() {
  std::set<int> untouchable;
  for (std::size_t i = 0; i < input_.origins.size(); ++i)
    if (input_.origins[i].rewritten) untouchable.insert(static_cast<int>(i));
  Fixed fixed = FixAll(input_.files, settings_.options, known_.schema, report_, untouchable);
  for (const int file : fixed.given_up)
    Say(context_, fmt::format("{} is left as it is: rewritten, it was not read as SQL any more",
                              input_.origins.at(static_cast<std::size_t>(file)).name));
  return fixed;
}

ExitCode Linting::ShowFixes() {
  const Fixed fixed = MakeFixes();
  std::string diff;
  for (std::size_t i = 0; i < input_.files.size(); ++i)
    diff += UnifiedDiff(input_.files[i].name, input_.files[i].text, fixed.files[i].text);
  Print(diff);
  const ExitCode end = End();
  if (end != ExitCode::kDone && end != ExitCode::kPending) return end;
  return diff.empty() ? ExitCode::kDone : ExitCode::kPending;
}

void Linting::Fix() {
  Fixed fixed = MakeFixes();
  for (std::size_t i = 0; i < input_.files.size(); ++i) {
    if (fixed.files[i].text == input_.files[i].text) continue;
    if (!input_.origins[i].place.empty()) WriteFile(input_.origins[i].place, fixed.files[i].text);
  }
  if (fixed.fixes > 0)
    Say(context_, fmt::format("{} finding{} fixed", fixed.fixes, fixed.fixes == 1 ? "" : "s"));
  input_.files = std::move(fixed.files);
  report_.result = std::move(fixed.result);
  report_.files = SourcesOf(input_);
  if (stdin_is_fixed()) Print(input_.files.front().text);
}

void Linting::Show() {
  if (settings_.out.empty() && !stdin_is_fixed()) {
    report_.paint =
        context_.result_color == Color::kYes ? lint::Paint::kColor : lint::Paint::kPlain;
    Print(lint::FindFormat(settings_.output)->render(report_));
  } else if (!settings_.out.empty()) {
    WriteFile(settings_.out, lint::FindFormat(settings_.output)->render(report_));
    Say(context_, lint::SummaryLine(lint::TallyOf(report_)));
  } else {
    // The fixed text has stdout for itself.
    fmt::print(stderr, "{}", lint::FindFormat(settings_.output)->render(report_));
  }
  if (const int stale = StaleEntries(baseline_, report_); stale > 0)
    Say(context_, fmt::format("{} finding{} of the baseline {} not there any more; "
                              "--write-baseline writes it anew",
                              stale, stale == 1 ? "" : "s", stale == 1 ? "is" : "are"));
}

// What could not be read outweighs what was found in the rest.
ExitCode Linting::End() const {
  if (!input_.problems.empty()) {
    for (std::size_t i = 1; i < input_.problems.size(); ++i) Say(context_, input_.problems[i]);
    throw Rejected(ExitCode::kError, input_.problems.front(),
                   "the other files were judged; check the rights of this one");
  }
  if (settings_.write_baseline) return ExitCode::kDone;
  return lint::TallyOf(report_).fails ? ExitCode::kPending : ExitCode::kDone;
}

Task<ExitCode> Run(Context& context) {
  LintSettings settings = SettleLint(context);
  if (context.Has("list-rules")) co_return ListRules(context, settings);
  KnownSchema known = co_await ReadKnownSchema(context, settings);
  if (known.server_version && !settings.has_server_version)
    settings.options.server_version = *known.server_version;
  co_return Linting(context, settings, std::move(known)).Run();
}

}  // namespace

extern const CommandBody kLintCommand;
const CommandBody kLintCommand{
    .description =
        "Reads migrations and tells what each statement does to a database in use: which lock it "
        "takes and who waits for it, whether it writes or reads the whole table, whether it fails, "
        "loses data or breaks programs; and what to write instead. No database is needed; with "
        "--dsn or "
        "--env the live one tells what is there, and is only read.\n\n"
        "A path is a file or a directory of migrations, which are judged in their order: earlier "
        "ones tell what is there. Without paths those of [lint] in pgalter.toml are taken. A "
        "table that is new in the same file is nobody's yet, so nothing on it is found.\n\n"
        "Silence a finding with a comment before its statement: -- pgalter:ignore RULE "
        "reason=\"...\". Findings of old files go into a baseline: --baseline FILE "
        "--write-baseline. pgalter explain RULE tells more of a rule.\n\n"
        "Exit codes: 0 nothing at or above --fail-on, 3 findings, 2 usage, 1 a file could not be "
        "read or written.",
    .most_operands = kAnyNumber,
    .outputs = "text json sarif junit gitlab github checkstyle",
    .reads_config = true,
    .takes_files = true,
    .add_options = &AddLintOptions,
    .run = &Run};

}  // namespace pgalter::cli
