#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>

#include "engine/async/deadline.h"
#include "engine/guard/session.h"
#include "engine/guard/transaction.h"
#include "tests/support/pg_connection.h"

namespace pgalter::guard {
namespace {

using test::ErrorOf;
using test::FreshDatabase;
using test::IsAborted;
using test::RunTask;
using test::Start;
using test::Until;
using testing::HasSubstr;
using namespace std::chrono_literals;

Task<std::string> Value(Session& session, std::string sql) {
  const pg::Result row = co_await session.db().Query(std::move(sql));
  co_return row.Get<std::string>(0, 0);
}

class GuardTest : public testing::Test {
 protected:
  Task<Session> Open(std::string user = "postgres") {
    SessionOptions options;
    options.connect = test::ConnectTo(database_.conninfo());
    options.connect.conninfo.Set("user", user);
    options.run = "6f1c1f4e-0000-4000-8000-000000000001";
    co_return co_await Session::Open(std::move(options));
  }

  FreshDatabase database_;
};

class SessionTest : public GuardTest {
 protected:
  // Everything that could be set otherwise is, for the database and for a role of its own.
  SessionTest() {
    test::Session admin(database_.server().conninfo());
    admin.Exec("CREATE ROLE " + role_ + " LOGIN");
    for (const auto& [name, value] : hostile_) {
      admin.Exec("ALTER ROLE " + role_ + " SET " + name + " = " + value);
      admin.Exec("ALTER DATABASE " + database_.name() + " SET " + name + " = " + value);
    }
  }
  void TearDown() override {
    test::Session(database_.server().conninfo())
        .Exec("ALTER DATABASE " + database_.name() + " RESET ALL; DROP ROLE " + role_);
  }

