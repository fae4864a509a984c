#include "tests/support/tls_receiver.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <stdexcept>

namespace pgalter::test {

namespace {

// Who stops talking in the middle does not keep the others waiting for ever.
constexpr timeval kPatience{20, 0};

bool IsWhole(const std::string& request) {
  constexpr std::string_view kLength = "Content-Length: ";
  const auto head = request.find("\r\n\r\n");
  if (head == std::string::npos) return false;
  const auto at = request.find(kLength);
  const std::size_t body = at < head ? std::stoul(request.substr(at + kLength.size())) : 0;
  return request.size() >= head + 4 + body;
}

}  // namespace

TlsReceiver::TlsReceiver(const Certificate& certificate)
    : context_(SSL_CTX_new(TLS_server_method())),
      listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  std::signal(SIGPIPE, SIG_IGN);  // a caller who refuses us hangs up
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (context_ == nullptr || SSL_CTX_use_certificate(context_.get(), certificate.text.get()) != 1 ||
      SSL_CTX_use_PrivateKey(context_.get(), certificate.key.get()) != 1 ||
      ::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      ::listen(listener_, 8) != 0 ||
      ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0)
    throw std::runtime_error("no receiver with TLS");
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { Serve(); });
}

TlsReceiver::~TlsReceiver() {
  ended_ = true;
  thread_.join();
  ::close(listener_);
}

std::vector<std::string> TlsReceiver::requests() {
  const std::lock_guard lock(mutex_);
  return requests_;
}

void TlsReceiver::Serve() {
  while (!ended_) {
    pollfd waiting{listener_, POLLIN, 0};
    if (::poll(&waiting, 1, 50) != 1) continue;
    const int peer = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (peer < 0) continue;
    ::setsockopt(peer, SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
    ++callers_;
    Answer(peer);
    ::close(peer);
  }
}

void TlsReceiver::Answer(int peer) {
  const std::unique_ptr<SSL, decltype(&SSL_free)> tls(SSL_new(context_.get()), &SSL_free);
  if (SSL_set_fd(tls.get(), peer) != 1 || SSL_accept(tls.get()) != 1) return;
  std::string request;
  std::array<char, 4096> buffer{};
  while (!IsWhole(request)) {
    const int got = SSL_read(tls.get(), buffer.data(), static_cast<int>(buffer.size()));
    if (got <= 0) return;
    request.append(buffer.data(), static_cast<std::size_t>(got));
  }
  {
    const std::lock_guard lock(mutex_);
    requests_.push_back(request);
  }
  constexpr std::string_view kAnswer =
      "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
  SSL_write(tls.get(), kAnswer.data(), static_cast<int>(kAnswer.size()));
  SSL_shutdown(tls.get());
}

}  // namespace pgalter::test
