// A policy in the database: who may begin a migration, judged there and not by the client.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <fstream>
#include <iterator>

#include "tests/support/migration_world.h"

namespace pgalter::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr int kDone = 0;
constexpr int kUsage = 2;
constexpr int kRefused = 4;
constexpr int kMismatch = 7;

// An operator who owns the tables and may write pgalter's, but does not own those; two who approve.
constexpr const char* kRoles = R"sql(
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'policy_operator') THEN
    CREATE ROLE policy_operator LOGIN;
    CREATE ROLE policy_dba;
    CREATE ROLE policy_officer;
    CREATE ROLE policy_oncall;
    CREATE ROLE policy_ann LOGIN IN ROLE policy_dba, policy_officer;
    CREATE ROLE policy_bob LOGIN IN ROLE policy_officer;
    CREATE ROLE policy_eve LOGIN;
  END IF;
END $$;
GRANT ALL ON SCHEMA public TO policy_operator;
GRANT CREATE ON SCHEMA pgalter TO policy_operator;
GRANT USAGE ON SCHEMA pgalter TO policy_operator, policy_ann, policy_bob, policy_eve;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA pgalter TO policy_operator;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA pgalter TO policy_operator;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA pgalter TO policy_operator;
GRANT SELECT ON ALL TABLES IN SCHEMA pgalter TO policy_ann, policy_bob, policy_eve;
)sql";

constexpr const char* kPolicy = R"toml(
[env.test]
dsn = "unused"
[env.test.policy]
quorum = { technical = "policy_dba", compliance = "policy_officer" }
)toml";

class Policy : public MigrationWorld {
 protected:
  void SetUp() override {
    ASSERT_EQ(Owner({"init"}).code, kDone);
    database_.Sql(kRoles);
    Write("20260101000000_one.sql",
          "-- ticket: T-1\n-- pgalter:up\nCREATE TABLE public.one (id int);\n"
          "-- pgalter:down\nDROP TABLE public.one;\n");
  }
  void SetPolicy(const std::string& more = "") const {
    Write("../policy.toml", std::string(kPolicy) + more);
    const Ran ran = Set();
    ASSERT_EQ(ran.code, kDone) << ran.err;
  }
  // Of the owner; these commands know no directory.
  Ran Owner(Words words) const {
    words.insert(words.end(), {"--dsn", database_.conninfo()});
    return Program(PGALTER_BINARY, words).Wait();
  }
  // --env would take its connection from the file.
  Ran Set() const {
    std::string text = "[env.test]\ndsn = \"" + database_.conninfo() + "\"\n";
    const std::string file = Path("../policy.toml").string();
    text += Text(file).substr(Text(file).find("[env.test.policy]"));
    Write("../policy.toml", text);
    return Program(PGALTER_BINARY, {"policy", "set", "--env", "test", "--config", file, "--yes"})
        .Wait();
  }
  static std::string Text(const std::string& file) {
    std::ifstream in(file);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  }
  Ran As(const std::string& role, Words words, bool with_directory = false) const {
    if (with_directory) words.insert(words.end(), {"--dir", directory_});
    words.insert(words.end(), {"--dsn", database_.conninfo() + " user=" + role});
    return Program(PGALTER_BINARY, words).Wait();
  }
  Ran UpAs(const std::string& role, Words more = {}) const {
    more.insert(more.begin(), {"up", "--yes"});
    return As(role, more, true);
  }
  Ran Approve(const std::string& role, const std::string& meaning,
              const std::string& id = "1") const {
    return As(role, {"approve", id, "--meaning", meaning, "--reason", "looked at it", "--yes"});
  }
};

TEST_F(Policy, WithoutOneAnybodyWhoMayWriteMayBegin) {
  const Ran ran = UpAs("policy_operator");
  EXPECT_EQ(ran.code, kDone) << ran.err;
}

