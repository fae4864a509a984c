#include "engine/guard/lease.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "engine/guard/transaction.h"
#include "tests/support/pg_connection.h"

namespace pgalter::guard {
namespace {

using test::ErrorOf;
using test::FreshDatabase;
using test::RunTask;
using test::Start;
using test::Until;
using testing::HasSubstr;
using namespace std::chrono_literals;

constexpr const char* kRun = "6f1c1f4e-0000-4000-8000-000000000001";

class LeaseTest : public testing::Test {
 protected:
  LeaseTest() {
    database_.Sql(
        "CREATE SCHEMA pgalter; CREATE TABLE pgalter.lease"
        " (run uuid PRIMARY KEY, epoch bigint NOT NULL, owner text, taken_at timestamptz);"
        "CREATE TABLE public.moved (i int)");
    database_.Sql(std::string("INSERT INTO pgalter.lease VALUES ('") + kRun + "', 0)");
  }

  Task<Session> Open() {
    SessionOptions options;
    options.connect = test::ConnectTo(database_.conninfo());
    co_return co_await Session::Open(std::move(options));
  }
  // What every transaction that moves rows looks like.
  static Task<> MoveRow(Session& session, const Lease& lease, int i) {
    auto body = [&]() -> Task<> {
      co_await CheckLease(session, lease);
      co_await session.db().Query("INSERT INTO public.moved VALUES ($1)", i);
    };
    const TransactionOptions options;
    co_await RunInTransaction(session, options, body);
  }
  std::string Moved() const {
    return database_.Value("SELECT coalesce(string_agg(i::text, ',' ORDER BY i), '') FROM moved");
  }

