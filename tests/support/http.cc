#include "tests/support/http.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace pgalter::test {

namespace {

using Clock = std::chrono::steady_clock;

int Connect(int port) {
  const int made = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(made, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) return made;
  const std::string why = std::strerror(errno);
  ::close(made);
  throw std::runtime_error(fmt::format("no connection to port {}: {}", port, why));
}

void Send(int socket, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;  // refused before it was all read: the answer says why
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

enum class Came { kBytes, kEnd, kNothing };

Came Receive(int socket, std::string& into, Clock::time_point give_up) {
  const auto left =
      std::chrono::duration_cast<std::chrono::milliseconds>(give_up - Clock::now()).count();
  pollfd ready{socket, POLLIN, 0};
  if (left <= 0 || ::poll(&ready, 1, static_cast<int>(left)) <= 0) return Came::kNothing;
  std::array<char, 16384> buffer{};
  const ssize_t count = ::recv(socket, buffer.data(), buffer.size(), 0);
  if (count <= 0) return Came::kEnd;
  into.append(buffer.data(), static_cast<std::size_t>(count));
  return Came::kBytes;
}

std::string RequestText(int port, const std::string& method, const std::string& target,
                        const HttpHeaders& headers, const std::string& body) {
  std::string text = fmt::format("{} {} HTTP/1.1\r\n", method, target);
  bool host = false;
  for (const std::string& header : headers) {
    host = host || header.starts_with("Host:");
    text += header + "\r\n";
  }
  if (!host) text += fmt::format("Host: 127.0.0.1:{}\r\n", port);
  if (method == "POST") text += fmt::format("Content-Length: {}\r\n", body.size());
  return text + "\r\n" + body;
}

HttpAnswer Parse(const std::string& text) {
  const std::size_t end = text.find("\r\n\r\n");
  if (end == std::string::npos || !text.starts_with("HTTP/1.1 "))
    throw std::runtime_error("no whole answer: " + text);
  HttpAnswer answer;
  answer.status = std::stoi(text.substr(9, 3));
  for (std::size_t from = text.find("\r\n") + 2; from < end;) {
    const std::size_t to = text.find("\r\n", from);
    const std::size_t colon = text.find(": ", from);
    std::string name = text.substr(from, colon - from);
    for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    answer.headers[name] = text.substr(colon + 2, to - colon - 2);
    from = to + 2;
  }
  answer.body = text.substr(end + 4);
  return answer;
}

}  // namespace

std::string RawHttp(int port, const std::string& bytes, std::chrono::seconds limit) {
  const int socket = Connect(port);
  Send(socket, bytes);
  std::string received;
  const auto give_up = Clock::now() + limit;
  while (Receive(socket, received, give_up) == Came::kBytes) {
  }
  ::close(socket);
  return received;
}

HttpAnswer Http(int port, const std::string& method, const std::string& target,
                const HttpHeaders& headers, const std::string& body) {
  HttpHeaders all = headers;
  all.emplace_back("Connection: close");
  return Parse(
      RawHttp(port, RequestText(port, method, target, all, body), std::chrono::seconds(40)));
}

HttpEvents::HttpEvents(int port, const std::string& target, const HttpHeaders& headers)
    : socket_(Connect(port)) {
  Send(socket_, RequestText(port, "GET", target, headers, ""));
  const auto give_up = Clock::now() + std::chrono::seconds(60);
  while (received_.find("\r\n\r\n") == std::string::npos)
    if (Receive(socket_, received_, give_up) != Came::kBytes)
      throw std::runtime_error("no stream of events: " + received_);
  if (!received_.starts_with("HTTP/1.1 200")) throw std::runtime_error("refused: " + received_);
  received_.erase(0, received_.find("\r\n\r\n") + 4);
}

HttpEvents::~HttpEvents() { ::close(socket_); }

// The limit is that of a machine at rest; it may have other things to do.
HttpEvent HttpEvents::Next(std::chrono::seconds limit) {
  const auto give_up = Clock::now() + 3 * limit;
  for (;;) {
    const std::size_t end = received_.find("\n\n");
    if (end == std::string::npos) {
      if (Receive(socket_, received_, give_up) != Came::kBytes)
        throw std::runtime_error("no further event");
      continue;
    }
    HttpEvent event;
    std::string block = received_.substr(0, end + 1);
    received_.erase(0, end + 2);
    for (std::size_t from = 0; from < block.size();) {
      const std::size_t to = block.find('\n', from);
      const std::string line = block.substr(from, to - from);
      if (line.starts_with("event: ")) event.name = line.substr(7);
      if (line.starts_with("data: ")) event.data += line.substr(6);
      from = to + 1;
    }
    if (!event.name.empty()) return event;
  }
}

}  // namespace pgalter::test
