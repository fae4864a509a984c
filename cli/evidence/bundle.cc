#include "cli/evidence/bundle.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <system_error>

#include "cli/evidence/page.h"
#include "cli/evidence/profile.h"
#include "cli/evidence/secret.h"
#include "cli/lint/write_file.h"
#include "cli/rejected.h"
#include "migrations/history/sha256.h"

namespace pgalter::cli::evidence {

namespace fs = std::filesystem;
namespace json = boost::json;

namespace {

// Of statements and of what was shown for approval. The log is a chain of hashes and stays as it
// is.
void HideIn(Gathered& gathered) {
  json::value plans = std::move(gathered.plans);
  int hidden = HideSecrets(plans);
  gathered.plans = std::move(plans.get_array());
  json::value& requests = gathered.report["requests"];
  hidden += HideSecrets(requests);
  gathered.report["hidden"] = hidden;
}

std::string AuditSlice(const Gathered& gathered) {
  std::string text;
  if (gathered.before && *gathered.before != history::Beginning())
    text += history::ToJsonLine(*gathered.before) + "\n";
  for (const history::AuditEntry& entry : gathered.entries)
    text += history::ToJsonLine(entry) + "\n";
  return text;
}

File Sums(const std::vector<File>& files) {
  File sums{"SHA256SUMS", ""};
  for (const File& file : files)
    sums.text += fmt::format("{}  {}\n", history::Sha256(file.text), file.name);
  return sums;
}

[[noreturn]] void Fail(const std::string& what, const std::error_code& error) {
  throw Rejected(run::ExitCode::kError, fmt::format("{}: {}", what, error.message()), "");
}

}  // namespace

std::vector<File> FilesOf(Gathered gathered) {
  HideIn(gathered);
  json::value profile;
  if (!gathered.profile.empty()) profile = AnswerProfile(gathered.profile, gathered.report);
  gathered.report["profile"] = std::move(profile);
  std::vector<File> files;
  json::array names;
  for (const json::value& plan : gathered.plans)
    files.push_back({fmt::format("plan-{}.json", std::string(plan.at("run").as_string())),
                     json::serialize(plan) + "\n"});
  if (!gathered.entries.empty()) files.push_back({"audit.jsonl", AuditSlice(gathered)});
  for (const TextCopy& copy : gathered.copies) files.push_back({copy.name, copy.text});
  for (const File& file : files) names.emplace_back(file.name);
  gathered.report["files"] = std::move(names);
  files.push_back({"report.html", Page(gathered)});
  files.push_back({"report.json", json::serialize(gathered.report) + "\n"});
  files.push_back(Sums(files));
  return files;
}

void RefuseUsed(const fs::path& directory) {
  std::error_code error;
  const fs::file_status status = fs::status(directory, error);
  if (status.type() == fs::file_type::not_found) return;
  if (!fs::is_directory(status))
    throw Rejected(run::ExitCode::kUsage, fmt::format("{} is no directory", directory.string()),
                   "--out names one that is empty, or not there yet");
  const fs::directory_iterator first(directory, error);
  if (error) Fail("cannot read " + directory.string(), error);
  if (first != fs::directory_iterator())
    throw Rejected(run::ExitCode::kUsage,
                   fmt::format("{} is not empty: a report is not mixed with what is there",
                               directory.string()),
                   "--out names one that is empty, or not there yet");
}

void WriteFiles(const fs::path& directory, const std::vector<File>& files) {
  std::error_code error;
  const bool made = fs::create_directories(directory, error);
  if (error) Fail("cannot make " + directory.string(), error);
  try {
    for (const File& file : files) WriteFile(directory / file.name, file.text);
  } catch (...) {
    for (const File& file : files) fs::remove(directory / file.name, error);
    if (made) fs::remove(directory, error);
    throw;
  }
}

}  // namespace pgalter::cli::evidence