  FreshDatabase database_;
};

TEST_F(LeaseTest, EveryTakeoverIsTheNextEpoch) {
  auto scenario = [&]() -> Task<> {
    Session session = co_await Open();
    for (std::int64_t epoch = 1; epoch <= 3; ++epoch) {
      const Lease lease = co_await TakeLease(session, kRun, "me", 1s);
      EXPECT_EQ(lease.epoch, epoch);
      EXPECT_EQ(lease.run, kRun);
      co_await MoveRow(session, lease, static_cast<int>(epoch));
    }
    EXPECT_EQ(Moved(), "1,2,3");
    EXPECT_EQ(database_.Value("SELECT owner FROM pgalter.lease WHERE taken_at IS NOT NULL"), "me");
  };
  RunTask(scenario());
}

TEST_F(LeaseTest, OldEpochSeesNoRowAndMovesNothing) {
  auto scenario = [&]() -> Task<> {
    Session old_runner = co_await Open();
    Session new_runner = co_await Open();
    const Lease old_lease = co_await TakeLease(old_runner, kRun, "old", 1s);
    co_await TakeLease(new_runner, kRun, "new", 1s);
    const auto error = co_await ErrorOf<LeaseLost>(MoveRow(old_runner, old_lease, 1));
    EXPECT_THAT(error->what(), HasSubstr(kRun));
    EXPECT_THAT(error->what(), HasSubstr("epoch 1"));
    EXPECT_TRUE(old_runner.open());
    EXPECT_FALSE(old_runner.db().in_transaction());
    EXPECT_EQ(Moved(), "");
  };
  RunTask(scenario());
}

TEST_F(LeaseTest, TakeoverWaitsForATransactionInFlight) {
  auto scenario = [&]() -> Task<> {
    Session old_runner = co_await Open();
    Session new_runner = co_await Open();
    const Lease old_lease = co_await TakeLease(old_runner, kRun, "old", 1s);
    co_await Begin(old_runner, TransactionOptions());
    co_await CheckLease(old_runner, old_lease);

    std::optional<Lease> new_lease;
    auto take = [&]() -> Task<> { new_lease = co_await TakeLease(new_runner, kRun, "new", 20s); };
    const auto taking = co_await Start(take());
    test::Session observer = database_.Connect();
    const std::string was_refused =
        "SELECT query LIKE '%NOWAIT%' OR query = 'ROLLBACK'"
        " FROM pg_stat_activity WHERE pid = " +
        std::to_string(new_runner.server_pid());
    co_await Until([&] { return observer.Value(was_refused) == "t"; });
    co_await async::SleepFor(200ms);
    EXPECT_FALSE(taking->ended);
    // It polls: no statement of it waits for the lock, no snapshot is held meanwhile.
    EXPECT_EQ(observer.Value("SELECT count(*) FROM pg_locks WHERE NOT granted"), "0");

    co_await old_runner.db().Query("INSERT INTO public.moved VALUES (1)");
    co_await Commit(old_runner);
    co_await Until([&] { return taking->ended; });
    EXPECT_FALSE(taking->error);
    EXPECT_EQ(new_lease->epoch, 2);
    EXPECT_EQ(Moved(), "1");
    co_await ErrorOf<LeaseLost>(MoveRow(old_runner, old_lease, 2));
    co_await MoveRow(new_runner, *new_lease, 3);
    EXPECT_EQ(Moved(), "1,3");
  };
  RunTask(scenario());
}

// The old runner's check arrives while the takeover is written and not committed: it waits, then
// reads the new epoch and finds no row.
TEST_F(LeaseTest, CheckBehindATakeoverInFlightFindsNoRow) {
  auto scenario = [&]() -> Task<> {
    Session old_runner = co_await Open();
    const Lease old_lease = co_await TakeLease(old_runner, kRun, "old", 1s);
    test::Session other = database_.Connect();
    other.Exec("BEGIN; UPDATE pgalter.lease SET epoch = epoch + 1");
    const auto moving = co_await Start(MoveRow(old_runner, old_lease, 1));
    test::Session observer = database_.Connect();
    const std::string waits = "SELECT count(*) FROM pg_locks WHERE NOT granted AND pid = " +
                              std::to_string(old_runner.server_pid());
    co_await Until([&] { return observer.Value(waits) == "1"; });
    other.Exec("COMMIT");
    co_await Until([&] { return moving->ended; });
    bool lost = false;
    try {
      if (moving->error) std::rethrow_exception(moving->error);
    } catch (const LeaseLost&) {
      lost = true;
    }
    EXPECT_TRUE(lost);
    EXPECT_EQ(Moved(), "");
  };
  RunTask(scenario());
}

TEST_F(LeaseTest, TakeoverGivesUpAfterItsLimit) {
  auto scenario = [&]() -> Task<> {
    Session session = co_await Open();
    test::Session holder = database_.Connect();
    holder.Exec("BEGIN; SELECT 1 FROM pgalter.lease FOR SHARE");
    const auto start = async::Clock::now();
    const auto error = co_await ErrorOf<pg::PgError>(TakeLease(session, kRun, "new", 300ms));
    const auto took = async::Clock::now() - start;
    EXPECT_EQ(error->sqlstate(), "55P03");
    EXPECT_GE(took, 300ms);
    EXPECT_LT(took, 5s);
    EXPECT_FALSE(session.db().in_transaction());
    holder.Exec("COMMIT");
    const Lease lease = co_await TakeLease(session, kRun, "new", 300ms);
    EXPECT_EQ(lease.epoch, 1);
  };
  RunTask(scenario());
}

TEST_F(LeaseTest, TwoTakersGetDifferentEpochs) {
  auto scenario = [&]() -> Task<> {
    Session one = co_await Open();
    Session two = co_await Open();
    std::optional<Lease> first;
    std::optional<Lease> second;
    auto take = [](Session& session, std::optional<Lease>& lease) -> Task<> {
      lease = co_await TakeLease(session, kRun, "me", 10s);
    };
    const auto a = co_await Start(take(one, first));
    const auto b = co_await Start(take(two, second));
    co_await Until([&] { return a->ended && b->ended; });
    EXPECT_TRUE(first && second);
    if (!first || !second) co_return;
    EXPECT_EQ(first->epoch + second->epoch, 3);
    EXPECT_NE(first->epoch, second->epoch);
  };
  RunTask(scenario());
}

// A runner that lost its connection comes back: not over its successor, nor over a row that nobody
// has taken yet.
TEST_F(LeaseTest, RunnerThatComesBackTakesOnlyWhatIsStillItsOwn) {
  auto scenario = [&]() -> Task<> {
    Session session = co_await Open();
    co_await ErrorOf<LeaseLost>(TakeLease(session, kRun, "one", 1s, Takeover::kOnlyOwn));
    co_await TakeLease(session, kRun, "one", 1s);
    const Lease again = co_await TakeLease(session, kRun, "one", 1s, Takeover::kOnlyOwn);
    EXPECT_EQ(again.epoch, 2);
    co_await TakeLease(session, kRun, "two", 1s);
    co_await ErrorOf<LeaseLost>(TakeLease(session, kRun, "one", 1s, Takeover::kOnlyOwn));
    EXPECT_FALSE(session.db().in_transaction());
    EXPECT_EQ(database_.Value("SELECT epoch || owner FROM pgalter.lease"), "3two");
  };
  RunTask(scenario());
}

TEST_F(LeaseTest, RunThatDoesNotExistIsSaidSo) {
  auto scenario = [&]() -> Task<> {
    Session session = co_await Open();
    const auto error = co_await ErrorOf<pg::PgError>(
        TakeLease(session, "6f1c1f4e-0000-4000-8000-00000000dead", "me", 1s));
    EXPECT_EQ(error->sqlstate(), "02000");
    EXPECT_THAT(error->what(), HasSubstr("6f1c1f4e-0000-4000-8000-00000000dead"));
  };
  RunTask(scenario());
}

}  // namespace
}  // namespace pgalter::guard