TEST_F(Policy, ARetentionKeepsRunsFromEverybody) {
  ASSERT_EQ(UpAs("policy_operator").code, kDone);
  SetPolicy("retention = \"10 years\"\n");
  const auto refused = [this](const char* sql) {
    try {
      database_.Sql(sql);
    } catch (const SqlError& error) {
      return error.sqlstate();
    }
    return std::string("done");
  };
  EXPECT_EQ(refused("DELETE FROM pgalter.run"), "PGA04");
  EXPECT_EQ(refused("TRUNCATE pgalter.run CASCADE"), "PGA04");
  const Ran cleaned = Owner({"cleanup", "--yes", "--older-than", "0"});
  EXPECT_EQ(cleaned.code, kDone) << cleaned.err;
  EXPECT_THAT(cleaned.out, HasSubstr("1 ended runs stay: the policy has them kept for 10 years\n"
                                     "0 ended runs forgotten"));
  EXPECT_EQ(database_.Value("SELECT count(*) FROM pgalter.run"), "1");
  ASSERT_EQ(Owner({"policy", "drop", "--yes"}).code, kDone);
  EXPECT_THAT(Owner({"cleanup", "--yes", "--older-than", "0"}).out,
              HasSubstr("1 ended runs forgotten"));
  EXPECT_EQ(database_.Value("SELECT count(*) FROM pgalter.audit_log WHERE event = 'policy.drop'"),
            "1");
}

TEST_F(Policy, AnIncidentIsWrittenDownAsAnyEvidence) {
  Write("incident.md", "what went wrong, and what was learnt\n");
  const std::string file = Path("incident.md").string();
  const Ran ran = As("policy_operator", {"attest", "--kind", "incident", "--file", file});
  EXPECT_EQ(ran.code, kDone) << ran.err;
  EXPECT_EQ(database_.Value("SELECT attested_by || ' ' || (sha256 = encode(sha256('what went wrong,"
                            " and what was learnt\n'), 'hex')) FROM pgalter.evidence"),
            "policy_operator true");
  EXPECT_EQ(database_.Value("SELECT db_user || ' ' || subject FROM pgalter.audit_log"
                            " WHERE event = 'policy.attest'"),
            "policy_operator incident");
  EXPECT_EQ(Owner({"audit", "verify"}).code, kDone);
}

TEST_F(Policy, ARetentionThatIsNoTimeIsRefused) {
  Write("../policy.toml", std::string(kPolicy) + "retention = \"for ever\"\n");
  const Ran ran = Set();
  EXPECT_EQ(ran.code, kUsage) << ran.err;
}

TEST_F(Policy, NothingBeginsWithoutItsApprovals) {
  SetPolicy();
  const Ran refused = UpAs("policy_operator");
  EXPECT_EQ(refused.code, kRefused) << refused.err;
  EXPECT_THAT(refused.err, HasSubstr("nobody has asked for it"));
  EXPECT_EQ(Applied(), "");
  ASSERT_EQ(As("policy_operator", {"request", "--reason", "release 7"}, true).code, kDone);
  EXPECT_THAT(UpAs("policy_operator").err, HasSubstr("lacks approvals: compliance, technical"));
  EXPECT_EQ(Approve("policy_ann", "technical").code, kDone);
  EXPECT_THAT(UpAs("policy_operator").err, HasSubstr("lacks approvals: compliance"));
  EXPECT_EQ(Approve("policy_bob", "compliance").code, kDone);
  const Ran done = UpAs("policy_operator");
  EXPECT_EQ(done.code, kDone) << done.err;
  EXPECT_EQ(Applied(), "20260101000000 applied");
  EXPECT_EQ(database_.Value("SELECT state FROM pgalter.request"), "used");
  EXPECT_EQ(Owner({"audit", "verify"}).code, kDone);
  EXPECT_EQ(database_.Value("SELECT string_agg(event || ' ' || db_user, ', ' ORDER BY seq) FROM "
                            "pgalter.audit_log WHERE event LIKE 'policy.%' AND event <> "
                            "'policy.set'"),
            "policy.request policy_operator, policy.approve policy_ann, policy.approve policy_bob");
}

