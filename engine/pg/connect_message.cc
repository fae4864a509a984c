#include "engine/pg/connect_message.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <utility>
#include <vector>

namespace pgalter::pg {

namespace {

constexpr std::size_t kSqlstateLength = 5;

// Where ":  28P01: " begins in a line such as `… failed: FATAL:  28P01: password …`, or npos.
std::size_t FindSqlstate(std::string_view line) {
  constexpr std::string_view kBefore = ":  ";
  for (std::size_t at = line.find(kBefore); at != std::string_view::npos;
       at = line.find(kBefore, at + 1)) {
    const std::string_view rest = line.substr(at + kBefore.size());
    if (rest.size() <= kSqlstateLength || rest[kSqlstateLength] != ':') continue;
    const std::string_view code = rest.substr(0, kSqlstateLength);
    const auto fits = [](unsigned char c) { return std::isdigit(c) != 0 || std::isupper(c) != 0; };
    if (std::all_of(code.begin(), code.end(), fits)) return at;
  }
  return std::string_view::npos;
}

// DETAIL may hold users' values, LOCATION helps nobody; each stands in a line of its own.
bool IsAnnex(std::string_view line) {
  return line.rfind("DETAIL:  ", 0) == 0 || line.rfind("LOCATION:  ", 0) == 0;
}

std::string_view HintFor(std::string_view code) {
  if (code.substr(0, 2) == "28")
    return "check user, password (.pgpass, PGPASSWORD) and the server's pg_hba.conf";
  if (code == "3D000") return "check the name of the database";
  if (code == "53300") return "raise max_connections, or end some of the other sessions";
  return "check host, port and pg_hba.conf, or give another --dsn";
}

}  // namespace

ConnectError ConnectFailure(std::string_view message, const std::string& silent) {
  std::vector<std::string> codes;
  std::string text = silent;
  std::size_t refusals = silent.empty() ? 0 : 1;
  while (!message.empty()) {
    const std::size_t end = std::min(message.find('\n'), message.size());
    std::string line(message.substr(0, end));
    message.remove_prefix(std::min(end + 1, message.size()));
    if (line.empty() || IsAnnex(line)) continue;
    if (const std::size_t at = FindSqlstate(line); at != std::string::npos) {
      codes.push_back(line.substr(at + 3, kSqlstateLength));
      line.erase(at + 2, kSqlstateLength + 2);
    }
    if (line.find("failed: ") != std::string::npos) ++refusals;
    line.erase(0, line.find_first_not_of(" \t"));
    if (!text.empty()) text += "; ";
    text += line;
  }
  PgErrorFields fields;
  fields.sqlstate = codes.size() == 1 && refusals <= 1 ? codes.front() : "08001";
  fields.message = fmt::format("cannot connect: {}", text);
  fields.hint = HintFor(fields.sqlstate);
  return ConnectError(std::move(fields));
}

}  // namespace pgalter::pg
