// `pgalter serve` itself, beside real runs on real servers: what it shows is what is so.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <csignal>
#include <memory>

#include "tests/integration/serve_world.h"
#include "tests/support/openmetrics.h"

namespace pgalter::test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

TEST_F(Serve, ShowsARunOfAnotherProcessAsItGoes) {
  const auto run = HeldBackfill();
  Program serve = Start(ServeWords());
  const int port = PortOf(serve);
  const json::object list = Json(port, "/api/runs");
  ASSERT_EQ(list.at("runs").as_array().size(), 1U);
  const json::object shown = list.at("runs").as_array()[0].as_object();
  EXPECT_EQ(shown.at("run").as_string(), RunId());
  EXPECT_EQ(shown.at("table").as_string(), "public.items");
  EXPECT_FALSE(shown.at("runner").is_null());
  EXPECT_TRUE(list.at("link").at("connected").as_bool());

  HttpEvents events(port, "/api/events");
  const json::object before =
      EventLike(events, "runs", [](const json::object& data) { return Fraction(data) >= 0; });
  EXPECT_TRUE(before.at("all").as_bool());
  LetGo();
  bool moved = false;
  const json::object after = EventLike(events, "runs", [&](const json::object& data) {
    moved = moved || Fraction(data) > Fraction(before);
    return !data.at("runs").as_array().empty() &&
           data.at("runs").as_array()[0].at("state").as_string() == "done";
  });
  EXPECT_TRUE(moved);
  EXPECT_FALSE(after.at("all").as_bool());
  EXPECT_EQ(run->Wait(kLimit).code, 0);
}

TEST_F(Serve, DetailsHaveStepsPaceAndSamples) {
  const auto run = HeldBackfill();
  Program serve = Start(ServeWords());
  const int port = PortOf(serve);
  const std::string id = RunId();
  // 30 days of samples, one a ten seconds, of which the server makes few.
  database_.Sql(
      fmt::format("INSERT INTO pgalter.sample SELECT '{}', now() - g * interval '10 s', g, 100,"
                  " CASE g WHEN 100000 THEN 0 ELSE 1 END,"
                  " CASE g WHEN 100000 THEN 'replay-lag 6 s of 5 s' ELSE '' END"
                  " FROM generate_series(1, 259200) g",
                  id));
  const json::object details = Json(port, "/api/runs/" + id.substr(0, 13) + "?points=300");
  EXPECT_EQ(details.at("run").at("run").as_string(), id);
  EXPECT_EQ(details.at("control").at("throttle").at("ratio").as_string(), "0");
  EXPECT_FALSE(details.at("steps").as_array().empty());
  const auto& samples = details.at("samples").as_object();
  const auto& ratios = samples.at("throttle_ratio").as_array();
  EXPECT_GE(ratios.size(), 250U);
  EXPECT_LE(ratios.size(), 302U);
  EXPECT_EQ(samples.at("at").as_array().size(), ratios.size());
  // One stopped sample among thousands is still seen, with its reason.
  bool stopped = false;
  for (std::size_t i = 0; i + 2 < ratios.size(); ++i)
    if (ratios[i].to_number<double>() == 0)
      stopped = stopped ||
                samples.at("throttle_reason").as_array()[i].as_string() == "replay-lag 6 s of 5 s";
  EXPECT_TRUE(stopped);
  EXPECT_EQ(Http(port, "GET", "/api/runs/no-such-run").status, 404);
}

