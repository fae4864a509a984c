// A server that crashes and loses to its standby, with one database at a time in it, and the
// program under test at work there.
#pragma once

#include <mutex>
#include <optional>
#include <string>

#include "engine/sandbox/sandbox.h"
#include "tests/support/program.h"
#include "tests/support/session.h"

namespace pgalter::test {

// No table is unlogged here: what a crash takes then has its own tests.
class Arena {
 public:
  Arena();
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  // A new database; the one before is dropped.
  void Open(unsigned seed);
  // Any thread may ask: after a failover it is another server.
  [[nodiscard]] std::string conninfo() const;
  [[nodiscard]] Session Connect() const { return Session(conninfo()); }
  [[nodiscard]] std::string Value(const std::string& sql) const { return Connect().Value(sql); }
  [[nodiscard]] long Number(const std::string& sql) const { return std::stol(Value(sql)); }
  void Sql(const std::string& sql) const { Connect().Exec(sql); }
  [[nodiscard]] int version() const { return server_->server_version_major(); }

  void Crash();
  void MakeStandby() { standby_ = server_->MakeStandby(); }
  // What the standby has not got is lost, and with it commits that users were told of.
  void FailOver();

  [[nodiscard]] Program Start(Words arguments, Words environment = {}) const;
  Ran Run(Words arguments, Words environment = {}) const;
  // No backend of a runner that has died is left.
  void AwaitNoRunner() const;

 private:
  std::optional<sandbox::Sandbox> server_;
  std::optional<sandbox::Sandbox> standby_;
  mutable std::mutex mutex_;
  std::string database_;
  std::string conninfo_;
};

}  // namespace pgalter::test