TEST_F(Policy, TheWayBackNeedsThemToo) {
  ASSERT_EQ(UpAs("policy_operator").code, kDone);
  SetPolicy();
  const Ran refused = As("policy_operator", {"down", "--yes"}, true);
  EXPECT_EQ(refused.code, kRefused) << refused.err;
  ASSERT_EQ(As("policy_operator", {"request", "--down"}, true).code, kDone);
  EXPECT_EQ(Approve("policy_ann", "technical").code, kDone);
  EXPECT_EQ(Approve("policy_bob", "compliance").code, kDone);
  const Ran down = As("policy_operator", {"down", "--yes"}, true);
  EXPECT_EQ(down.code, kDone) << down.err;
  // An approval is good for once.
  EXPECT_EQ(UpAs("policy_operator").code, kRefused);
}

TEST_F(Policy, AChainIsApprovedBeforeItsBeginningIsApplied) {
  WriteOrders();
  Remove("20260101000000_one.sql");
  SetPolicy();
  ASSERT_EQ(As("policy_operator", {"request"}, true).code, kDone);
  for (const char* id : {"1", "2", "3"}) {
    EXPECT_EQ(Approve("policy_ann", "technical", id).code, kDone);
    EXPECT_EQ(Approve("policy_bob", "compliance", id).code, kDone);
  }
  const Ran done = UpAs("policy_operator");
  EXPECT_EQ(done.code, kDone) << done.err;
}

TEST_F(Policy, AnApprovalIsForOnePlan) {
  SetPolicy();
  ASSERT_EQ(As("policy_operator", {"request"}, true).code, kDone);
  EXPECT_EQ(Approve("policy_ann", "technical").code, kDone);
  EXPECT_EQ(Approve("policy_bob", "compliance").code, kDone);
  Write("20260101000000_one.sql",
        "-- pgalter:up\nCREATE TABLE public.one (id int, hidden text);\n");
  const Ran refused = UpAs("policy_operator");
  EXPECT_EQ(refused.code, kRefused) << refused.err;
  EXPECT_THAT(refused.err, HasSubstr("is for another plan"));
}

TEST_F(Policy, AnApprovalGrowsOld) {
  SetPolicy("expires = \"1 hour\"\n");
  ASSERT_EQ(As("policy_operator", {"request"}, true).code, kDone);
  EXPECT_EQ(Approve("policy_ann", "technical").code, kDone);
  EXPECT_EQ(Approve("policy_bob", "compliance").code, kDone);
  database_.Sql(
      "UPDATE pgalter.approval SET approved_at = approved_at - interval '2 hours' WHERE "
      "meaning = 'technical'");
  const Ran refused = UpAs("policy_operator");
  EXPECT_EQ(refused.code, kRefused);
  EXPECT_THAT(refused.err, HasSubstr("lacks approvals: technical"));
}

TEST_F(Policy, WhoMayApprove) {
  SetPolicy();
  ASSERT_EQ(As("policy_ann", {"request"}, true).code, kDone);
  const Ran own = Approve("policy_ann", "technical");
  EXPECT_EQ(own.code, kRefused);
  EXPECT_THAT(own.err, HasSubstr("wrote or asked for it"));
  ASSERT_EQ(As("policy_operator", {"request"}, true).code, kDone);
  EXPECT_THAT(Approve("policy_ann", "technical", "1").err, HasSubstr("request 1 is replaced"));
  EXPECT_THAT(Approve("policy_eve", "technical", "2").err, HasSubstr("members of policy_dba"));
  // A superuser is a member of nothing.
  EXPECT_EQ(Owner({"approve", "2", "--meaning", "technical", "--yes"}).code, kRefused);
  EXPECT_EQ(Approve("policy_ann", "technical", "2").code, kDone);
  EXPECT_THAT(Approve("policy_ann", "compliance", "2").err, HasSubstr("another person's"));
  EXPECT_EQ(Approve("policy_bob", "quality", "2").code, kUsage);
  EXPECT_EQ(Approve("policy_bob", "compliance", "9").code, kUsage);
  EXPECT_EQ(As("policy_eve", {"reject", "2", "--reason", "no"}).code, kRefused);
  EXPECT_EQ(As("policy_bob", {"reject", "2", "--reason", "not now"}).code, kDone);
  EXPECT_THAT(UpAs("policy_operator").err, HasSubstr("nobody has asked for it"));
}