  const std::string role_ = database_.name() + "_role";
  const std::map<std::string, std::string> hostile_{
      {"lock_timeout", "'1ms'"},
      {"statement_timeout", "'200ms'"},
      {"idle_in_transaction_session_timeout", "0"},
      {"idle_session_timeout", "'1d'"},
      {"client_connection_check_interval", "0"},
      {"default_transaction_isolation", "'serializable'"},
      {"default_transaction_read_only", "on"},
      {"default_transaction_deferrable", "on"},
      {"row_security", "on"},
      {"search_path", "nosuch"},
      {"synchronous_commit", "off"},
      {"application_name", "'somebody'"},
  };
};

TEST_F(SessionTest, EverySettingHoldsAgainstTheDefaultsOfRoleAndDatabase) {
  const std::map<std::string, std::string> expected{
      {"lock_timeout", "0"},
      {"statement_timeout", "0"},
      {"idle_in_transaction_session_timeout", "10s"},
      {"idle_session_timeout", "0"},
      {"client_connection_check_interval", "1s"},
      {"default_transaction_isolation", "read committed"},
      {"default_transaction_read_only", "off"},
      {"default_transaction_deferrable", "off"},
      {"row_security", "off"},
      {"search_path", "pg_catalog"},
      {"client_encoding", "UTF8"},
      {"application_name", "pgalter/6f1c1f4e-0000-4000-8000-000000000001"},
  };
  auto scenario = [&]() -> Task<> {
    Session session = co_await Open(role_);
    for (const auto& [name, value] : expected) {
      const std::string shown = co_await Value(session, "SHOW " + name);
      EXPECT_EQ(shown, value) << name;
    }
    if (session.db().server_version() >= 170000) {
      const std::string shown = co_await Value(session, "SHOW transaction_timeout");
      EXPECT_EQ(shown, "0");
    }
    EXPECT_EQ(session.server_pid(), session.db().backend_pid());
    EXPECT_EQ(session.pooling(), pg::Pooling::kNone);
    EXPECT_FALSE(session.db().in_transaction());
  };
  RunTask(scenario());
}

// A Unix socket knows no such thing.
TEST_F(SessionTest, TheServerLooksForAClientThatWentSilent) {
  auto scenario = [&]() -> Task<> {
    SessionOptions options;
    options.connect = test::ConnectTo(database_.tcp_conninfo());
    Session session = co_await Session::Open(std::move(options));
    const std::string idle = co_await Value(session, "SHOW tcp_keepalives_idle");
    EXPECT_EQ(idle, "10");
    const std::string interval = co_await Value(session, "SHOW tcp_keepalives_interval");
    EXPECT_EQ(interval, "5");
    const std::string count = co_await Value(session, "SHOW tcp_keepalives_count");
    EXPECT_EQ(count, "3");
    const std::string sent = co_await Value(session, "SHOW tcp_user_timeout");
    EXPECT_EQ(sent, "25000");
    EXPECT_GT(session.round_trip(), Milliseconds(0));
  };
  RunTask(scenario());
}

TEST_F(SessionTest, SettingsOfTheCallersComeLast) {
  auto scenario = [&]() -> Task<> {
    SessionOptions options;
    options.connect = test::ConnectTo(database_.conninfo());
    options.settings = {{"search_path", "app, public"}, {"TimeZone", "UTC"}};
    Session session = co_await Session::Open(std::move(options));
    const std::string path = co_await Value(session, "SHOW search_path");
    EXPECT_EQ(path, "app, public");
    const std::string zone = co_await Value(session, "SHOW TimeZone");
    EXPECT_EQ(zone, "UTC");
    const std::string name = co_await Value(session, "SHOW application_name");
    EXPECT_EQ(name, "pgalter");
    SessionOptions wrong;
    wrong.connect = test::ConnectTo(database_.conninfo());
    wrong.settings = {{"TimeZone", "nowhere"}};
    const auto error = co_await ErrorOf<pg::PgError>(Session::Open(std::move(wrong)));
    EXPECT_EQ(error->sqlstate(), "22023");
  };
  RunTask(scenario());
}

TEST_F(SessionTest, TransactionIsAsAskedWhateverTheDefaultsAre) {
  auto scenario = [&]() -> Task<> {
    Session session = co_await Open(role_);
    struct Seen {
      std::string isolation, read_only, deferrable, synchronous_commit;
    };
    std::optional<Seen> seen;
    auto look = [&]() -> Task<> {
      Seen now;
      now.isolation = co_await Value(session, "SHOW transaction_isolation");
      now.read_only = co_await Value(session, "SHOW transaction_read_only");
      now.deferrable = co_await Value(session, "SHOW transaction_deferrable");
      now.synchronous_commit = co_await Value(session, "SHOW synchronous_commit");
      seen = now;
    };
    TransactionOptions options;
    co_await RunInTransaction(session, options, look);
    EXPECT_EQ(seen->isolation, "read committed");
    EXPECT_EQ(seen->read_only, "off");
    EXPECT_EQ(seen->deferrable, "off");
    EXPECT_EQ(seen->synchronous_commit, "local");  // the role has it off
    options.access = Access::kReadOnly;
    options.isolation = Isolation::kRepeatableRead;
    options.durability = Durability::kLazy;
    co_await RunInTransaction(session, options, look);
    EXPECT_EQ(seen->isolation, "repeatable read");
    EXPECT_EQ(seen->read_only, "on");
    EXPECT_EQ(seen->synchronous_commit, "off");
  };
  RunTask(scenario());
}

class TransactionTest : public GuardTest {
 protected:
  TransactionTest() { database_.Sql("CREATE TABLE public.t (i int PRIMARY KEY)"); }

  Task<> Insert(Session& session, int i) {
    co_await session.db().Query("INSERT INTO public.t VALUES ($1)", i);
  }
  std::string Rows() const {
    return database_.Value("SELECT coalesce(string_agg(i::text, ',' ORDER BY i), '') FROM t");
  }
  static Task<> ExpectIdle(Session& session) {
    EXPECT_TRUE(session.open());
    EXPECT_FALSE(session.db().in_transaction());
    const std::string one = co_await Value(session, "SELECT '1'");
    EXPECT_EQ(one, "1");
  }

