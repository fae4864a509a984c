// `pgalter assert` and the questions of verify sections that have a name, on a live server.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "tests/support/migration_world.h"

namespace pgalter::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr int kDone = 0;
constexpr int kUsage = 2;
constexpr int kMismatch = 7;

class Assert : public MigrationWorld {
 protected:
  [[nodiscard]] Ran Ask(const std::string& questions, const Words& more = {}) const {
    const std::string file = Path("questions.txt");
    std::ofstream(file) << questions;
    Words words{"assert", file, "--dsn", database_.conninfo()};
    words.insert(words.end(), more.begin(), more.end());
    return Program(PGALTER_BINARY, words).Wait();
  }
  void Holds(const std::string& question) const {
    const Ran ran = Ask(question + ";\n");
    EXPECT_EQ(ran.code, kDone) << question << ran.out << ran.err;
  }
  void Fails(const std::string& question, const std::string& why) const {
    const Ran ran = Ask(question + ";\n");
    EXPECT_EQ(ran.code, kMismatch) << question << ran.out << ran.err;
    EXPECT_THAT(ran.out, HasSubstr(why)) << question;
  }
};

TEST_F(Assert, WhatIsThereIsThereInItsOwnSchema) {
  database_.Sql(
      "CREATE SCHEMA other; CREATE TABLE other.only_there (id int PRIMARY KEY);"
      "CREATE TABLE public.\"Odd one\" (\"C\" int CONSTRAINT positive CHECK (\"C\" > 0));"
      "CREATE VIEW public.v AS SELECT 1; CREATE SEQUENCE public.s;"
      "CREATE MATERIALIZED VIEW public.m AS SELECT 1; CREATE TYPE public.mood AS ENUM ('a', 'b');"
      "CREATE FUNCTION public.f(int) RETURNS int LANGUAGE sql AS 'SELECT 1'");
  // The guides ask information_schema for a table's name, and any schema's will do.
  Fails("exists(table public.only_there)", "there is no table public.only_there");
  Holds("exists(table other.only_there)");
  Holds("not exists(table public.only_there)");
  Holds("exists(column public.\"Odd one\".\"C\")");
  Fails("exists(column public.\"Odd one\".c)", "there is no column");
  Holds("exists(constraint public.\"Odd one\".positive)");
  for (const char* what : {"view public.v", "matview public.m", "sequence public.s",
                           "type public.mood", "function public.f(integer)", "schema other",
                           "index other.only_there_pkey", "role pg_monitor", "extension plpgsql"})
    Holds(std::string("exists(") + what + ")");
  Fails("exists(view public.m)", "there is no view");
  Holds("enum(public.mood, 'a', 'b')");
  Fails("enum(public.mood, 'b', 'a')", "its labels are: a, b");
  Fails("enum(public.grade, 'a')", "there is no enum public.grade");
}

TEST_F(Assert, AnIndexThatFailedIsNotValid) {
  database_.Sql("CREATE TABLE public.t (a int); INSERT INTO public.t VALUES (1), (1)");
  try {
    database_.Sql("CREATE UNIQUE INDEX CONCURRENTLY t_a ON public.t (a)");
    FAIL() << "it was built";
  } catch (const std::exception&) {
  }
  // IF NOT EXISTS says nothing about it, and neither does a look at its name.
  database_.Sql("CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS t_a ON public.t (a)");
  Holds("exists(index public.t_a)");
  Fails("index_valid(public.t_a)", "it is not valid");
  Fails("index_valid(public.none)", "there is no index");
}

TEST_F(Assert, OrphansAreFoundBehindAKeyThatWasNeverValidated) {
  database_.Sql(
      "CREATE TABLE public.parent (a int, b text, PRIMARY KEY (a, b));"
      "CREATE TABLE public.child (x int, y text);"
      "INSERT INTO public.parent VALUES (1, 'one'); INSERT INTO public.child VALUES (1, 'one'),"
      " (NULL, 'none'), (2, NULL);"
      "ALTER TABLE public.child ADD CONSTRAINT family FOREIGN KEY (x, y) REFERENCES public.parent");
  Holds("no_orphans(public.child)");
  database_.Sql(
      "ALTER TABLE public.child DROP CONSTRAINT family; INSERT INTO public.child VALUES (3, 'z');"
      "ALTER TABLE public.child ADD CONSTRAINT family FOREIGN KEY (x, y) REFERENCES public.parent"
      " NOT VALID");
  Fails("no_orphans(public.child.family)", "no counterpart by family: 1");
  Holds("not no_orphans(public.child)");
  database_.Sql(
      "ALTER TABLE public.child DROP CONSTRAINT family; DELETE FROM public.child WHERE x = 3;"
      "ALTER TABLE public.child ADD CONSTRAINT family FOREIGN KEY (x, y) REFERENCES public.parent"
      " MATCH FULL NOT VALID");
  Fails("no_orphans(public.child)", "no counterpart by family: 2");
  Fails("no_orphans(public.parent)", "has no foreign key");
}

