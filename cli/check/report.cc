#include "cli/check/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>

#include "cli/table.h"

namespace pgalter::cli {

namespace json = boost::json;

namespace {

using check::Entry;
using check::Severity;

std::int64_t Count(const CheckReport& report, Severity severity) {
  return std::ranges::count_if(
      report.entries, [severity](const Entry& entry) { return entry.answer.severity == severity; });
}

std::string Counted(std::int64_t count, std::string_view what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

std::string_view Paint(Severity severity) {
  switch (severity) {
    case Severity::kBlocker:
      return "\x1b[1;31m";
    case Severity::kWarning:
      return "\x1b[33m";
    case Severity::kNote:
      return "\x1b[36m";
    case Severity::kOk:
      break;
  }
  return "\x1b[32m";
}

std::string Badge(Severity severity, Color color) {
  const std::string word = fmt::format("{:<8}", check::Name(severity));
  if (color == Color::kNo) return word;
  return fmt::format("{}{}\x1b[0m", Paint(severity), word);
}

json::value TextOrNull(const std::string& text) {
  return text.empty() ? json::value(nullptr) : json::value(text);
}

json::array TablesJson(const check::Target& target) {
  json::array tables;
  for (const check::TargetTable& table : target.tables) {
    json::value lock = nullptr;
    if (table.wanted.lock) lock = json::value(std::string(locks::Name(*table.wanted.lock)));
    tables.push_back(json::object{{"table", table.name},
                                  {"bytes", table.bytes},
                                  {"lock", std::move(lock)},
                                  {"table_rewrite", table.wanted.rewritten},
                                  {"table_scan", table.wanted.scanned}});
  }
  return tables;
}

}  // namespace

std::string CheckText(const CheckReport& report, Color color) {
  std::string text = Printable(fmt::format("PostgreSQL {}, database {}, role {}", report.server,
                                           report.database, report.role)) +
                     "\n\n";
  std::size_t width = 0;
  for (const Entry& entry : report.entries) width = std::max(width, entry.check->id.size());
  const std::string indent(8 + 1 + width + 2, ' ');
  for (const Entry& entry : report.entries) {
    const check::Answer& answer = entry.answer;
    text += fmt::format("{} {:<{}}  {}\n", Badge(answer.severity, color), entry.check->id, width,
                        Printable(answer.what));
    if (!answer.meaning.empty()) text += indent + Printable(answer.meaning) + "\n";
    if (!answer.remedy.empty()) text += indent + "do: " + Printable(answer.remedy) + "\n";
  }
  for (const std::string& remark : report.remarks) text += "\n" + Printable(remark) + "\n";
  text +=
      fmt::format("\n{}, {}, {}, {} ok\n", Counted(Count(report, Severity::kBlocker), "blocker"),
                  Counted(Count(report, Severity::kWarning), "warning"),
                  Counted(Count(report, Severity::kNote), "note"), Count(report, Severity::kOk));
  return text;
}

json::object CheckJson(const CheckReport& report) {
  json::array checks;
  for (const Entry& entry : report.entries)
    checks.push_back(json::object{{"check", std::string(entry.check->id)},
                                  {"severity", std::string(check::Name(entry.answer.severity))},
                                  {"what", entry.answer.what},
                                  {"meaning", TextOrNull(entry.answer.meaning)},
                                  {"remedy", TextOrNull(entry.answer.remedy)}});
  return {{"version", 1},
          {"server_version", report.server},
          {"database", report.database},
          {"role", report.role},
          {"tables", TablesJson(report.target)},
          {"remarks", json::array(report.remarks.begin(), report.remarks.end())},
          {"checks", std::move(checks)},
          {"summary",
           {{"blockers", Count(report, Severity::kBlocker)},
            {"warnings", Count(report, Severity::kWarning)},
            {"notes", Count(report, Severity::kNote)},
            {"ok", Count(report, Severity::kOk)}}}};
}

ExitCode CheckExit(const CheckReport& report, Severity fail_on) {
  ExitCode code = ExitCode::kDone;
  for (const Entry& entry : report.entries) {
    if (entry.answer.severity == Severity::kBlocker) {
      if (entry.answer.cause == check::Cause::kRightOrServer) return ExitCode::kUnsupported;
      code = ExitCode::kRefused;
    } else if (entry.answer.severity >= fail_on && code == ExitCode::kDone) {
      code = ExitCode::kPending;
    }
  }
  return code;
}

}  // namespace pgalter::cli
