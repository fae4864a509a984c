#include "cli/serve/http_server.h"

#include <fmt/format.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <cctype>
#include <set>

#include "cli/rejected.h"
#include "cli/report.h"
#include "cli/serve/access_policy.h"
#include "engine/async/task_group.h"

namespace pgalter::cli::serve {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;

namespace {

constexpr std::uint64_t kMostBody = 16 * 1024;
constexpr std::uint32_t kMostHeader = 16 * 1024;
constexpr std::size_t kMostConnections = 64;
constexpr std::chrono::seconds kLimit{30};
constexpr async::Milliseconds kAfterTrouble{100};

std::string Lower(std::string_view text) {
  std::string lower;
  for (const char c : text) lower += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lower;
}

// False: its target cannot be read.
bool Convert(const http::request<http::string_body>& from, Request& to) {
  to.method = std::string(from.method_string());
  to.body = from.body();
  for (const auto& field : from) {
    std::string& value = to.headers[Lower(field.name_string())];
    // A header that comes twice is none that any check would be right about.
    value += value.empty() ? std::string(field.value()) : "," + std::string(field.value());
  }
  return ReadTarget(std::string_view(from.target().data(), from.target().size()), to);
}

http::response<http::string_body> Head(const Response& response, unsigned version) {
  http::response<http::string_body> head(static_cast<http::status>(response.status), version);
  head.set(http::field::content_type, response.type);
  for (const auto& [name, value] : SecurityHeaders()) head.set(name, value);
  for (const auto& [name, value] : response.headers) head.set(name, value);
  return head;
}

class SocketEvents : public EventWriter {
 public:
  explicit SocketEvents(beast::tcp_stream& stream) : stream_(stream) {}
  Task<> Write(std::string text) override {
    stream_.expires_after(kLimit);
    co_await asio::async_write(stream_, asio::buffer(text), asio::use_awaitable);
    stream_.expires_never();
  }

 private:
  beast::tcp_stream& stream_;
};

// Its end is the connection's end.
Task<> WriteEvents(beast::tcp_stream& stream, const Response& response, unsigned version) {
  auto head = Head(response, version);
  head.keep_alive(false);
  http::response_serializer<http::string_body> serializer(head);
  stream.expires_after(kLimit);
  co_await http::async_write_header(stream, serializer, asio::use_awaitable);
  SocketEvents writer(stream);
  co_await response.events(writer);
}

Task<> WriteWhole(beast::tcp_stream& stream, const Response& response, bool keep, bool head_only,
                  unsigned version) {
  auto whole = Head(response, version);
  whole.keep_alive(keep);
  whole.body() = response.body;
  whole.prepare_payload();
  if (head_only) whole.body().clear();
  stream.expires_after(kLimit);
  co_await http::async_write(stream, whole, asio::use_awaitable);
}

}  // namespace

struct HttpServer::State {
  std::unique_ptr<tcp::acceptor> acceptor;
  std::set<beast::tcp_stream*> open;
  std::string address;

  void CloseAll() {
    for (beast::tcp_stream* stream : open) stream->close();
  }

  Task<> Talk(beast::tcp_stream& stream, const Answerer& answerer) {
    beast::flat_buffer buffer;
    for (bool keep = true; keep;) {
      http::request_parser<http::string_body> parser;
      parser.body_limit(kMostBody);
      parser.header_limit(kMostHeader);
      stream.expires_after(kLimit);
      co_await http::async_read(stream, buffer, parser, asio::use_awaitable);
      // What the database takes has limits of its own.
      stream.expires_never();
      const auto& received = parser.get();
      keep = received.keep_alive();
      Request request;
      Response response = ErrorResponse(400, "the address cannot be read");
      const bool head_only = received.method() == http::verb::head;
      if (Convert(received, request)) response = co_await answerer(std::move(request));
      if (response.events && !head_only) {
        co_await WriteEvents(stream, response, received.version());
        co_return;
      }
      co_await WriteWhole(stream, response, keep, head_only, received.version());
    }
  }

  // One connection. What goes wrong with it concerns nobody else.
  Task<> Connection(tcp::socket socket, const Answerer& answerer) {
    beast::tcp_stream stream(std::move(socket));
    open.insert(&stream);
    struct Leave {
      std::set<beast::tcp_stream*>& open;
      beast::tcp_stream* stream;
      ~Leave() { open.erase(stream); }
    } const leave{open, &stream};
    try {
      co_await Talk(stream, answerer);
    } catch (const boost::system::system_error&) {
      // The other side has gone, was too slow, or sent no HTTP.
    } catch (const std::exception& error) {
      Log(fmt::format("a connection to the dashboard ended: {}", error.what()));
    }
  }
};

HttpServer::HttpServer() : state_(std::make_unique<State>()) {}
HttpServer::~HttpServer() = default;

Task<> HttpServer::Listen(ListenAddress address) {
  boost::system::error_code code;
  const auto host = asio::ip::make_address(address.host, code);
  if (code || !host.is_loopback())
    throw Rejected(ExitCode::kUsage,
                   fmt::format("--listen {}: only an address of the loopback interface, as "
                               "127.0.0.1 or ::1, is listened on",
                               address.host),
                   "from other machines: ssh -L 8080:127.0.0.1:8080 HOST, or a proxy with TLS in "
                   "front of it (pgalter help serve)");
  const tcp::endpoint endpoint(host, address.port);
  try {
    auto acceptor = std::make_unique<tcp::acceptor>(co_await asio::this_coro::executor);
    acceptor->open(endpoint.protocol());
    acceptor->set_option(asio::socket_base::reuse_address(true));
    acceptor->bind(endpoint);
    acceptor->listen();
    state_->acceptor = std::move(acceptor);
  } catch (const boost::system::system_error& error) {
    throw Rejected(ExitCode::kError,
                   fmt::format("cannot listen on {}:{}: {}", address.host, address.port,
                               error.code().message()),
                   "another address: --listen 127.0.0.1:PORT; port 0 takes any that is free");
  }
  const auto bound = state_->acceptor->local_endpoint();
  const std::string name = bound.address().to_string();
  state_->address =
      fmt::format("{}:{}", bound.address().is_v6() ? "[" + name + "]" : name, bound.port());
}

std::string HttpServer::address() const { return state_->address; }

Task<> HttpServer::Serve(Answerer answerer) {
  State& state = *state_;
  auto accept = [&](async::TaskGroup& group) -> Task<> {
    for (;;) {
      auto [error, socket] =
          co_await state.acceptor->async_accept(asio::as_tuple(asio::use_awaitable));
      if (error == asio::error::operation_aborted) throw boost::system::system_error(error);
      // Too many open files: it passes, and those that are open go on.
      if (error) {
        co_await async::SleepFor(kAfterTrouble);
        continue;
      }
      if (state.open.size() >= kMostConnections) continue;  // closes it
      group.Spawn(state.Connection(std::move(socket), answerer));
    }
  };
  std::exception_ptr failure;
  async::TaskGroup group(co_await asio::this_coro::executor);
  try {
    co_await accept(group);
  } catch (...) {
    failure = std::current_exception();
  }
  state.CloseAll();
  group.Cancel();
  co_await async::MaskCancellation();
  try {
    co_await async::Apart(group.Join());
  } catch (const boost::system::system_error&) {
    // They were cancelled.
  }
  co_await async::UnmaskCancellation();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace pgalter::cli::serve
