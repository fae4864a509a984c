#include "cli/outside/notify.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/json/serialize.hpp>
#include <filesystem>
#include <utility>

#include "cli/outside/probe.h"
#include "cli/outside/program.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "engine/state/sha256.h"

namespace pgalter::cli::outside {

namespace json = boost::json;

namespace {

constexpr int kAttempts = 3;
constexpr Milliseconds kBetween{500};  // and twice that, and so on
constexpr std::size_t kMostSaid = 300;
constexpr std::chrono::seconds kRecordAgain{10};

std::string Hash(const std::string& first, const std::string& second) {
  state::Sha256 hash;
  hash.Take(first);
  hash.Take(second);
  return hash.Bytes();
}

std::string Text(const json::object& facts, const char* key) {
  const json::value* value = facts.if_contains(key);
  if (value == nullptr || value->is_null()) return "";
  if (value->is_string()) return std::string(value->as_string());
  if (value->is_double()) return fmt::format("{:.6g}", value->as_double());  // not 1E0
  return json::serialize(*value);
}

// Somebody else must not be able to put words into our mouth.
std::string WhyNotSafe(const std::string& file) {
  struct stat is {};
  if (::stat(file.c_str(), &is) != 0) return "cannot be looked at";
  if (is.st_uid != ::geteuid() && is.st_uid != 0) return "belongs to somebody else";
  if ((is.st_mode & S_IWOTH) != 0) return "can be written by everybody";
  if (::access(file.c_str(), X_OK) != 0) return "is not executable";
  return "";
}

state::Event EventOf(const json::object& facts, const char* kind, std::string name,
                     std::optional<std::int32_t> code, std::string said) {
  return {"", Text(facts, "event"), kind, std::move(name), code, said.substr(0, kMostSaid)};
}

bool IsWorthAnother(const Answer& answer) {
  if (answer.untrusted) return false;
  return answer.status == 0 || answer.status == 429 || answer.status >= 500;
}

}  // namespace

std::string Signature(const std::string& secret, const std::string& body) {
  constexpr std::size_t kBlock = 64;
  std::string key = secret.size() > kBlock ? Hash(secret, "") : secret;
  key.resize(kBlock, '\0');
  std::string inner = key;
  std::string outer = key;
  for (char& c : inner) c = static_cast<char>(c ^ 0x36);
  for (char& c : outer) c = static_cast<char>(c ^ 0x5c);
  return "sha256=" + state::HexOf(Hash(outer, Hash(inner, body)));
}

std::string BodyFor(const Webhook& webhook, const json::object& facts) {
  if (!webhook.slack) return json::serialize(facts);
  std::string text = fmt::format("pgalter {} of {}: {}", Text(facts, "command"),
                                 Text(facts, "table"), Text(facts, "event"));
  for (const char* key : {"note", "throttle_reason"})
    if (const std::string more = Text(facts, key); !more.empty()) text += "; " + more;
  text += fmt::format(" ({})", Text(facts, "run"));
  // What means something in such a message.
  std::string escaped;
  for (const char c : text) {
    if (c == '&') {
      escaped += "&amp;";
    } else if (c == '<') {
      escaped += "&lt;";
    } else if (c == '>') {
      escaped += "&gt;";
    } else {
      escaped += c;
    }
  }
  return json::serialize(json::object{{"text", escaped}});
}

std::vector<std::string> VariablesOf(const json::object& facts) {
  std::vector<std::string> variables;
  for (const auto& fact : facts) {
    std::string name = "PGALTER_";
    for (const char c : fact.key()) name += static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c);
    if (name == "PGALTER_RUN") name = "PGALTER_RUN_ID";
    const std::string key(fact.key());
    variables.push_back(name + "=" + Text(facts, key.c_str()));
  }
  return variables;
}

Notifier::Notifier(const Context& context, const Config& config, guard::SessionOptions session,
                   std::string run)
    : context_(context), config_(config), options_(std::move(session)), run_(std::move(run)) {}

void Notifier::Tell(json::object facts) { waiting_.push_back(std::move(facts)); }

void Notifier::Note(state::Event event) { unrecorded_.push_back(std::move(event)); }

// Once, until it is something else: of a pace that comes and goes somebody may be told every
// second.
void Notifier::Warn(const std::string& who, const std::string& event, const std::string& said) {
  std::string& before = warned_[who];
  if (!said.empty() && said != before)
    SayAmid(context_, fmt::format("{} was not told of {}: {}", who, event, said));
  before = said;
}

