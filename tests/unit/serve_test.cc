// The dashboard without a server: what leads where, who is let in, what the metrics look like.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include "cli/serve/access_policy.h"
#include "cli/serve/assets.h"
#include "cli/serve/metrics.h"
#include "cli/serve/openmetrics.h"
#include "cli/serve/routes.h"
#include "cli/serve/run_json.h"
#include "engine/watch/signals.h"
#include "tests/support/openmetrics.h"

namespace pgalter::cli::serve {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

Request Get(const std::string& target, const std::string& method = "GET") {
  Request request;
  request.method = method;
  request.headers["host"] = "127.0.0.1:8432";
  EXPECT_TRUE(ReadTarget(target, request)) << target;
  return request;
}

Request Post(const std::string& target) {
  Request request = Get(target, "POST");
  request.headers["x-pgalter"] = "1";
  return request;
}

// The status, or 0 for whoever is let in.
int Status(const Request& request, const Access& access = {}) {
  const auto found = FindRoute(request);
  if (const auto* refused = std::get_if<Response>(&found)) return refused->status;
  const auto refused = Refuse(request, std::get<Route>(found), access);
  return refused ? refused->status : 0;
}

Access Controlled() {
  Access access;
  access.control = Control::kAllowed;
  access.token = "secret";
  return access;
}

TEST(ServeTarget, IsDecodedAndItsQueryTakenApart) {
  const Request request = Get("/api/runs/a%2Db?points=10&since=1.5&x=%20");
  EXPECT_EQ(request.path, "/api/runs/a-b");
  EXPECT_EQ(request.query.at("points"), "10");
  EXPECT_EQ(request.query.at("since"), "1.5");
  EXPECT_EQ(request.query.at("x"), " ");
}

TEST(ServeTarget, ThatCannotBeReadIsNone) {
  Request request;
  for (const char* target : {"", "*", "http://x/", "/%", "/%1", "/%zz", "/?a=%g0"})
    EXPECT_FALSE(ReadTarget(target, request)) << target;
}

TEST(ServeRoutes, LeadWhereTheyShould) {
  struct Case {
    const char* method;
    const char* target;
    Place place;
  };
  for (const auto& [method, target, place] :
       {Case{"GET", "/", Place::kFile}, Case{"GET", "/app.js", Place::kFile},
        Case{"HEAD", "/", Place::kFile}, Case{"GET", "/api/runs", Place::kRuns},
        Case{"GET", "/api/runs/abc", Place::kRun}, Case{"GET", "/api/locks", Place::kLocks},
        Case{"GET", "/api/events", Place::kEvents}, Case{"GET", "/metrics", Place::kMetrics},
        Case{"GET", "/healthz", Place::kHealth}, Case{"POST", "/api/login", Place::kLogin},
        Case{"POST", "/api/runs/abc/pause", Place::kControl}}) {
    const auto found = FindRoute(Get(target, method));
    ASSERT_TRUE(std::holds_alternative<Route>(found)) << method << " " << target;
    EXPECT_EQ(std::get<Route>(found).place, place) << target;
  }
  const auto control = std::get<Route>(FindRoute(Post("/api/runs/abc/pause")));
  EXPECT_EQ(control.run, "abc");
  EXPECT_EQ(control.action, "pause");
}

TEST(ServeRoutes, LeadNowhereElse) {
  for (const char* target : {"/nothing", "/../etc/passwd", "/api/", "/api/runs/", "/api/runs/a/b/c",
                             "/app.js/", "//", "/api/runs//pause"})
    EXPECT_EQ(Status(Get(target)), 404) << target;
  EXPECT_EQ(Status(Post("/api/runs")), 405);
  EXPECT_EQ(Status(Get("/api/runs/abc/pause")), 405);
  EXPECT_EQ(Status(Get("/metrics", "DELETE")), 405);
}

TEST(ServeAccess, NamesThatSomebodyElsesDnsLeadsHereAreRefused) {
  for (const char* host :
       {"127.0.0.1", "127.0.0.1:9", "localhost:8432", "LOCALHOST", "[::1]:8432"}) {
    Request request = Get("/api/runs");
    request.headers["host"] = host;
    EXPECT_EQ(Status(request), 0) << host;
  }
  for (const char* host : {"", "evil.example", "evil.example:8432", "127.0.0.1.evil.example",
                           "localhost.evil.example", "10.0.0.1:8432", "[::2]:8432"}) {
    for (const char* target : {"/", "/api/runs", "/metrics", "/healthz"}) {
      Request request = Get(target);
      request.headers["host"] = host;
      EXPECT_EQ(Status(request), 421) << host << " " << target;
    }
  }
  Request request = Get("/api/runs");
  request.headers["host"] = "Dash.Example:443";
  Access access;
  access.hosts = {"dash.example"};
  EXPECT_EQ(Status(request, access), 0);
}

TEST(ServeAccess, OtherSitesRequestsAreRefused) {
  for (const char* site : {"cross-site", "same-site"}) {
    Request request = Get("/api/runs");
    request.headers["sec-fetch-site"] = site;
    EXPECT_EQ(Status(request), 403) << site;
  }
  // A link on another site may lead to the page, which shows nothing by itself.
  Request link = Get("/");
  link.headers["sec-fetch-site"] = "cross-site";
  EXPECT_EQ(Status(link), 0);
  Request own = Get("/api/runs");
  own.headers["sec-fetch-site"] = "same-origin";
  EXPECT_EQ(Status(own), 0);
}

TEST(ServeAccess, ChangesNeedTheHeaderTheOriginTheTokenAndTheOption) {
  const Access access = Controlled();
  Request request = Post("/api/runs/abc/pause");
  request.headers["authorization"] = "Bearer secret";
  request.headers["origin"] = "http://127.0.0.1:8432";
  EXPECT_EQ(Status(request, access), 0);

  Request without = request;
  without.headers.erase("x-pgalter");
  EXPECT_EQ(Status(without, access), 403);
  for (const char* origin : {"null", "http://evil.example", "http://127.0.0.1:9", "127.0.0.1:8432",
                             "ftp://127.0.0.1:8432"}) {
    without = request;
    without.headers["origin"] = origin;
    EXPECT_EQ(Status(without, access), 403) << origin;
  }
  without = request;
  without.headers.erase("authorization");
  EXPECT_EQ(Status(without, access), 401);
  Access shows = access;
  shows.control = Control::kReadOnly;
  EXPECT_EQ(Status(request, shows), 403);
}

TEST(ServeAccess, ATokenOpensByHeaderOrByItsCookie) {
  const Access access = Controlled();
  for (const char* target : {"/api/runs", "/api/runs/x", "/api/locks", "/api/events", "/metrics"}) {
    EXPECT_EQ(Status(Get(target), access), 401) << target;
    Request bearer = Get(target);
    bearer.headers["authorization"] = "Bearer secret";
    EXPECT_EQ(Status(bearer, access), 0) << target;
    Request cookie = Get(target);
    cookie.headers["cookie"] = "other=1; pgalter=" + CookieOf("secret");
    EXPECT_EQ(Status(cookie, access), 0) << target;
  }
  for (const char* wrong :
       {"Bearer ", "Bearer secre", "Bearer secret2", "secret", "Basic secret"}) {
    Request request = Get("/api/runs");
    request.headers["authorization"] = wrong;
    EXPECT_EQ(Status(request, access), 401) << wrong;
  }
  for (const std::string& wrong : {std::string("pgalter=secret"), std::string("pgalter="),
                                   "xpgalter=" + CookieOf("secret"), CookieOf("secret")}) {
    Request request = Get("/api/runs");
    request.headers["cookie"] = wrong;
    EXPECT_EQ(Status(request, access), 401) << wrong;
  }
  EXPECT_EQ(Status(Get("/"), access), 0);
  EXPECT_EQ(Status(Get("/healthz"), access), 0);
}

TEST(ServeAccess, ALoginNeedsTheTokenItselfAndGivesACookieThatIsNotTheToken) {
  const Access access = Controlled();
  Request request = Post("/api/login");
  request.headers["cookie"] = "pgalter=" + CookieOf("secret");
  EXPECT_EQ(Status(request, access), 401);
  request.headers["authorization"] = "Bearer secret";
  ASSERT_EQ(Status(request, access), 0);
  const Response response = Login(request, access);
  ASSERT_EQ(response.headers.size(), 1U);
  EXPECT_EQ(response.headers[0].first, "Set-Cookie");
  EXPECT_THAT(response.headers[0].second, HasSubstr("HttpOnly; SameSite=Strict"));
  EXPECT_THAT(response.headers[0].second, Not(HasSubstr("secret")));
  EXPECT_THAT(response.headers[0].second, Not(HasSubstr("Secure")));
  request.headers["origin"] = "https://127.0.0.1:8432";
  EXPECT_THAT(Login(request, access).headers[0].second, HasSubstr("; Secure"));
}

TEST(ServeAccess, ThePolicyLetsNothingButItsOwnScriptsRun) {
  std::string policy;
  for (const auto& [name, value] : SecurityHeaders())
    if (name == "Content-Security-Policy") policy = value;
  EXPECT_THAT(policy, HasSubstr("default-src 'none'; script-src 'self'; style-src 'self'"));
  EXPECT_THAT(policy, Not(HasSubstr("unsafe")));
  // What the policy would stop must not be in the page.
  const std::string_view page = FindAsset("index.html")->text;
  EXPECT_THAT(std::string(page), Not(HasSubstr("<style")));
  EXPECT_THAT(std::string(page), Not(HasSubstr("style=\"")));
  EXPECT_THAT(std::string(page), Not(HasSubstr("onclick")));
}

state::Run ARun(const std::string& id, state::RunState run_state) {
  state::Run run;
  run.id = id;
  run.command = "backfill";
  run.target = "public.\"Order \\ Items\"";
  run.state = run_state;
  run.done_rows = 250;
  run.total_rows = 1000;
  run.progress = boost::json::parse(R"({"fraction":0.25,"rows_per_s":10,"eta_low_s":60,
      "eta_high_s":90,"throttle_ratio":0.5,"throttle_reason":"commit-latency 60 ms of 50 ms",
      "chunks":7,"worst_chunk_ms":120})")
                     .as_object();
  return run;
}

