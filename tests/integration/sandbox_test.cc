// A throwaway server starts, answers, and leaves nothing behind, whatever ends its owner.
#include "engine/sandbox/sandbox.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <thread>

#include "tests/support/postgres.h"

namespace pgalter::sandbox {
namespace {

namespace fs = std::filesystem;
using test::FreshDatabase;
using test::Session;
using test::SharedServer;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

Sandbox StartOne() { return Sandbox::Start(test::TestServerOptions()); }

bool Within(std::chrono::seconds limit, const std::function<bool()>& condition) {
  const auto until = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return true;
}

bool IsGone(pid_t pid) { return CommandLine(pid).empty(); }

// A TMPDIR of its own, which other test binaries do not search.
class PrivateTmpdir {
 public:
  explicit PrivateTmpdir(const std::string& name) {
    if (const char* before = std::getenv("TMPDIR")) before_ = before;
    std::string base = "/tmp/sandbox_test_XXXXXX";
    base_ = ::mkdtemp(base.data());
    fs::permissions(base_, fs::perms(0711));
    fs::create_directories(base_ / name);
    ::setenv("TMPDIR", path(name).c_str(), 1);
  }
  ~PrivateTmpdir() {
    if (before_.empty()) {
      ::unsetenv("TMPDIR");
    } else {
      ::setenv("TMPDIR", before_.c_str(), 1);
    }
    fs::remove_all(base_);
  }
  [[nodiscard]] fs::path path(const std::string& name) const { return base_ / name; }

