#include <fmt/format.h>

#include "cli/connect.h"
#include "cli/govern/refused.h"
#include "cli/govern/request_operand.h"
#include "cli/json_output.h"
#include "cli/rejected.h"
#include "cli/report.h"
#include "engine/guard/transaction.h"

namespace pgalter::cli {

namespace {

namespace po = boost::program_options;

void AddOptions(po::options_description& options) {
  options.add_options()("reason", po::value<std::string>()->value_name("TEXT")->default_value(""),
                        "why, for the one who asked");
}

Task<ExitCode> Run(Context& context) {
  if (context.Get("reason").empty())
    throw Rejected(ExitCode::kUsage, "whoever asked wants to know why", "--reason \"…\"");
  guard::Session session = co_await OpenForChange(context);
  const history::Request request = co_await LoadRequest(context, session);
  auto reject = [&]() -> Task<> {
    co_await history::Reject(session, request.id, context.Get("reason"));
  };
  try {
    co_await guard::RunInTransaction(session, reject);
  } catch (const pg::PgError& error) {
    RethrowAsPolicy(error);
    throw;
  }
  if (context.output == Output::kJson) {
    PrintJson({{"version", 1}, {"request", request.id}, {"state", "rejected"}});
  } else {
    Print(fmt::format("request {} is rejected\n", request.id));
  }
  co_return ExitCode::kDone;
}

}  // namespace

extern const CommandBody kRejectCommand;
const CommandBody kRejectCommand{
    .description =
        "Rejects a request: what it asked for has to be asked for again. For those who may approve "
        "it, and for the one who asked.",
    .most_operands = 1,
    .least_operands = 1,
    .add_options = &AddOptions,
    .run = &Run};

}  // namespace pgalter::cli
