#include "cli/evidence/page.h"

#include <fmt/format.h>

#include <array>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <initializer_list>
#include <vector>

#include "cli/human.h"

namespace pgalter::cli::evidence {

namespace json = boost::json;

namespace {

constexpr std::string_view kHead = R"html(<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>pgalter report</title>
<style>
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 64rem; padding: 1rem; background: #fff; color: #1b1f24;
  font: .95rem/1.45 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: .5rem 0; }
h2 { font-size: 1.2rem; margin: 2rem 0 .5rem; border-bottom: 1px solid #8c959f; }
h3 { font-size: 1rem; margin: 1.25rem 0 .4rem; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; vertical-align: top; padding: .25rem .6rem .25rem 0;
  border-bottom: 1px solid #d0d7de; overflow-wrap: anywhere; }
th { color: #57606a; font-weight: 600; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; margin: .5rem 0; }
dt { color: #57606a; }
dd { margin: 0; overflow-wrap: anywhere; }
pre { margin: .3rem 0; padding: .5rem; background: #f6f8fa; border: 1px solid #d0d7de;
  white-space: pre-wrap; overflow-wrap: anywhere; font: .85rem/1.4 ui-monospace, monospace; }
code { font-family: ui-monospace, monospace; font-size: .85rem; }
.none { color: #57606a; font-style: italic; }
.bad { color: #a40e26; font-weight: 600; }
@page { margin: 18mm 15mm; }
@media print {
  body { max-width: none; padding: 0; font-size: 9.5pt; }
  h2, h3 { break-after: avoid; }
  thead { display: table-header-group; }
  tr, dl { break-inside: avoid; }
  section.run { break-before: page; }
  pre { background: none; }
}
</style></head><body>
)html";

// A member as people read it; "-" for what is not there.
std::string Text(const json::value& from, const char* key) {
  const json::value* value = from.as_object().if_contains(key);
  if (value == nullptr || value->is_null()) return "-";
  if (value->is_string()) return value->as_string().empty() ? "-" : value->as_string().c_str();
  if (value->is_bool()) return value->as_bool() ? "yes" : "no";
  return json::serialize(*value);
}

std::string Seconds(const json::value& from, const char* key) {
  const json::value& value = from.at(key);
  return value.is_null() ? "-" : HumanSeconds(value.to_number<double>());
}

class Html {
 public:
  void Heading(int level, std::string_view text) {
    page_ += fmt::format("<h{0}>{1}</h{0}>\n", level, Escaped(text));
  }
  void None(std::string_view text) {
    page_ += fmt::format("<p class=\"none\">{}</p>\n", Escaped(text));
  }
  void Bad(std::string_view text) {
    page_ += fmt::format("<p class=\"bad\">{}</p>\n", Escaped(text));
  }
  void Paragraph(std::string_view text) { page_ += fmt::format("<p>{}</p>\n", Escaped(text)); }
  void Code(std::string_view text) { page_ += fmt::format("<pre>{}</pre>\n", Escaped(text)); }
  void Raw(std::string_view html) { page_ += html; }

  void Facts(std::initializer_list<std::array<std::string, 2>> facts) {
    page_ += "<dl>";
    for (const auto& [name, value] : facts)
      page_ += fmt::format("<dt>{}</dt><dd>{}</dd>", Escaped(name), Escaped(value));
    page_ += "</dl>\n";
  }
  void TableHead(std::initializer_list<std::string_view> names) {
    page_ += "<table><thead><tr>";
    for (const std::string_view name : names) page_ += fmt::format("<th>{}</th>", Escaped(name));
    page_ += "</tr></thead><tbody>\n";
  }
  void Row(std::initializer_list<std::string> cells) {
    page_ += "<tr>";
    for (const std::string& cell : cells) page_ += fmt::format("<td>{}</td>", Escaped(cell));
    page_ += "</tr>\n";
  }
  void TableEnd() { page_ += "</tbody></table>\n"; }

  std::string Take() { return std::move(page_); }

 private:
  std::string page_ = std::string(kHead);
};

void Timeline(Html& html, const json::value& run) {
  html.Heading(3, "Timeline of the steps");
  const json::array& steps = run.at("steps").as_array();
  if (steps.empty()) return html.None("No steps are stored: this kind of run has one work alone.");
  html.TableHead({"step", "kind", "phase", "began", "ended", "took", "outcome"});
  for (const json::value& step : steps)
    html.Row({Text(step, "id"), Text(step, "kind"), Text(step, "phase"), Text(step, "started_at"),
              Text(step, "ended_at"), Seconds(step, "duration_s"), Text(step, "state")});
  html.TableEnd();
}

void Waits(Html& html, const json::value& run) {
  html.Heading(3, "Locks and waits");
  if (!run.at("blocked_s").is_null())
    html.Paragraph(fmt::format("Users waited {} behind the swap of the tables.",
                               HumanSeconds(run.at("blocked_s").to_number<double>())));
  const json::array& slowed = run.at("slowed").as_array();
  if (!slowed.empty()) {
    html.TableHead({"what slowed the run", "from", "to", "samples", "lowest share of work"});
    for (const json::value& one : slowed)
      html.Row({Text(one, "reason"), Text(one, "from"), Text(one, "to"), Text(one, "samples"),
                Text(one, "lowest_ratio")});
    html.TableEnd();
  }
  if (slowed.empty() && run.at("blocked_s").is_null())
    html.None(
        fmt::format("None are stored: {} samples of the pace were taken, none of them slowed, "
                    "and no time of blocking. Which locks each step asks for is in its plan; "
                    "how long a step waited for one is part of the time it took.",
                    Text(run, "samples")));
}

void Steps(Html& html, const json::array& plans, const json::value& run) {
  html.Heading(3, "Plan, as stored with the run");
  const json::array* steps = nullptr;
  for (const json::value& plan : plans)
    if (plan.at("run") == run.at("run")) steps = &plan.at("steps").as_array();
  if (steps == nullptr || steps->empty()) return html.None("No plan is stored with this run.");
  for (const json::value& step : *steps) {
    html.Heading(
        3, fmt::format("{} ({}, {})", Text(step, "id"), Text(step, "kind"), Text(step, "phase")));
    if (const std::string why = Text(step, "explain"); why != "-") html.Paragraph(why);
    std::string locks;
    if (const auto* known = step.as_object().if_contains("locks"))
      for (const json::value& lock : known->as_array())
        locks += fmt::format("{}{} on {}", locks.empty() ? "" : ", ", Text(lock, "mode"),
                             Text(lock, "relation"));
    if (!locks.empty()) html.Paragraph("Locks: " + locks);
    for (const json::value& sql : step.at("sql").as_array()) html.Code(sql.as_string().c_str());
    for (const json::value& sql : step.at("undo").as_array())
      html.Code(fmt::format("taken back by: {}", sql.as_string().c_str()));
  }
}

void RunSection(Html& html, const json::array& plans, const json::value& run) {
  html.Raw("<section class=\"run\">\n");
  html.Heading(2, "Run " + Text(run, "run"));
  html.Facts({{"command", Text(run, "command")},
              {"table", Text(run, "table")},
              {"outcome", Text(run, "state")},
              {"by", Text(run, "by")},
              {"runner's host", Text(run, "runner")},
              {"began", Text(run, "started_at")},
              {"began in the WAL at", Text(run, "made_lsn")},
              {"ended", Text(run, "ended_at")},
              {"took", Seconds(run, "duration_s")},
              {"rows done", Text(run, "done_rows")},
              {"gates passed", Text(run, "gates_passed")}});
  if (run.at("failed").as_bool())
    html.Bad(
        "It has met an error. The text, which can quote values of rows, is not copied: pgalter "
        "status shows it.");
  Timeline(html, run);
  Waits(html, run);
  const json::array& quarantined = run.at("quarantined").as_array();
  if (!quarantined.empty()) {
    html.Heading(3, "Rows that could not be changed");
    html.TableHead({"table", "SQLSTATE", "rows"});
    for (const json::value& one : quarantined)
      html.Row({Text(one, "table"), Text(one, "sqlstate"), Text(one, "rows")});
    html.TableEnd();
  }
  Steps(html, plans, run);
  html.Raw("</section>\n");
}

// Says so where the section has nothing to show.
const json::array* Section(Html& html, const json::object& report, const char* key,
                           std::string_view title, std::string_view none) {
  html.Heading(2, title);
  const json::value& rows = report.at(key);
  if (rows.is_null()) {
    html.None("This database's schema pgalter is older than this, and keeps nothing of it.");
    return nullptr;
  }
  if (!rows.as_array().empty()) return &rows.as_array();
  html.None(none);
  return nullptr;
}

void Migrations(Html& html, const json::object& report) {
  const json::array* rows =
      Section(html, report, "migrations", "Migrations, as the history has them",
              "None is applied that this report is about.");
  if (rows == nullptr) return;
  html.Paragraph("The history keeps names and checksums of the files, not their text.");
  for (const json::value& row : *rows) {
    html.Heading(3, Text(row, "version") + " " + Text(row, "title"));
    html.Facts({{"file", Text(row, "file")},
                {"format", Text(row, "format")},
                {"SHA-256 of the file", Text(row, "bytes_sha256")},
                {"of its text", Text(row, "text_sha256")},
                {"of its statements", Text(row, "statements_sha256")},
                {"state", Text(row, "state")},
                {"run", Text(row, "run")},
                {"run that takes it back", Text(row, "down_run")},
                {"by", Text(row, "by")},
                {"began", Text(row, "started_at")},
                {"ended", Text(row, "ended_at")},
                {"header", Text(row, "header")}});
  }
}

std::string Verified(const json::value& row) {
  if (!row.at("has_verify").as_bool()) return "the file has nothing that verifies it";
  const std::string state = Text(row, "state");
  if (state == "applied") return "held";
  if (state == "unverified") return "not verified yet, or it did not hold";
  return "not told in state " + state;
}

void Verification(Html& html, const json::object& report) {
  html.Heading(2, "Verification");
  if (report.at("migrations").is_null() || report.at("migrations").as_array().empty())
    return html.None("No result of a verification is stored.");
  html.TableHead({"migration", "what verifies it"});
  for (const json::value& row : report.at("migrations").as_array())
    html.Row({Text(row, "version"), Verified(row)});
  html.TableEnd();
}

void Requests(Html& html, const json::object& report) {
  const json::array* rows =
      Section(html, report, "requests", "Requests and approvals", "Nobody has asked for any.");
  if (rows == nullptr) return;
  for (const json::value& row : *rows) {
    html.Heading(3, fmt::format("Request {}: {} {}", Text(row, "request"), Text(row, "version"),
                                Text(row, "direction")));
    html.Facts({{"by", Text(row, "by")},
                {"at", Text(row, "at")},
                {"author of the file", Text(row, "author")},
                {"reason", Text(row, "reason")},
                {"state", Text(row, "state")},
                {"used by run", Text(row, "run")},
                {"SHA-256 of the plan", Text(row, "plan_sha256")},
                {"SHA-256 of the file's text", Text(row, "text_sha256")}});
    const json::array& approvals = row.at("approvals").as_array();
    if (approvals.empty()) html.None("It has no approval.");
    if (!approvals.empty()) {
      html.TableHead({"approved as", "by", "name", "at", "reason"});
      for (const json::value& one : approvals)
        html.Row({Text(one, "meaning"), Text(one, "by"), Text(one, "name"), Text(one, "at"),
                  Text(one, "reason")});
      html.TableEnd();
    }
    html.Code(Text(row, "plan"));
  }
}

void Exemptions(Html& html, const json::object& report) {
  const json::array* rows = Section(html, report, "exemptions", "Begun in spite of the policy",
                                    "Nothing was: nobody has broken the glass.");
  if (rows == nullptr) return;
  html.TableHead({"migration", "lacked", "reason", "by", "at", "reviewed by", "review"});
  for (const json::value& row : *rows)
    html.Row({Text(row, "version") + " " + Text(row, "direction"), Text(row, "lacked"),
              Text(row, "reason"), Text(row, "by"), Text(row, "at"), Text(row, "reviewed_by"),
              Text(row, "review")});
  html.TableEnd();
}

void Attested(Html& html, const json::object& report) {
  const bool of_run = !report.at("about").at("run").is_null();
  const json::array* rows = Section(html, report, "attested", "Evidence that was attested",
                                    of_run ? "None was, before the run began." : "None was.");
  if (rows == nullptr) return;
  html.Paragraph(
      of_run ? "The newest of each kind when the run began; what is in a file is not judged."
             : "What is in a file is not judged.");
  html.TableHead({"kind", "file", "SHA-256", "by", "at", "note"});
  for (const json::value& row : *rows)
    html.Row({Text(row, "kind"), Text(row, "file"), Text(row, "sha256"), Text(row, "by"),
              Text(row, "at"), Text(row, "note")});
  html.TableEnd();
}

void AuditLog(Html& html, const Gathered& gathered) {
  html.Heading(2, "Audit log");
  const json::value& audit = gathered.report.at("audit");
  if (!audit.at("there").as_bool()) return html.None("This database has no audit log.");
  html.Facts({{"the log ends with", Text(audit, "anchor")},
              {"entries in all", Text(audit, "of")},
              {"copied", Text(audit, "entries")},
              {"they follow", Text(audit, "after")}});
  if (gathered.broken) {
    html.Bad("The log is not as it was written: " + gathered.broken->what);
  } else {
    html.Paragraph(
        "The whole log was recomputed when this report was made: each entry is as it was "
        "written.");
  }
  if (gathered.entries.empty())
    return html.None(
        "It has no entry of this. Only migrations and what the policy asks for are "
        "written there.");
  html.Paragraph(
      "To check the copy, without a database: pgalter audit verify audit.jsonl. It goes "
      "on to the end of the log, with entries of others, as a chain has no holes.");
  html.TableHead({"entry", "at", "who", "what", "of", "hash"});
  for (const history::AuditEntry& entry : gathered.entries)
    html.Row({std::to_string(entry.seq), entry.at,
              entry.os_user ? fmt::format("{} ({})", entry.db_user, *entry.os_user) : entry.db_user,
              entry.event, entry.subject, entry.hash.substr(0, 16) + "…"});
  html.TableEnd();
}

}  // namespace

std::string Escaped(std::string_view text) {
  std::string html;
  for (const char c : text) {
    switch (c) {
      case '&':
        html += "&amp;";
        break;
      case '<':
        html += "&lt;";
        break;
      case '>':
        html += "&gt;";
        break;
      case '"':
        html += "&quot;";
        break;
      case '\'':
        html += "&#39;";
        break;
      default:
        const bool control = static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
        if (control && c != '\n' && c != '\t') {
          html += "\uFFFD";
        } else {
          html += c;
        }
    }
  }
  return html;
}

std::string Page(const Gathered& gathered) {
  const json::object& report = gathered.report;
  Html html;
  const json::value& made = report.at("made");
  const json::value& about = report.at("about");
  html.Heading(1, about.at("run").is_null() ? "Changes since " + Text(about, "since")
                                            : "Run " + Text(about, "run"));
  html.Facts({{"database", Text(made, "database")},
              {"server", "PostgreSQL " + Text(made, "server_version")},
              {"made", Text(made, "at")},
              {"by", Text(made, "by")},
              {"with", "pgalter " + Text(made, "pgalter")},
              {"runs", std::to_string(report.at("runs").as_array().size())}});
  html.Paragraph(
      "Times are UTC. Values of rows, texts of errors and connection strings are not in "
      "this report. SHA256SUMS has the checksums of its files: sha256sum -c SHA256SUMS.");
  Migrations(html, report);
  Requests(html, report);
  Exemptions(html, report);
  Attested(html, report);
  Verification(html, report);
  AuditLog(html, gathered);
  for (const json::value& run : report.at("runs").as_array()) RunSection(html, gathered.plans, run);
  if (report.at("runs").as_array().empty()) {
    html.Heading(2, "Runs");
    html.None("No run was at work.");
  }
  html.Raw("</body></html>\n");
  return html.Take();
}

}  // namespace pgalter::cli::evidence
