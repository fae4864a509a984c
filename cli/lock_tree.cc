#include "cli/lock_tree.h"

#include <fmt/format.h>

#include "cli/table.h"

namespace pgalter::cli {

namespace {

std::string NodeOf(const lock::SessionInfo& session) {
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

std::string Line(const lock::LockNode& node, const lock::StepsAtWork& steps) {
  const lock::SessionInfo& session = node.session;
  std::string line = NodeOf(session);
  if (const std::string step = lock::StepOf(session, steps); !step.empty())
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

void AddChildren(const lock::LockNode& node, const lock::StepsAtWork& steps,
                 const std::string& indent, std::string& text) {
  for (std::size_t i = 0; i < node.waiters.size(); ++i) {
    const bool last = i + 1 == node.waiters.size();
    text += indent + (last ? "└─ " : "├─ ") + Line(node.waiters[i], steps) + "\n";
    AddChildren(node.waiters[i], steps, indent + (last ? "   " : "│  "), text);
  }
}

std::string KeptText(const boost::json::object& from, std::string_view key) {
  const boost::json::value* value = from.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : "";
}

std::string KeptLine(const boost::json::object& node) {
  const auto pid = node.at("pid").to_number<std::int64_t>();
  std::string line = pid == 0 ? "prepared transaction" : fmt::format("pid {}", pid);
  if (const auto name = KeptText(node, "application_name"); !name.empty())
    line += fmt::format(" «{}»", name);
  if (const auto user = KeptText(node, "user"); !user.empty()) line += " of " + user;
  if (const auto step = KeptText(node, "step"); !step.empty())
    line += fmt::format(" (step {})", step);
  if (const auto& wanted = node.at("wanted"); wanted.is_object()) {
    const auto mode = KeptText(wanted.as_object(), "mode");
    const auto relation = KeptText(wanted.as_object(), "relation");
    const std::string object = relation.empty() ? KeptText(wanted.as_object(), "type") : relation;
    line +=
        mode.empty() ? " waits for " + object : fmt::format(" waits for {} on {}", mode, object);
  } else if (const auto state = KeptText(node, "state"); !state.empty()) {
    line += ", " + state;
  }
  if (const auto query = KeptText(node, "query"); !query.empty())
    line += fmt::format(": «{}»", query);
  return Printable(line);
}

void AddKept(const boost::json::object& node, const std::string& branch, const std::string& indent,
             std::string& text) {
  text += branch.empty() ? indent : branch;
  text += KeptLine(node) + "\n";
  const auto& waiters = node.at("waiters").as_array();
  for (std::size_t i = 0; i < waiters.size(); ++i) {
    const bool last = i + 1 == waiters.size();
    AddKept(waiters[i].as_object(), indent + (last ? "└─ " : "├─ "),
            indent + (last ? "   " : "│  "), text);
  }
}

}  // namespace

std::string LockTreeText(const std::vector<lock::LockNode>& trees, const lock::StepsAtWork& steps) {
  std::string text;
  for (const lock::LockNode& tree : trees) {
    text += Line(tree, steps) + "\n";
    AddChildren(tree, steps, "", text);
  }
  return text;
}

std::string KeptTreeText(const boost::json::array& trees) {
  std::string text;
  for (const boost::json::value& tree : trees) AddKept(tree.as_object(), "", "  ", text);
  return text;
}

boost::json::object LocksJson(const std::vector<lock::LockNode>& trees,
                              const lock::StepsAtWork& steps) {
  return {{"version", 1}, {"trees", lock::TreesJson(trees, steps)}};
}

}  // namespace pgalter::cli