TEST(ServeMetrics, KeepTheRulesOfTheFormat) {
  MetricsInput input;
  input.version = "1.2.3";
  input.connected = true;
  input.lock_waiters = 2;
  state::Runner runner;
  runner.seconds_since_beat = 0.5;
  input.runs = {{ARun("a", state::RunState::kRunning), runner},
                {ARun("b", state::RunState::kFailed), std::nullopt},
                {ARun("c", state::RunState::kDone), std::nullopt}};
  input.blocked_seconds = {{"c", 0.012}};
  const test::Metrics metrics = test::ReadOpenMetrics(MetricsText(input));
  EXPECT_THAT(metrics.problems, IsEmpty()) << metrics.Problems();
  EXPECT_EQ(metrics.At("pgalter_build_info{version=\"1.2.3\"}"), 1);
  EXPECT_EQ(metrics.At("pgalter_rows_copied_total{run=\"a\"}"), 250);
  EXPECT_EQ(metrics.At("pgalter_throttle_ratio{run=\"a\",signal=\"commit-latency\"}"), 0.5);
  EXPECT_EQ(metrics.At("pgalter_eta_seconds{run=\"a\",bound=\"high\"}"), 90);
  EXPECT_EQ(metrics.At("pgalter_run_runner_up{run=\"b\"}"), 0);
  EXPECT_EQ(metrics.At("pgalter_runs{state=\"done\"}"), 1);
  EXPECT_EQ(metrics.At("pgalter_lock_waiting_sessions"), 2);
  EXPECT_THAT(metrics.families.at("pgalter_rows_copied").samples, ::testing::SizeIs(2));
  EXPECT_EQ(metrics.families.at("pgalter_cutover_blocked_seconds").samples.size(), 1U);
}

