#include "cli/govern/open_run.h"

#include <fmt/format.h>

#include <optional>

#include "cli/connect.h"
#include "cli/rejected.h"
#include "engine/guard/transaction.h"
#include "migrations/history/policy.h"

namespace pgalter::cli {

namespace po = boost::program_options;

void AddBreakGlass(po::options_description& options) {
  options.add_options()("break-glass", po::value<std::string>()->value_name("REASON"),
                        "begin in spite of what the policy asks for, if it lets you; somebody else "
                        "has to review it");
}

std::string BreakGlassOf(const Context& context) {
  if (!context.Has("break-glass")) return "";
  if (context.Get("break-glass").empty())
    throw Rejected(ExitCode::kUsage, "--break-glass needs a reason", "--break-glass \"why\"");
  return context.Get("break-glass");
}

Task<> OpenRun(const Context& context, std::string run) {
  const std::string reason = BreakGlassOf(context);
  guard::Session session = co_await OpenSession(context);
  std::optional<pg::PgError> refused;
  auto open = [&]() -> Task<> { co_await history::OpenRun(session, run, reason); };
  try {
    co_await guard::RunInTransaction(session, open);
  } catch (const pg::PgError& error) {
    if (!error.Is(history::kPolicyRefuses)) throw;
    refused = error;
  }
  if (!refused) co_return;
  throw Rejected(
      ExitCode::kRefused,
      fmt::format("the policy of this database says no: {}. Nothing of run {} was done",
                  refused->fields().message, run),
      fmt::format("pgalter request {0} --reason \"…\"; once it has all it needs: pgalter resume "
                  "{0}; or, to give it up: pgalter abort {0} --yes",
                  run));
}

}  // namespace pgalter::cli
