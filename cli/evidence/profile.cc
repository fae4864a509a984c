#include "cli/evidence/profile.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <set>
#include <span>

namespace pgalter::cli::evidence {

namespace json = boost::json;

namespace {

constexpr const char* kShown = "shown";
constexpr const char* kMissing = "missing";
constexpr const char* kAttest = "attest";

// Headings of the page.
constexpr const char* kManifest = "Signature manifest";  // where the profile has one
constexpr const char* kApprovals = "Requests and approvals";

struct Answer {
  const char* is = kAttest;
  std::string what;
  const char* where = "";  // a heading of the page
};

using Report = json::object;

const json::array& Rows(const Report& report, const char* key) {
  static const json::array kNone;
  const auto* rows = report.if_contains(key);
  return rows != nullptr && rows->is_array() ? rows->get_array() : kNone;
}

json::array Approvals(const Report& report) {
  json::array all;
  for (const json::value& request : Rows(report, "requests"))
    for (const json::value& one : request.at("approvals").as_array()) all.push_back(one);
  return all;
}

Answer Attest(std::string what) { return {kAttest, std::move(what), ""}; }

// ---- what the report can show; each names where

Answer Log(const Report& report) {
  const json::value& audit = report.at("audit");
  if (!audit.at("there").as_bool())
    return {kMissing, "this database has no audit log", "Audit log"};
  if (!audit.at("whole").as_bool())
    return {kMissing, "the audit log is not as it was written: " + Text(audit, "what"),
            "Audit log"};
  return {kShown,
          fmt::format("{} entries, {} of them copied, each holding the hash of the one before; "
                      "all recomputed when the report was made, and none was changed",
                      Text(audit, "of"), Text(audit, "entries")),
          "Audit log"};
}

Answer Who(const Report& report) {
  std::set<std::string> names;
  const auto take = [&](const json::value& row) {
    if (const std::string name = Text(row, "by"); name != "-") names.insert(name);
  };
  for (const char* key : {"runs", "migrations", "requests"})
    for (const json::value& row : Rows(report, key)) take(row);
  for (const json::value& row : Approvals(report)) take(row);
  if (names.empty()) return {kMissing, "nobody did anything that this report is about", ""};
  return {kShown, fmt::format("roles of the database: {}", fmt::join(names, ", ")), "Audit log"};
}

Answer Consent(const Report& report) {
  const std::size_t approvals = Approvals(report).size();
  if (approvals == 0)
    return {kMissing, "no approval is stored of what this report is about", kApprovals};
  return {kShown,
          fmt::format("{} requests with {} approvals", Rows(report, "requests").size(), approvals),
          kApprovals};
}

Answer Signatures(const Report& report) {
  const json::array approvals = Approvals(report);
  if (approvals.empty()) return {kMissing, "nothing was signed", kApprovals};
  const bool named = std::ranges::all_of(
      approvals, [](const json::value& one) { return Text(one, "name") != "-"; });
  if (!named) return {kMissing, "an approval has no printed name (approve --name)", kManifest};
  return {kShown, "each with printed name, time and meaning", kManifest};
}

Answer Bound(const Report& report) {
  if (Approvals(report).empty()) return {kMissing, "nothing was signed", kApprovals};
  return {kShown,
          "an approval is for one plan, by its SHA-256, which the database computes again when the "
          "run begins; it is in the log's chain of hashes",
          kManifest};
}

Answer Sequence(const Report& report) {
  const auto& runs = Rows(report, "runs");
  if (runs.empty()) return {kMissing, "no run is in this report", ""};
  return {kShown, "of each run: every step with beginning, end and outcome, and the gates passed",
          ""};
}

Answer Revisions(const Report& report) {
  const auto& rows = Rows(report, "migrations");
  if (rows.empty()) return {kMissing, "no migration is in this report", ""};
  return {kShown, fmt::format("{} files with their SHA-256", rows.size()),
          "Migrations, as the history has them"};
}

Answer Records(const Report& report) {
  std::vector<std::string> lacking;
  for (const json::value& row : Rows(report, "migrations")) {
    const auto* header = row.as_object().if_contains("header");
    const bool has =
        header != nullptr && header->is_object() && header->as_object().contains("change");
    if (!has) lacking.push_back(Text(row, "version"));
  }
  if (!lacking.empty())
    return {kMissing,
            fmt::format("without a change record (pgalter change): {}", fmt::join(lacking, ", ")),
            "Migrations, as the history has them"};
  if (Rows(report, "migrations").empty()) return {kMissing, "no migration is in this report", ""};
  return {kShown, "each migration names its change record, with what it says",
          "Migrations, as the history has them"};
}

Answer Checked(const Report& report) {
  std::vector<std::string> open;
  for (const json::value& row : Rows(report, "migrations"))
    if (!row.at("has_verify").as_bool() || Text(row, "state") != "applied")
      open.push_back(Text(row, "version"));
  if (!open.empty())
    return {kMissing, fmt::format("not shown to hold: {}", fmt::join(open, ", ")), "Verification"};
  if (Rows(report, "migrations").empty()) return {kMissing, "no migration is in this report", ""};
  return {kShown, "what verifies each migration held after it was applied", "Verification"};
}

Answer RowCounts(const Report& report) {
  std::size_t left = 0;
  for (const json::value& run : Rows(report, "runs"))
    left += run.at("quarantined").as_array().size();
  if (Rows(report, "runs").empty()) return {kMissing, "no run is in this report", ""};
  if (left > 0) return {kMissing, "rows were left out that could not be changed: see each run", ""};
  return {kShown, "of each run: the rows that it has done; none was left out", ""};
}

Answer Exempted(const Report& report) {
  const char* where = "Begun in spite of the policy";
  if (report.at("exemptions").is_null())
    return {kMissing, "this database's schema pgalter keeps nothing of it", where};
  const auto& rows = Rows(report, "exemptions");
  const auto open = std::ranges::count_if(
      rows, [](const json::value& row) { return row.at("reviewed_at").is_null(); });
  if (open > 0)
    return {kMissing, fmt::format("{} begun in spite of the policy, and not reviewed yet", open),
            where};
  if (rows.empty()) return {kShown, "nothing was begun in spite of a policy", where};
  return {kShown, fmt::format("{} begun in spite of the policy, each reviewed", rows.size()),
          where};
}

Answer Backup(const Report& report) {
  for (const json::value& row : Rows(report, "attested"))
    if (Text(row, "kind") == "backup")
      return {kShown,
              fmt::format("{} of {}, attested by {}", Text(row, "file"), Text(row, "at"),
                          Text(row, "by")),
              "Evidence that was attested"};
  return {kMissing, "no backup was attested (pgalter attest --kind backup)",
          "Evidence that was attested"};
}

Answer Values(const Report& report) {
  return {kShown,
          fmt::format("this report has no values of rows and no texts of errors; {} statements "
                      "that could hold a secret are left out",
                      Text(json::value(report), "hidden")),
          ""};
}

Answer Copies(const Report&) {
  return {kShown, "report.html for people, report.json and audit.jsonl for programs, SHA256SUMS",
          ""};
}

Answer Program(const Report& report) {
  const json::value& made = report.at("made");
  return {kAttest,
          fmt::format("pgalter {} on PostgreSQL {}: your own validation of both",
                      Text(made, "pgalter"), Text(made, "server_version")),
          ""};
}

struct Question {
  const char* clause;
  const char* asks;
  Answer (*answer)(const Report& report);  // nullptr: for people
  const char* attest = "";
};

constexpr std::array kPart11{
    Question{"11.10(a)", "The system is validated", &Program},
    Question{"11.10(a)", "Altered records are discerned", &Log},
    Question{"11.10(b)", "Copies for people and for programs", &Copies},
    Question{"11.10(c)", "Records are kept and found for as long as they have to be", nullptr,
             "where this report is kept, and for how long"},
    Question{"11.10(d)", "Only those who may have access", &Who},
    Question{"11.10(d)", "Rights are given and taken by a procedure", nullptr,
             "who gives rights to these roles, and when that was last looked at"},
    Question{"11.10(e)", "A trail made by the computer: who, what, when", &Log},
    Question{"11.10(f)", "Steps go in the order that is permitted", &Sequence},
    Question{"11.10(g)", "Only those who may sign, and may do it", &Consent},
    Question{"11.10(g)", "What went past that was reviewed", &Exempted},
    Question{"11.10(i)", "Those who did it are trained", nullptr, "their training"},
    Question{"11.10(j)", "They are held to what they sign", nullptr, "the written policy"},
    Question{"11.10(k)", "Documents have revisions", &Revisions},
    Question{"11.10(k)", "Each change is described", &Records},
    Question{"11.50", "A signature shows name, time and meaning", &Signatures},
    Question{"11.70", "A signature is bound to its record", &Bound},
    Question{"11.100", "A signature is of one person", nullptr,
             "that each role that signed is one person's, whose identity was verified"},
    Question{"11.200", "Two components, used by their owner", nullptr,
             "how these roles log in to the database"},
    Question{"11.300", "Passwords are unique, aged and revoked", nullptr,
             "how that is done where they are kept"},
};

constexpr std::array kHipaa{
    Question{"164.312(a)", "Access control: unique users", &Who},
    Question{"164.312(a)", "Access only as far as the role needs it", nullptr,
             "the rights of these roles on tables with health data"},
    Question{"164.312(b)", "Audit controls", &Log},
    Question{"164.312(c)", "Integrity: what was run is what was agreed to", &Bound},
    Question{"164.312(c)", "Integrity: the data is what it should be", &Checked},
    Question{"164.312(c)", "Integrity: no row was left out", &RowCounts},
    Question{"164.312(d)", "Whoever acts is who they say", nullptr,
             "how these roles log in to the database"},
    Question{"164.312(e)", "Transmission is secured", nullptr,
             "that connections are encrypted ([policy] require_tls refuses others)"},
    Question{"164.502(b)", "Minimum necessary: what this report shows", &Values},
    Question{"164.502(b)", "Minimum necessary: who reads it", nullptr,
             "to whom it is given, and why"},
    Question{"164.308(a)(1)", "What the change means was assessed", &Records},
    Question{"164.308(a)(1)(ii)(D)", "What went past the policy was reviewed", &Exempted},
    Question{"164.308(a)(4)", "Changes are authorised", &Consent},
    Question{"164.308(a)(7)", "There is a backup", &Backup},
    Question{"164.308(a)(7)", "Restoring it was tried", nullptr,
             "when, and with what outcome (pgalter backup verify)"},
    Question{"164.316(b)", "Documentation is kept for six years", nullptr,
             "where this report is kept"},
};

constexpr std::array kGobd{
    Question{"Verfahrensdokumentation", "What was done, step by step", &Sequence},
    Question{"Verfahrensdokumentation", "The procedure is described, in the version that held",
             nullptr, "which version of the Verfahrensdokumentation this change falls under"},
    Question{"Nachvollziehbarkeit", "Who did what, and when", &Who},
    Question{"Nachvollziehbarkeit", "What the change is, and why", &Records},
    Question{"Unveränderbarkeit", "What was written down is as it was written", &Log},
    Question{"Unveränderbarkeit", "The files that were run can be told", &Revisions},
    Question{"Unveränderbarkeit", "Booked data was not changed in place", nullptr,
             "that no entry of the books lost what it said before"},
    Question{"Vollständigkeit", "No row was left out", &RowCounts},
    Question{"Richtigkeit", "The data is what it should be", &Checked},
    Question{"Richtigkeit", "Sums and counts before and after agree", nullptr,
             "the comparison of the books before and after (pgalter attest --kind comparison)"},
    Question{"Internes Kontrollsystem", "Others than the author agreed", &Consent},
    Question{"Internes Kontrollsystem", "What went past that was reviewed", &Exempted},
    Question{"Datensicherheit", "There is a backup of before", &Backup},
    Question{"Maschinelle Auswertbarkeit", "Copies for people and for programs", &Copies},
    Question{"Aufbewahrung", "Kept for as long as the law says", nullptr,
             "where, and until when: the term depends on the kind of record"},
    Question{"Datenzugriff", "The tax authority can read it", nullptr,
             "who gives access, and in which form"},
};

struct Profile {
  const char* name;
  const char* title;
  std::span<const Question> questions;
  bool signatures;
};

constexpr std::array kProfiles{
    Profile{"part11", "21 CFR Part 11: electronic records and signatures", kPart11, true},
    Profile{"hipaa", "HIPAA: the Security Rule, and minimum necessary", kHipaa, false},
    Profile{"gobd", "GoBD: books and records in electronic form", kGobd, false},
};

const char* Spoken(std::string_view is) {
  if (is == kShown) return "in this report";
  return is == kMissing ? "not in this report" : "to be attested by you";
}

void PutAnswer(Html& html, const json::value& item) {
  const std::string is = Text(item, "answer");
  const std::string where = Text(item, "where");
  const std::string place =
      where == "-" ? "" : fmt::format(" (<a href=\"#{}\">{}</a>)", AnchorOf(where), Escaped(where));
  html.Raw(fmt::format(
      "<tr><td class=\"clause\">{}</td><td>{}</td><td class=\"{}\">{}</td><td>{}{}</td></tr>\n",
      Escaped(Text(item, "clause")), Escaped(Text(item, "asks")), is == kMissing ? "bad" : "",
      Spoken(is), Escaped(Text(item, "what")), place));
}

void PutManifest(Html& html, const json::array& signatures) {
  html.Heading(2, kManifest);
  if (signatures.empty()) return html.None("Nothing was signed that this report is about.");
  html.TableHead(
      {"name", "role", "signed at (UTC)", "meaning", "reason", "of", "SHA-256 of the plan"});
  for (const json::value& one : signatures)
    html.Row({Text(one, "name"), Text(one, "by"), Text(one, "at"), Text(one, "meaning"),
              Text(one, "reason"), Text(one, "of"), Text(one, "plan_sha256")});
  html.TableEnd();
}

json::array Manifest(const Report& report) {
  json::array signatures;
  for (const json::value& request : Rows(report, "requests"))
    for (const json::value& one : request.at("approvals").as_array())
      signatures.push_back(
          {{"name", one.at("name")},
           {"by", one.at("by")},
           {"at", one.at("at")},
           {"meaning", one.at("meaning")},
           {"reason", one.at("reason")},
           {"of", fmt::format("request {}: {} {}", Text(request, "request"),
                              Text(request, "version"), Text(request, "direction"))},
           {"plan_sha256", request.at("plan_sha256")}});
  return signatures;
}

}  // namespace

std::vector<std::string> ProfileNames() {
  std::vector<std::string> names;
  for (const Profile& profile : kProfiles) names.emplace_back(profile.name);
  return names;
}

json::object AnswerProfile(std::string_view name, const json::object& report) {
  const auto* profile = std::ranges::find(
      kProfiles, name, [](const Profile& one) { return std::string_view(one.name); });
  json::array items;
  for (const Question& question : profile->questions) {
    const Answer answer =
        question.answer != nullptr ? question.answer(report) : Attest(question.attest);
    const bool there = profile->signatures || std::string_view(answer.where) != kManifest;
    items.push_back({{"clause", question.clause},
                     {"asks", question.asks},
                     {"answer", answer.is},
                     {"what", answer.what},
                     {"where", there ? answer.where : kApprovals}});
  }
  return {
      {"name", profile->name},
      {"title", profile->title},
      {"items", std::move(items)},
      {"signatures", profile->signatures ? json::value(Manifest(report)) : json::value(nullptr)}};
}

void ProfileSection(Html& html, const json::value& profile) {
  html.Heading(2, Text(profile, "title"));
  html.Paragraph(
      "What these rules ask of a change, and what this report holds of it. Whether the rules are "
      "complied with is not said here: that is for those who know what the system is used for.");
  html.TableHead({"rule", "asks", "answer", "what"});
  for (const json::value& item : profile.at("items").as_array()) PutAnswer(html, item);
  html.TableEnd();
  if (profile.at("signatures").is_array()) PutManifest(html, profile.at("signatures").as_array());
  html.Heading(2, "To be attested by you");
  html.TableHead({"rule", "what", "where it is to be found", "name, date, signature"});
  for (const json::value& item : profile.at("items").as_array())
    if (Text(item, "answer") == kAttest)
      html.Raw(fmt::format(
          "<tr><td class=\"clause\">{}</td><td>{}</td><td></td><td class=\"sign\"></td></tr>\n",
          Escaped(Text(item, "clause")), Escaped(Text(item, "what"))));
  html.TableEnd();
}

}  // namespace pgalter::cli::evidence
