// A real pgbouncer in front of a test's server: on 127.0.0.1, ended with its object. It refuses to
// run as root and changes to the postgres user by itself there.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>

#include "tests/support/postgres.h"

namespace pgalter::test {

struct PgBouncerOptions {
  std::string pool_mode = "transaction";
  int pool_size = 10;
  bool round_robin = false;
  std::string reset_query = "DISCARD ALL";  // when a session's server is handed to the next one
};

class [[nodiscard]] PgBouncer {
 public:
  // Where Debian's package has it; tests skip without it.
  static bool Installed();

  PgBouncer(const sandbox::Sandbox& server, const PgBouncerOptions& options);
  PgBouncer(const PgBouncer&) = delete;
  PgBouncer& operator=(const PgBouncer&) = delete;
  ~PgBouncer();

  [[nodiscard]] std::string conninfo(const std::string& dbname) const;

 private:
  void Launch(const std::string& settings);
  std::string AwaitAnswer();
  void Stop();

  std::filesystem::path directory_;
  int port_ = 0;
  pid_t pid_ = -1;
};

}  // namespace pgalter::test
