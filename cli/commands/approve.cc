#include <fmt/format.h>
#include <fmt/ranges.h>

#include <boost/json/array.hpp>

#include "cli/confirm.h"
#include "cli/connect.h"
#include "cli/govern/refused.h"
#include "cli/govern/request_operand.h"
#include "cli/json_output.h"
#include "cli/rejected.h"
#include "cli/report.h"
#include "cli/table.h"
#include "engine/guard/transaction.h"

namespace pgalter::cli {

namespace {

namespace po = boost::program_options;
using history::Request;

void AddOptions(po::options_description& options) {
  options.add_options()  //
      ("meaning", po::value<std::string>()->value_name("NAME"),
       "which of the approvals that the policy asks for")  //
      ("name", po::value<std::string>()->value_name("TEXT")->default_value(""),
       "your name, as it shall be printed")  //
      ("reason", po::value<std::string>()->value_name("TEXT")->default_value(""),
       "why, for the log");
}

boost::json::object ToJson(const Request& request) {
  boost::json::array approvals;
  for (const history::Approval& one : request.approvals)
    approvals.push_back({{"meaning", one.meaning},
                         {"by", one.by},
                         {"name", one.printed_name},
                         {"reason", one.reason},
                         {"at", one.at}});
  return {{"request", request.id},
          {"migration", request.version},
          {"direction", request.direction},
          {"file", request.file},
          {"plan_sha256", request.plan_sha256},
          {"state", request.state},
          {"by", request.requested_by},
          {"at", request.requested_at},
          {"reason", request.reason},
          {"approvals", approvals}};
}

Task<ExitCode> List(const Context& context) {
  guard::Session session = co_await OpenSession(context);
  const auto requests = co_await history::ReadRequests(session, std::nullopt);
  boost::json::array all;
  Table table({"request", "migration", "way", "asked for by", "at", "approved", "reason"});
  for (const Request& request : requests) {
    all.push_back(ToJson(request));
    std::vector<std::string> approved;
    for (const history::Approval& one : request.approvals)
      approved.push_back(fmt::format("{} by {}", one.meaning, one.by));
    table.Add({std::to_string(request.id), request.version, request.direction, request.requested_by,
               request.requested_at, fmt::format("{}", fmt::join(approved, ", ")), request.reason});
  }
  if (context.output == Output::kJson) {
    PrintJson({{"version", 1}, {"requests", all}});
  } else {
    Print(requests.empty() ? "nothing waits for approval\n" : table.Text());
  }
  co_return ExitCode::kDone;
}

Task<ExitCode> Run(Context& context) {
  if (context.Operand(0).empty()) co_return co_await List(context);
  if (!context.Has("meaning"))
    throw Rejected(ExitCode::kUsage, "an approval has a meaning",
                   "--meaning NAME; pgalter policy show lists them");
  guard::Session session = co_await OpenForChange(context);
  const Request request = co_await LoadRequest(context, session);
  if (context.output == Output::kText)
    Print(fmt::format("{}\nplan {} of {} {}\n", request.plan, request.plan_sha256, request.file,
                      request.direction));
  Confirm(context, fmt::format("Approve request {} as {}?", request.id, context.Get("meaning")));
  auto approve = [&]() -> Task<> {
    co_await history::Approve(session, request, context.Get("meaning"), context.Get("name"),
                              context.Get("reason"));
  };
  try {
    co_await guard::RunInTransaction(session, approve);
  } catch (const pg::PgError& error) {
    RethrowAsPolicy(error);
    throw;
  }
  const Request now = co_await LoadRequest(context, session);
  if (context.output == Output::kJson) {
    PrintJson({{"version", 1}, {"request", ToJson(now)}});
  } else {
    Print(fmt::format("request {} has {} approval{}\n", now.id, now.approvals.size(),
                      now.approvals.size() == 1 ? "" : "s"));
  }
  co_return ExitCode::kDone;
}

}  // namespace

extern const CommandBody kApproveCommand;
const CommandBody kApproveCommand{
    .description =
        "Approves a request, as one of what the policy asks for: the plan is shown first. The "
        "database checks that it is still for the same plan, that you hold the role, that you "
        "neither wrote nor asked for it, and that nobody approves twice. Without a number it lists "
        "what waits.",
    .most_operands = 1,
    .add_options = &AddOptions,
    .run = &Run};

}  // namespace pgalter::cli