 private:
  fs::path base_;
  std::string before_;
};

std::vector<std::string> FoldersOfThisProcess() {
  std::vector<std::string> ids;
  for (const Directory& directory : OwnDirectories()) {
    const auto marker = ReadMarker(directory.root);
    if (marker && marker->owner.pid == ::getpid()) ids.push_back(directory.id());
  }
  return ids;
}

std::string ErrorOf(const std::function<void()>& action) {
  try {
    action();
  } catch (const SandboxError& error) {
    return error.what();
  }
  return "no error";
}

TEST(Sandbox, AnswersOnSocketAndLoopbackPort) {
  const Sandbox& server = SharedServer();
  Session by_socket(server.conninfo());
  EXPECT_EQ(by_socket.Value("SELECT inet_server_port()"), "NULL");
  EXPECT_EQ(by_socket.Value("SELECT current_setting('unix_socket_directories')"),
            server.socket_dir().string());
  Session by_tcp(server.tcp_conninfo());
  EXPECT_EQ(by_tcp.Value("SELECT inet_server_port()"), std::to_string(server.port()));
  EXPECT_EQ(by_tcp.Value("SELECT current_setting('listen_addresses')"), "127.0.0.1");
  EXPECT_EQ(by_tcp.Value("SELECT current_setting('server_version_num')::int / 10000"),
            std::to_string(server.server_version_major()));
  EXPECT_EQ(by_tcp.Value("SELECT pg_encoding_to_char(encoding) || ' ' || datcollate"
                         " FROM pg_database WHERE datname = 'postgres'"),
            "UTF8 C");
}

TEST(Sandbox, NeverRunsAsRoot) {
  const Sandbox& server = SharedServer();
  struct stat process {};
  ASSERT_EQ(::stat(fmt::format("/proc/{}", server.postmaster_pid()).c_str(), &process), 0);
  EXPECT_NE(process.st_uid, 0U);
  struct stat data {};
  ASSERT_EQ(::stat(server.data_dir().c_str(), &data), 0);
  EXPECT_EQ(data.st_uid, process.st_uid);
}

TEST(Sandbox, RunsAsTheNamedUserWhenStartedByRoot) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  Options options = test::TestServerOptions();
  options.user = "nobody";
  const Sandbox server = Sandbox::Start(options);
  EXPECT_EQ(ServerUser("nobody")->uid, [&] {
    struct stat process {};
    ::stat(fmt::format("/proc/{}", server.postmaster_pid()).c_str(), &process);
    return process.st_uid;
  }());
  options.user = "root";
  EXPECT_THAT(ErrorOf([&] { (void)Sandbox::Start(options); }), HasSubstr("refuses to run as root"));
  options.user = "no such user";
  EXPECT_THAT(ErrorOf([&] { (void)Sandbox::Start(options); }), HasSubstr("there is no such user"));
}

TEST(Sandbox, StopsAndRemovesItself) {
  pid_t postmaster = 0;
  fs::path root;
  {
    const Sandbox server = StartOne();
    postmaster = server.postmaster_pid();
    root = server.data_dir().parent_path();
    EXPECT_FALSE(IsGone(postmaster));
  }
  EXPECT_TRUE(IsGone(postmaster));
  EXPECT_FALSE(fs::exists(root));
}

TEST(Sandbox, StopsThoughSessionsAreOpen) {
  Sandbox server = StartOne();
  Session idle(server.conninfo());
  idle.Exec("BEGIN; CREATE TABLE t (a int)");
  const fs::path root = server.data_dir().parent_path();
  server.Stop();
  EXPECT_FALSE(fs::exists(root));
  server.Stop();
}

TEST(Sandbox, KeepsCommittedRowsOverACrashAndItsPort) {
  Options options = test::TestServerOptions();
  options.fsync = true;
  Sandbox server = Sandbox::Start(options);
  Session(server.conninfo()).Exec("CREATE TABLE t AS SELECT 7 AS a");
  const int port = server.port();
  server.Crash();
  EXPECT_FALSE(server.running());
  EXPECT_THROW(Session{server.conninfo()}, test::SqlError);
  server.Restart();
  EXPECT_EQ(server.port(), port);
  EXPECT_EQ(Session(server.tcp_conninfo()).Value("SELECT a FROM t"), "7");
  EXPECT_THAT(server.log_tail(100), HasSubstr("was not properly shut down"));
}

TEST(Sandbox, FollowsAsAStandbyAndIsPromoted) {
  Sandbox primary = StartOne();
  Session writer(primary.conninfo());
  writer.Exec("CREATE TABLE t (a int)");
  StandbyOptions options;
  options.name = "follower";
  options.slot = "follower_slot";
  Sandbox standby = primary.MakeStandby(options);
  EXPECT_NE(standby.port(), primary.port());
  writer.Exec("INSERT INTO t VALUES (42)");
  Session reader(standby.conninfo());
  EXPECT_EQ(reader.Value("SELECT pg_is_in_recovery()"), "t");
  EXPECT_TRUE(Within(std::chrono::seconds(10),
                     [&] { return reader.Value("SELECT count(*) FROM t") == "1"; }));
  EXPECT_EQ(writer.Value("SELECT application_name || ' ' || state FROM pg_stat_replication"),
            "follower streaming");
  EXPECT_EQ(writer.Value("SELECT slot_name FROM pg_replication_slots WHERE active"),
            "follower_slot");
  primary.Crash();
  standby.Promote();
  EXPECT_EQ(Session(standby.conninfo()).Value("INSERT INTO t VALUES (43) RETURNING a"), "43");
}

TEST(Sandbox, StandbyAppliesWithTheDelayThatWasAsked) {
  Sandbox primary = StartOne();
  StandbyOptions options;
  options.recovery_min_apply_delay = std::chrono::milliseconds(1500);
  const Sandbox standby = primary.MakeStandby(options);
  EXPECT_EQ(Session(standby.conninfo()).Value("SHOW recovery_min_apply_delay"), "1500ms");
}

TEST(Sandbox, AStandbyNeedsNoClientProgram) {
  const PrivateTmpdir bin("bin");
  for (const char* program : {"initdb", "pg_ctl", "postgres"}) {
    fs::create_symlink(SharedServer().bin_dir() / program, bin.path("bin") / program);
  }
  Options options = test::TestServerOptions();
  options.pg_bin = bin.path("bin").string();
  Sandbox primary = Sandbox::Start(options);
  Session(primary.conninfo()).Exec("CREATE TABLE t AS SELECT generate_series(1, 1000) AS a");
  const Sandbox standby = primary.MakeStandby();
  EXPECT_EQ(Session(standby.conninfo()).Value("SELECT sum(a) FROM t"), "500500");
}

TEST(Sandbox, AClusterWithTablespacesHasNoStandby) {
  Sandbox primary = StartOne();
  Session admin(primary.conninfo());
  admin.Exec("SET allow_in_place_tablespaces = on");
  admin.Exec("CREATE TABLESPACE s LOCATION ''");
  EXPECT_THAT(ErrorOf([&] { (void)primary.MakeStandby(); }), HasSubstr("has tablespaces"));
}

TEST(Sandbox, CopesWithAnOddTmpdir) {
  const PrivateTmpdir tmpdir("user's files");
  const Sandbox server = StartOne();
  EXPECT_EQ(server.data_dir().parent_path().parent_path(), tmpdir.path("user's files"));
  EXPECT_EQ(Session(server.conninfo("template1")).Value("SELECT current_database()"), "template1");
}

TEST(Sandbox, LeavesATmpdirThatTheServerCannotUse) {
  for (const std::string& name : {std::string(80, 'd'), std::string("a \"quoted\" name")}) {
    const PrivateTmpdir tmpdir(name);
    const Sandbox server = StartOne();
    EXPECT_EQ(server.data_dir().parent_path().parent_path(), "/tmp");
    EXPECT_EQ(Session(server.conninfo()).Value("SELECT 1"), "1");
  }
}

TEST(Sandbox, WatchdogEndsTheServerOfAKilledOwner) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const pid_t owner = ::fork();
  if (owner == 0) {
    try {
      Sandbox server = StartOne();
      const auto report =
          fmt::format("{} {}\n", server.postmaster_pid(), server.data_dir().parent_path().string());
      if (::write(ends[1], report.data(), report.size()) > 0) ::kill(::getpid(), SIGKILL);
    } catch (const std::exception& error) {
      std::fprintf(stderr, "%s\n", error.what());
    }
    ::_exit(1);
  }
  ::close(ends[1]);
  int status = 0;
  ASSERT_EQ(::waitpid(owner, &status, 0), owner);
  ASSERT_TRUE(WIFSIGNALED(status));
  std::string report(4096, '\0');
  const auto count = ::read(ends[0], report.data(), report.size());
  ::close(ends[0]);
  ASSERT_GT(count, 0);
  std::istringstream words(report.substr(0, static_cast<std::size_t>(count)));
  pid_t postmaster = 0;
  fs::path root;
  words >> postmaster >> root;
  EXPECT_TRUE(
      Within(std::chrono::seconds(60), [&] { return IsGone(postmaster) && !fs::exists(root); }));
}

