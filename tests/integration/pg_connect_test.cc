// Every way to say where to connect, and every way in which it fails.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <utility>

#include "tests/support/pg_connection.h"

namespace pgalter::pg {
namespace {

using test::ConnectTo;
using test::ErrorOf;
using test::RunTask;
using testing::HasSubstr;
using testing::Not;
using namespace std::chrono_literals;

class Environment {
 public:
  Environment(const char* name, const std::string& value) : name_(name) {
    ::setenv(name, value.c_str(), 1);
  }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;
  ~Environment() { ::unsetenv(name_); }

 private:
  const char* name_;
};

class TemporaryFile {
 public:
  TemporaryFile(const std::string& name, const std::string& text)
      : path_(std::filesystem::path(testing::TempDir()) /
              (name + "." + std::to_string(::getpid()))) {
    std::ofstream(path_) << text;
    ::chmod(path_.c_str(), 0600);  // libpq ignores a password file that others may read
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() { std::filesystem::remove(path_); }
  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

// A host that never answers. kSilent: the kernel accepts, no server behind it, as with one that is
// frozen. kFull: the queue of connections is full and the SYN is dropped, as with one that is gone.
class DeadHost {
 public:
  enum class Kind { kSilent, kFull };
  explicit DeadHost(Kind kind) : listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    socklen_t length = sizeof address;
    static_cast<void>(::bind(listener_, generic, length));
    ::listen(listener_, kind == Kind::kFull ? 0 : 16);
    ::getsockname(listener_, generic, &length);
    port_ = ntohs(address.sin_port);
    if (kind == Kind::kSilent) return;
    for (int& filler : fillers_) {
      filler = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
      static_cast<void>(::connect(filler, generic, length));
    }
  }
  DeadHost(const DeadHost&) = delete;
  DeadHost& operator=(const DeadHost&) = delete;
  ~DeadHost() {
    ::close(listener_);
    for (const int filler : fillers_)
      if (filler >= 0) ::close(filler);
  }
  int port() const { return port_; }

 private:
  int listener_;
  int port_ = 0;
  std::array<int, 8> fillers_{-1, -1, -1, -1, -1, -1, -1, -1};
};

// Password authentication and TLS over TCP; trust on the socket.
class SecuredServer {
 public:
  SecuredServer() : server_(sandbox::Sandbox::Start(test::TestServerOptions())) {
    test::Session admin(server_.conninfo());
    admin.Exec("SET password_encryption = 'scram-sha-256'");
    admin.Exec("CREATE ROLE app LOGIN PASSWORD 'ge:heim'");
    admin.Exec("CREATE DATABASE shop OWNER app");
    // The server writes its own files, so that they belong to the user it runs as.
    admin.Exec(
        "COPY (SELECT 1) TO PROGRAM 'cat > /dev/null; openssl req -new -x509 -nodes -days 2"
        " -subj /CN=localhost -addext subjectAltName=DNS:localhost -keyout server.key"
        " -out server.crt 2> /dev/null && chmod 600 server.key'");
    admin.Exec(
        "COPY (VALUES ('local all all trust'), ('host all app 127.0.0.1/32 scram-sha-256'),"
        " ('host all postgres 127.0.0.1/32 trust')) TO PROGRAM 'cat > pg_hba.conf'");
    admin.Exec("ALTER SYSTEM SET ssl = on");
    admin.Exec("SELECT pg_reload_conf()");
    // Reloading is asynchronous: a new backend tells when it is through.
    while (test::Session(server_.conninfo()).Value("SHOW ssl") != "on") ::usleep(5000);
  }

  static SecuredServer& Shared() {
    static SecuredServer server;
    return server;
  }

  std::string tcp(const std::string& more) const {
    return "host=127.0.0.1 port=" + port() + " dbname=shop user=app " + more;
  }
  std::string port() const { return std::to_string(server_.port()); }
  std::string certificate() const { return (server_.data_dir() / "server.crt").string(); }