TEST_F(Assert, ARoleSeesWhatItsPoliciesLetItSee) {
  const std::string role = "assert_app_" + std::to_string(::getpid());
  database_.Sql("CREATE ROLE " + role +
                "; CREATE TABLE public.t (a int); INSERT INTO public.t VALUES (1), (2), (3);"
                "CREATE TABLE public.secret (a int);"
                "ALTER TABLE public.t ENABLE ROW LEVEL SECURITY;"
                "CREATE POLICY few ON public.t USING (a < 3);"
                "GRANT SELECT ON public.t TO " +
                role);
  Holds("policy_allows(" + role + ", SELECT count(*) = 2 FROM public.t)");
  Fails("policy_allows(" + role + ", SELECT count(*) = 3 FROM public.t)", "it says no");
  Fails("policy_allows(" + role + ", SELECT true FROM public.secret)", "permission denied");
  Holds("policy_denies(" + role + ", SELECT true FROM public.secret)");
  Fails("policy_denies(" + role + ", SELECT true FROM public.t)", "may ask it");
  Fails("policy_denies(no_such_role, SELECT true FROM public.t)", "does not exist");
  // What follows is asked as before.
  Holds("policy_allows(" + role + ", SELECT count(*) = 2 FROM public.t);\nrows(public.t, 3)");
  database_.Sql("DROP OWNED BY " + role + "; DROP ROLE " + role);
}

TEST_F(Assert, RowsAreCountedAndAnErrorIsNoAnswer) {
  database_.Sql("CREATE TABLE public.t (a int); INSERT INTO public.t VALUES (1), (2)");
  Holds("rows(public.t, 2)");
  Holds("rows(public.t, >= 2)");
  Holds("not rows(public.t, 3)");
  Fails("rows(public.t, > 2)", "it has 2 rows");
  Fails("not rows(public.gone, 3)", "42P01");
  Fails("DELETE FROM public.t RETURNING true", "25006");
  Holds("rows(public.t, 2)");
}

TEST_F(Assert, CiReadsItsReports) {
  const Ran tap = Ask("SELECT true;\nSELECT false;\n", {"--reporter", "tap"});
  EXPECT_EQ(tap.code, kMismatch);
  EXPECT_THAT(tap.out, AllOf(HasSubstr("1..2\nok 1"), HasSubstr("not ok 2")));
  const Ran junit = Ask("SELECT 1 < 2;\n", {"--reporter", "junit"});
  const std::string file = Path("junit.xml");
  std::ofstream(file) << junit.out;
  if (std::system("command -v xmllint >/dev/null") == 0) {
    EXPECT_EQ(std::system(("xmllint --noout '" + file + "'").c_str()), 0) << junit.out;
  }
  const Ran json = Ask("SELECT true;\n", {"--output", "json"});
  std::ofstream(Path("answers.json")) << json.out;
  const std::string root = PGALTER_SOURCE_DIR;
  constexpr int kNoJudge = 77 << 8;  // npm cannot be reached
  EXPECT_THAT(std::system(("'" + root + "/tests/schemas/validate' '" + root +
                           "/docs/schemas/assert.json' '" + Path("answers.json").string() + "'")
                              .c_str()),
              ::testing::AnyOf(0, kNoJudge));
  EXPECT_EQ(Ask("-- nothing\n").code, kUsage);
  EXPECT_EQ(Ask("SELECT true;", {"--reporter", "html"}).code, kUsage);
}

