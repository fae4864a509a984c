#include "cli/lock_tree.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>

#include "cli/table.h"

namespace pgalter::cli {

namespace json = boost::json;

namespace {

std::string Who(const lock::SessionInfo& session) {
  if (session.pid == 0) return fmt::format("prepared transaction «{}»", session.prepared_gid);
  std::string who = fmt::format("pid {}", session.pid);
  if (!session.application_name.empty()) who += fmt::format(" «{}»", session.application_name);
  if (!session.user.empty()) who += " of " + session.user;
  return who;
}

std::string What(const lock::LockInfo& lock) {
  const std::string object = lock.relation.empty() ? lock.lock_type : lock.relation;
  return lock.mode ? fmt::format("{} on {}", locks::Name(*lock.mode), object) : object;
}

std::string StepOf(const lock::SessionInfo& session, const StepsAtWork& steps) {
  const auto found = steps.find(RunOf(session));
  return found == steps.end() ? "" : found->second;
}

std::string Line(const lock::LockNode& node, const StepsAtWork& steps) {
  const lock::SessionInfo& session = node.session;
  std::string line = Who(session);
  if (const std::string step = StepOf(session, steps); !step.empty())
    line += fmt::format(" (step {})", step);
  if (node.wanted) {
    line += " waits";
    if (node.waiting_for) line += " " + lock::HumanAge(*node.waiting_for);
    line += " for " + What(*node.wanted);
  } else if (!session.state.empty()) {
    line += ", " + session.state;
    if (session.state_age) line += " for " + lock::HumanAge(*session.state_age);
  }
  if (node.in_the_way)
    line += fmt::format("; in its way: {} {}", node.in_the_way->granted ? "holds" : "waits for",
                        What(*node.in_the_way));
  if (session.transaction_age)
    line += ", transaction open for " + lock::HumanAge(*session.transaction_age);
  if (!session.query.empty()) line += fmt::format(": «{}»", session.query);
  return Printable(line);
}

void AddChildren(const lock::LockNode& node, const StepsAtWork& steps, const std::string& indent,
                 std::string& text) {
  for (std::size_t i = 0; i < node.waiters.size(); ++i) {
    const bool last = i + 1 == node.waiters.size();
    text += indent + (last ? "└─ " : "├─ ") + Line(node.waiters[i], steps) + "\n";
    AddChildren(node.waiters[i], steps, indent + (last ? "   " : "│  "), text);
  }
}

json::value LockJson(const std::optional<lock::LockInfo>& lock) {
  if (!lock) return nullptr;
  json::object object{{"type", lock->lock_type}, {"granted", lock->granted}};
  object["relation"] = lock->relation.empty() ? json::value(nullptr) : json::value(lock->relation);
  object["mode"] = lock->mode ? json::value(std::string(locks::Name(*lock->mode))) : nullptr;
  return object;
}

json::value Seconds(const std::optional<lock::Milliseconds>& age) {
  if (!age) return nullptr;
  return static_cast<double>(age->count()) / 1000;
}

json::value TextOrNull(const std::string& text) {
  if (text.empty()) return nullptr;
  return json::value(text);
}

json::object NodeJson(const lock::LockNode& node, const StepsAtWork& steps) {
  json::array waiters;
  for (const lock::LockNode& waiter : node.waiters) waiters.emplace_back(NodeJson(waiter, steps));
  return {{"pid", node.session.pid},
          {"user", node.session.user},
          {"application_name", node.session.application_name},
          {"run", TextOrNull(RunOf(node.session))},
          {"step", TextOrNull(StepOf(node.session, steps))},
          {"state", node.session.state},
          {"transaction_age_s", Seconds(node.session.transaction_age)},
          {"query", node.session.query},
          {"wanted", LockJson(node.wanted)},
          {"waiting_s", Seconds(node.waiting_for)},
          {"blocked_by", json::array(node.blocked_by.begin(), node.blocked_by.end())},
          {"waiters", std::move(waiters)}};
}

}  // namespace

std::string RunOf(const lock::SessionInfo& session) {
  constexpr std::string_view kOurs = "pgalter/";
  const std::string_view name = session.application_name;
  return name.starts_with(kOurs) ? std::string(name.substr(kOurs.size())) : std::string();
}

std::string LockTreeText(const std::vector<lock::LockNode>& trees, const StepsAtWork& steps) {
  std::string text;
  for (const lock::LockNode& tree : trees) {
    text += Line(tree, steps) + "\n";
    AddChildren(tree, steps, "", text);
  }
  return text;
}

json::object LocksJson(const std::vector<lock::LockNode>& trees, const StepsAtWork& steps) {
  json::array sessions;
  for (const lock::LockNode& tree : trees) sessions.emplace_back(NodeJson(tree, steps));
  return {{"version", 1}, {"trees", std::move(sessions)}};
}

}  // namespace pgalter::cli
