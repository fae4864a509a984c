// HttpServer: HTTP/1.1 on one loopback address. The only user of Boost.Beast, which takes long to
// compile: nothing of it is in this header.
//
// Bounds: 16 KiB a request, 64 connections, 30 s for a request to come in or an answer to go out; a
// reader of events that takes nothing for so long is dropped.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "cli/serve/message.h"

namespace pgalter::cli::serve {

struct ListenAddress {
  std::string host = "127.0.0.1";  // an address of the loopback interface, no name
  unsigned short port = 0;         // 0: any free one
};

using Answerer = std::function<Task<Response>(Request)>;

class HttpServer {
 public:
  HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  ~HttpServer();

  // Throws Rejected: the address is taken, none of this machine's, or reachable from others.
  Task<> Listen(ListenAddress address);
  [[nodiscard]] std::string address() const;  // as 127.0.0.1:8080, once it listens

  // Until it is cancelled; then every connection is closed.
  Task<> Serve(Answerer answerer);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace pgalter::cli::serve
