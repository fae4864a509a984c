#include "cli/govern/audit_sink.h"

#include <fmt/format.h>

#include <optional>

#include "cli/config.h"
#include "cli/config_file.h"
#include "cli/confirm.h"
#include "cli/connect.h"
#include "cli/json_output.h"
#include "cli/rejected.h"
#include "cli/report.h"
#include "engine/guard/transaction.h"
#include "engine/state/schema.h"
#include "migrations/history/audit_log.h"

namespace pgalter::cli {

namespace {

using history::Sink;

[[noreturn]] void RefuseConfig(const std::string& text) {
  throw Rejected(ExitCode::kUsage, text,
                 "write it as sink = \"INSERT INTO app.ledger (…) VALUES ($1, …)\" and on_failure "
                 "= \"refuse\" or \"note\"; docs/approvals.md has the values");
}

// [env.NAME.audit] of pgalter.toml.
Sink ConfiguredSink(const Context& context) {
  if (!context.Has("env"))
    throw Rejected(ExitCode::kUsage, "audit sink set needs to know whose sink", "--env NAME");
  const std::string file = context.Has("config") ? context.Get("config") : kDefaultConfig;
  const std::string section = fmt::format("[env.{}.audit]", context.Get("env"));
  const toml::table config = LoadConfigFile(file);
  const toml::table* audit = config["env"][context.Get("env")]["audit"].as_table();
  if (audit == nullptr) RefuseConfig(fmt::format("{} has no {}", file, section));
  CheckKeys(*audit, file, section, {"sink", "on_failure"});
  Sink sink;
  sink.statement = (*audit)["sink"].value_or(std::string());
  sink.on_failure = (*audit)["on_failure"].value_or(std::string("refuse"));
  if (sink.statement.empty()) RefuseConfig(fmt::format("{}: {} has no sink", file, section));
  if (sink.on_failure != "refuse" && sink.on_failure != "note")
    RefuseConfig(
        fmt::format("{}: {}: on_failure \"{}\" is not known", file, section, sink.on_failure));
  return sink;
}

Task<ExitCode> Show(const Context& context) {
  guard::Session session = co_await OpenSession(context);
  const auto sink = co_await history::ReadSink(session);
  if (context.output == Output::kJson) {
    boost::json::value told;
    if (sink) told = {{"statement", sink->statement}, {"on_failure", sink->on_failure}};
    PrintJson({{"version", 1}, {"sink", told}});
  } else if (sink) {
    Print(fmt::format("{}\non failure: {}\n", sink->statement, sink->on_failure));
  } else {
    Print("entries of the log go nowhere else\n");
  }
  co_return ExitCode::kDone;
}

Task<> Change(const Context& context, std::optional<Sink> sink) {
  guard::Session session = co_await OpenForChange(context);
  co_await state::Install(session);
  auto change = [&]() -> Task<> { co_await history::SetSink(session, sink); };
  co_await guard::RunInTransaction(session, change);
}

}  // namespace

Task<ExitCode> AuditSink(const Context& context) {
  const std::string verb = context.Operand(1);
  if (verb == "show") co_return co_await Show(context);
  if (verb == "set") {
    const std::optional<Sink> sink = ConfiguredSink(context);
    Confirm(context, fmt::format("Send each entry of the log there too?\n{}\n", sink->statement));
    co_await Change(context, sink);
    co_return co_await Show(context);
  }
  if (verb == "drop") {
    Confirm(context, "Send entries of the log nowhere else any more?");
    const std::optional<Sink> none;
    co_await Change(context, none);
    co_return co_await Show(context);
  }
  throw Rejected(ExitCode::kUsage, fmt::format("audit sink \"{}\" is not known", verb),
                 "one of: set, show, drop");
}

}  // namespace pgalter::cli