std::string Notifier::HookOf(const std::string& event) const {
  if (config_.hooks.directory.empty()) return "";
  const std::string file = config_.hooks.directory + "/" + event;
  return std::filesystem::exists(file) ? file : "";
}

Task<std::optional<std::string>> Notifier::RunHook(std::string file, json::object facts) {
  const std::string name = std::filesystem::path(file).filename().string();
  const std::string unsafe = WhyNotSafe(file);
  if (!unsafe.empty()) {
    unrecorded_.push_back(EventOf(facts, "hook", name, std::nullopt, unsafe));
    co_return fmt::format("hook {} {}", name, unsafe);
  }
  ProgramCall call;
  call.words = {file};
  call.environment = VariablesOf(facts);
  call.input = json::serialize(facts) + "\n";
  call.limit = config_.hooks.timeout;
  const ProgramEnd end = co_await RunProgram(std::move(call));
  const std::string said = Describe(end, config_.hooks.timeout);
  Log(fmt::format("hook {}: {}", name, said));
  unrecorded_.push_back(EventOf(facts, "hook", name, end.code, end.ok() ? "" : said));
  if (end.ok()) co_return std::nullopt;
  co_return fmt::format("hook {}: {}", name, said);
}

Task<std::optional<std::string>> Notifier::Ask(json::object facts) {
  std::string file = HookOf(Text(facts, "event"));
  if (file.empty()) co_return std::nullopt;
  co_return co_await RunHook(std::move(file), std::move(facts));
}

Task<> Notifier::Post(const Webhook& webhook, std::string name, json::object facts) {
  Answer answer;
  for (int attempt = 1; attempt <= kAttempts; ++attempt) {
    Request request;
    request.url = webhook.url;
    request.body = BodyFor(webhook, facts);
    request.headers = {"Content-Type: application/json", "User-Agent: pgalter",
                       "X-Pgalter-Event: " + Text(facts, "event")};
    if (!webhook.secret.empty())
      request.headers.push_back("X-Pgalter-Signature: " + Signature(webhook.secret, request.body));
    request.limit = webhook.timeout;
    answer = co_await outside::Ask(std::move(request));
    if (!IsWorthAnother(answer)) break;
    if (attempt < kAttempts) co_await async::SleepFor(kBetween * (1 << (attempt - 1)));
  }
  std::string said = answer.trouble;
  if (answer.status != 0 && (answer.status < 200 || answer.status > 299))
    said = fmt::format("it answers with status {}", answer.status);
  Warn(name, Text(facts, "event"), said);
  std::optional<std::int32_t> code;
  if (answer.status != 0) code = answer.status;
  unrecorded_.push_back(EventOf(facts, "webhook", std::move(name), code, std::move(said)));
}

// Not to be able to write it down hurts nobody: it is tried again a little later.
Task<> Notifier::Record() {
  if (unrecorded_.empty() || async::Clock::now() < record_again_) co_return;
  try {
    if (!session_.open()) session_ = co_await guard::Session::Open(options_);
    while (!unrecorded_.empty()) {
      co_await state::RecordEvent(session_, run_, unrecorded_.front());
      unrecorded_.pop_front();
    }
  } catch (const pg::PgError& error) {
    Log(fmt::format("an event was not recorded: {}", error.what()));
    record_again_ = async::Clock::now() + kRecordAgain;
    // The schema is an older program's.
    if (error.Is(pg::sqlstate::kUndefinedTable)) unrecorded_.clear();
  }
}

Task<> Notifier::Flush() {
  while (!waiting_.empty()) {
    const json::object facts = std::move(waiting_.front());
    waiting_.pop_front();
    const std::string event = Text(facts, "event");
    std::string file = HookOf(event);
    if (!file.empty()) {
      const auto said = co_await RunHook(std::move(file), facts);
      Warn("hook", event, said.value_or(""));
    }
    int place = 0;
    for (const Webhook& webhook : config_.webhooks) {
      ++place;
      std::string name = fmt::format("webhook {}", place);
      if (webhook.events.empty() || webhook.events.contains(event))
        co_await Post(webhook, std::move(name), facts);
    }
  }
  co_await Record();
}

Task<> Notifier::Finish() {
  record_again_ = {};
  co_await Flush();
}

}  // namespace pgalter::cli::outside
