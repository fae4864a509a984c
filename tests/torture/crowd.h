// The users of a table that is tortured: everything that can be done to rows, and one user who
// knows what every row of his must be.
//
// items has a mirror, written by a trigger of the users' own in the same transaction, ENABLE
// ALWAYS. Whatever a program does and however it dies, the two hold the same. The predictor needs
// no trigger: he keeps his rows in memory, with a row in the database that says how far he got.
#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "tests/torture/arena.h"

namespace pgalter::test {

struct Crowd {
  std::string key_type = "bigint";  // or text, uuid, numeric
  bool unique_key = true;           // false: the key of a partitioned table, which is wider
  bool notes = true;                // a table that refers to items
  bool truncates = false;
  bool predicts = true;  // nobody empties or rewrites the predictor's rows
  bool merges = true;    // from PostgreSQL 15 on
  bool narrow = false;   // rows may fit into no partition, and users are told
  int rows = 1'000;
  int users = 3;
};

// The tables, with rows.
std::string SchemaOf(const Crowd& crowd);
// One row says how many rows of items and mirror differ, and how many refer to none.
extern const char* const kDifferences;

class Users {
 public:
  Users(const Arena& arena, Crowd crowd, unsigned seed);
  Users(const Users&) = delete;
  Users& operator=(const Users&) = delete;
  ~Users() { Stop(); }

  // They end what they had begun, prepared transactions included.
  void Stop();
  void AwaitWrites(long more) const;
  [[nodiscard]] long writes() const { return writes_; }
  // What they were told that they should not have been, and which rows of the predictor's are not
  // what he knows; after Stop().
  [[nodiscard]] std::string Complaints();

 private:
  struct Row {
    int a = 0;
    std::string pad;
    bool operator==(const Row&) const = default;
  };
  struct Before {
    long number = 0;
    int id = 0;
    bool there = false;
    Row row;
  };

  void Write(unsigned number, unsigned seed);
  void Predict(unsigned seed);
  // One transaction of the predictor's.
  void PredictOne(Session& session, std::mt19937& dice);
  void Put(int id, const Row* row);
  // As far as the database says that he got.
  void Settle(Session& session);
  void Complain(const std::string& what);

  const Arena& arena_;
  Crowd crowd_;
  std::atomic<bool> stopping_ = false;
  std::atomic<long> writes_ = 0;
  std::mutex mutex_;
  std::string complaints_;
  std::map<int, Row> rows_;
  std::vector<Before> journal_;
  long number_ = 0;
  std::vector<std::thread> threads_;
};

}  // namespace pgalter::test