TEST(ServeMetrics, SayForHowLongACopyIsKeptWithoutARunner) {
  MetricsInput input;
  input.runs = {{ARun("rests", state::RunState::kWaiting), std::nullopt},
                {ARun("lost", state::RunState::kPaused), std::nullopt},
                {ARun("swapped", state::RunState::kDone), std::nullopt},
                {ARun("at_work", state::RunState::kRunning), state::Runner{}}};
  state::LogEnd end;
  end.seconds_left = 3600;
  for (const char* run : {"rests", "lost", "swapped", "at_work"}) input.log_ends[run] = end;
  input.log_ends["lost"].given_up = true;
  input.log_ends["swapped"].loses = state::LogEnd::Loses::kWayBack;
  const test::Metrics metrics = test::ReadOpenMetrics(MetricsText(input));
  EXPECT_THAT(metrics.problems, IsEmpty()) << metrics.Problems();
  EXPECT_EQ(metrics.At("pgalter_log_left_seconds{run=\"rests\",loses=\"copy\"}"), 3600);
  EXPECT_EQ(metrics.At("pgalter_log_left_seconds{run=\"lost\",loses=\"copy\"}"), 0);
  EXPECT_EQ(metrics.At("pgalter_log_left_seconds{run=\"swapped\",loses=\"way back\"}"), 3600);
  EXPECT_EQ(metrics.families.at("pgalter_log_left_seconds").samples.size(), 3U);
}

