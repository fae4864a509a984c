#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <charconv>

#include "cli/confirm.h"
#include "cli/connect.h"
#include "cli/govern/refused.h"
#include "cli/json_output.h"
#include "cli/policy_config.h"
#include "cli/rejected.h"
#include "cli/report.h"
#include "engine/guard/transaction.h"
#include "engine/state/schema.h"
#include "migrations/history/policy.h"

namespace pgalter::cli {

namespace {

namespace po = boost::program_options;

void AddOptions(po::options_description& options) {
  options.add_options()("reason", po::value<std::string>()->value_name("TEXT")->default_value(""),
                        "what the review found");
}

Task<ExitCode> Show(const Context& context) {
  guard::Session session = co_await OpenSession(context);
  const auto policy = co_await history::ReadPolicy(session);
  const auto open = co_await history::OpenExemptions(session);
  if (context.output == Output::kJson) {
    boost::json::array exemptions;
    for (const history::Exemption& one : open)
      exemptions.push_back({{"id", one.id},
                            {"migration", one.version},
                            {"direction", one.direction},
                            {"lacked", one.lacked},
                            {"reason", one.reason},
                            {"by", one.used_by},
                            {"due", one.due}});
    PrintJson({{"version", 1},
               {"policy", policy ? boost::json::parse(*policy) : boost::json::value(nullptr)},
               {"exemptions", exemptions}});
    co_return ExitCode::kDone;
  }
  if (!policy) Print("this database has no policy: whoever may write pgalter's tables may apply\n");
  const boost::json::value settings =
      policy ? boost::json::parse(*policy) : boost::json::value(boost::json::object_kind);
  for (const auto& [key, value] : settings.as_object())
    Print(fmt::format("{:<13} {}\n", std::string_view(key), boost::json::serialize(value)));
  for (const history::Exemption& one : open)
    Print(
        fmt::format("{}: {} ({}) was begun by {} in spite of: {}. Reason: {}. To be reviewed by "
                    "{}{}: pgalter policy review {}\n",
                    one.id, one.version, one.direction, one.used_by, one.lacked, one.reason,
                    one.due, one.overdue ? ", which has passed" : "", one.id));
  co_return ExitCode::kDone;
}

std::string ConfiguredPolicy(const Context& context) {
  if (!context.Has("env"))
    throw Rejected(ExitCode::kUsage, "policy set needs to know whose policy", "--env NAME");
  const std::string path = context.Has("config") ? context.Get("config") : "";
  return PolicyOfEnvironment(path, context.Get("env"));
}

// Each change is one transaction with its entry in the log.
Task<> Change(const Context& context, std::function<Task<>(guard::Session& session)> change) {
  guard::Session session = co_await OpenForChange(context);
  co_await state::Install(session);
  auto body = [&]() -> Task<> { co_await change(session); };
  try {
    co_await guard::RunInTransaction(session, body);
  } catch (const pg::PgError& error) {
    RethrowAsPolicy(error);
    if (error.klass() == pg::SqlstateClass::kData)
      throw Rejected(ExitCode::kUsage,
                     fmt::format("the policy has a wrong value: {}", error.what()),
                     "docs/approvals.md has all its keys");
    throw;
  }
}

Task<ExitCode> Set(const Context& context) {
  const std::string json = ConfiguredPolicy(context);
  Confirm(context, fmt::format("Put this policy into the database?\n{}\n", json));
  const auto set = [&json](guard::Session& session) { return history::SetPolicy(session, json); };
  co_await Change(context, set);
  co_return co_await Show(context);
}

Task<ExitCode> Drop(const Context& context) {
  Confirm(context, "Drop the policy of this database?");
  const auto drop = [](guard::Session& session) { return history::DropPolicy(session); };
  co_await Change(context, drop);
  co_return co_await Show(context);
}

Task<ExitCode> Review(const Context& context) {
  const std::string text = context.Operand(1);
  std::int64_t id = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), id);
  if (text.empty() || read.ec != std::errc() || read.ptr != text.data() + text.size())
    throw Rejected(ExitCode::kUsage, fmt::format("\"{}\" is no number of an exemption", text),
                   "pgalter policy show lists them");
  if (context.Get("reason").empty())
    throw Rejected(ExitCode::kUsage, "a review says what it found", "--reason \"…\"");
  const auto review = [&](guard::Session& session) {
    return history::ReviewExemption(session, id, context.Get("reason"));
  };
  co_await Change(context, review);
  co_return co_await Show(context);
}

Task<ExitCode> Run(Context& context) {
  const std::string verb = context.Operand(0);
  if (verb != "review" && !context.Operand(1).empty())
    throw Rejected(ExitCode::kUsage, fmt::format("policy {} takes nothing more", verb), "");
  if (verb == "show") co_return co_await Show(context);
  if (verb == "set") co_return co_await Set(context);
  if (verb == "drop") co_return co_await Drop(context);
  if (verb == "review") co_return co_await Review(context);
  throw Rejected(ExitCode::kUsage, fmt::format("policy \"{}\" is not known", verb),
                 "one of: show, set, drop, review");
}

}  // namespace

extern const CommandBody kPolicyCommand;
const CommandBody kPolicyCommand{
    .description =
        "What must hold before a migration is begun in a database, or taken back: approvals, "
        "evidence, keys of its header, windows. `set` puts [env.NAME.policy] of pgalter.toml into "
        "the database, where it is judged: only the owner of schema pgalter may. `drop` takes it "
        "out. `show` prints it, with the times it was broken that nobody has looked at yet; "
        "`review` closes one of these, by somebody else who may approve.",
    .most_operands = 2,
    .least_operands = 1,
    .reads_config = true,
    .words = "show set drop review",
    .add_options = &AddOptions,
    .run = &Run};

}  // namespace pgalter::cli