TEST_F(Assert, VerifySectionsHaveThemToo) {
  Write("1_t.sql",
        "-- pgalter: 1\n-- pgalter:up\nCREATE TABLE public.t (a int);\n-- pgalter:verify\n"
        "exists(table public.t);\nrows(public.t, 0);\n");
  EXPECT_EQ(Run({"assert"}).code, kUsage) << "nothing is applied";
  EXPECT_EQ(Up().code, kDone);
  EXPECT_EQ(Applied(), "1 applied");
  EXPECT_EQ(Run({"assert"}).code, kDone);
  database_.Sql("INSERT INTO public.t VALUES (1)");
  const Ran ran = Run({"assert"});
  EXPECT_EQ(ran.code, kMismatch);
  EXPECT_THAT(ran.out, HasSubstr("FAILS 1_t.sql:6: rows(public.t, 0)\n      it has 1 rows"));
  Write("2_u.sql",
        "-- pgalter: 1\n-- pgalter:up\nCREATE TABLE public.u (a int);\n-- pgalter:verify\n"
        "exist(table public.u);\n");
  const Ran typo = Up();
  EXPECT_EQ(typo.code, kUsage);
  EXPECT_THAT(typo.err, AllOf(HasSubstr("2_u.sql:5"), HasSubstr("did you mean exists?")));
}

class Encrypted : public Assert {
 protected:
  static constexpr const char* kKey = "correct-horse-battery";

  void SetUp() override {
    if (database_.Value("SELECT count(*) FROM pg_available_extensions WHERE name = 'pgcrypto'") ==
        "0")
      GTEST_SKIP() << "this server comes without pgcrypto";
    database_.Sql(
        "CREATE SCHEMA \"Ext\"; CREATE EXTENSION pgcrypto SCHEMA \"Ext\";"
        "CREATE TABLE public.person (id int PRIMARY KEY, \"Mail\" bytea);"
        "INSERT INTO public.person SELECT i, \"Ext\".pgp_sym_encrypt('m' || i, '" +
        std::string(kKey) +
        "') FROM generate_series(1, 20) i; INSERT INTO public.person VALUES (99)");
  }
  [[nodiscard]] Ran AskWith(const std::string& key, const std::string& question,
                            const Words& more = {}) const {
    const std::string file = Path("questions.txt");
    std::ofstream(file) << question << ";\n";
    Words words{"assert", file, "--dsn", database_.conninfo()};
    words.insert(words.end(), more.begin(), more.end());
    return Program(PGALTER_BINARY, words, {"APP_KEY=" + key}).Wait();
  }
};

TEST_F(Encrypted, ValuesDecryptWithTheirKeyAndNoOther) {
  const char* question = "decrypts(public.person.\"Mail\", env:APP_KEY)";
  EXPECT_EQ(AskWith(kKey, question).code, kDone);
  EXPECT_EQ(AskWith(kKey, "round_trip(env:APP_KEY)").code, kDone);
  const Ran wrong = AskWith("another", question);
  EXPECT_EQ(wrong.code, kMismatch);
  EXPECT_THAT(wrong.out, HasSubstr("Wrong key"));
  database_.Sql("UPDATE public.person SET \"Mail\" = 'plain as it was' WHERE id = 7");
  const Ran plain = AskWith(kKey, question);
  EXPECT_EQ(plain.code, kMismatch);
  EXPECT_THAT(plain.out + plain.err, Not(HasSubstr("plain as it was")));
  EXPECT_THAT(AskWith("", question).out, HasSubstr("the environment has no variable APP_KEY"));
  EXPECT_THAT(AskWith(kKey, "decrypts(public.person.\"Mail\", 'secret')").out,
              HasSubstr("the key comes from the environment"));
  database_.Sql("DROP EXTENSION pgcrypto");
  EXPECT_THAT(AskWith(kKey, question).out, HasSubstr("the extension pgcrypto is not there"));
}

TEST_F(Encrypted, TheKeyIsNowhere) {
  const std::string log = Path("log").string();
  Write("001_check.sql",
        "-- pgalter:up\nSELECT 1;\n-- pgalter:verify\nround_trip(env:APP_KEY);\n"
        "decrypts(public.person.\"Mail\", env:APP_KEY);\n");
  Words up{"up", "--yes", "--dir", directory_, "--dsn", database_.conninfo(), "--log-file", log};
  const Ran applied = Program(PGALTER_BINARY, up, {std::string("APP_KEY=") + kKey}).Wait();
  EXPECT_EQ(applied.code, kDone) << applied.err;
  const Ran asked = AskWith(kKey, "round_trip(env:APP_KEY)", {"--log-file", log});
  std::ifstream in(log);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  for (const std::string& said : {applied.out, applied.err, asked.out, asked.err, text})
    EXPECT_THAT(said, Not(HasSubstr(kKey)));
  for (const char* table : {"audit_log", "migration", "run", "step", "artefact"})
    EXPECT_EQ(database_.Value(std::string("SELECT count(*) FROM pgalter.") + table +
                              " t WHERE strpos(t::text, '" + kKey + "') > 0"),
              "0")
        << table;
}

}  // namespace
}  // namespace pgalter::test