TEST(Sandbox, CollectsWhatADeadProcessLeftBehind) {
  const PrivateTmpdir tmpdir("t");
  Options options = test::TestServerOptions();
  options.keep = true;  // no watchdog that could be faster
  Sandbox server = Sandbox::Start(options);
  const fs::path root = server.data_dir().parent_path();
  const pid_t postmaster = server.postmaster_pid();
  EXPECT_THAT(Sandbox::CollectAbandoned(), Not(Contains(server.id())));

  Marker marker = *ReadMarker(root);
  marker.keep = false;
  WriteMarker(root, marker);
  EXPECT_THAT(Sandbox::CollectAbandoned(), Not(Contains(server.id()))) << "its owner lives";

  // The same number, another process: what is left when pids come round.
  marker.owner.started += 1;
  WriteMarker(root, marker);
  EXPECT_THAT(Sandbox::CollectAbandoned(), Contains(server.id()));
  EXPECT_TRUE(IsGone(postmaster));
  EXPECT_FALSE(fs::exists(root));
}

TEST(Sandbox, NeverSignalsAProcessThatIsNotItsPostmaster) {
  Sandbox server = StartOne();
  server.Crash();
  std::ofstream(server.data_dir() / "postmaster.pid") << ::getpid() << "\n";
  EXPECT_FALSE(server.running());
  server.Stop(StopMode::kImmediate);
}

TEST(Sandbox, KeptOneOutlivesItsObjectAndIsFound) {
  Options options = test::TestServerOptions();
  options.keep = true;
  std::string id;
  {
    const Sandbox server = Sandbox::Start(options);
    id = server.id();
  }
  Sandbox found = Sandbox::Find(id);
  EXPECT_TRUE(found.running());
  EXPECT_EQ(Session(found.conninfo()).Value("SELECT 1"), "1");
  const auto listed = Sandbox::List();
  EXPECT_TRUE(std::any_of(listed.begin(), listed.end(), [&](const Listed& entry) {
    return entry.marker.id == id && entry.running;
  }));
  found.Stop();
  EXPECT_THAT(ErrorOf([&] { (void)Sandbox::Find(id); }), HasSubstr("there is no sandbox"));
}

