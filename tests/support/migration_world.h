// A directory of migrations and a database, for tests of `pgalter up` and its kin as a program.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "tests/support/postgres.h"
#include "tests/support/program.h"

namespace pgalter::test {

class MigrationWorld : public ::testing::Test {
 public:
  ~MigrationWorld() override;

 protected:
  MigrationWorld();

  // Below the directory of migrations.
  [[nodiscard]] std::filesystem::path Path(const std::string& name) const;
  void Write(const std::string& name, const std::string& text) const;
  void Remove(const std::string& name) const;
  // Three migrations: a table with rows and what verifies it; a column, filled and indexed; a
  // NOT NULL. Each with its way down.
  void WriteOrders() const;

  // With --dir and where to connect.
  Ran Run(Words arguments, Words environment = {}) const;
  [[nodiscard]] Program Start(Words arguments, Words environment = {}) const;
  Ran Up(const Words& more = {}) const;
  // "version state, ..." in the order in which they were applied.
  [[nodiscard]] std::string Applied() const;
  // The definition of the tables in `public`, as text.
  [[nodiscard]] std::string Schema() const;
  // No session of a runner is left.
  void AwaitNoRunner() const;

  FreshDatabase database_;
  std::string directory_;
};

}  // namespace pgalter::test
