#include "cli/report.h"

#include <fmt/format.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/null_sink.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <array>
#include <boost/json/serialize.hpp>
#include <chrono>
#include <cstdio>
#include <ctime>

#include "cli/json_output.h"
#include "cli/rejected.h"
#include "engine/pg/error.h"

namespace pgalter::cli {

namespace {

// spdlog's own default would write to stdout, where results go.
std::shared_ptr<spdlog::logger>& Logger() {
  static auto logger =
      std::make_shared<spdlog::logger>("pgalter", std::make_shared<spdlog::sinks::null_sink_st>());
  return logger;
}

enum class LogFormat { kText, kJson };

struct LogSettings {
  LogFormat format = LogFormat::kText;
  std::string command;
};

LogSettings& Settings() {
  static LogSettings settings;
  return settings;
}

std::string Now() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(now).count();
  const std::time_t seconds = micros / 1'000'000;
  std::tm utc{};
  ::gmtime_r(&seconds, &utc);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &utc);
  return fmt::format("{}.{:06}Z", text.data(), micros % 1'000'000);
}

// One line. `fields`: what a program looks for, besides the sentence; in text the sentence has it.
void Write(spdlog::level::level_enum level, const std::string& text,
           const boost::json::object& fields = {}) {
  if (Settings().format == LogFormat::kText) {
    Logger()->log(level, "{}", text);
    return;
  }
  const auto name = spdlog::level::to_string_view(level);
  boost::json::object line{{"ts", Now()},
                           {"level", std::string_view(name.data(), name.size())},
                           {"pid", static_cast<std::int64_t>(::getpid())},
                           {"command", Settings().command},
                           {"msg", text}};
  for (const auto& field : fields) line[field.key()] = field.value();
  Logger()->log(level, "{}", boost::json::serialize(line));
}

// A PgError's own text carries the hint; here it has a line to itself.
std::string WithoutHint(const pg::PgError& error) {
  const auto& fields = error.fields();
  std::string text = fmt::format("{} (SQLSTATE {})", fields.message, fields.sqlstate);
  if (!fields.object.empty()) text += fmt::format(" on {}", fields.object);
  return text;
}

// A server's message may quote a value of a user's row: on a terminal it helps, a log keeps it.
std::string ForLog(const run::Verdict& verdict) {
  if (verdict.sqlstate.empty()) return verdict.text;
  std::string text = "SQLSTATE " + verdict.sqlstate;
  if (!verdict.object.empty()) text += " on " + verdict.object;
  return text;
}

}  // namespace

run::Verdict Judge(const std::exception_ptr& error) {
  run::Verdict verdict = run::Judge(error);
  try {
    std::rethrow_exception(error);
  } catch (const Rejected& rejected) {
    return rejected.verdict();
  } catch (const pg::ConnectError& failure) {
    // A wrong password is no missing right: nobody was let in.
    verdict.code = ExitCode::kConnection;
    verdict.text = WithoutHint(failure);
    if (verdict.hint.empty())
      verdict.hint = "check --dsn, --env or PGHOST and the other PG* variables";
  } catch (const pg::PgError& failure) {
    verdict.text = WithoutHint(failure);
  } catch (...) {
    // run::Judge has said it.
  }
  return verdict;
}

ExitCode Report(const run::Verdict& verdict, Output output) {
  std::string text;
  if (output == Output::kJson) {
    text = boost::json::serialize(ErrorJson(verdict)) + "\n";
  } else {
    text = fmt::format("pgalter: {}\n", verdict.text);
    if (!verdict.hint.empty()) text += fmt::format("hint: {}\n", verdict.hint);
  }
  std::fwrite(text.data(), 1, text.size(), stderr);
  const int code = static_cast<int>(verdict.code);
  boost::json::object fields{{"exit_code", code}};
  if (!verdict.sqlstate.empty()) fields["sqlstate"] = verdict.sqlstate;
  if (!verdict.object.empty()) fields["object"] = verdict.object;
  Write(spdlog::level::err, fmt::format("{} (exit code {})", ForLog(verdict), code), fields);
  Logger()->flush();
  return verdict.code;
}

void Say(const Context& context, const std::string& text) {
  Log(text);
  if (context.output == Output::kJson) return;
  fmt::print(stderr, "pgalter: {}\n", text);
}

void Print(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

void OpenLog(const Context& context) {
  const auto& format = context.Get("log-format");
  if (format != "text" && format != "json")
    throw Rejected(ExitCode::kUsage, fmt::format("--log-format \"{}\" is not known", format),
                   "text or json");
  if (context.log_file.empty()) return;
  try {
    Logger() = std::make_shared<spdlog::logger>(
        "pgalter", std::make_shared<spdlog::sinks::basic_file_sink_st>(context.log_file));
  } catch (const spdlog::spdlog_ex& error) {
    throw Rejected(ExitCode::kUsage,
                   fmt::format("cannot write the log file {}: {}", context.log_file, error.what()),
                   "");
  }
  Settings().format = format == "json" ? LogFormat::kJson : LogFormat::kText;
  Settings().command = std::string(context.command->name);
  if (format == "json")
    Logger()->set_pattern("%v");
  else
    Logger()->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ [%P] %l %v", spdlog::pattern_time_type::utc);
  Logger()->flush_on(spdlog::level::info);
}

void Log(const std::string& text) { Write(spdlog::level::info, text); }

}  // namespace pgalter::cli
