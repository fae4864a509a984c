#include "engine/lock/trees_json.h"

#include <boost/json/object.hpp>

namespace pgalter::lock {

namespace json = boost::json;

namespace {

json::value LockJson(const std::optional<LockInfo>& lock) {
  if (!lock) return nullptr;
  json::object object{{"type", lock->lock_type}, {"granted", lock->granted}};
  object["relation"] = lock->relation.empty() ? json::value(nullptr) : json::value(lock->relation);
  object["mode"] = lock->mode ? json::value(std::string(locks::Name(*lock->mode))) : nullptr;
  return object;
}

json::value Seconds(const std::optional<Milliseconds>& age) {
  if (!age) return nullptr;
  return static_cast<double>(age->count()) / 1000;
}

json::value TextOrNull(const std::string& text) {
  if (text.empty()) return nullptr;
  return json::value(text);
}

json::object NodeJson(const LockNode& node, const StepsAtWork& steps) {
  json::array waiters;
  for (const LockNode& waiter : node.waiters) waiters.emplace_back(NodeJson(waiter, steps));
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

std::string RunOf(const SessionInfo& session) {
  constexpr std::string_view kOurs = "pgalter/";
  const std::string_view name = session.application_name;
  return name.starts_with(kOurs) ? std::string(name.substr(kOurs.size())) : std::string();
}

std::string StepOf(const SessionInfo& session, const StepsAtWork& steps) {
  const auto found = steps.find(RunOf(session));
  return found == steps.end() ? "" : found->second;
}

json::array TreesJson(const std::vector<LockNode>& trees, const StepsAtWork& steps) {
  json::array sessions;
  for (const LockNode& tree : trees) sessions.emplace_back(NodeJson(tree, steps));
  return sessions;
}

}  // namespace pgalter::lock
