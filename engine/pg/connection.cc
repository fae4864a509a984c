#include "engine/pg/connection.h"

#include <fmt/format.h>
#include <libpq-fe.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <random>
#include <utility>

#include "engine/async/finally.h"
#include "engine/pg/gathering.h"
#include "engine/pg/session_core.h"

namespace pgalter::pg {

namespace {

// libpq's view of Params; must not outlive them.
struct Bound {
  explicit Bound(const Params& params) {
    for (const Params::Value& value : params.values()) {
      types.push_back(value.type);
      values.push_back(value.bytes ? value.bytes->c_str() : nullptr);
      lengths.push_back(value.bytes ? static_cast<int>(value.bytes->size()) : 0);
      formats.push_back(value.format);
    }
  }
  int count() const { return static_cast<int>(values.size()); }
  std::vector<Oid> types;
  std::vector<const char*> values;
  std::vector<int> lengths;
  std::vector<int> formats;
};

// libpq takes C strings: it would cut the text at a NUL, and a statement cut short may do more harm
// than the whole one.
void RefuseNul(std::string_view text, const std::string& sql) {
  if (text.find('\0') == std::string_view::npos) return;
  PgErrorFields fields;
  fields.sqlstate = "22021";  // character_not_in_repertoire, as the server calls it
  fields.message = "a text with a NUL byte cannot be sent";
  fields.statement = sql;
  throw PgError(std::move(fields));
}

void RefuseNuls(const std::string& sql, const Params& params) {
  RefuseNul(sql, sql);
  for (const Params::Value& value : params.values())
    if (value.bytes && value.format == 0) RefuseNul(*value.bytes, sql);
}

void Send(const SessionCore& core, const std::string& sql, const Params& params, Format format) {
  RefuseNuls(sql, params);
  const Bound bound(params);
  const int sent = PQsendQueryParams(core.conn(), sql.c_str(), bound.count(), bound.types.data(),
                                     bound.values.data(), bound.lengths.data(),
                                     bound.formats.data(), format == Format::kBinary ? 1 : 0);
  core.SendOrThrow(sent, sql);
}

std::string KeyOf(const std::string& sql, const Bound& bound) {
  std::string key = sql;
  for (const Oid type : bound.types) key += '\0' + std::to_string(type);
  return key;
}

// A name that no statement has had: one that was prepared may be there without our knowing, where
// another in its pipeline failed, or where a pooler that discards nothing hands out the server's
// session of another connection, of this process or of any other.
std::string NewName() {
  static const std::string process = [] {
    std::random_device random;
    return fmt::format("pgalter_{:08x}{:08x}_", random(), random());
  }();
  static std::atomic<std::uint64_t> names = 0;
  return process + std::to_string(++names);
}

std::string SendPrepare(SessionCore& core, const std::string& sql, const Bound& bound) {
  std::string name = NewName();
  core.SendOrThrow(
      PQsendPrepare(core.conn(), name.c_str(), sql.c_str(), bound.count(), bound.types.data()),
      sql);
  return name;
}

// The name under which the server has that statement, now at the latest.
Task<std::string> Kept(SessionCore& core, const std::string& sql, const Params& params) {
  RefuseNuls(sql, params);
  const Bound bound(params);
  std::string key = KeyOf(sql, bound);
  if (const auto found = core.kept_plans.find(key); found != core.kept_plans.end())
    co_return found->second;
  std::string name = SendPrepare(core, sql, bound);
  const auto drop = [](Result) {};
  const SessionCore::OnResult sink = drop;
  co_await core.Drive(sql, sink);
  core.kept_plans[std::move(key)] = name;
  co_return name;
}

void SendKept(const SessionCore& core, const std::string& name, const std::string& sql,
              const Params& params, Format format) {
  const Bound bound(params);
  core.SendOrThrow(PQsendQueryPrepared(core.conn(), name.c_str(), bound.count(),
                                       bound.values.data(), bound.lengths.data(),
                                       bound.formats.data(), format == Format::kBinary ? 1 : 0),
                   sql);
}

// What is sent in one pipeline; whose results are not what was asked for.
class Batch {
 public:
  explicit Batch(SessionCore& core) : core_(core) {}