TEST(ServeMetrics, OfAnEmptyDatabaseThatIsAwayKeepThemToo) {
  const test::Metrics metrics = test::ReadOpenMetrics(MetricsText({}));
  EXPECT_THAT(metrics.problems, IsEmpty()) << metrics.Problems();
  EXPECT_EQ(metrics.At("pgalter_database_up"), 0);
  EXPECT_EQ(metrics.families.count("pgalter_lock_waiting_sessions"), 0U);
}

TEST(ServeMetrics, BreakNoRuleWhateverATableIsCalled) {
  MetricsInput input;
  input.runs = {{ARun("a", state::RunState::kRunning), std::nullopt}};
  input.runs[0].run.target = "public.\"a\\\"b\n\"";
  const test::Metrics metrics = test::ReadOpenMetrics(MetricsText(input));
  EXPECT_THAT(metrics.problems, IsEmpty()) << metrics.Problems();
}

TEST(ServeMetrics, ThatBreakARuleAreOurMistake) {
  Exposition text;
  const std::vector<Sample> one{{{}, 1}};
  EXPECT_THROW(text.Add({"a_total", MetricType::kCounter, "", "h"}, one), std::logic_error);
  EXPECT_THROW(text.Add({"a", MetricType::kGauge, "seconds", "h"}, one), std::logic_error);
  EXPECT_THROW(text.Add({"a-b", MetricType::kGauge, "", "h"}, one), std::logic_error);
  text.Add({"a", MetricType::kGauge, "", "h"}, one);
  EXPECT_THROW(text.Add({"a", MetricType::kGauge, "", "h"}, one), std::logic_error);
  EXPECT_THROW(text.Add({"b", MetricType::kGauge, "", "h"}, {{{}, 1}, {{}, 2}}), std::logic_error);
}

