#include "cli/outside/probe.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <utility>

#include "cli/outside/program.h"
#include "engine/watch/read_all.h"
#include "engine/watch/user_query.h"

namespace pgalter::cli::outside {

namespace {

using watch::Observation;

// As curl's configuration has it.
std::string Quoted(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    if (c == '\n') {
      quoted += "\\n";
    } else if (c == '\r') {
      quoted += "\\r";
    } else if (c == '\t') {
      quoted += "\\t";
    } else {
      quoted += c;
    }
  }
  return quoted + "\"";
}

std::string WithoutAddress(std::string text, const std::string& url) {
  for (std::size_t at = 0; (at = text.find(url, at)) != std::string::npos;)
    text.replace(at, url.size(), "the address");
  return text;
}

// Its own words about a certificate, without its advice to trust everybody.
std::string WhyUntrusted(const ProgramEnd& end) {
  constexpr std::string_view kBegin = "curl: (60) ";
  std::string words = end.err;
  if (words.starts_with(kBegin)) words.erase(0, kBegin.size());
  return fmt::format(
      "its certificate is refused: {} (trusted are the authorities that curl knows, or those of "
      "the "
      "file that CURL_CA_BUNDLE names)",
      words);
}

Observation Parse(const std::string& text, const std::string& pointer) {
  if (pointer.empty()) {
    const auto value = watch::NumberOf(text);
    return value ? Observation::Measured(*value)
                 : Observation::Unreadable("what it answers is no number");
  }
  boost::system::error_code error;
  const boost::json::value json = boost::json::parse(text, error);
  if (error) return Observation::Unreadable("what it answers is no JSON");
  const boost::json::value* found = json.find_pointer(pointer, error);
  if (found == nullptr) return Observation::Unreadable(fmt::format("there is no {}", pointer));
  if (found->is_number()) return Observation::Measured(found->to_number<double>());
  const auto value = found->is_string() ? watch::NumberOf(found->as_string()) : std::nullopt;
  return value ? Observation::Measured(*value)
               : Observation::Unreadable(fmt::format("{} is no number", pointer));
}

}  // namespace

Task<Answer> Ask(Request request) {
  constexpr Milliseconds kGrace{1'000};
  constexpr int kUntrusted = 60;  // CURLE_PEER_FAILED_VERIFICATION
  const double seconds = std::chrono::duration<double>(request.limit).count();
  ProgramCall call;
  call.words = {"curl", "-q", "--config", "-"};
  call.limit = request.limit + kGrace;
  call.input = fmt::format(
      "url = {}\nsilent\nshow-error\ngloboff\nmax-time = {}\nproto = \"=http,https\"\n"
      "write-out = \"\\n%{{http_code}}\"\n",
      Quoted(request.url), seconds);
  for (const std::string& header : request.headers)
    call.input += fmt::format("header = {}\n", Quoted(header));
  if (!request.body.empty()) call.input += fmt::format("data-raw = {}\n", Quoted(request.body));
  ProgramEnd end = co_await RunProgram(std::move(call));
  Answer answer;
  const auto line = end.out.rfind('\n');
  if (end.ok() && line != std::string::npos) {
    answer.status = static_cast<int>(watch::NumberOf(end.out.substr(line + 1)).value_or(0));
    answer.body = end.out.substr(0, line);
  }
  if (answer.status == 0) {
    end.out.clear();
    end.err.resize(std::min(end.err.size(), end.err.find('\n')));  // advice follows
    answer.untrusted = end.code == kUntrusted;
    const std::string why =
        answer.untrusted ? WhyUntrusted(end) : "curl: " + Describe(end, request.limit);
    answer.trouble = WithoutAddress(why, request.url);
  }
  co_return answer;
}

Prober::Prober(Probe probe, guard::SessionOptions session)
    : probe_(std::move(probe)), options_(watch::WatchingSession(std::move(session))) {}

Task<Observation> Prober::Read() {
  if (!probe_.sql.empty()) co_return co_await ReadSql();
  if (!probe_.command.empty()) co_return co_await ReadProgram();
  Request request;
  request.url = probe_.http;
  request.limit = probe_.timeout;
  const Answer answer = co_await Ask(std::move(request));
  if (answer.status == 0) co_return Observation::Unreadable(answer.trouble);
  if (answer.status < 200 || answer.status > 299)
    co_return Observation::Unreadable(fmt::format("it answers with status {}", answer.status));
  co_return Parse(answer.body, probe_.json);
}

Task<Observation> Prober::ReadSql() {
  Observation seen;
  try {
    if (!session_.open()) session_ = co_await guard::Session::Open(options_);
    session_.db().set_query_deadline(probe_.timeout);
    seen = co_await watch::ReadUserQuery(session_, probe_.sql);
  } catch (const pg::PgError& error) {
    seen = Observation::Unreadable(error.what());
  }
  // Whatever a failed transaction has left.
  if (seen.seen == watch::Seen::kUnreadable) session_ = guard::Session();
  co_return seen;
}

Task<Observation> Prober::ReadProgram() const {
  ProgramCall call;
  call.words = probe_.command;
  call.limit = probe_.timeout;
  const ProgramEnd end = co_await RunProgram(std::move(call));
  if (!end.ok()) co_return Observation::Unreadable(Describe(end, probe_.timeout));
  co_return Parse(end.out, probe_.json);
}

}  // namespace pgalter::cli::outside
