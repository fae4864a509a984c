#include "tests/torture/arena.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <stdexcept>
#include <thread>
#include <utility>

#include "tests/support/postgres.h"

namespace pgalter::test {

Arena::Arena() { server_ = sandbox::Sandbox::Start(TestServerOptions()); }

void Arena::Open(unsigned seed) {
  Session session(server_->conninfo());
  if (!database_.empty()) {
    Session before(server_->conninfo(database_));
    for (const auto& row : before.Exec("SELECT quote_literal(gid) FROM pg_prepared_xacts WHERE "
                                       "database = current_database()"))
      before.Exec("ROLLBACK PREPARED " + row[0]);
    before.Close();
    session.Exec(fmt::format("DROP DATABASE {} WITH (FORCE)", database_));
  }
  standby_.reset();
  const std::scoped_lock lock(mutex_);
  database_ = fmt::format("round_{}", seed);
  session.Exec(fmt::format("CREATE DATABASE {}", database_));
  conninfo_ = server_->conninfo(database_);
}

std::string Arena::conninfo() const {
  const std::scoped_lock lock(mutex_);
  return conninfo_;
}

void Arena::Crash() {
  server_->Crash();
  server_->Restart();
}

void Arena::FailOver() {
  server_->Crash();
  standby_->Promote();
  const std::scoped_lock lock(mutex_);
  server_ = std::move(*standby_);
  standby_.reset();
  conninfo_ = server_->conninfo(database_);
}

Program Arena::Start(Words arguments, Words environment) const {
  const char* const given = std::getenv("PGALTER_PROGRAM");
  environment.emplace_back("PGALTER_LIMITS=log-folded-every=100");  // a round is over in seconds
  arguments.insert(arguments.end(), {"--dsn", conninfo()});
  return Program(given == nullptr ? PGALTER_BINARY : given, arguments, environment);
}

Ran Arena::Run(Words arguments, Words environment) const {
  return Start(std::move(arguments), std::move(environment)).Wait(std::chrono::seconds(120));
}

void Arena::AwaitNoRunner() const {
  Session session = Connect();
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (session.Value("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
                       "AND application_name LIKE 'pgalter%'") != "0") {
    if (std::chrono::steady_clock::now() > until)
      throw std::runtime_error("the backends of a dead runner have not ended");
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

}  // namespace pgalter::test
