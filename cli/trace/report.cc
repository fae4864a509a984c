#include "cli/trace/report.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <boost/json/array.hpp>

#include "cli/human.h"
#include "cli/table.h"
#include "planner/sql/line_index.h"

namespace pgalter::cli {

namespace json = boost::json;

namespace {

using locks::LockMode;
using trace::Traced;

constexpr const char* kRed = "\x1b[31m";
constexpr const char* kYellow = "\x1b[33m";
constexpr const char* kPlain = "\x1b[0m";

// On one line, and not too long of it.
std::string Shown(const std::string& sql) {
  std::string line;
  for (const char c : sql) {
    const bool blank = c == ' ' || c == '\t' || c == '\n' || c == '\r';
    if (!blank) {
      line += c;
    } else if (!line.empty() && line.back() != ' ') {
      line += ' ';
    }
  }
  constexpr std::size_t kMost = 80;
  if (line.size() > kMost) {
    std::size_t end = kMost;
    while (end > 0 && (static_cast<unsigned char>(line[end]) & 0xC0U) == 0x80U) --end;
    line = line.substr(0, end) + "...";
  }
  return Printable(line);
}

std::string WhoWaits(LockMode mode) {
  if (locks::BlocksReads(mode)) return "reads and writes wait";
  if (locks::BlocksWrites(mode)) return "writes wait";
  return "nobody's reads or writes wait";
}

std::string_view Word(trace::Place place) {
  switch (place) {
    case trace::Place::kOwnTransaction:
      return "own";
    case trace::Place::kScriptTransaction:
      return "script";
    case trace::Place::kOutside:
      break;
  }
  return "none";
}

std::string_view Word(trace::End end) {
  switch (end) {
    case trace::End::kDone:
      return "done";
    case trace::End::kFailed:
      return "failed";
    case trace::End::kNotRun:
      break;
  }
  return "not run";
}

std::vector<const lint::Finding*> FindingsOn(const TraceReport& report, const Traced& traced) {
  std::vector<const lint::Finding*> findings;
  for (const lint::Finding& finding : report.findings)
    if (finding.suppressed.empty() && finding.span.begin >= traced.span.begin &&
        finding.span.begin < std::max(traced.span.end, traced.span.begin + 1))
      findings.push_back(&finding);
  return findings;
}

// nullptr: no plan was made of it, as of what a migration tool leaves out.
const plan::Statement* PlanOf(const TraceReport& report, const Traced& traced, int line) {
  for (const plan::Statement& statement : report.planned)
    if (statement.line == line && statement.sql == traced.sql) return &statement;
  return nullptr;
}

std::string InWords(const plan::Statement& planned) {
  switch (planned.answer) {
    case plan::Answer::kAsIs:
      return "would run it as it is";
    case plan::Answer::kRewritten:
      return "would rewrite it: " + planned.recipe;
    case plan::Answer::kLeastBad:
      return "knows no online form";
    case plan::Answer::kRefused:
    case plan::Answer::kFails:
      break;
  }
  return planned.remarks.empty() ? "cannot plan it" : "cannot plan it: " + planned.remarks.front();
}

class TextReport {
 public:
  TextReport(const TraceReport& report, Color color)
      : report_(report), color_(color), lines_(report.text) {}

  std::string Run() {
    text_ = fmt::format("PostgreSQL {}\n", report_.server);
    for (const std::string& remark : report_.remarks) text_ += Printable(remark) + "\n";
    for (const Traced& traced : report_.statements) Add(traced);
    AddRows();
    AddSummary();
    return std::move(text_);
  }

 private:
  void Line(std::string_view label, const std::string& what, const char* paint = nullptr) {
    const bool painted = paint != nullptr && color_ == Color::kYes;
    text_ += fmt::format("  {}{:<9}{} {}\n", painted ? paint : "", label, painted ? kPlain : "",
                         Printable(what));
  }

  void Add(const Traced& traced) {
    text_ += fmt::format("\n{}:{}  {}\n", Printable(report_.file),
                         lines_.At(traced.span.begin).line, Shown(traced.sql));
    if (traced.end == trace::End::kNotRun) {
      Line("not run", traced.why);
      return;
    }
    Line("time",
         fmt::format("{}{}", HumanSeconds(traced.seconds),
                     traced.place == trace::Place::kOutside ? ", outside of a transaction" : ""));
    if (traced.end == trace::End::kFailed)
      Line("FAILED", fmt::format("{} ({})", traced.seen.message, traced.seen.sqlstate), kRed);
    for (const auto& [name, modes] : traced.seen.table_locks) AddLock(name, *modes.rbegin());
    for (const auto& [name, modes] : traced.seen.index_locks)
      AddLock("index " + name, *modes.rbegin());
    for (const std::string& name : traced.seen.rewritten) Line("rewrote", name);
    for (const std::string& name : traced.seen.scanned)
      if (!traced.seen.rewritten.contains(name)) Line("read", name);
    for (const lint::Finding* finding : FindingsOn(report_, traced))
      Line("lint", fmt::format("{} {}: {}", lint::Name(finding->severity), finding->rule,
                               finding->message));
    const int line = lines_.At(traced.span.begin).line;
    if (const plan::Statement* planned = PlanOf(report_, traced, line))
      Line("plan", InWords(*planned));
    for (const std::string& difference : traced.differences) Line("DIFFERS", difference, kYellow);
  }

  void AddLock(const std::string& name, LockMode mode) {
    Line("took", fmt::format("{} on {}: {}", locks::Name(mode), name, WhoWaits(mode)));
  }

  void AddRows() {
    if (report_.filled.empty()) return;
    text_ += "\nrows made up:\n";
    for (const trace::Filled& filled : report_.filled)
      text_ += fmt::format("  {}  {}{}\n", Printable(filled.table), HumanCount(filled.rows),
                           filled.problem.empty() ? "" : "  (" + Printable(filled.problem) + ")");
  }