TEST_F(Serve, LocksAreThoseOfTheMoment) {
  MakeItems(10);
  Program serve = Start(ServeWords());
  const int port = PortOf(serve);
  EXPECT_THAT(Json(port, "/api/locks").at("trees").as_array(), IsEmpty());
  Session holder = database_.Connect();
  holder.Exec("BEGIN; LOCK TABLE items");
  Session waiter = database_.Connect();
  waiter.Send("SELECT count(*) FROM items WHERE note = 'secret value'");
  database_.AwaitLockWait(waiter.backend_pid());
  std::string body;
  EXPECT_TRUE(Within(kLimit, [&] {
    body = Http(port, "GET", "/api/locks").body;
    return !json::parse(body).at("trees").as_array().empty();
  }));
  const auto tree = json::parse(body).at("trees").as_array()[0].as_object();
  EXPECT_EQ(tree.at("pid").as_int64(), holder.backend_pid());
  EXPECT_EQ(tree.at("waiters").as_array()[0].at("pid").as_int64(), waiter.backend_pid());
  EXPECT_THAT(body, Not(HasSubstr("secret value")));
  EXPECT_EQ(ReadOpenMetrics(Http(port, "GET", "/metrics").body).At("pgalter_lock_waiting_sessions"),
            1);
  holder.Exec("ROLLBACK");
  waiter.Wait();
}

TEST_F(Serve, AnswersAreAsTheirSchemasSay) {
  const auto run = HeldBackfill();
  Program serve = Start(ServeWords({"--allow-control", "--token-file", TokenFile()}));
  const int port = PortOf(serve);
  const HttpHeaders bearer{std::string("Authorization: Bearer ") + kToken, "X-Pgalter: 1"};
  Session holder = database_.Connect();
  holder.Exec(fmt::format("SET application_name = 'pgalter/{}'; BEGIN; LOCK TABLE audit", RunId()));
  Session waiter = database_.Connect();
  waiter.Send("SELECT count(*) FROM audit");
  database_.AwaitLockWait(waiter.backend_pid());
  AwaitBeats(3);
  const std::string waiting = Http(port, "GET", "/api/locks", bearer).body;
  EXPECT_THAT(waiting, HasSubstr("public.audit"));
  ExpectValid("locks.json", waiting);
  holder.Exec("ROLLBACK");
  waiter.Wait();
  database_.AwaitValue("SELECT count(*) FROM pgalter.lock_episode", "1", kLimit);
  database_.Sql("UPDATE pgalter.sample SET facts = facts || '{\"lag_s\": {\"one\": 2.5}}'");
  const std::string one = "/api/runs/" + RunId();
  const std::string details = Http(port, "GET", one, bearer).body;
  EXPECT_THAT(details, HasSubstr("\"lag_s\":{\"one\":[2.5"));
  EXPECT_THAT(details, HasSubstr("\"lock_episodes\":[{"));
  for (const std::string& body :
       {Http(port, "GET", "/api/runs", bearer).body, details,
        Http(port, "GET", "/healthz", bearer).body,
        Http(port, "GET", "/api/runs/none", bearer).body, Http(port, "GET", "/api/runs").body,
        Http(port, "POST", one + "/pause", bearer).body,
        Http(port, "POST", one + "/explode", bearer).body})
    ExpectValid("serve.json", body);
  HttpEvents events(port, "/api/events", bearer);
  for (const HttpEvent& event : {events.Next(), events.Next()})
    ExpectValid("serve.json", event.data);
  const Ran history = Run({"locks", "--history", RunId(), "--output", "json"});
  EXPECT_EQ(history.code, 0) << history.err;
  ExpectValid("locks.json", history.out);
  // The judge can say no.
  EXPECT_NE(Validated("serve.json", "{\"version\": 1, \"runs\": 5}"), 0);
}

TEST_F(Serve, MetricsKeepTheRulesOfTheirFormat) {
  const auto run = HeldBackfill();
  Program serve = Start(ServeWords());
  const int port = PortOf(serve);
  const HttpAnswer answer = Http(port, "GET", "/metrics");
  EXPECT_EQ(answer.headers.at("content-type"),
            "application/openmetrics-text; version=1.0.0; charset=utf-8");
  const Metrics metrics = ReadOpenMetrics(answer.body);
  EXPECT_THAT(metrics.problems, IsEmpty()) << metrics.Problems() << answer.body;
  const std::string id = RunId();
  EXPECT_EQ(metrics.At("pgalter_database_up"), 1);
  EXPECT_EQ(metrics.At(fmt::format("pgalter_run_runner_up{{run=\"{}\"}}", id)), 1);
  EXPECT_EQ(metrics.At(fmt::format("pgalter_throttle_ratio{{run=\"{}\",signal=\"operator\"}}", id)),
            0);
  EXPECT_EQ(metrics.At(fmt::format("pgalter_rows_copied_total{{run=\"{}\"}}", id)),
            Number("SELECT done_rows FROM pgalter.run"));
}

