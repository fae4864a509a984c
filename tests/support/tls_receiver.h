// A receiver of webhooks behind TLS, on the loopback interface: keeps what is posted, and answers
// 200.
#pragma once

#include <openssl/ssl.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/certificates.h"

namespace pgalter::test {

class TlsReceiver {
 public:
  explicit TlsReceiver(const Certificate& certificate);
  TlsReceiver(const TlsReceiver&) = delete;
  TlsReceiver& operator=(const TlsReceiver&) = delete;
  ~TlsReceiver();

  [[nodiscard]] int port() const { return port_; }
  [[nodiscard]] int callers() const { return callers_; }  // whether or not they asked anything
  [[nodiscard]] std::vector<std::string> requests();

 private:
  struct FreeContext {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  };

  void Serve();
  void Answer(int peer);

  std::unique_ptr<SSL_CTX, FreeContext> context_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<bool> ended_ = false;
  std::atomic<int> callers_ = 0;
  std::mutex mutex_;
  std::vector<std::string> requests_;
  std::thread thread_;
};

}  // namespace pgalter::test
