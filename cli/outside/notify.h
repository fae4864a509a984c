// Who is told what happens to a run: executables of the hooks' directory by the events' names, and
// webhooks. One after the other, each with its limit; what they answer is recorded with the run.
// Nobody who is told can fail the run; who is asked (Ask) can hold it.
#pragma once

#include <boost/json/object.hpp>
#include <deque>
#include <map>
#include <optional>
#include <string>

#include "cli/outside/config.h"
#include "engine/guard/session.h"
#include "engine/state/events.h"

namespace pgalter::cli::outside {

// "X-Pgalter-Signature: sha256=…" of a body: HMAC-SHA256 (RFC 2104), in hexadecimal digits.
std::string Signature(const std::string& secret, const std::string& body);
// What a webhook is sent.
std::string BodyFor(const Webhook& webhook, const boost::json::object& facts);
// As environment of a hook: PGALTER_EVENT and so on.
std::vector<std::string> VariablesOf(const boost::json::object& facts);

class Notifier {
 public:
  Notifier(const Context& context, const Config& config, guard::SessionOptions session,
           std::string run);

  // `facts` has "event" in it.
  void Tell(boost::json::object facts);
  // The hook of that event, now: nullopt where there is none, or it says yes.
  Task<std::optional<std::string>> Ask(boost::json::object facts);
  void Note(state::Event event);

  Task<> Flush();   // tells what there is to be told
  Task<> Finish();  // the same, for the last time

 private:
  [[nodiscard]] std::string HookOf(const std::string& event) const;
  Task<std::optional<std::string>> RunHook(std::string file, boost::json::object facts);
  Task<> Post(const Webhook& webhook, std::string name, boost::json::object facts);
  void Warn(const std::string& who, const std::string& event, const std::string& said);
  Task<> Record();

  const Context& context_;
  const Config& config_;
  guard::SessionOptions options_;
  std::string run_;
  guard::Session session_;
  std::deque<boost::json::object> waiting_;
  std::deque<state::Event> unrecorded_;
  std::map<std::string, std::string> warned_;  // what was said of whom last
  async::Clock::time_point record_again_{};
};

}  // namespace pgalter::cli::outside
