#include <fmt/format.h>

#include <fstream>
#include <sstream>

#include "cli/connect.h"
#include "cli/json_output.h"
#include "cli/rejected.h"
#include "cli/report.h"
#include "engine/guard/transaction.h"
#include "engine/state/schema.h"
#include "migrations/history/policy.h"
#include "migrations/history/sha256.h"

namespace pgalter::cli {

namespace {

namespace po = boost::program_options;

void AddOptions(po::options_description& options) {
  options.add_options()  //
      ("kind", po::value<std::string>()->value_name("NAME"),
       "what it is evidence of: backup, rehearsal, test, or what the policy calls it")  //
      ("file", po::value<std::string>()->value_name("FILE"),
       "the file itself: its hash is kept, its contents are not")  //
      ("note", po::value<std::string>()->value_name("TEXT")->default_value(""),
       "what is to be known of it");
}

std::string HashOf(const std::string& name) {
  std::ifstream file(name, std::ios::binary);
  if (!file) throw Rejected(ExitCode::kUsage, fmt::format("cannot read {}", name), "");
  std::ostringstream bytes;
  bytes << file.rdbuf();
  return history::Sha256(bytes.str());
}

Task<ExitCode> Run(Context& context) {
  if (!context.Has("kind") || !context.Has("file"))
    throw Rejected(ExitCode::kUsage, "evidence is of a kind, and in a file",
                   "--kind backup --file FILE");
  const std::string sha256 = HashOf(context.Get("file"));
  guard::Session session = co_await OpenForChange(context);
  co_await state::Install(session);
  auto attest = [&]() -> Task<> {
    co_await history::Attest(session, context.Get("kind"), context.Get("file"), sha256,
                             context.Get("note"));
  };
  co_await guard::RunInTransaction(session, attest);
  if (context.output == Output::kJson) {
    PrintJson({{"version", 1},
               {"kind", context.Get("kind")},
               {"file", context.Get("file")},
               {"sha256", sha256}});
  } else {
    Print(fmt::format("{} {} {}\n", context.Get("kind"), sha256, context.Get("file")));
  }
  co_return ExitCode::kDone;
}

}  // namespace

extern const CommandBody kAttestCommand;
const CommandBody kAttestCommand{
    .description =
        "Writes down that a file was there and what its SHA-256 is, as evidence of a kind that the "
        "policy asks for: a backup, the report of a rehearsal. What is in the file is not judged.",
    .add_options = &AddOptions,
    .run = &Run};

}  // namespace pgalter::cli