TEST_F(Serve, ReadsOnlyAndIsThereBeforeTheFirstRun) {
  Program serve = Start(ServeWords());
  const int port = PortOf(serve);
  EXPECT_THAT(Json(port, "/api/runs").at("runs").as_array(), IsEmpty());
  EXPECT_EQ(database_.Value("SELECT to_regnamespace('pgalter') IS NULL"), "t");
  EXPECT_EQ(Http(port, "POST", "/api/runs/abc/pause", {"X-Pgalter: 1"}).status, 403);
  HttpEvents events(port, "/api/events");
  MakeItems();
  Program run = Start(Backfill());
  EventLike(events, "runs",
            [](const json::object& data) { return !data.at("runs").as_array().empty(); });
  EXPECT_EQ(run.Wait(kLimit).code, 0);
}

TEST_F(Serve, TheRunsThatAreForgottenGoFromThePage) {
  MakeItems();
  ASSERT_EQ(Run(Backfill()).code, 0);
  Program serve = Start(ServeWords());
  const int port = PortOf(serve);
  HttpEvents events(port, "/api/events");
  EventLike(events, "runs",
            [](const json::object& data) { return data.at("runs").as_array().size() == 1; });
  database_.Sql("DELETE FROM pgalter.run");
  for (;;) {
    const HttpEvent event = events.Next(std::chrono::seconds(60));
    if (event.name != "runs") continue;
    const json::value data = json::parse(event.data);
    if (data.at("all").as_bool() && data.at("runs").as_array().empty()) break;
  }
}

TEST_F(Serve, AnswersCarryTheirGuards) {
  Program serve = Start(ServeWords());
  const int port = PortOf(serve);
  for (const char* target : {"/", "/app.js", "/api/runs", "/metrics", "/nothing"}) {
    const HttpAnswer answer = Http(port, "GET", target);
    EXPECT_THAT(answer.headers.at("content-security-policy"), HasSubstr("default-src 'none'"))
        << target;
    EXPECT_EQ(answer.headers.at("x-content-type-options"), "nosniff") << target;
    EXPECT_EQ(answer.headers.at("cache-control"), "no-store") << target;
  }
  EXPECT_EQ(Http(port, "GET", "/api/runs", {"Host: evil.example"}).status, 421);
  EXPECT_EQ(Http(port, "GET", "/api/runs", {"Sec-Fetch-Site: cross-site"}).status, 403);
  EXPECT_THAT(Http(port, "GET", "/").headers.at("content-type"), HasSubstr("text/html"));
  const HttpAnswer head = Http(port, "HEAD", "/");
  EXPECT_EQ(head.status, 200);
  EXPECT_THAT(head.body, IsEmpty());
}