// The program is not asked: whoever may write the tables, and does not own them, cannot get around.
TEST_F(Policy, AClientOfOnesOwnIsRefusedToo) {
  SetPolicy();
  Session session(database_.conninfo() + " user=policy_operator");
  const auto refused = [&session](const std::string& sql) {
    try {
      session.Exec(sql);
    } catch (const SqlError& error) {
      return error.sqlstate();
    }
    return std::string("done");
  };
  EXPECT_EQ(refused("INSERT INTO pgalter.migration (version, title, file, format, bytes_sha256, "
                    "text_sha256, statements_sha256, has_verify, state) VALUES ('1', '', '', '', "
                    "'', '', '', false, 'applied')"),
            "PGA04");
  for (const char* table : {"policy", "request", "approval", "evidence", "exemption"})
    EXPECT_EQ(refused(fmt::format("DELETE FROM pgalter.{}", table)), "42501");
  EXPECT_EQ(refused("INSERT INTO pgalter.approval (request, meaning, reason, printed_name, "
                    "approved_by) VALUES (1, 'technical', '', '', 'policy_ann')"),
            "42501");
  EXPECT_EQ(refused("SELECT pgalter.set_policy('{}')"), "42501");
  EXPECT_EQ(refused("ALTER TABLE pgalter.migration DISABLE TRIGGER ask_policy"), "42501");
  EXPECT_EQ(refused("SET session_replication_role = replica"), "42501");
}

TEST_F(Policy, HeadersDownAndEvidence) {
  Write("../policy.toml",
        "[env.test]\ndsn = \"\"\n[env.test.policy]\nheaders = [\"ticket\", "
        "\"author\"]\nrequire_down = true\nevidence = { backup = \"1 day\" }\n");
  ASSERT_EQ(Set().code, kDone);
  Write("20260102000000_two.sql",
        "-- ticket: T-2\n-- author: somebody\n-- pgalter:up\nCREATE TABLE "
        "public.two (id int);\n");
  const Ran first = UpAs("policy_operator");
  EXPECT_EQ(first.code, kRefused);
  EXPECT_THAT(first.err, AllOf(HasSubstr("its header lacks: author"),
                               HasSubstr("no evidence of kind backup")));
  Write("20260101000000_one.sql",
        "-- ticket: T-1\n-- author: somebody\n-- pgalter:up\nCREATE TABLE "
        "public.one (id int);\n-- pgalter:down\nDROP TABLE public.one;\n");
  Write("../backup", "all of it");
  ASSERT_EQ(
      As("policy_operator", {"attest", "--kind", "backup", "--file", Path("../backup").string()})
          .code,
      kDone);
  const Ran second = UpAs("policy_operator");
  EXPECT_EQ(second.code, kRefused);
  EXPECT_THAT(second.err, HasSubstr("it has no way down"));
  EXPECT_EQ(Applied(), "20260101000000 applied");
  database_.Sql("UPDATE pgalter.evidence SET attested_at = attested_at - interval '2 days'");
  EXPECT_THAT(UpAs("policy_operator").err, HasSubstr("older than 1 day"));
}

TEST_F(Policy, BreakingTheGlassIsForSomeAndLeavesSomethingToReview) {
  SetPolicy("break_glass = \"policy_oncall\"\n");
  const Ran refused = UpAs("policy_operator", {"--break-glass", "it burns"});
  EXPECT_EQ(refused.code, kRefused);
  EXPECT_THAT(refused.err, HasSubstr("for members of policy_oncall"));
  database_.Sql("GRANT policy_oncall TO policy_operator");
  const Ran done = UpAs("policy_operator", {"--break-glass", "it burns"});
  database_.Sql("REVOKE policy_oncall FROM policy_operator");
  EXPECT_EQ(done.code, kDone) << done.err;
  EXPECT_THAT(Owner({"policy", "show"}).out,
              AllOf(HasSubstr("it burns"), HasSubstr("policy review 1")));
  EXPECT_EQ(As("policy_operator", {"policy", "review", "1", "--reason", "fine"}).code, kRefused);
  const Ran reviewed = As("policy_ann", {"policy", "review", "1", "--reason", "it did burn"});
  EXPECT_EQ(reviewed.code, kDone) << reviewed.err;
  EXPECT_EQ(Owner({"audit", "verify"}).code, kDone);
}

