#include <fmt/format.h>

#include "engine/check/checks.h"

namespace pgalter::check {

namespace {

constexpr int kOldest = 14;
constexpr int kNewest = 18;

// A server of somebody's cloud, by what only that cloud's has.
constexpr const char* kPlatform = R"sql(
SELECT to_regproc('pg_catalog.aurora_version') IS NOT NULL,
       to_regrole('rds_superuser') IS NOT NULL, to_regrole('cloudsqlsuperuser') IS NOT NULL,
       to_regrole('azure_pg_admin') IS NOT NULL
)sql";

Task<Answers> Run(CheckContext& context) {
  Answers answers;
  const int major = context.db.server_version() / 10000;
  const std::string server =
      fmt::format("PostgreSQL {}", context.db.ParameterStatus("server_version"));
  if (major < kOldest || major > kNewest) {
    answers.push_back(Blocker(
        fmt::format("the server is {}", server),
        fmt::format("changes are made on PostgreSQL {} to {} only", kOldest, kNewest),
        major < kOldest ? "upgrade the server; pgalter lint --server-version judges for 13, too"
                        : "a newer pgalter may know it",
        Cause::kRightOrServer));
    co_return answers;
  }
  answers.push_back(Ok(server));
  const pg::Result platform = co_await context.db.Query(kPlatform);
  if (platform.Get<bool>(0, 0)) {
    answers.push_back(Note("the server is an Aurora",
                           "its readers are no standbys that SQL shows: no lag is seen",
                           "pgalter ... --throttle-query with the lag that the cloud tells"));
  } else if (platform.Get<bool>(0, 1) || platform.Get<bool>(0, 2) || platform.Get<bool>(0, 3)) {
    answers.push_back(Note("the server is run by a cloud",
                           "there is no superuser, and no file of the server can be seen",
                           "GRANT pg_monitor to the role; watch the disk with the cloud's alarm"));
  }
  co_return answers;
}

}  // namespace

constinit const Check kVersion{.id = "version", .fine = "the server is supported", .run = &Run};

}  // namespace pgalter::check