TEST_F(Serve, NoHttpAndTooMuchOfItEndTheirConnectionAlone) {
  Program serve = Start(ServeWords());
  const int port = PortOf(serve);
  RawHttp(port, "\x16\x03\x01 no http at all\r\n\r\n");
  RawHttp(port, "GET / HTTP/1.1\r\nX: " + std::string(100'000, 'x') + "\r\n\r\n");
  const std::string big(1'000'000, 'x');
  RawHttp(port, fmt::format("POST /api/login HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}"
                            "\r\n\r\n{}",
                            big.size(), big));
  EXPECT_EQ(Http(port, "GET", "/healthz").status, 200);
}

TEST_F(Serve, EndsAtASignalWhileSomebodyWatches) {
  Program serve = Start(ServeWords());
  const int port = PortOf(serve);
  HttpEvents events(port, "/api/events");
  events.Next();
  serve.Signal(SIGTERM);
  EXPECT_EQ(serve.Wait(std::chrono::seconds(10)).code, 0);
  EXPECT_EQ(serve.Wait().err, "");
}

TEST_F(Serve, AServerThatIsNotThereIsAConnectionError) {
  const Ran ran =
      Program(PGALTER_BINARY, {"serve", "--listen", "127.0.0.1:0", "--dsn", "host=/nonexistent"})
          .Wait();
  EXPECT_EQ(ran.code, 9);
  EXPECT_THAT(ran.err, HasSubstr("--dsn"));
}

TEST_F(Serve, AMissingRightIsSaidAtTheStart) {
  ASSERT_EQ(Run({"init"}).code, 0);
  database_.Sql(
      "DO $$ BEGIN IF to_regrole('serve_poor') IS NULL THEN CREATE ROLE serve_poor LOGIN; END IF;"
      " END $$");
  user_ = "serve_poor";
  const Ran ran = Run(ServeWords());
  EXPECT_EQ(ran.code, 10);
  EXPECT_THAT(ran.err, HasSubstr("schema pgalter belongs to"));
}

TEST_F(Serve, ATakenPortAndAnOpenOneAreRefused) {
  Program serve = Start(ServeWords());
  const int port = PortOf(serve);
  const Ran taken = Run({"serve", "--listen", fmt::format("127.0.0.1:{}", port)});
  EXPECT_EQ(taken.code, 1);
  EXPECT_THAT(taken.err, HasSubstr("cannot listen on 127.0.0.1:"));
  EXPECT_THAT(taken.err, HasSubstr("Address already in use"));
  for (const char* open : {"0.0.0.0:0", "[::]:0", "10.1.2.3:0", "localhost:0", "127.0.0.1",
                           "127.0.0.1:99999", "127.0.0.1:x"}) {
    const Ran refused = Run({"serve", "--listen", open});
    EXPECT_EQ(refused.code, 2) << open;
    EXPECT_THAT(refused.err, HasSubstr("--listen")) << open;
  }
}

// The dashboard may do what the commands do.
class ServeControl : public Serve {
 protected:
  void StartServe(const Words& more = {}) {
    Words words = ServeWords({"--allow-control", "--dsn", database_.conninfo()});
    words.insert(words.end(), more.begin(), more.end());
    serve_ = std::make_unique<Program>(PGALTER_BINARY, words);
    port_ = PortOf(*serve_);
    const std::string said = serve_->SoFar().out;
    const std::size_t mark = said.find("#t=");
    if (mark != std::string::npos) token_ = said.substr(mark + 3, said.find('\n') - mark - 3);
  }
  HttpAnswer Do(const std::string& action, const std::string& body = "") {
    return Http(port_, "POST", fmt::format("/api/runs/{}/{}", RunId(), action),
                {"X-Pgalter: 1", "Authorization: Bearer " + token_}, body);
  }
  static std::string WhatOf(const HttpAnswer& answer) {
    return std::string(json::parse(answer.body).at("error").at("what").as_string());
  }
  std::string StateShown() {
    const auto data = Json(port_, "/api/runs", {"Authorization: Bearer " + token_});
    return std::string(data.at("runs").as_array().at(0).at("state").as_string());
  }

  std::unique_ptr<Program> serve_;
  int port_ = 0;
  std::string token_;
};

TEST_F(ServeControl, PauseReallyPausesAndResumeGoesOnToTheEnd) {
  const auto run = HeldBackfill();
  StartServe();
  const HttpAnswer paused = Do("pause");
  EXPECT_EQ(paused.status, 200) << paused.body;
  EXPECT_EQ(StateOfRun(), "paused");
  EXPECT_EQ(run->Wait(kLimit).code, 6);
  EXPECT_GT(Undone(), 0);
  EXPECT_TRUE(Within(kLimit, [&] { return StateShown() == "paused"; }));
  EXPECT_EQ(database_.Value("SELECT wanted FROM pgalter.control"), "pause");

  const HttpAnswer pace = Do("throttle", R"({"set":["ratio=1"]})");
  EXPECT_EQ(pace.status, 200) << pace.body;
  EXPECT_EQ(database_.Value("SELECT throttle->>'ratio' FROM pgalter.control"), "1");
  const HttpAnswer resumed = Do("resume");
  EXPECT_EQ(resumed.status, 200) << resumed.body;
  database_.AwaitValue("SELECT state FROM pgalter.run", "done", kLimit);
  ExpectRight();
  EXPECT_TRUE(Within(kLimit, [&] { return StateShown() == "done"; }));
}

TEST_F(ServeControl, TheRunnerThatItStartsOutlivesIt) {
  const auto run = HeldBackfill();
  StartServe();
  ASSERT_EQ(Do("pause").status, 200);
  ASSERT_EQ(Do("resume").status, 200);
  EXPECT_EQ(Do("resume").status, 409);  // one runner a run
  serve_->Signal(SIGTERM);
  EXPECT_EQ(serve_->Wait(std::chrono::seconds(10)).code, 0);
  Throttle("ratio=1");
  database_.AwaitValue("SELECT state FROM pgalter.run", "done", kLimit);
  ExpectRight();
}

TEST_F(ServeControl, AnAbortIsConfirmedWithTheNameOfTheTable) {
  const auto run = HeldBackfill();
  StartServe();
  EXPECT_EQ(Do("abort").status, 400);
  EXPECT_EQ(Do("abort", R"({"confirm":"items"})").status, 400);
  EXPECT_EQ(StateOfRun(), "running");
  const HttpAnswer aborted = Do("abort", R"({"confirm":"public.items"})");
  EXPECT_EQ(aborted.status, 200) << aborted.body;
  EXPECT_EQ(StateOfRun(), "aborted");
  EXPECT_EQ(run->Wait(kLimit).code, 6);
  EXPECT_EQ(Do("abort", R"({"confirm":"public.items"})").status, 409);
}

TEST_F(ServeControl, WhatMeansNothingIsRefusedWithItsReason) {
  const auto run = HeldBackfill();
  StartServe();
  const HttpAnswer none = Do("postpone");
  EXPECT_EQ(none.status, 409);
  EXPECT_THAT(WhatOf(none), HasSubstr("rebuilds no table"));
  EXPECT_EQ(Do("cutover", R"({"confirm":"public.items"})").status, 409);
  EXPECT_EQ(Do("explode").status, 400);
  EXPECT_EQ(Do("throttle").status, 400);
  EXPECT_EQ(Do("throttle", "no json").status, 400);
  EXPECT_EQ(Do("throttle", R"({"set":["ratio=much"]})").status, 400);
  EXPECT_EQ(Do("resume", R"({"gate":"x"})").status, 409);
  EXPECT_EQ(database_.Value("SELECT throttle->>'ratio' FROM pgalter.control"), "0");
  EXPECT_EQ(StateOfRun(), "running");
}

TEST_F(ServeControl, NobodyGetsInWithoutTheToken) {
  const auto run = HeldBackfill();
  StartServe();
  EXPECT_EQ(token_.size(), 64U);
  EXPECT_EQ(Http(port_, "GET", "/api/runs").status, 401);
  EXPECT_EQ(Http(port_, "GET", "/metrics").status, 401);
  const std::string pause = fmt::format("/api/runs/{}/pause", RunId());
  EXPECT_EQ(Http(port_, "POST", pause, {"X-Pgalter: 1"}).status, 401);
  const HttpAnswer login =
      Http(port_, "POST", "/api/login", {"X-Pgalter: 1", "Authorization: Bearer " + token_});
  ASSERT_EQ(login.status, 204);
  const std::string cookie = login.headers.at("set-cookie").substr(0, 8 + 64);
  EXPECT_EQ(Http(port_, "GET", "/api/runs", {"Cookie: " + cookie}).status, 200);
  // What another site can make a browser send: the cookie, but neither the header nor the origin.
  EXPECT_EQ(Http(port_, "POST", pause, {"Cookie: " + cookie}).status, 403);
  EXPECT_EQ(Http(port_, "POST", pause,
                 {"Cookie: " + cookie, "X-Pgalter: 1", "Origin: http://evil.example"})
                .status,
            403);
  EXPECT_EQ(StateOfRun(), "running");
  EXPECT_EQ(Http(port_, "POST", pause, {"Cookie: " + cookie, "X-Pgalter: 1"}).status, 200);
  EXPECT_EQ(StateOfRun(), "paused");
}

TEST_F(ServeControl, ATokenOfAFileOutlivesARestart) {
  const std::string file = testing::TempDir() + fmt::format("pgalter-token-{}", database_.name());
  const std::string token = "0123456789abcdefghij_-XY";
  std::ofstream(file) << token << "\n";
  StartServe({"--token-file", file, "--host", "dash.example"});
  EXPECT_THAT(token_, IsEmpty());  // it is not printed
  const HttpHeaders bearer{"Authorization: Bearer " + token, "Host: dash.example"};
  EXPECT_EQ(Http(port_, "GET", "/api/runs", bearer).status, 200);
  std::ofstream(file) << "short\n";
  const Ran shorter = Run(ServeWords({"--token-file", file}));
  EXPECT_EQ(shorter.code, 2);
  EXPECT_THAT(shorter.err, HasSubstr("is no token"));
  EXPECT_THAT(shorter.err, Not(HasSubstr("short\n")));
  std::filesystem::remove(file);
  EXPECT_EQ(Run(ServeWords({"--token-file", file})).code, 2);
  const Ran open = Run(ServeWords({"--host", "dash.example"}));
  EXPECT_EQ(open.code, 2);
  EXPECT_THAT(open.err, HasSubstr("token"));
}

// A server of its own, which is crashed.
class ServeAcrossACrash : public Serve {
 protected:
  ServeAcrossACrash() : Serve(Own()) {}
  static sandbox::Sandbox& Own() {
    static sandbox::Sandbox server = sandbox::Sandbox::Start(TestServerOptions());
    return server;
  }
};

TEST_F(ServeAcrossACrash, SaysThatItIsStaleAndGoesOnByItself) {
  MakeItems();
  ASSERT_EQ(Run(Backfill()).code, 0);
  Program serve = Start(ServeWords());
  const int port = PortOf(serve);
  HttpEvents events(port, "/api/events");
  EventLike(events, "link",
            [](const json::object& link) { return link.at("connected").as_bool(); });
  Own().Crash();
  const json::object lost = EventLike(
      events, "link", [](const json::object& link) { return !link.at("connected").as_bool(); });
  EXPECT_FALSE(lost.at("problem").as_string().empty());
  // What was seen last is still shown, and said to be old; what is not at hand is refused.
  const json::object stale = Json(port, "/api/runs");
  EXPECT_FALSE(stale.at("link").at("connected").as_bool());
  EXPECT_EQ(stale.at("runs").as_array().size(), 1U);
  EXPECT_EQ(Http(port, "GET", "/api/locks").status, 503);
  EXPECT_EQ(Http(port, "GET", "/healthz").status, 503);
  const Metrics metrics = ReadOpenMetrics(Http(port, "GET", "/metrics").body);
  EXPECT_THAT(metrics.problems, IsEmpty()) << metrics.Problems();
  EXPECT_EQ(metrics.At("pgalter_database_up"), 0);
  Own().Restart();
  EventLike(events, "link",
            [](const json::object& link) { return link.at("connected").as_bool(); });
  EXPECT_EQ(Http(port, "GET", "/healthz").status, 200);
}

}  // namespace
}  // namespace pgalter::test
