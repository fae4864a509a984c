// Several coroutines' questions in one round trip. What one pipeline holds is one transaction of
// the server's, where there is no other: it tells which questions went together.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include "engine/async/deadline.h"
#include "engine/pg/kept_plans.h"
#include "tests/support/pg_connection.h"

namespace pgalter::pg {
namespace {

using test::ErrorOf;
using test::FreshDatabase;
using test::Open;
using test::RunTask;
using testing::ElementsAre;
using namespace std::chrono_literals;

using Asks = std::vector<std::function<Task<>()>>;
using Texts = std::vector<std::string>;

class TogetherTest : public testing::Test {
 protected:
  FreshDatabase database_;
};

constexpr const char* kWhen = "SELECT now()::text";

Task<> AskWhen(Connection& db, int times, Texts& when) {
  for (int i = 0; i < times; ++i) {
    const Result row = co_await db.Query(kWhen);
    when.push_back(row.Get<std::string>(0, 0));
  }
}

TEST_F(TogetherTest, WhatAllWaitForGoesInOneRoundTrip) {
  auto scenario = [&]() -> Task<> {
    Connection db = co_await Open(database_);
    Texts once;
    Texts twice;
    Texts piped;
    auto pipe = [&]() -> Task<> {
      std::vector<Statement> two{{kWhen, {}}, {"SELECT $1::text", Params::Of("as sent")}};
      const auto results = co_await db.Pipeline(std::move(two));
      for (const Result& result : results) piped.push_back(result.Get<std::string>(0, 0));
      const auto none = co_await db.Pipeline(std::vector<Statement>());
      EXPECT_TRUE(none.empty());
    };
    auto nothing = []() -> Task<> { co_return; };
    Asks asks;
    asks.push_back([&]() { return AskWhen(db, 1, once); });
    asks.push_back([&]() { return AskWhen(db, 2, twice); });
    asks.emplace_back(pipe);
    asks.emplace_back(nothing);
    co_await db.Together(std::move(asks));
    EXPECT_EQ(twice.size(), 2U);
    EXPECT_NE(twice.at(0), twice.at(1));
    EXPECT_THAT(once, ElementsAre(twice.at(0)));
    EXPECT_THAT(piped, ElementsAre(twice.at(0), "as sent"));
    Asks none;
    co_await db.Together(std::move(none));
    co_await AskWhen(db, 1, once);
    EXPECT_NE(once.at(0), once.at(1));
  };
  RunTask(scenario(), 30s);
}

TEST_F(TogetherTest, WhoIsAmongThemMayDoTheSame) {
  auto scenario = [&]() -> Task<> {
    Connection db = co_await Open(database_);
    Texts outer;
    Texts first;
    Texts second;
    Texts after;
    auto inner = [&]() -> Task<> {
      Asks asks;
      asks.push_back([&]() { return AskWhen(db, 1, first); });
      asks.push_back([&]() { return AskWhen(db, 2, second); });
      co_await db.Together(std::move(asks));
      co_await AskWhen(db, 1, after);
    };
    Asks asks;
    asks.push_back([&]() { return AskWhen(db, 2, outer); });
    asks.emplace_back(inner);
    co_await db.Together(std::move(asks));
    EXPECT_THAT(first, ElementsAre(outer.at(0)));
    EXPECT_EQ(second, outer);
    EXPECT_EQ(after.size(), 1U);
    EXPECT_NE(after.at(0), outer.at(1));
  };
  RunTask(scenario(), 30s);
}

TEST_F(TogetherTest, OfTheirOwnErrorsTheFirstInTheirOrderIsThrownWhenAllHaveEnded) {
  auto scenario = [&]() -> Task<> {
    Connection db = co_await Open(database_);
    Texts when;
    auto late = [&]() -> Task<> {
      co_await db.Query("SELECT 1");
      throw std::runtime_error("first in order");
    };
    auto early = []() -> Task<> {
      throw std::runtime_error("first in time");
      co_return;
    };
    Asks asks{late, early};
    asks.push_back([&]() { return AskWhen(db, 3, when); });
    const auto error = co_await ErrorOf<std::runtime_error>(db.Together(std::move(asks)));
    EXPECT_STREQ(error->what(), "first in order");
    EXPECT_EQ(when.size(), 3U);
  };
  RunTask(scenario(), 30s);
}

TEST_F(TogetherTest, AnErrorOfTheServersEndsThemAllAndLeavesTheConnectionIdle) {
  auto scenario = [&]() -> Task<> {
    Connection db = co_await Open(database_);
    for (const bool among : {false, true}) {
      Texts when;
      bool went_on = false;
      auto fails = [&]() -> Task<> {
        co_await db.Query("SELECT 1 / $1::int", 0);
        went_on = true;
      };
      auto within = [&]() -> Task<> {
        Asks asks{fails};
        asks.push_back([&]() { return AskWhen(db, 3, when); });
        co_await db.Together(std::move(asks));
      };
      Asks asks;
      asks.push_back([&]() { return AskWhen(db, 3, when); });
      if (among) {
        asks.emplace_back(within);
      } else {
        asks.emplace_back(fails);
      }
      const auto error = co_await ErrorOf<PgError>(db.Together(std::move(asks)));
      EXPECT_EQ(error->sqlstate(), "22012");
      EXPECT_FALSE(went_on);
      EXPECT_TRUE(when.empty());
      const Result usable = co_await db.Query("SELECT 1");
      EXPECT_EQ(usable.Get<int>(0, 0), 1);
    }
  };
  RunTask(scenario(), 30s);
}

TEST_F(TogetherTest, TheyAreInterruptedTogether) {
  auto scenario = [&]() -> Task<> {
    Connection db = co_await Open(database_);
    bool went_on = false;
    auto sleeps = [&]() -> Task<> {
      co_await db.Query("SELECT pg_sleep(60)");
      went_on = true;
    };
    Asks asks{sleeps, sleeps};
    co_await ErrorOf<async::DeadlineExceeded>(
        async::WithDeadline(db.Together(std::move(asks)), 100ms));
    EXPECT_FALSE(went_on);
    const Result usable = co_await db.Query("SELECT 1");
    EXPECT_EQ(usable.Get<int>(0, 0), 1);
  };
  RunTask(scenario(), 30s);
}

TEST_F(TogetherTest, PlansAreKeptAsOfThoseWhoAskAlone) {
  auto scenario = [&]() -> Task<> {
    Connection db = co_await Open(database_);
    const KeptPlans plans(db);
    Texts when;
    co_await AskWhen(db, 1, when);
    Asks asks;
    for (int i = 0; i < 2; ++i) asks.push_back([&]() { return AskWhen(db, 2, when); });
    co_await db.Together(std::move(asks));
    EXPECT_EQ(when.size(), 5U);
    const Result kept = co_await db.Query("SELECT count(*)::int4 FROM pg_prepared_statements");
    EXPECT_EQ(kept.Get<int>(0, 0), 2);
  };
  RunTask(scenario(), 30s);
}

}  // namespace
}  // namespace pgalter::pg
