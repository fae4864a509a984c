#include "cli/evidence/page.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <vector>

#include "cli/evidence/html.h"
#include "cli/evidence/profile.h"
#include "cli/human.h"

namespace pgalter::cli::evidence {

namespace json = boost::json;

namespace {

std::string Seconds(const json::value& from, const char* key) {
  const json::value& value = from.at(key);
  return value.is_null() ? "-" : HumanSeconds(value.to_number<double>());
}

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

// Of a long watch some looks, the first and the last among them; report.json has all.
void Observations(Html& html, const json::value& all, const json::value& run) {
  html.Heading(3, "Watched afterwards");
  if (all.is_null())
    return html.None("This database's schema pgalter is older than this, and keeps nothing of it.");
  std::vector<const json::value*> looks;
  for (const json::value& look : all.as_array())
    if (look.at("run") == run.at("run")) looks.push_back(&look);
  if (looks.empty()) return html.None("Nobody has: pgalter watch RUN --for 1h.");
  constexpr std::size_t kShown = 60;
  const std::size_t every = (looks.size() + kShown - 1) / kShown;
  html.Paragraph(fmt::format("{} looks, of which every {} is shown.", looks.size(),
                             every == 1 ? "one" : fmt::format("{}th", every)));
  html.TableHead({"at", "by", "state", "wait for its tables", "longest, s", "lag, s", "rollbacks",
                  "deadlocks", "indexes that cannot be used"});
  for (std::size_t i = 0; i < looks.size(); ++i) {
    if (i % every != 0 && i + 1 != looks.size()) continue;
    const json::value& facts = looks[i]->at("facts");
    html.Row({Text(*looks[i], "at"), Text(*looks[i], "by"), Text(facts, "state"),
              Text(facts, "waiting"), Text(facts, "longest_wait_s"), Text(facts, "lag_s"),
              Text(facts, "rollbacks"), Text(facts, "deadlocks"),
              facts.at("invalid_indexes").as_array().empty()
                  ? "none"
                  : json::serialize(facts.at("invalid_indexes"))});
  }
  html.TableEnd();
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

std::string Gates(const json::value& run) {
  std::string names;
  for (const json::value& name : run.at("gates_passed").as_array())
    names += (names.empty() ? "" : ", ") + std::string(name.as_string());
  return names.empty() ? "none that was named" : names;
}

void RunSection(Html& html, const Gathered& gathered, const json::value& run) {
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
              {"gates passed", Gates(run)}});
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
  Observations(html, gathered.report.at("observations"), run);
  Steps(html, gathered.plans, run);
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

// What the file's header says, and its change record.
void HeaderTable(Html& html, const json::value& row) {
  const json::value& header = row.at("header");
  if (!header.is_object() || header.as_object().empty()) return html.None("It has no header.");
  html.TableHead({"header", "says"});
  for (const auto& [key, value] : header.as_object())
    html.Row({std::string(key), value.is_string() ? std::string(value.as_string()) : "-"});
  html.TableEnd();
}

// Of the file as it was run, where --dir has it.
void FileText(Html& html, const Gathered& gathered, const json::value& row) {
  const json::value& texts = gathered.report.at("texts");
  if (texts.is_null()) return;
  for (const json::value& text : texts.as_array()) {
    if (text.at("version") != row.at("version")) continue;
    if (text.at("copy").is_null())
      return html.None("Its text is not here: " + Text(text, "why") + ".");
    for (const TextCopy& copy : gathered.copies)
      if (copy.name == Text(text, "copy")) html.Code(copy.text);
  }
}

void Migrations(Html& html, const Gathered& gathered) {
  const json::object& report = gathered.report;
  const json::array* rows =
      Section(html, report, "migrations", "Migrations, as the history has them",
              "None is applied that this report is about.");
  if (rows == nullptr) return;
  html.Paragraph(
      report.at("texts").is_null()
          ? "The history keeps names and checksums of the files, not their text: report --dir "
            "copies "
            "those that have the same checksum."
          : "The text of a file is that of the directory, where its checksum is the history's.");
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
                {"ended", Text(row, "ended_at")}});
    HeaderTable(html, row);
    FileText(html, gathered, row);
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

void Partitions(Html& html, const json::object& report) {
  const json::array* rows = Section(html, report, "partitions", "Partitions that were held or went",
                                    "None was held, released, detached, exported or dropped.");
  if (rows == nullptr) return;
  html.TableHead({"at", "by", "what", "partition", "reason, or file", "SHA-256", "rows", "run"});
  for (const json::value& row : *rows)
    html.Row({Text(row, "at"), Text(row, "by"), Text(row, "event"), Text(row, "partition"),
              Text(row, row.at("file").is_null() ? "reason" : "file"), Text(row, "sha256"),
              Text(row, "rows"), Text(row, "run")});
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
        "It has no entry of this: it tells of migrations, policies, runs and partitions, of the "
        "latter two since schema pgalter has version 17.");
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
  if (const auto* profile = report.if_contains("profile"); profile && !profile->is_null())
    ProfileSection(html, *profile);
  Migrations(html, gathered);
  Requests(html, report);
  Exemptions(html, report);
  Attested(html, report);
  Verification(html, report);
  Partitions(html, report);
  AuditLog(html, gathered);
  for (const json::value& run : report.at("runs").as_array()) RunSection(html, gathered, run);
  if (report.at("runs").as_array().empty()) {
    html.Heading(2, "Runs");
    html.None("No run was at work.");
  }
  html.Raw("</body></html>\n");
  return html.Take();
}

}  // namespace pgalter::cli::evidence
