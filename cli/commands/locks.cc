#include <fmt/format.h>
#include <unistd.h>

#include <csignal>
#include <iostream>

#include "cli/confirm.h"
#include "cli/connect.h"
#include "cli/human.h"
#include "cli/json_output.h"
#include "cli/lock_tree.h"
#include "cli/pick_run.h"
#include "cli/progress.h"
#include "cli/rejected.h"
#include "cli/report.h"
#include "engine/lock/end_session.h"
#include "engine/state/lock_episodes.h"
#include "engine/state/runs.h"

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

void AddOptions(boost::program_options::options_description& options) {
  namespace po = boost::program_options;
  options.add_options()                                         //
      ("watch", "again every second, until it is interrupted")  //
      ("history", po::value<std::string>()->value_name("RUN"),
       "instead: who waited for this run, and it for whom, while it was at work")  //
      ("cancel", po::value<int>()->value_name("PID"),
       "cancel the statement of this session, which must be in the tree; asks twice")  //
      ("terminate", po::value<int>()->value_name("PID"),
       "end this session, which must be in the tree; asks twice")  //
      ("confirm", po::value<int>()->value_name("PID"),
       "the same pid again: the second answer, beside --yes");
}

void CollectRuns(const std::vector<lock::LockNode>& trees, lock::StepsAtWork& steps) {
  for (const lock::LockNode& node : trees) {
    if (const std::string run = lock::RunOf(node.session); !run.empty()) steps[run] = "";
    CollectRuns(node.waiters, steps);
  }
}

// What our own sessions in the trees are at.
Task<lock::StepsAtWork> ReadSteps(guard::Session& session,
                                  const std::vector<lock::LockNode>& trees) {
  lock::StepsAtWork steps;
  CollectRuns(trees, steps);
  if (steps.empty()) co_return steps;
  for (const state::Run& run : co_await LoadRuns(session))
    if (const auto found = steps.find(run.id); found != steps.end()) found->second = run.phase;
  co_return steps;
}

// A wait for a row is one for the transaction that changed it, whose table nobody can name.
std::string NobodyWaits(const std::optional<sql::QualifiedName>& table) {
  return table ? fmt::format(
                     "nobody waits for a lock on {} itself; pgalter locks shows all waits, "
                     "for rows, too",
                     sql::ToString(*table))
               : "nobody waits for a lock";
}

Task<std::vector<lock::LockNode>> Read(guard::Session& session,
                                       std::optional<sql::QualifiedName> table) {
  try {
    co_return co_await lock::ReadLocks(session, std::move(table));
  } catch (const pg::PgError& error) {
    if (!error.Is(pg::sqlstate::kUndefinedTable)) throw;
    throw Rejected(ExitCode::kUsage, error.what(), "name it with its schema");
  }
}

Task<ExitCode> Watch(const Context& context, guard::Session& session,
                     std::optional<sql::QualifiedName> table) {
  constexpr async::Milliseconds kLook{1000};
  std::signal(SIGPIPE, SIG_DFL);  // a reader that has seen enough ends this
  const bool screen =
      context.output == Output::kText && ::isatty(STDOUT_FILENO) != 0 && KnowsEscapes();
  std::string before = "-";
  for (;;) {
    const std::vector<lock::LockNode> trees = co_await Read(session, table);
    const lock::StepsAtWork steps = co_await ReadSteps(session, trees);
    std::string text = LockTreeText(trees, steps);
    if (text.empty()) text = NobodyWaits(table) + "\n";
    if (context.output == Output::kJson) {
      PrintJson(LocksJson(trees, steps));
    } else if (screen) {
      Print("\x1b[H\x1b[2J" + UtcNow() + "\n" + text);
    } else if (text != before) {
      Print(UtcNow() + "\n" + text);
    }
    before = text;
    co_await async::SleepFor(kLook);
  }
}

// Nobody ends a session by a slip of one digit.
void ConfirmAgain(const Context& context, int pid) {
  if (context.Has("confirm")) {
    if (context.Get<int>("confirm") == pid) return;
    throw Rejected(ExitCode::kUsage, "--confirm names another pid; nothing was ended", "");
  }
  if (::isatty(STDIN_FILENO) == 0 || context.output == Output::kJson)
    throw Rejected(ExitCode::kUsage, "nobody is here to be asked twice; nothing was ended",
                   fmt::format("add --yes --confirm {}", pid));
  fmt::print(stderr, "pgalter: its pid once more: ");
  std::string answer;
  std::getline(std::cin, answer);
  if (answer == std::to_string(pid)) return;
  throw Rejected(ExitCode::kUsage, "not confirmed; nothing was ended", "");
}

