// A probe of pgalter.toml, read: SQL on a session of its own, an address, or a program.
#pragma once

#include <string>

#include "cli/outside/config.h"
#include "engine/watch/signal.h"

namespace pgalter::cli::outside {

class Prober {
 public:
  Prober(Probe probe, guard::SessionOptions session);

  // Never throws for what was answered, or was not: that is an observation, too.
  Task<watch::Observation> Read();
  [[nodiscard]] const Probe& probe() const { return probe_; }

 private:
  Task<watch::Observation> ReadSql();
  Task<watch::Observation> ReadProgram() const;

  Probe probe_;
  guard::SessionOptions options_;
  guard::Session session_;
};

// One request, by curl, which reads it from its standard input: an address may be a secret. TLS is
// verified, redirections are not followed, other schemes refused.
struct Request {
  std::string url;
  std::string body;                  // empty: GET, else POST
  std::vector<std::string> headers;  // "Name: value"
  Milliseconds limit{5'000};
};
struct Answer {
  int status = 0;          // 0: there was none
  bool untrusted = false;  // it has no certificate that holds: asking again changes nothing
  std::string body;
  std::string trouble;  // why not; without the address
};
Task<Answer> Ask(Request request);

}  // namespace pgalter::cli::outside