  void AddSummary() {
    const auto failed = std::ranges::count(report_.statements, trace::End::kFailed, &Traced::end);
    std::size_t differences = 0;
    for (const Traced& traced : report_.statements) differences += traced.differences.size();
    text_ += fmt::format("\n{} statement{}, {} failed, {} difference{} from what was predicted\n",
                         report_.statements.size(), report_.statements.size() == 1 ? "" : "s",
                         failed, differences, differences == 1 ? "" : "s");
  }

  const TraceReport& report_;
  Color color_;
  sql::LineIndex lines_;
  std::string text_;
};

json::array Strings(const auto& texts) { return json::array(texts.begin(), texts.end()); }

json::array Blocks(LockMode mode) {
  json::array blocks;
  if (locks::BlocksReads(mode)) blocks.emplace_back("reads");
  if (locks::BlocksWrites(mode)) blocks.emplace_back("writes");
  return blocks;
}

json::object LockJson(const std::string& relation, LockMode mode, bool index) {
  return {{"relation", relation},
          {"index", index},
          {"mode", std::string(locks::Name(mode))},
          {"blocks", Blocks(mode)}};
}

json::array SeenLocks(const trace::Observed& seen) {
  json::array locks;
  for (const auto& [name, modes] : seen.table_locks)
    locks.emplace_back(LockJson(name, *modes.rbegin(), false));
  for (const auto& [name, modes] : seen.index_locks)
    locks.emplace_back(LockJson(name, *modes.rbegin(), true));
  return locks;
}

json::value SaidJson(const std::optional<locks::Effects>& said) {
  if (!said) return nullptr;
  json::array locks;
  for (const locks::Lock& lock : said->locks)
    locks.emplace_back(LockJson(sql::ToString(lock.relation), lock.mode, lock.index));
  json::array works;
  for (const locks::Work& work : said->works) {
    const bool rewrite = work.kind == locks::Work::Kind::kRewrite;
    works.emplace_back(json::object{{"relation", sql::ToString(work.relation)},
                                    {"kind", rewrite ? "rewrite" : "read"},
                                    {"certain", work.certainty == locks::Certainty::kCertain}});
  }
  json::array failures;
  for (const locks::Failure& failure : said->failures) failures.emplace_back(failure.detail);
  return json::object{
      {"locks", std::move(locks)}, {"works", std::move(works)}, {"failures", std::move(failures)}};
}

json::object StatementJson(const TraceReport& report, const sql::LineIndex& lines,
                           const Traced& traced) {
  json::value error = nullptr;
  if (traced.end == trace::End::kFailed)
    error = json::object{{"sqlstate", traced.seen.sqlstate}, {"message", traced.seen.message}};
  json::value why = nullptr;
  if (traced.end == trace::End::kNotRun) why = json::value(traced.why);
  json::array findings;
  for (const lint::Finding* finding : FindingsOn(report, traced))
    findings.emplace_back(json::object{{"rule", finding->rule},
                                       {"severity", std::string(lint::Name(finding->severity))},
                                       {"message", finding->message}});
  const int line = lines.At(traced.span.begin).line;
  json::value planned = nullptr;
  if (const plan::Statement* said = PlanOf(report, traced, line))
    planned =
        json::object{{"answer", std::string(plan::Name(said->answer))}, {"recipe", said->recipe}};
  json::value scanned = nullptr;
  if (traced.seen.scans_seen) scanned = Strings(traced.seen.scanned);
  return {{"line", line},
          {"sql", traced.sql},
          {"transaction", std::string(Word(traced.place))},
          {"end", std::string(Word(traced.end))},
          {"why", std::move(why)},
          {"error", std::move(error)},
          {"seconds", traced.seconds},
          {"locks", SeenLocks(traced.seen)},
          {"all_locks_seen", traced.seen.all_locks_seen},
          {"rewritten", Strings(traced.seen.rewritten)},
          {"scanned", std::move(scanned)},
          {"predicted", SaidJson(traced.said)},
          {"findings", std::move(findings)},
          {"plan", std::move(planned)},
          {"differences", Strings(traced.differences)}};
}

}  // namespace

std::string TraceText(const TraceReport& report, Color color) {
  return TextReport(report, color).Run();
}

json::object TraceJson(const TraceReport& report) {
  const sql::LineIndex lines(report.text);
  json::array statements;
  std::size_t differences = 0;
  for (const Traced& traced : report.statements) {
    statements.emplace_back(StatementJson(report, lines, traced));
    differences += traced.differences.size();
  }
  json::array rows;
  for (const trace::Filled& filled : report.filled) {
    json::value problem = nullptr;
    if (!filled.problem.empty()) problem = json::value(filled.problem);
    rows.emplace_back(json::object{
        {"table", filled.table}, {"rows", filled.rows}, {"problem", std::move(problem)}});
  }
  const auto failed = std::ranges::count(report.statements, trace::End::kFailed, &Traced::end);
  return {{"version", 1},
          {"file", report.file},
          {"server_version", report.server},
          {"remarks", Strings(report.remarks)},
          {"rows", std::move(rows)},
          {"statements", std::move(statements)},
          {"summary",
           {{"statements", report.statements.size()},
            {"failed", failed},
            {"differences", differences}}}};
}

ExitCode TraceExit(const TraceReport& report) {
  ExitCode code = ExitCode::kDone;
  for (const Traced& traced : report.statements) {
    if (traced.end == trace::End::kFailed) return ExitCode::kError;
    if (!traced.differences.empty()) code = ExitCode::kPending;
  }
  return code;
}

}  // namespace pgalter::cli