 private:
  sandbox::Sandbox server_;
};

std::string One(const std::string& dsn, const std::string& sql) {
  auto scenario = [&]() -> Task<std::string> {
    Connection db = co_await Connection::Connect(ConnectTo(dsn));
    const Result row = co_await db.Query(sql);
    co_return row.Get<std::string>(0, 0);
  };
  return RunTask(scenario());
}

std::string WhoAmI(const std::string& dsn) {
  return One(dsn, "SELECT current_user || '@' || current_database()");
}

ConnectError Refusal(ConnectOptions options) {
  std::optional<ConnectError> refusal;
  auto scenario = [&]() -> Task<> {
    refusal = co_await ErrorOf<ConnectError>(Connection::Connect(std::move(options)));
  };
  RunTask(scenario());
  return refusal.value();
}

ConnectError Refusal(const std::string& dsn) { return Refusal(ConnectTo(dsn)); }

TEST(PgConnectTest, ByKeywordsAndByUri) {
  const test::FreshDatabase database;
  EXPECT_EQ(WhoAmI(database.conninfo()), "postgres@" + database.name());
  EXPECT_EQ(WhoAmI(database.tcp_conninfo()), "postgres@" + database.name());
  const std::string port = std::to_string(database.server().port());
  EXPECT_EQ(WhoAmI("postgresql://postgres@127.0.0.1:" + port + "/" + database.name()),
            "postgres@" + database.name());
}

TEST(PgConnectTest, ByEnvironmentAlone) {
  const test::FreshDatabase database;
  const Environment host("PGHOST", database.server().socket_dir().string());
  const Environment port("PGPORT", std::to_string(database.server().port()));
  const Environment user("PGUSER", "postgres");
  const Environment name("PGDATABASE", database.name());
  EXPECT_EQ(WhoAmI(""), "postgres@" + database.name());
}

TEST(PgConnectTest, ByServiceFile) {
  const test::FreshDatabase database;
  const TemporaryFile services("service",
                               "[shop]\nhost=" + database.server().socket_dir().string() +
                                   "\nport=" + std::to_string(database.server().port()) +
                                   "\nuser=postgres\ndbname=" + database.name() + "\n");
  const Environment file("PGSERVICEFILE", services.path());
  EXPECT_EQ(WhoAmI("service=shop"), "postgres@" + database.name());
  EXPECT_EQ(WhoAmI("service=shop dbname=postgres"), "postgres@postgres");
  {
    const Environment service("PGSERVICE", "shop");
    EXPECT_EQ(WhoAmI(""), "postgres@" + database.name());
  }
  EXPECT_THAT(Refusal("service=nosuch").what(), HasSubstr("nosuch"));
}

TEST(PgConnectTest, ByPasswordFile) {
  SecuredServer& secured = SecuredServer::Shared();
  const TemporaryFile passwords("pgpass", "127.0.0.1:" + secured.port() + ":shop:app:ge\\:heim\n");
  const Environment file("PGPASSFILE", passwords.path());
  EXPECT_EQ(WhoAmI(secured.tcp("")), "app@shop");
}

TEST(PgConnectTest, WrongPasswordIsARightsErrorAndNotRepeated) {
  SecuredServer& secured = SecuredServer::Shared();
  EXPECT_EQ(WhoAmI(secured.tcp("password='ge:heim'")), "app@shop");
  const ConnectError error = Refusal(secured.tcp("password=falsch sslmode=disable"));
  EXPECT_EQ(error.sqlstate(), "28P01");
  EXPECT_EQ(error.klass(), SqlstateClass::kNoRight);
  EXPECT_THAT(error.what(), HasSubstr("password authentication failed for user \"app\""));
  EXPECT_THAT(error.what(), Not(HasSubstr("falsch")));
  EXPECT_THAT(error.what(), Not(HasSubstr("LOCATION")));
}

TEST(PgConnectTest, MissingDatabaseIsPermanent) {
  const test::FreshDatabase database;
  const ConnectError error = Refusal(database.server().conninfo("nosuch"));
  EXPECT_EQ(error.sqlstate(), "3D000");
  EXPECT_THAT(error.what(), HasSubstr("check the name of the database"));
}

TEST(PgConnectTest, NobodyListeningIsAConnectionError) {
  const ConnectError error = Refusal("host=127.0.0.1 port=1 user=x dbname=x");
  EXPECT_EQ(error.sqlstate(), "08001");
  EXPECT_THAT(error.what(), HasSubstr("127.0.0.1"));
}

TEST(PgConnectTest, TlsWhereItIsRequired) {
  SecuredServer& secured = SecuredServer::Shared();
  const std::string cipher = "SELECT ssl::text FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
  const std::string password = "password='ge:heim' ";
  EXPECT_EQ(One(secured.tcp(password + "sslmode=require"), cipher), "true");
  EXPECT_EQ(One(secured.tcp(password + "sslmode=disable"), cipher), "false");
  const ConnectError plain = Refusal(test::SharedServer().tcp_conninfo() + " sslmode=require");
  EXPECT_THAT(plain.what(), HasSubstr("server does not support SSL"));
}

TEST(PgConnectTest, TlsVerifiesNameAndIssuer) {
  SecuredServer& secured = SecuredServer::Shared();
  const std::string verify =
      "hostaddr=127.0.0.1 port=" + secured.port() +
      " dbname=shop user=app password='ge:heim' sslmode=verify-full sslrootcert=";
  EXPECT_EQ(WhoAmI("host=localhost " + verify + secured.certificate()), "app@shop");
  EXPECT_THAT(Refusal("host=elsewhere " + verify + secured.certificate()).what(),
              HasSubstr("does not match host name"));
  EXPECT_THAT(Refusal("host=localhost " + verify + "/nosuch.crt").what(), HasSubstr("/nosuch.crt"));
}

// What TLS has decrypted and libpq has not fetched does not show on the socket: results of all
// lengths, so that some end inside a record that was half fetched.
TEST(PgConnectTest, ResultsOfEveryLengthArriveOverTls) {
  SecuredServer& secured = SecuredServer::Shared();
  auto scenario = [&]() -> Task<> {
    ConnectOptions options = ConnectTo(secured.tcp("password='ge:heim' sslmode=require"));
    options.query_deadline = 5s;
    Connection db = co_await Connection::Connect(std::move(options));
    for (int length = 1; length < 200000; length += 397) {
      const Result rows = co_await db.Query(
          "SELECT repeat('x', $1 / 7) FROM generate_series(1, 7) UNION ALL SELECT repeat('y', $1)",
          length);
      EXPECT_EQ(rows.Bytes(7, 0).size(), static_cast<std::size_t>(length));
    }
  };
  RunTask(scenario(), 60s);
}

TEST(PgConnectTest, FirstHostThatRefusesIsSkipped) {
  const test::FreshDatabase database;
  const std::string port = std::to_string(database.server().port());
  EXPECT_EQ(WhoAmI("host=127.0.0.1,127.0.0.1 port=1," + port +
                   " user=postgres target_session_attrs=read-write dbname=" + database.name()),
            "postgres@" + database.name());
}

TEST(PgConnectTest, FirstHostThatNeverAnswersIsSkipped) {
  const test::FreshDatabase database;
  const std::string port = std::to_string(database.server().port());
  for (const auto kind : {DeadHost::Kind::kSilent, DeadHost::Kind::kFull}) {
    const DeadHost dead(kind);
    auto scenario = [&]() -> Task<> {
      ConnectOptions options =
          ConnectTo("host=127.0.0.1,127.0.0.1 port=" + std::to_string(dead.port()) + "," + port +
                    " user=postgres dbname=" + database.name());
      options.connect_timeout = 300ms;
      Connection db = co_await Connection::Connect(std::move(options));
      EXPECT_EQ(db.database(), database.name());
    };
    RunTask(scenario(), 10s);
  }
}

TEST(PgConnectTest, HostsFromAServiceFileAreSkippedToo) {
  const test::FreshDatabase database;
  const DeadHost dead(DeadHost::Kind::kSilent);
  const TemporaryFile services(
      "service", "[shop]\nhost=127.0.0.1,127.0.0.1\nport=" + std::to_string(dead.port()) + "," +
                     std::to_string(database.server().port()) +
                     "\nuser=postgres\nconnect_timeout=1\ndbname=" + database.name() + "\n");
  const Environment file("PGSERVICEFILE", services.path());
  EXPECT_EQ(WhoAmI("service=shop"), "postgres@" + database.name());
}

TEST(PgConnectTest, HostsThatNeverAnswerAreNamed) {
  const DeadHost silent(DeadHost::Kind::kSilent);
  const DeadHost full(DeadHost::Kind::kFull);
  ConnectOptions options =
      ConnectTo("host=127.0.0.1,127.0.0.1 user=x dbname=x password=geheim port=" +
                std::to_string(silent.port()) + "," + std::to_string(full.port()));
  options.connect_timeout = 200ms;
  const ConnectError error = Refusal(std::move(options));
  EXPECT_EQ(error.sqlstate(), "08001");
  EXPECT_THAT(error.what(), HasSubstr(std::to_string(silent.port())));
  EXPECT_THAT(error.what(), HasSubstr(std::to_string(full.port())));
  EXPECT_THAT(error.what(), HasSubstr("within 200 ms"));
  EXPECT_THAT(error.what(), Not(HasSubstr("geheim")));
}

TEST(PgConnectTest, ConnectingCanBeCancelled) {
  const DeadHost dead(DeadHost::Kind::kSilent);
  auto scenario = [&]() -> Task<> {
    auto connect = [&]() -> Task<> {
      co_await Connection::Connect(
          ConnectTo("host=127.0.0.1 user=x dbname=x port=" + std::to_string(dead.port())));
    };
    const auto running = co_await test::Start(connect());
    co_await async::SleepFor(100ms);
    running->Cancel();
    co_await test::Until([&] { return running->ended; });
    EXPECT_TRUE(test::IsAborted(running->error));
  };
  RunTask(scenario(), 5s);
}

TEST(PgConnectTest, StandbyIsSkippedWhereWritesAreAskedFor) {
  sandbox::Sandbox& primary = test::SharedServer();
  sandbox::Sandbox standby = primary.MakeStandby();
  const std::string hosts = "host=127.0.0.1,127.0.0.1 user=postgres dbname=postgres port=" +
                            std::to_string(standby.port()) + "," + std::to_string(primary.port());
  const std::string in_recovery = "SELECT pg_is_in_recovery()::text";
  EXPECT_EQ(One(hosts, in_recovery), "true");
  EXPECT_EQ(One(hosts + " target_session_attrs=read-write", in_recovery), "false");
  EXPECT_EQ(One(hosts + " target_session_attrs=primary", in_recovery), "false");
  EXPECT_EQ(One(hosts + " target_session_attrs=prefer-standby", in_recovery), "true");
  auto write = [&]() -> Task<> {
    Connection db = co_await Connection::Connect(ConnectTo(standby.conninfo()));
    const auto error = co_await ErrorOf<PgError>(db.Query("CREATE TABLE t ()"));
    EXPECT_EQ(error->sqlstate(), sqlstate::kReadOnly);
    EXPECT_EQ(error->klass(), SqlstateClass::kConnectionLost);
  };
  RunTask(write());
}

}  // namespace
}  // namespace pgalter::pg
