#include "tests/support/tcp_proxy.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <random>
#include <system_error>
#include <utility>
#include <vector>

namespace pgalter::test {

namespace {

[[noreturn]] void Throw(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

sockaddr_in Loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

int PortOf(int fd) {
  sockaddr_in address{};
  socklen_t length = sizeof address;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length);
  return ntohs(address.sin_port);
}

void SendAtOnce(int fd) {
  const int yes = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
}

}  // namespace

TcpProxy::Socket::Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

TcpProxy::Socket& TcpProxy::Socket::operator=(Socket&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

TcpProxy::Socket::~Socket() {
  if (open()) ::close(fd_);
}

void TcpProxy::Socket::ResetOnClose() const {
  const linger at_once{1, 0};
  if (open()) ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

TcpProxy::TcpProxy(int server_port)
    : server_port_(server_port),
      listener_(Listen()),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      port_(PortOf(listener_.fd())) {
  if (!wake_.open()) Throw("eventfd");
  thread_ = std::thread([this] { Run(); });
}

TcpProxy::~TcpProxy() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  Wake();
  thread_.join();
}

// A port that is named when it is bound stays bound while nobody listens; below the range for
// outgoing connections, or a refused client might be connected to itself.
TcpProxy::Socket TcpProxy::Listen() {
  std::random_device random;
  std::uniform_int_distribution ports(20000, 32767);
  for (int attempt = 0; attempt < 1000; ++attempt) {
    Socket listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!listener.open()) Throw("socket");
    // Or connections that are not quite gone would keep it from listening again.
    const int yes = 1;
    static_cast<void>(::setsockopt(listener.fd(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes));
    const sockaddr_in address = Loopback(ports(random));
    if (::bind(listener.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
        ::listen(listener.fd(), SOMAXCONN) == 0)
      return listener;
  }
  Throw("no free port");
}

void TcpProxy::Cut() {
  const std::scoped_lock lock(mutex_);
  DropLinks();
}

void TcpProxy::Refuse() {
  const std::scoped_lock lock(mutex_);
  mode_ = Mode::kRefusing;
  ::shutdown(listener_.fd(), SHUT_RD);  // back to bound
  DropLinks();
}

void TcpProxy::Silence() {
  const std::scoped_lock lock(mutex_);
  BeSilent();
}

void TcpProxy::Restore() {
  const std::scoped_lock lock(mutex_);
  if (mode_ == Mode::kRefusing && ::listen(listener_.fd(), SOMAXCONN) != 0) Throw("listen");
  mode_ = Mode::kPassing;
  Wake();
}

void TcpProxy::Delay(std::chrono::milliseconds each_way) {
  const std::scoped_lock lock(mutex_);
  delay_ = each_way;
}

void TcpProxy::CutAtAnswerTo(std::string text) {
  const std::scoped_lock lock(mutex_);
  cut_text_ = std::move(text);
  happened_ = false;
}

void TcpProxy::SilenceAfter(std::string text) {
  const std::scoped_lock lock(mutex_);
  silence_text_ = std::move(text);
  happened_ = false;
}

bool TcpProxy::happened() {
  const std::scoped_lock lock(mutex_);
  return happened_;
}

int TcpProxy::connections() {
  const std::scoped_lock lock(mutex_);
  return connections_;
}

void TcpProxy::BeSilent() {
  mode_ = Mode::kSilent;
  for (Link& link : links_) link.forgotten = true;
}

void TcpProxy::DropLinks() {
  for (const Link& link : links_) {
    link.client.ResetOnClose();
    link.server.ResetOnClose();
  }
  links_.clear();
}

void TcpProxy::Wake() const { ::eventfd_write(wake_.fd(), 1); }

void TcpProxy::Run() {
  for (;;) {
    std::vector<pollfd> waiting{{wake_.fd(), POLLIN, 0}};
    int limit = -1;
    {
      const std::scoped_lock lock(mutex_);
      if (stopping_) return;
      limit = Step();
      if (mode_ != Mode::kRefusing) waiting.push_back({listener_.fd(), POLLIN, 0});
      for (const Link& link : links_) {
        if (link.forgotten || mode_ == Mode::kSilent) continue;
        waiting.push_back({link.client.fd(), POLLIN, 0});
        waiting.push_back({link.server.fd(), POLLIN, 0});
      }
    }
    ::poll(waiting.data(), waiting.size(), limit);
    eventfd_t ignored = 0;
    ::eventfd_read(wake_.fd(), &ignored);
  }
}

int TcpProxy::Step() {
  Accept();
  for (auto link = links_.begin(); link != links_.end();) {
    const bool passes = mode_ == Mode::kPassing && !link->forgotten;
    if (passes && !Pump(*link)) {
      link = links_.erase(link);
    } else {
      ++link;
    }
  }
  std::optional<Clock::time_point> due;
  for (const Link& link : links_) {
    if (link.forgotten || mode_ == Mode::kSilent) continue;
    for (const Pipe* pipe : {&link.up, &link.down})
      if (!pipe->pieces.empty())
        due = std::min(due.value_or(Clock::time_point::max()), pipe->pieces.front().due);
  }
  if (!due) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(*due - Clock::now());
  // A receiver that is slow is asked again.
  return static_cast<int>(std::max<std::chrono::milliseconds::rep>(left.count(), 1));
}

void TcpProxy::Accept() {
  if (mode_ == Mode::kRefusing) return;
  for (;;) {
    Socket client(::accept4(listener_.fd(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!client.open()) return;
    SendAtOnce(client.fd());
    ++connections_;
    links_.emplace_back().client = std::move(client);
  }
}

bool TcpProxy::Pump(Link& link) {
  if (!link.server.open()) {
    pollfd left{link.client.fd(), POLLRDHUP, 0};
    if (::poll(&left, 1, 0) == 1) return false;
    Socket server(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const sockaddr_in address = Loopback(server_port_);
    if (::connect(server.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
      return false;
    ::fcntl(server.fd(), F_SETFL, O_NONBLOCK);
    SendAtOnce(server.fd());
    link.server = std::move(server);
  }
  const std::size_t pieces_before = link.up.pieces.size();
  Receive(link.client.fd(), link.up);
  if (link.up.pieces.size() > pieces_before) LookFor(link);
  Send(link.server.fd(), link.up);
  if (link.forgotten) return true;
  Receive(link.server.fd(), link.down);
  if (link.answer_is_lost && !link.down.pieces.empty()) {
    link.client.ResetOnClose();
    link.server.ResetOnClose();
    happened_ = true;
    return false;
  }
  Send(link.client.fd(), link.down);
  return !(link.up.ended && link.up.pieces.empty()) &&
         !(link.down.ended && link.down.pieces.empty());
}

void TcpProxy::Receive(int from, Pipe& pipe) const {
  std::array<char, 65536> buffer;
  std::string bytes;
  ssize_t count = 0;
  while (!pipe.ended && (count = ::recv(from, buffer.data(), buffer.size(), 0)) > 0)
    bytes.append(buffer.data(), static_cast<std::size_t>(count));
  if (count == 0 || (count < 0 && errno != EAGAIN)) pipe.ended = true;
  if (!bytes.empty()) pipe.pieces.push_back({Clock::now() + delay_, std::move(bytes)});
}

void TcpProxy::Send(int to, Pipe& pipe) {
  while (!pipe.pieces.empty() && pipe.pieces.front().due <= Clock::now()) {
    std::string& bytes = pipe.pieces.front().bytes;
    const ssize_t count = ::send(to, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count < 0) {
      if (errno == EAGAIN) return;
      pipe.pieces.clear();
      pipe.ended = true;
      return;
    }
    bytes.erase(0, static_cast<std::size_t>(count));
    if (bytes.empty()) pipe.pieces.pop_front();
  }
}

void TcpProxy::LookFor(Link& link) {
  Piece& sent = link.up.pieces.back();
  const auto found = [&sent](std::string& text) {
    if (text.empty() || sent.bytes.find(text) == std::string::npos) return false;
    text.clear();
    return true;
  };
  if (found(cut_text_)) link.answer_is_lost = true;
  if (found(silence_text_)) {
    // The server gets it: the silence begins behind it.
    for (Piece& piece : link.up.pieces) piece.due = Clock::now();
    BeSilent();
    happened_ = true;
  }
}

}  // namespace pgalter::test