  // Without parameters it is DDL of one time, or a setting.
  void Add(const Statement& statement) {
    if (core_.keeps_plans && (statement.keep || !statement.params.values().empty())) {
      AddKept(statement);
    } else {
      Send(core_, statement.sql, statement.params, Format::kText);
    }
    asked_.push_back(true);
  }

  // The next result of the server's, in the order of the statements.
  bool IsAskedFor() { return asked_.at(next_++); }

  // All went well.
  void Remember() { core_.kept_plans.merge(prepared_); }

 private:
  void AddKept(const Statement& statement) {
    RefuseNuls(statement.sql, statement.params);
    const Bound bound(statement.params);
    SendKept(core_, NameOf(statement.sql, bound), statement.sql, statement.params, Format::kText);
  }

  std::string NameOf(const std::string& sql, const Bound& bound) {
    const std::string key = KeyOf(sql, bound);
    const auto kept = core_.kept_plans.find(key);
    if (kept != core_.kept_plans.end()) return kept->second;
    const auto [prepared, missing] = prepared_.try_emplace(key);
    if (missing) {
      prepared->second = SendPrepare(core_, sql, bound);
      asked_.push_back(false);
    }
    return prepared->second;
  }

  SessionCore& core_;
  std::map<std::string, std::string> prepared_;
  std::vector<bool> asked_;
  std::size_t next_ = 0;
};

}  // namespace

Connection::Connection() = default;
Connection::Connection(Connection&&) noexcept = default;
Connection& Connection::operator=(Connection&&) noexcept = default;
Connection::~Connection() { Close(); }

Task<Connection> Connection::Connect(ConnectOptions options) {
  const auto executor = co_await boost::asio::this_coro::executor;
  auto core = std::make_shared<SessionCore>(executor, options);
  co_await core->Open(std::move(options));
  Connection connection;
  connection.core_ = std::move(core);
  co_return connection;
}

SessionCore& Connection::core() const {
  if (core_) return *core_;
  PgErrorFields fields;
  fields.sqlstate = "08003";
  fields.message = "the connection is closed";
  throw PgError(std::move(fields));
}

void Connection::Close() {
  if (core_) core_->Close();
  core_.reset();
}

void Connection::DropIfBroken() {
  if (core_ && core_->broken()) Close();
}

Task<Result> Connection::QueryParams(std::string sql, Params params, Format format) {
  const auto keep = core_;
  SessionCore& session = core();
  if (session.gathering != nullptr && format == Format::kText) {
    std::vector<Statement> one;
    one.push_back({std::move(sql), std::move(params), true});
    std::vector<Result> results = co_await session.gathering->Ask(std::move(one));
    co_return std::move(results.front());
  }
  Result last;
  std::exception_ptr failure;
  try {
    if (session.keeps_plans) {
      const std::string name = co_await Kept(session, sql, params);
      SendKept(session, name, sql, params, format);
    } else {
      Send(session, sql, params, format);
    }
    const auto keep_last = [&last](Result result) { last = std::move(result); };
    const SessionCore::OnResult sink = keep_last;
    co_await session.Drive(std::move(sql), sink);
  } catch (...) {
    failure = std::current_exception();
  }
  DropIfBroken();
  if (failure) std::rethrow_exception(failure);
  co_return last;
}

Task<std::vector<Result>> Connection::Execute(std::string script) {
  const auto keep = core_;
  SessionCore& session = core();
  std::vector<Result> results;
  std::exception_ptr failure;
  try {
    RefuseNul(script, script);
    session.SendOrThrow(PQsendQuery(session.conn(), script.c_str()), script);
    const auto append = [&results](Result result) { results.push_back(std::move(result)); };
    const SessionCore::OnResult sink = append;
    co_await session.Drive(std::move(script), sink);
  } catch (...) {
    failure = std::current_exception();
  }
  DropIfBroken();
  if (failure) std::rethrow_exception(failure);
  co_return results;
}

Task<std::vector<Result>> Connection::Pipeline(std::vector<Statement> statements) {
  const auto keep = core_;
  Gathering* const gathering = core().gathering;
  if (gathering == nullptr) co_return co_await SendAll(std::move(statements));
  co_return co_await gathering->Ask(std::move(statements));
}

Task<std::vector<Result>> Connection::SendAll(std::vector<Statement> statements) {
  const auto keep = core_;
  SessionCore& session = core();
  std::vector<Result> results;
  std::exception_ptr failure;
  try {
    session.SendOrThrow(PQenterPipelineMode(session.conn()), "");
    std::string all;
    Batch batch(session);
    for (const Statement& statement : statements) {
      batch.Add(statement);
      all += all.empty() ? statement.sql : "; " + statement.sql;
    }
    session.SendOrThrow(PQpipelineSync(session.conn()), all);
    const auto append = [&](Result result) {
      if (batch.IsAskedFor()) results.push_back(std::move(result));
    };
    const SessionCore::OnResult sink = append;
    co_await session.Drive(std::move(all), sink);
    batch.Remember();
  } catch (...) {
    failure = std::current_exception();
  }
  // An error before the Sync was sent leaves the pipeline half open: only closing is certain.
  if (!session.broken() && PQpipelineStatus(session.conn()) != PQ_PIPELINE_OFF &&
      PQexitPipelineMode(session.conn()) != 1)
    session.Close();
  DropIfBroken();
  if (failure) std::rethrow_exception(failure);
  co_return results;
}

Task<> Connection::Stream(std::string sql, Params params, RowSink sink) {
  const auto keep = core_;
  SessionCore& session = core();
  std::exception_ptr failure;
  try {
    Send(session, sql, params, Format::kText);
    session.SendOrThrow(PQsetSingleRowMode(session.conn()), sql);
    const auto pass_rows = [&sink](const Result& result) {
      if (!result.empty()) sink(result);
    };
    const SessionCore::OnResult on_result = pass_rows;
    co_await session.Drive(std::move(sql), on_result);
  } catch (...) {
    failure = std::current_exception();
  }
  DropIfBroken();
  if (failure) std::rethrow_exception(failure);
}

Task<std::optional<Notification>> Connection::WaitNotification(Milliseconds limit) {
  const auto keep = core_;
  SessionCore& session = core();
  session.DrainNotifications();
  std::exception_ptr failure;
  session.Arm(limit);
  try {
    while (session.notifications().empty()) co_await session.AwaitReadable();
  } catch (...) {
    failure = std::current_exception();
  }
  const bool expired = session.Disarm();
  DropIfBroken();
  if (!keep->notifications().empty()) {
    Notification first = std::move(keep->notifications().front());
    keep->notifications().pop_front();
    co_return first;
  }
  if (failure && !expired) std::rethrow_exception(failure);
  co_return std::nullopt;
}

void Connection::KeepPlans(bool on) { core().keeps_plans = on; }
void Connection::set_query_deadline(Milliseconds limit) { core().query_deadline = limit; }
Milliseconds Connection::query_deadline() const { return core().query_deadline; }

bool Connection::in_transaction() const {
  return open() && PQtransactionStatus(core_->conn()) != PQTRANS_IDLE;
}
int Connection::backend_pid() const { return PQbackendPID(core().conn()); }
int Connection::server_version() const { return PQserverVersion(core().conn()); }
std::string Connection::database() const { return PQdb(core().conn()); }
std::string Connection::user() const { return PQuser(core().conn()); }

std::string Connection::ParameterStatus(const std::string& name) const {
  const char* value = PQparameterStatus(core().conn(), name.c_str());
  return value == nullptr ? "" : value;
}

}  // namespace pgalter::pg
