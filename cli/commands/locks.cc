#include <fmt/format.h>

#include "cli/connect.h"
#include "cli/json_output.h"
#include "cli/lock_tree.h"
#include "cli/rejected.h"
#include "cli/report.h"

namespace pgalter::cli {

namespace {

std::optional<sql::QualifiedName> ParseTable(const std::string& text) {
  if (text.empty()) return std::nullopt;
  auto name = sql::ParseQualifiedName(text);
  if (name) return *name;
  throw Rejected(ExitCode::kUsage,
                 fmt::format("\"{}\" is no table's name: {}", text, name.error().message),
                 name.error().hint);
}

// The user's `orders` is found where the user's own statements find it.
Task<> UseOwnSearchPath(guard::Session& session) {
  co_await session.db().Query(
      "SELECT pg_catalog.set_config(name, reset_val, false) FROM pg_catalog.pg_settings"
      " WHERE name = 'search_path'");
}

Task<ExitCode> Run(Context& context) {
  const auto table = ParseTable(context.Operand(0));
  guard::Session session = co_await OpenSession(context);
  co_await UseOwnSearchPath(session);
  const std::vector<lock::LockNode> trees = co_await lock::ReadLocks(session, table);
  if (context.output == Output::kJson) {
    PrintJson(LocksJson(trees));
  } else if (trees.empty()) {
    Say(context, "nobody waits for a lock");
  } else {
    Print(LockTreeText(trees));
  }
  co_return ExitCode::kDone;
}

}  // namespace

extern const CommandBody kLocksCommand;
const CommandBody kLocksCommand{
    .description =
        "Shows the sessions of this database that wait for a lock, under those that they wait for. "
        "With a table: only where somebody waits for it. Statements are shown without their "
        "literals; of other roles' sessions the server shows little without pg_monitor. Reads "
        "only.",
    .most_operands = 1,
    .run = &Run};

}  // namespace pgalter::cli
