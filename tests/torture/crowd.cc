#include "tests/torture/crowd.h"

#include <fmt/format.h>

#include <chrono>
#include <stdexcept>
#include <utility>

#include "tests/torture/changes.h"

namespace pgalter::test {

namespace {

using namespace std::chrono_literals;

constexpr int kOwnFirst = 900'001;  // the predictor's rows, which nobody else writes
constexpr int kOwn = 40;

// Users' own quarrels: a deadlock among them, a key that is there already, a transaction that has
// to be repeated, a lock that one of them would not wait for.
bool IsExpected(const SqlError& error) {
  for (const char* state : {"40P01", "23505", "40001", "55P03"})
    if (error.sqlstate() == state) return true;
  return false;
}
bool IsLost(const SqlError& error) {
  return error.sqlstate().empty() || error.sqlstate().starts_with("57P") ||
         error.sqlstate().starts_with("08");
}

}  // namespace

Users::Users(const Arena& arena, Crowd crowd, unsigned seed)
    : arena_(arena), crowd_(std::move(crowd)) {
  for (unsigned i = 0; i < static_cast<unsigned>(crowd_.users); ++i)
    threads_.emplace_back([this, seed, i] { Write(i, seed * 16 + i); });
  if (crowd_.predicts) threads_.emplace_back([this, seed] { Predict(seed * 16 + 15); });
}

void Users::Stop() {
  stopping_ = true;
  for (std::thread& thread : threads_)
    if (thread.joinable()) thread.join();
}

void Users::AwaitWrites(long more) const {
  const long wanted = writes_ + more;
  const auto until = std::chrono::steady_clock::now() + 60s;
  while (writes_ < wanted) {
    if (std::chrono::steady_clock::now() > until)
      throw std::runtime_error("users could not write for a minute");
    std::this_thread::sleep_for(5ms);
  }
}

void Users::Complain(const std::string& what) {
  const std::scoped_lock lock(mutex_);
  complaints_ += what + "\n";
}

// What a user prepared before he lost his session, he commits when he is back.
void Users::Write(unsigned number, unsigned seed) {
  std::mt19937 dice(seed);
  const std::string own = fmt::format("user_{}", number);
  const Changes changes(crowd_, own);
  while (!stopping_) {
    std::string change;
    try {
      Session session(arena_.conninfo());
      const auto left = session.Exec("SELECT 1 FROM pg_prepared_xacts WHERE gid = '" + own +
                                     "' AND database = current_database()");
      if (!left.empty()) session.Exec("COMMIT PREPARED '" + own + "'");
      while (!stopping_) {
        change = changes.One(dice);
        try {
          session.Exec(change);
          if (change.find("PREPARE TRANSACTION") != std::string::npos) {
            session.Exec(
                fmt::format("SELECT pg_sleep({})", 0.02 * static_cast<double>(dice() % 10)));
            session.Exec((dice() % 4 == 0 ? "ROLLBACK PREPARED '" : "COMMIT PREPARED '") + own +
                         "'");
          }
          ++writes_;
        } catch (const SqlError& error) {
          const bool told = crowd_.narrow && error.sqlstate() == "23514";
          if (!told && !IsExpected(error)) throw;
          session.Exec("ROLLBACK; SET session_replication_role = origin");
        }
        std::this_thread::sleep_for(1ms);  // a load, not a storm
      }
    } catch (const SqlError& error) {
      if (!IsLost(error)) {
        Complain(fmt::format("user {}: {} ({})", number, error.what(), change));
        return;
      }
      std::this_thread::sleep_for(20ms);
    }
  }
}

void Users::Put(int id, const Row* row) {
  const auto found = rows_.find(id);
  Before before{number_, id, found != rows_.end(), {}};
  if (before.there) before.row = found->second;
  journal_.push_back(std::move(before));
  if (row == nullptr)
    rows_.erase(id);
  else
    rows_[id] = *row;
}

void Users::Settle(Session& session) {
  session.Exec("ROLLBACK");
  // It waits for a transaction of his that is still about to end.
  const long number = std::stol(session.Value("SELECT n FROM tick FOR UPDATE"));
  while (!journal_.empty() && journal_.back().number > number) {
    const Before& before = journal_.back();
    if (before.there)
      rows_[before.id] = before.row;
    else
      rows_.erase(before.id);
    journal_.pop_back();
  }
  number_ = number;
}

void Users::PredictOne(Session& session, std::mt19937& dice) {
  const auto pick = [&dice](int least, int most) {
    return std::uniform_int_distribution(least, most)(dice);
  };
  const int id = kOwnFirst + pick(0, kOwn - 1);
  const int other = kOwnFirst + pick(0, kOwn - 1);
  const bool there = rows_.contains(id);
  const Row row{-pick(1, 900), fmt::format("of {}", number_ + 1)};
  const auto one = [&](const std::string& sql, const char* what) {
    const std::string hit =
        session.Value("WITH hit AS (" + sql + " RETURNING 1) SELECT count(*) FROM hit");
    if (hit != "1") Complain(fmt::format("{} row {} met {} rows", what, id, hit));
  };
  ++number_;
  session.Exec(fmt::format("BEGIN; UPDATE tick SET n = {}", number_));
  if (!there) {
    one(fmt::format("INSERT INTO items (id, a, pad) VALUES (k({}), {}, '{}')", id, row.a, row.pad),
        "inserting");
    Put(id, &row);
  } else if (pick(0, 3) == 0) {
    one(fmt::format("DELETE FROM items WHERE id = k({})", id), "deleting");
    Put(id, nullptr);
  } else if (pick(0, 3) == 0 && !rows_.contains(other)) {
    const Row moved = rows_[id];
    one(fmt::format("UPDATE items SET id = k({}) WHERE id = k({})", other, id), "moving");
    Put(id, nullptr);
    Put(other, &moved);
  } else {
    one(fmt::format("UPDATE items SET a = {}, pad = '{}' WHERE id = k({})", row.a, row.pad, id),
        "updating");
    Put(id, &row);
  }
  session.Exec("COMMIT");
}

void Users::Predict(unsigned seed) {
  std::mt19937 dice(seed);
  while (!stopping_) {
    try {
      Session session(arena_.conninfo());
      Settle(session);
      while (!stopping_) {
        try {
          PredictOne(session, dice);
          ++writes_;
        } catch (const SqlError& error) {
          if (!IsExpected(error)) throw;
          Settle(session);
        }
        std::this_thread::sleep_for(3ms);
      }
    } catch (const SqlError& error) {
      if (!IsLost(error)) {
        Complain(fmt::format("predictor: {}", error.what()));
        return;
      }
      std::this_thread::sleep_for(20ms);
    }
  }
}

std::string Users::Complaints() {
  const std::scoped_lock lock(mutex_);
  if (!crowd_.predicts) return complaints_;
  Session session(arena_.conninfo());
  Settle(session);
  std::map<int, Row> found;
  for (int id = kOwnFirst; id < kOwnFirst + kOwn; ++id)
    for (const auto& row :
         session.Exec(fmt::format("SELECT a, pad FROM items WHERE id = k({})", id))) {
      if (found.contains(id)) complaints_ += fmt::format("row {} is there twice\n", id);
      found[id] = Row{std::stoi(row[0]), row[1]};
    }
  for (int id = kOwnFirst; id < kOwnFirst + kOwn; ++id) {
    if (found.contains(id) != rows_.contains(id))
      complaints_ += fmt::format("row {} is {}there\n", id, found.contains(id) ? "" : "not ");
    else if (found.contains(id) && !(found[id] == rows_[id]))
      complaints_ += fmt::format("row {} is {} '{}', not {} '{}'\n", id, found[id].a, found[id].pad,
                                 rows_[id].a, rows_[id].pad);
  }
  return complaints_;
}

}  // namespace pgalter::test
