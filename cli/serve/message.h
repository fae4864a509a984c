// What the dashboard is asked and what it answers, without the transport. Values; http_server.cc is
// the only file that knows how they travel.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/async/task.h"

namespace pgalter::cli::serve {

using async::Task;

struct Request {
  std::string method;
  std::string path;                            // decoded, without the query
  std::map<std::string, std::string> query;    // decoded
  std::map<std::string, std::string> headers;  // by their names in lower case
  std::string body;

  // Empty where it was not sent.
  [[nodiscard]] std::string Header(const std::string& name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? std::string() : found->second;
  }
};

// Fills in path and query from a request's target. False: that is no path.
bool ReadTarget(std::string_view target, Request& request);

// The open end of an answer that goes on. Throws once the other side has gone.
class EventWriter {
 public:
  EventWriter() = default;
  EventWriter(const EventWriter&) = delete;
  EventWriter& operator=(const EventWriter&) = delete;
  virtual ~EventWriter() = default;
  virtual Task<> Write(std::string text) = 0;
};

struct Response {
  int status = 200;
  std::string type = "application/json";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
  std::function<Task<>(EventWriter&)> events;  // set: what follows instead of the body
};

Response ErrorResponse(int status, std::string_view what, std::string_view hint = "");

}  // namespace pgalter::cli::serve