std::string ReadFile(const std::string& name) {
  const std::ifstream file(std::string(PGALTER_SOURCE_DIR) + "/" + name);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(ServeMetrics, AreAllThatAlertsAndTheDashboardOfGrafanaName) {
  MetricsInput input;
  input.connected = true;
  input.lock_waiters = 0;
  state::Run at_work = ARun("a", state::RunState::kRunning);
  at_work.progress["standbys"] = boost::json::parse(R"([{"name": "one", "lag_s": 0.5}])");
  input.runs = {{at_work, state::Runner{}}, {ARun("b", state::RunState::kWaiting), std::nullopt}};
  input.blocked_seconds = {{"a", 0.012}};
  input.log_ends["b"].seconds_left = 60;
  input.maintained = {{"public.m", 1'700'000'000, 2, 0, 5}};
  const test::Metrics metrics = test::ReadOpenMetrics(MetricsText(input));
  std::set<std::string> known;
  for (const auto& [name, family] : metrics.families)
    for (const auto& [sample, value] : family.samples)
      known.insert(sample.substr(0, sample.find('{')));
  for (const char* file :
       {"docs/monitoring/alerts.yml", "docs/monitoring/grafana.json", "docs/serve.md"}) {
    const std::string text = ReadFile(file);
    const std::regex name("pgalter_[a-z_]+");
    int found = 0;
    for (auto it = std::sregex_iterator(text.begin(), text.end(), name);
         it != std::sregex_iterator(); ++it, ++found)
      EXPECT_THAT(known, ::testing::Contains(it->str())) << file;
    EXPECT_GT(found, 5) << file;
  }
  // And every one of them is told to people.
  for (const std::string& sample : known)
    EXPECT_THAT(ReadFile("docs/serve.md"), HasSubstr("`" + sample)) << sample;
  boost::system::error_code code;
  const auto grafana = boost::json::parse(ReadFile("docs/monitoring/grafana.json"), code);
  EXPECT_TRUE(grafana.is_object()) << code;
}

// The reader must be able to find what it is for.
TEST(ServeMetrics, TheReaderFindsWhatIsWrong) {
  for (const char* text :
       {"# TYPE a gauge\n# HELP a h\na 1\n",                                 // no end
        "# TYPE a gauge\n# HELP a h\na 1\n# EOF\na 2\n",                     // something behind it
        "# TYPE a counter\n# HELP a h\na 1\n# EOF\n",                        // no _total
        "# TYPE a gauge\n# HELP a h\na 1\na 1\n# EOF\n",                     // twice
        "# TYPE a_seconds gauge\n# HELP a_seconds h\na_seconds 1\n# EOF\n",  // no unit
        "# TYPE a gauge\na 1\n# EOF\n",                                      // no help
        "# TYPE a gauge\n# HELP a h\na{b=\"x\"y\"} 1\n# EOF\n",              // not escaped
        "# TYPE a gauge\n# HELP a h\na{b=\"x\",b=\"y\"} 1\n# EOF\n",         // label twice
        "# TYPE a gauge\n# HELP a h\na one\n# EOF\n"})                       // no number
    EXPECT_THAT(test::ReadOpenMetrics(text).problems, Not(IsEmpty())) << text;
}

TEST(ServeReason, NamesItsSignal) {
  for (const watch::Signal* signal : watch::AllSignals())
    EXPECT_EQ(SignalOf(std::string(signal->id) + " 1 of 2 (x)"), signal->id);
  EXPECT_EQ(SignalOf("commit-latency cannot be read: x"), "commit-latency");
  EXPECT_EQ(SignalOf("set to at most 0.5 by the operator"), "operator");
  EXPECT_EQ(SignalOf("window 1 of 1 (no window is open)"), "window");
  EXPECT_EQ(SignalOf("no signal has been read yet"), "other");
  EXPECT_EQ(SignalOf(""), "");
}

TEST(ServeSamples, AreTogetherInAsManyStretchesAsThereIsRoomFor) {
  EXPECT_EQ(state::BucketSeconds(0, 600), 1);
  EXPECT_EQ(state::BucketSeconds(600, 600), 1);
  EXPECT_EQ(state::BucketSeconds(6'001, 600), 11);
  EXPECT_EQ(state::BucketSeconds(30 * 86'400, 600), 4'320);
  EXPECT_EQ(state::BucketSeconds(100, 0), 100);
}

TEST(ServeRunJson, IsThatOfPsAndMore) {
  state::Run run = ARun("a", state::RunState::kRunning);
  const auto json = ShownRunJson(run, std::nullopt);
  EXPECT_EQ(json.at("run").as_string(), "a");
  EXPECT_EQ(json.at("table").as_string(), run.target);
  EXPECT_EQ(json.at("eta_s").at("low").as_double(), 60);
  EXPECT_EQ(json.at("fraction").as_double(), 0.25);
  EXPECT_TRUE(json.at("runner").is_null());
  EXPECT_FALSE(json.contains("version"));
}

}  // namespace
}  // namespace pgalter::cli::serve
