#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <fstream>

#include "cli/connect.h"
#include "cli/govern/audit_sink.h"
#include "cli/json_output.h"
#include "cli/rejected.h"
#include "cli/report.h"
#include "migrations/history/audit_log.h"
#include "migrations/history/replay.h"

namespace pgalter::cli {

namespace {

namespace po = boost::program_options;
using history::Anchor;
using history::AuditEntry;
using history::ChainCheck;

void AddOptions(po::options_description& options) {
  options.add_options()("anchor", po::value<std::string>()->value_name("SEQ:HASH"),
                        "what `audit anchor` once printed: the log has to go through it");
}

std::optional<Anchor> AnchorOf(const Context& context) {
  if (!context.Has("anchor")) return std::nullopt;
  auto anchor = history::ParseAnchor(context.Get("anchor"));
  if (!anchor)
    throw Rejected(ExitCode::kUsage, fmt::format("--anchor \"{}\" is none", context.Get("anchor")),
                   "a number, a colon and 64 hexadecimal digits, as `pgalter audit anchor` prints");
  return anchor;
}

[[noreturn]] void RefuseMissing() {
  throw Rejected(ExitCode::kError, "this database has no audit log",
                 "pgalter init installs it; before that nothing was written down");
}

// What it follows, where it is the part of a log that `pgalter report` has copied.
std::optional<Anchor> CheckFile(const std::string& name, ChainCheck& check) {
  std::optional<Anchor> after;
  std::ifstream file(name, std::ios::binary);
  if (!file) throw Rejected(ExitCode::kUsage, fmt::format("cannot read {}", name), "");
  std::string line;
  for (int number = 1; std::getline(file, line); ++number) {
    const auto before = number == 1 ? history::BeforeFromJsonLine(line) : std::nullopt;
    if (before) {
      check.StartAfter(*before);
      after = before;
      continue;
    }
    const auto entry = history::FromJsonLine(line);
    if (!entry)
      throw Rejected(ExitCode::kMismatch,
                     fmt::format("{}:{}: this is no entry of an audit log", name, number),
                     "pgalter audit export writes such files");
    check.Take(*entry);
  }
  return after;
}

using Divergences = std::vector<history::Divergence>;

ExitCode Tell(const Context& context, const ChainCheck& check,
              const std::optional<history::Break>& broken, const Divergences& by_hand = {},
              const std::optional<Anchor>& after = std::nullopt) {
  if (context.output == Output::kJson) {
    boost::json::object result{{"version", 1},
                               {"whole", !broken},
                               {"entries", check.count()},
                               {"anchor", history::ToText(check.end())}};
    if (after) result["after"] = history::ToText(*after);
    if (broken) {
      result["first_bad"] = broken->seq;
      result["what"] = broken->what;
    }
    boost::json::array rows;
    for (const history::Divergence& row : by_hand)
      rows.push_back({{"version", row.version}, {"what", row.what}, {"next", row.next}});
    result["by_hand"] = std::move(rows);
    PrintJson(result);
  } else if (broken) {
    Print(fmt::format("the audit log is not as it was written: {}\n", broken->what));
  } else {
    Print(fmt::format("{} entries, each as it was written; anchor {}\n", check.count(),
                      history::ToText(check.end())));
    if (after)
      Print(fmt::format("part of a log: what comes before it ended with {}\n",
                        history::ToText(*after)));
    for (const history::Divergence& row : by_hand)
      Print(fmt::format("{}\n  {}\n", row.what, row.next));
  }
  return broken || !by_hand.empty() ? ExitCode::kMismatch : ExitCode::kDone;
}

Task<ExitCode> Verify(const Context& context) {
  ChainCheck check(AnchorOf(context));
  const std::string file = context.Operand(1);
  if (!file.empty()) {
    const std::optional<Anchor> after = CheckFile(file, check);
    co_return Tell(context, check, check.Finish(std::nullopt), {}, after);
  }
  guard::Session session = co_await OpenSession(context);
  const auto take = [&](const AuditEntry& entry) { check.Take(entry); };
  const auto head = co_await history::ReadAuditLog(session, take);
  if (!head && context.Has("anchor"))
    throw Rejected(ExitCode::kMismatch,
                   fmt::format("this database has no audit log, and {} is an anchor of one: it was "
                               "removed, or this is another database",
                               context.Get("anchor")),
                   "look for it in a backup; pgalter audit verify FILE checks an export");
  if (!head) RefuseMissing();
  const history::Remembered remembered = co_await history::ReadRemembered(session);
  co_return Tell(context, check, check.Finish(head),
                 history::CompareWithLog(remembered.events, remembered.applied));
}

Task<ExitCode> Export(const Context& context) {
  guard::Session session = co_await OpenSession(context);
  const auto take = [](const AuditEntry& entry) { Print(history::ToJsonLine(entry) + "\n"); };
  const auto head = co_await history::ReadAuditLog(session, take);
  if (!head) RefuseMissing();
  co_return ExitCode::kDone;
}

Task<ExitCode> PrintAnchor(const Context& context) {
  guard::Session session = co_await OpenSession(context);
  ChainCheck check(std::nullopt);
  const auto take = [&](const AuditEntry& entry) { check.Take(entry); };
  const auto head = co_await history::ReadAuditLog(session, take);
  if (!head) RefuseMissing();
  if (const auto broken = check.Finish(head)) co_return Tell(context, check, broken);
  if (context.output == Output::kJson) {
    PrintJson({{"version", 1}, {"anchor", history::ToText(*head)}});
  } else {
    Print(history::ToText(*head) + "\n");
  }
  co_return ExitCode::kDone;
}

Task<ExitCode> Run(Context& context) {
  const std::string verb = context.Operand(0);
  if (verb == "sink" && !context.Has("anchor")) co_return co_await AuditSink(context);
  if (verb != "verify" && (!context.Operand(1).empty() || context.Has("anchor")))
    throw Rejected(ExitCode::kUsage,
                   fmt::format("audit {} takes neither a file nor --anchor", verb),
                   "pgalter audit verify does");
  if (verb == "verify") co_return co_await Verify(context);
  if (verb == "export") co_return co_await Export(context);
  if (verb == "anchor") co_return co_await PrintAnchor(context);
  throw Rejected(ExitCode::kUsage, fmt::format("audit \"{}\" is not known", verb),
                 "one of: verify, export, anchor, sink");
}

}  // namespace

extern const CommandBody kAuditCommand;
const CommandBody kAuditCommand{
    .description =
        "The log of what was done with migrations is a chain: each entry holds the hash of the one "
        "before it. `verify` recomputes it here, outside of the database, and names the first "
        "entry that was changed, removed or put in (7), and each row of pgalter.migration that is "
        "not what the entries lead to (7); with a FILE it checks an export, or the part of a log "
        "that `report` copies, without any "
        "database. "
        "`export` prints the entries, one JSON value a line. `anchor` prints where "
        "the log ends: kept elsewhere and given to `verify --anchor`, it shows also that the end "
        "was cut off, or that all was written anew. `sink set` puts the statement of "
        "[env.NAME.audit] into the database, which writes each entry into a ledger of the "
        "application's too, in the same transaction; `sink show` prints it, `sink drop` takes it "
        "out. Only these two change anything.",
    .most_operands = 2,
    .least_operands = 1,
    .reads_config = true,
    .takes_files = true,
    .words = "verify export anchor sink",
    .add_options = &AddOptions,
    .run = &Run};

}  // namespace pgalter::cli
