// Connecting: name lookup on another thread, then libpq's own steps on the socket, with a limit for
// each address. libpq enforces connect_timeout only in its blocking calls, so that one silent host
// would keep it from ever trying the next.
#include <fmt/format.h>
#include <libpq-fe.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <charconv>
#include <memory>
#include <new>
#include <utility>
#include <vector>

#include "engine/async/blocking.h"
#include "engine/pg/connect_message.h"
#include "engine/pg/session_core.h"

namespace pgalter::pg {

namespace asio = boost::asio;

namespace {

struct Keywords {
  explicit Keywords(const Conninfo& conninfo) {
    for (const auto& [keyword, value] : conninfo.keywords()) {
      names.push_back(keyword.c_str());
      values.push_back(value.c_str());
    }
    names.push_back(nullptr);
    values.push_back(nullptr);
  }
  std::vector<const char*> names;
  std::vector<const char*> values;
};

Conninfo WithOurDefaults(const ConnectOptions& options) {
  Conninfo conninfo = options.conninfo;
  conninfo.Set("application_name", options.application_name);
  conninfo.Set("client_encoding", "UTF8");
  // A peer that vanished without a word is noticed within about half a minute.
  conninfo.SetDefault("keepalives_idle", "10");
  conninfo.SetDefault("keepalives_interval", "5");
  conninfo.SetDefault("keepalives_count", "3");
  conninfo.SetDefault("tcp_user_timeout", "25000");
  return conninfo;
}

// What libpq made of our keywords, the environment and the service file.
Conninfo Resolved(PGconn* conn) {
  const std::unique_ptr<PQconninfoOption, void (*)(PQconninfoOption*)> options(PQconninfo(conn),
                                                                               &PQconninfoFree);
  Conninfo conninfo;
  if (!options) return conninfo;
  for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option)
    if (option->val != nullptr) conninfo.Set(option->keyword, option->val);
  return conninfo;
}

Milliseconds LimitPerAddress(const Conninfo& resolved, Milliseconds preset) {
  const std::string given = resolved.Get("connect_timeout").value_or("");
  int seconds = 0;
  std::from_chars(given.data(), given.data() + given.size(), seconds);
  return seconds > 0 ? Milliseconds(std::chrono::seconds(seconds)) : preset;
}

std::vector<std::string> Split(const std::string& list) {
  std::vector<std::string> parts(1);
  for (const char c : list) {
    if (c == ',') {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

std::string Join(const std::vector<std::string>& parts, std::size_t from) {
  std::string list;
  for (std::size_t i = from; i < parts.size(); ++i) list += (i == from ? "" : ",") + parts[i];
  return list;
}

// The hosts named behind the one that libpq tries now, as keywords for another attempt; empty when
// it is the last.
std::vector<std::pair<std::string, std::string>> HostsBehind(PGconn* conn) {
  const Conninfo resolved = Resolved(conn);
  const auto hosts = Split(resolved.Get("host").value_or(""));
  const auto addresses = Split(resolved.Get("hostaddr").value_or(""));
  const auto ports = Split(resolved.Get("port").value_or(""));
  const std::size_t count = std::max(hosts.size(), addresses.size());
  for (std::size_t i = 0; i + 1 < count; ++i) {
    const bool named = i < hosts.size() && !hosts[i].empty();
    const std::string& host = named ? hosts[i] : addresses[std::min(i, addresses.size() - 1)];
    const std::string& port = ports.size() == 1 ? ports[0] : ports[std::min(i, ports.size() - 1)];
    if (host != PQhost(conn) || (!port.empty() && port != PQport(conn))) continue;
    std::vector<std::pair<std::string, std::string>> behind;
    if (hosts.size() == count) behind.emplace_back("host", Join(hosts, i + 1));
    if (addresses.size() == count) behind.emplace_back("hostaddr", Join(addresses, i + 1));
    if (ports.size() == count) behind.emplace_back("port", Join(ports, i + 1));
    return behind;
  }
  return {};
}

std::string Target(const PGconn* conn) {
  return fmt::format("{} ({}) port {}", PQhost(conn), PQhostaddr(conn), PQport(conn));
}

}  // namespace

Task<> SessionCore::Open(ConnectOptions options) {
  Conninfo conninfo = WithOurDefaults(options);
  std::string silent;  // the hosts that were given up
  for (;;) {
    // Name lookup happens in PQconnectStart and may block for seconds.
    auto start = [conninfo]() {
      const Keywords keywords(conninfo);
      return PQconnectStartParams(keywords.names.data(), keywords.values.data(), 0);
    };
    conn_ = co_await async::RunBlocking(std::move(start));
    if (conn_ == nullptr) throw std::bad_alloc();
    PQsetNoticeReceiver(conn_, reinterpret_cast<PQnoticeReceiver>(&SessionCore::ReceiveNotice),
                        this);
    // The only way to the SQLSTATE of a refused connection.
    PQsetErrorVerbosity(conn_, PQERRORS_VERBOSE);

    const Milliseconds limit = LimitPerAddress(Resolved(conn_), options.connect_timeout);
    const bool answered = co_await PollConnect(limit, silent);
    if (PQstatus(conn_) == CONNECTION_OK) break;
    if (answered) throw ConnectFailure(PQerrorMessage(conn_), silent);
    const auto behind = HostsBehind(conn_);
    if (behind.empty()) throw ConnectFailure("", silent);
    for (const auto& [keyword, value] : behind) conninfo.Set(keyword, value);
    Discard();
  }
  // PQerrorMessage may end in what(): no DETAIL in it. The fields of a result stay complete.
  PQsetErrorVerbosity(conn_, PQERRORS_TERSE);
  PQsetnonblocking(conn_, 1);
  AssignSocket();
}

Task<bool> SessionCore::PollConnect(Milliseconds limit_per_address, std::string& silent) {
  std::string target;
  auto state = PGRES_POLLING_WRITING;
  while (PQstatus(conn_) != CONNECTION_BAD && state != PGRES_POLLING_OK &&
         state != PGRES_POLLING_FAILED) {
    if (std::string now = Target(conn_); now != target) {
      target = std::move(now);
      Arm(limit_per_address);
    }
    AssignSocket();  // libpq opens a new one for the next address or after an SSL refusal
    auto kind = asio::posix::stream_descriptor::wait_write;
    if (state == PGRES_POLLING_READING) kind = asio::posix::stream_descriptor::wait_read;
    const auto [error] = co_await socket_.async_wait(kind, asio::as_tuple(asio::use_awaitable));
    ThrowIfClosed();
    if (std::exchange(expired_, false)) {
      if (!silent.empty()) silent += "; ";
      silent += fmt::format("no answer from {} within {} ms", target, limit_per_address.count());
      // Still without a TCP connection: end the attempt, and libpq takes the next address itself.
      if (PQstatus(conn_) != CONNECTION_STARTED) co_return false;
      ::shutdown(PQsocket(conn_), SHUT_RDWR);
      target.clear();
    } else if (error) {
      throw boost::system::system_error(error);
    }
    // The socket may be closed inside: the reactor must have let it go before.
    ReleaseSocket();
    state = PQconnectPoll(conn_);
  }
  Disarm();
  co_return true;
}

void SessionCore::Discard() {
  ReleaseSocket();
  PQfinish(std::exchange(conn_, nullptr));
}

}  // namespace pgalter::pg