lock::LockNode NodeToEnd(const std::vector<lock::LockNode>& trees, int pid, lock::Ending ending) {
  const lock::LockNode* node = lock::FindNode(trees, pid);
  if (node == nullptr || pid == 0)
    throw Rejected(ExitCode::kRefused,
                   fmt::format("pid {} neither waits for a lock nor is waited for; nothing was "
                               "ended",
                               pid),
                   "pgalter locks shows who does");
  const std::string why = lock::WhyNotEnd(node->session);
  if (!why.empty())
    throw Rejected(ExitCode::kRefused, fmt::format("pid {} is not ended from here: {}", pid, why),
                   "");
  // The server would take the request, and nothing would come of it.
  if (ending == lock::Ending::kCancel && node->session.state.starts_with("idle"))
    throw Rejected(
        ExitCode::kRefused,
        fmt::format("pid {} is {}: it runs no statement that could be cancelled; nothing "
                    "was ended",
                    pid, node->session.state),
        fmt::format("pgalter locks --terminate {} ends its session", pid));
  return *node;
}

Task<ExitCode> End(const Context& context, guard::Session& session,
                   std::optional<sql::QualifiedName> table) {
  const bool cancel = context.Has("cancel");
  const auto ending = cancel ? lock::Ending::kCancel : lock::Ending::kTerminate;
  const int pid = context.Get<int>(cancel ? "cancel" : "terminate");
  std::vector<lock::LockNode> trees = co_await Read(session, table);
  const lock::LockNode node = NodeToEnd(trees, pid, ending);
  lock::LockNode alone = node;
  alone.waiters.clear();
  std::string who = LockTreeText({alone});
  who.pop_back();  // its line's end
  const std::string question =
      fmt::format("{} {}?", cancel ? "cancel the statement of" : "end the session of", who);
  Confirm(context, question);
  ConfirmAgain(context, pid);
  // Answers take their time.
  trees = co_await Read(session, table);
  const lock::LockNode now = NodeToEnd(trees, pid, ending);
  bool ended = now.session.backend_start == node.session.backend_start;
  if (ended) ended = co_await lock::EndSession(session, node.session, ending);
  if (context.output == Output::kJson) {
    PrintJson({{"version", 1}, {"pid", pid}, {"ended", ended}});
  } else if (ended) {
    Print(fmt::format("pid {} was asked to {}\n", pid, cancel ? "stop its statement" : "end"));
  } else {
    Print(fmt::format("pid {} was gone already\n", pid));
  }
  co_return ExitCode::kDone;
}

void PrintEpisodes(const Context& context, const state::Run& run,
                   const std::vector<state::LockEpisode>& episodes) {
  if (context.output == Output::kJson) {
    boost::json::array list;
    for (const state::LockEpisode& episode : episodes)
      list.push_back({{"began_at", episode.began_at},
                      {"seconds", episode.seconds},
                      {"step", episode.step},
                      {"waiters", episode.waiters},
                      {"trees", episode.trees}});
    PrintJson({{"version", 1}, {"run", run.id}, {"episodes", std::move(list)}});
    return;
  }
  if (episodes.empty())
    Say(context, fmt::format("nobody was seen waiting for run {}, nor it for anybody", run.id));
  for (const state::LockEpisode& episode : episodes)
    Print(fmt::format("{} for {}, step {}, {} waiting at most\n{}", episode.began_at,
                      HumanSeconds(episode.seconds), episode.step, episode.waiters,
                      KeptTreeText(episode.trees)));
}

Task<ExitCode> History(const Context& context) {
  constexpr int kMost = 100;
  guard::Session session = co_await OpenSession(context);
  const std::vector<state::Run> runs = co_await LoadRuns(session);
  const state::Run run = PickRun(runs, context.Get("history"));
  const auto episodes = co_await state::LockEpisodes(session, run.id, kMost);
  PrintEpisodes(context, run, episodes);
  co_return ExitCode::kDone;
}

Task<ExitCode> Run(Context& context) {
  if (context.Has("history")) {
    if (context.Has("watch") || context.Has("cancel") || context.Has("terminate") ||
        !context.operands.empty())
      throw Rejected(ExitCode::kUsage, "--history is about a run of before, and stands alone",
                     "pgalter locks --history RUN");
    co_return co_await History(context);
  }
  const auto table = ParseTable(context.Operand(0));
  const bool ends = context.Has("cancel") || context.Has("terminate");
  if ((context.Has("cancel") && context.Has("terminate")) || (ends && context.Has("watch")))
    throw Rejected(ExitCode::kUsage, "--watch, --cancel and --terminate exclude each other",
                   "give one of them");
  if (context.Has("confirm") && !ends)
    throw Rejected(ExitCode::kUsage, "--confirm alone confirms nothing", "--cancel or --terminate");
  guard::Session session = co_await OpenSession(context);
  co_await UseOwnSearchPath(session);
  if (ends) co_return co_await End(context, session, table);
  if (context.Has("watch")) co_return co_await Watch(context, session, table);
  const std::vector<lock::LockNode> trees = co_await Read(session, table);
  const lock::StepsAtWork steps = co_await ReadSteps(session, trees);
  if (context.output == Output::kJson) {
    PrintJson(LocksJson(trees, steps));
  } else if (trees.empty()) {
    Say(context, NobodyWaits(table));
  } else {
    Print(LockTreeText(trees, steps));
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
        "only, unless --cancel or --terminate names a session of the tree: then it asks twice, and "
        "ends no session of a run, no backup, no replication.",
    .most_operands = 1,
    .add_options = &AddOptions,
    .run = &Run};

}  // namespace pgalter::cli