  const TransactionOptions options_;
};

TEST_F(TransactionTest, CommitsAndReturnsTheBodysValue) {
  auto scenario = [&]() -> Task<> {
    Session session = co_await Open();
    auto body = [&]() -> Task<std::string> {
      co_await Insert(session, 1);
      co_return "value";
    };
    const std::string value = co_await RunInTransaction(session, options_, body);
    EXPECT_EQ(value, "value");
    EXPECT_EQ(Rows(), "1");
    co_await ExpectIdle(session);
  };
  RunTask(scenario());
}

TEST_F(TransactionTest, ErrorInTheBodyRollsBackAndTheSessionIsUsable) {
  auto scenario = [&]() -> Task<> {
    Session session = co_await Open();
    auto throws = [&]() -> Task<> {
      co_await Insert(session, 1);
      throw std::domain_error("body");
    };
    co_await ErrorOf<std::domain_error>(RunInTransaction(session, options_, throws));
    co_await ExpectIdle(session);
    auto fails = [&]() -> Task<> {
      co_await Insert(session, 1);
      co_await Insert(session, 1);
    };
    const auto error = co_await ErrorOf<pg::PgError>(RunInTransaction(session, options_, fails));
    EXPECT_EQ(error->sqlstate(), "23505");
    co_await ExpectIdle(session);
    EXPECT_EQ(Rows(), "");
  };
  RunTask(scenario());
}

TEST_F(TransactionTest, BodyThatHidesAFailedStatementIsNotTakenForACommit) {
  auto scenario = [&]() -> Task<> {
    Session session = co_await Open();
    auto hides = [&]() -> Task<> {
      co_await Insert(session, 1);
      co_await ErrorOf<pg::PgError>(session.db().Query("SELECT 1/0"));
    };
    const auto error = co_await ErrorOf<pg::PgError>(RunInTransaction(session, options_, hides));
    EXPECT_EQ(error->sqlstate(), "25P02");
    EXPECT_EQ(Rows(), "");
    co_await ExpectIdle(session);
  };
  RunTask(scenario());
}

TEST_F(TransactionTest, CancelledBodyIsRolledBack) {
  auto scenario = [&]() -> Task<> {
    Session session = co_await Open();
    auto body = [&]() -> Task<> {
      co_await Insert(session, 1);
      co_await session.db().Query("SELECT pg_sleep(60)");
    };
    co_await ErrorOf<async::DeadlineExceeded>(
        async::WithDeadline(RunInTransaction(session, options_, body), 200ms));
    EXPECT_EQ(Rows(), "");
    co_await ExpectIdle(session);
  };
  RunTask(scenario());
}

TEST_F(TransactionTest, ErrorAtCommitIsARollbackAndNotAmbiguous) {
  auto scenario = [&]() -> Task<> {
    Session session = co_await Open();
    database_.Sql("CREATE TABLE u (i int CONSTRAINT u_i_key UNIQUE DEFERRABLE INITIALLY DEFERRED)");
    auto body = [&]() -> Task<> {
      co_await session.db().Query("INSERT INTO public.u VALUES (1), (1)");
    };
    std::string type;
    try {
      co_await RunInTransaction(session, options_, body);
    } catch (const AmbiguousCommit&) {
      type = "ambiguous";
    } catch (const pg::PgError& error) {
      type = error.sqlstate();
    }
    EXPECT_EQ(type, "23505");
    co_await ExpectIdle(session);
  };
  RunTask(scenario());
}

// A constraint that is checked at COMMIT and takes its time.
constexpr const char* kSlowCommit = R"sql(
CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS
  $$BEGIN PERFORM pg_catalog.pg_sleep(%); RETURN NULL; END$$;
CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION slow()
)sql";

std::string SlowCommit(const std::string& seconds) {
  std::string sql = kSlowCommit;
  return sql.replace(sql.find('%'), 1, seconds);
}

TEST_F(TransactionTest, ConnectionLostAtCommitIsAmbiguous) {
  auto scenario = [&]() -> Task<> {
    Session session = co_await Open();
    database_.Sql(SlowCommit("60"));
    const int pid = session.server_pid();
    std::optional<AmbiguousCommit> error;
    auto body = [&]() -> Task<> { co_await Insert(session, 1); };
    auto run = [&]() -> Task<> {
      error = co_await ErrorOf<AmbiguousCommit>(RunInTransaction(session, options_, body));
    };
    const auto running = co_await Start(run());
    test::Session observer = database_.Connect();
    const std::string at_commit =
        "SELECT query = 'COMMIT' AND state = 'active'"
        " FROM pg_stat_activity WHERE pid = " +
        std::to_string(pid);
    co_await Until([&] { return observer.Value(at_commit) == "t"; });
    observer.Exec("SELECT pg_terminate_backend(" + std::to_string(pid) + ", 5000)");
    co_await Until([&] { return running->ended; });
    EXPECT_EQ(error->sqlstate(), "08007");
    EXPECT_THAT(error->what(), HasSubstr("not known"));
    EXPECT_FALSE(session.open());
    EXPECT_EQ(Rows(), "");
  };
  RunTask(scenario());
}

// The server commits on its own disk, then waits for the standby: cancelling the wait is a COMMIT.
TEST_F(TransactionTest, CommitPastItsDeadlineIsAmbiguousSinceItMayHaveTakenEffect) {
  auto scenario = [&]() -> Task<> {
    Session session = co_await Open();
    test::Session admin = database_.Connect();
    admin.Exec("SET synchronous_commit = local");
    admin.Exec("ALTER SYSTEM SET synchronous_standby_names = 'nosuch'");
    admin.Exec("SELECT pg_reload_conf()");
    co_await Until([&] { return database_.Value("SHOW synchronous_standby_names") == "nosuch"; });
    session.db().set_query_deadline(500ms);
    auto body = [&]() -> Task<> {
      // The postmaster tells its children one by one: this one must know before it commits.
      for (std::string names; names != "nosuch";)
        names = co_await Value(session, "SHOW synchronous_standby_names");
      co_await Insert(session, 1);
    };
    const auto error = co_await ErrorOf<AmbiguousCommit>(RunInTransaction(session, options_, body));
    admin.Exec("ALTER SYSTEM RESET synchronous_standby_names");
    admin.Exec("SELECT pg_reload_conf()");
    EXPECT_EQ(error->sqlstate(), "08007");
    EXPECT_EQ(Rows(), "1");
    co_await ExpectIdle(session);
  };
  RunTask(scenario());
}

TEST_F(TransactionTest, CancelDoesNotReachACommitThatWasSent) {
  auto scenario = [&]() -> Task<> {
    Session session = co_await Open();
    database_.Sql(SlowCommit("0.5"));
    auto body = [&]() -> Task<> { co_await Insert(session, 1); };
    auto run = [&]() -> Task<> { co_await RunInTransaction(session, options_, body); };
    const int pid = session.server_pid();
    const auto running = co_await Start(run());
    test::Session observer = database_.Connect();
    const std::string at_commit =
        "SELECT query = 'COMMIT' AND state = 'active'"
        " FROM pg_stat_activity WHERE pid = " +
        std::to_string(pid);
    co_await Until([&] { return observer.Value(at_commit) == "t"; });
    running->Cancel();
    co_await Until([&] { return running->ended; });
    EXPECT_FALSE(running->error);
    EXPECT_EQ(Rows(), "1");
    co_await ExpectIdle(session);
  };
  RunTask(scenario());
}

TEST_F(TransactionTest, CommitOfASessionThatWasClosedBeforeIsNotAmbiguous) {
  auto scenario = [&]() -> Task<> {
    Session session = co_await Open();
    std::string type;
    auto body = [&]() -> Task<> {
      co_await Insert(session, 1);
      session.db().Close();
    };
    try {
      co_await RunInTransaction(session, options_, body);
    } catch (const AmbiguousCommit&) {
      type = "ambiguous";
    } catch (const pg::PgError& error) {
      type = error.sqlstate();
    }
    EXPECT_EQ(type, "08003");
    co_await Until([&] { return Rows().empty(); });
  };
  RunTask(scenario());
}

TEST_F(TransactionTest, TimeoutsAreTheTransactionsOwn) {
  auto scenario = [&]() -> Task<> {
    Session session = co_await Open();
    test::Session holder = database_.Connect();
    holder.Exec("BEGIN; LOCK TABLE t");
    TransactionOptions options;
    options.lock_timeout = 50ms;
    auto insert = [&]() -> Task<> { co_await Insert(session, 1); };
    const auto lock = co_await ErrorOf<pg::PgError>(RunInTransaction(session, options, insert));
    EXPECT_EQ(lock->klass(), pg::SqlstateClass::kLockNotAvailable);
    options.lock_timeout = 0ms;
    options.statement_timeout = 50ms;
    const auto slow = co_await ErrorOf<pg::PgError>(RunInTransaction(session, options, insert));
    EXPECT_EQ(slow->klass(), pg::SqlstateClass::kCancelled);
    holder.Exec("COMMIT");
    std::string inside;
    auto look = [&]() -> Task<> {
      inside = co_await Value(session, "SHOW lock_timeout");
      inside += " " + co_await Value(session, "SHOW statement_timeout");
    };
    options.lock_timeout = 1500ms;
    options.statement_timeout = 40s;
    co_await RunInTransaction(session, options, look);
    EXPECT_EQ(inside, "1500ms 40s");
    for (const char* name : {"lock_timeout", "statement_timeout"}) {
      const std::string after = co_await Value(session, std::string("SHOW ") + name);
      EXPECT_EQ(after, "0") << name;
    }
  };
  RunTask(scenario());
}

}  // namespace
}  // namespace pgalter::guard