// The last Sunday of March has no 02:30 in Berlin; the one of October has it twice.
TEST_F(Policy, WindowsAreInTheirZone) {
  const auto open = [this](const char* windows, const char* moment) {
    return database_.Value(fmt::format("SELECT pgalter.is_open('{}', '{}')", windows, moment));
  };
  const char* const night =
      R"([{"days": ["Sun"], "from": "02:00", "to": "03:00", "tz": "Europe/Berlin"}])";
  EXPECT_EQ(open(night, "2026-03-22 01:30Z"), "t");
  EXPECT_EQ(open(night, "2026-03-29 00:59Z"), "f");  // 01:59, then 03:00
  EXPECT_EQ(open(night, "2026-03-29 01:00Z"), "f");
  EXPECT_EQ(open(night, "2026-10-25 00:30Z"), "t");
  EXPECT_EQ(open(night, "2026-10-25 01:30Z"), "t");
  EXPECT_EQ(open(night, "2026-10-25 02:00Z"), "f");
  const char* const late = R"([{"days": ["Fri"], "from": "22:00", "to": "04:00", "tz": "UTC"}])";
  EXPECT_EQ(open(late, "2026-01-02 23:00Z"), "t");  // Friday
  EXPECT_EQ(open(late, "2026-01-03 03:59Z"), "t");
  EXPECT_EQ(open(late, "2026-01-03 04:00Z"), "f");
  EXPECT_EQ(open(late, "2026-01-02 03:00Z"), "f");
}

TEST_F(Policy, AClosedWindowSaysWhenItOpens) {
  Write("../policy.toml",
        "[env.test]\ndsn = \"\"\n[env.test.policy]\nblackouts = [{ from = \"00:00\", to = "
        "\"00:00\", tz = \"UTC\" }]\n");
  ASSERT_EQ(Set().code, kDone);
  const Ran refused = UpAs("policy_operator");
  EXPECT_EQ(refused.code, kRefused);
  EXPECT_THAT(refused.err, HasSubstr("none opens in the next 15 days"));
}

TEST_F(Policy, WrongValuesAreFoundWhenItIsSet) {
  const auto set = [this](const std::string& policy) {
    Write("../policy.toml", "[env.test]\ndsn = \"\"\n[env.test.policy]\n" + policy);
    const Ran ran = Set();
    EXPECT_EQ(ran.code, kUsage) << ran.err;
    return ran.err;
  };
  EXPECT_THAT(set("quorum = { technical = \"policy_nobody\" }\n"), HasSubstr("policy_nobody"));
  EXPECT_THAT(set("quorum = [\"technical\"]\n"), HasSubstr("quorum is not of its kind"));
  EXPECT_THAT(set("expires = \"soon\"\n"), HasSubstr("soon"));
  EXPECT_THAT(set("qorum = {}\n"), HasSubstr("did you mean quorum"));
  EXPECT_THAT(set("windows = [{ from = \"02:00\", to = \"03:00\", tz = \"Mars\" }]\n"),
              HasSubstr("Mars"));
  EXPECT_THAT(set("windows = [{ days = [\"Sonntag\"], from = \"02:00\", to = \"03:00\", tz = "
                  "\"UTC\" }]\n"),
              HasSubstr("Sonntag"));
  EXPECT_EQ(database_.Value("SELECT count(*) FROM pgalter.policy"), "0");
}

TEST_F(Policy, TamperingWithAnApprovalIsFound) {
  SetPolicy();
  ASSERT_EQ(As("policy_operator", {"request"}, true).code, kDone);
  ASSERT_EQ(Approve("policy_ann", "technical").code, kDone);
  database_.Sql(
      "ALTER TABLE pgalter.audit_log DISABLE TRIGGER ALL; UPDATE pgalter.audit_log SET "
      "db_user = 'policy_bob' WHERE event = 'policy.approve'");
  EXPECT_EQ(Owner({"audit", "verify"}).code, kMismatch);
}

}  // namespace
}  // namespace pgalter::test
