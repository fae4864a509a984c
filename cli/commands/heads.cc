#include <fmt/format.h>

#include <boost/json/array.hpp>

#include "cli/json_output.h"
#include "cli/migrate/source.h"
#include "cli/report.h"
#include "migrations/history/exclusion.h"

namespace pgalter::cli {

namespace {

Task<ExitCode> Run(Context& context) {
  const history::Collection collection = ReadMigrations(SettleMigrations(context));
  const auto heads = history::HeadsOf(collection.migrations);
  boost::json::array conflicts;
  for (const history::Exclusion& pair : history::ExclusionsOf(collection.migrations)) {
    conflicts.push_back(boost::json::array{pair.earlier->version, pair.later->version});
    Say(context, fmt::format("{} and {} exclude each other, as the header of {} says",
                             pair.earlier->version, pair.later->version, pair.by->file));
  }
  if (context.output == Output::kJson) {
    PrintJson({{"version", 1},
               {"heads", boost::json::array(heads.begin(), heads.end())},
               {"conflicts", conflicts}});
  } else {
    for (const std::string& head : heads) Print(head + "\n");
  }
  co_return heads.size() > 1 ? ExitCode::kPending : ExitCode::kDone;
}

}  // namespace

extern const CommandBody kHeadsCommand;
const CommandBody kHeadsCommand{
    .description =
        "Prints the versions of the directory that no other one stands on: the last one, or, where "
        "headers name what they depend on, the ends of the branches. More than one is exit code 3: "
        "a migration whose depends_on names them all brings them together. Those that exclude each "
        "other (conflicts_with) are named. No database is asked.",
    .reads_config = true,
    .add_options = &AddSourceOptions,
    .run = &Run};

}  // namespace pgalter::cli