TEST(Sandbox, DoesNothingInAForkedChild) {
  Sandbox server = StartOne();
  const pid_t child = ::fork();
  if (child == 0) {
    server.Stop();
    ::_exit(0);
  }
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  EXPECT_EQ(Session(server.conninfo()).Value("SELECT 1"), "1");
}

TEST(Sandbox, FailedStartQuotesTheServersLogAndLeavesNothing) {
  const auto before = FoldersOfThisProcess();
  Options options = test::TestServerOptions();
  options.settings.emplace_back("shared_buffers = 'plenty'");
  EXPECT_THAT(ErrorOf([&] { (void)Sandbox::Start(options); }),
              HasSubstr("invalid value for parameter \"shared_buffers\""));
  EXPECT_EQ(FoldersOfThisProcess(), before);
}

TEST(Sandbox, RestartNamesThePortThatWasTaken) {
  Sandbox server = StartOne();
  server.Crash();
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(server.port()));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(::bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(::listen(listener, 1), 0);
  const auto error = ErrorOf([&] { server.Restart(); });
  EXPECT_THAT(error, HasSubstr(fmt::format("on port {}", server.port())));
  EXPECT_THAT(error, HasSubstr("Address already in use"));
  ::close(listener);
}

TEST(FindServer, NamesEveryPlaceWhenThereIsNone) {
  ServerSearch search;
  search.pg_config = "/nowhere/pg_config";
  search.debian = "/nowhere/postgresql";
  const auto error = ErrorOf([&] { FindServer(search); });
  for (const char* place : {"--pg-bin", "PGALTER_PG_BIN", "/nowhere/pg_config --bindir",
                            "/nowhere/postgresql/*/bin", "apt install postgresql"}) {
    EXPECT_THAT(error, HasSubstr(place));
  }
}

TEST(FindServer, DoesNotFallBackFromANamedFolder) {
  ServerSearch search;
  search.pg_bin = "/tmp";
  EXPECT_THAT(ErrorOf([&] { FindServer(search); }), HasSubstr("/tmp (named by --pg-bin)"));
  search.pg_bin.clear();
  search.environment = "/var";
  EXPECT_THAT(ErrorOf([&] { FindServer(search); }), HasSubstr("/var (named by PGALTER_PG_BIN)"));
}

TEST(FreshDatabase, IsDroppedThoughSomethingStillHoldsIt) {
  std::string name;
  std::unique_ptr<Session> idle;
  {
    FreshDatabase database;
    name = database.name();
    // The slot first: its making waits for the end of every open transaction.
    database.Sql("SELECT pg_create_logical_replication_slot('left_over', 'pgoutput')");
    database.Sql(
        "CREATE TABLE t (a int); BEGIN; INSERT INTO t VALUES (1);"
        "PREPARE TRANSACTION 'left''over'");
    idle = std::make_unique<Session>(database.conninfo());
  }
  EXPECT_EQ(Session(SharedServer().conninfo())
                .Value(fmt::format("SELECT count(*) FROM pg_database WHERE datname = '{}'", name)),
            "0");
}

TEST(Session, WaitsForALockAndIsCancelled) {
  FreshDatabase database;
  Session holder = database.Connect();
  Session waiter = database.Connect();
  holder.Exec("CREATE TABLE t (a int)");
  holder.Exec("BEGIN; LOCK TABLE t");
  waiter.Send("SELECT NULL AS nothing, count(*) FROM t");
  database.AwaitLockWait(waiter.backend_pid());
  EXPECT_TRUE(waiter.busy());
  waiter.Cancel();
  try {
    waiter.Wait();
    FAIL() << "the statement was not cancelled";
  } catch (const test::SqlError& error) {
    EXPECT_EQ(error.sqlstate(), "57014");
  }
  waiter.Send("SELECT NULL AS nothing, count(*) FROM t");
  database.AwaitLockWait(waiter.backend_pid());
  holder.Exec("COMMIT");
  EXPECT_EQ(waiter.Wait(), (test::Rows{{"NULL", "0"}}));
}

}  // namespace
}  // namespace pgalter::sandbox
