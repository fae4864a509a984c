// Several tables in one cut-over whose new definitions stand in one file: the family, with wider
// keys in the file or with partitions, there and back, beside users.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <cstdlib>
#include <regex>
#include <string>
#include <vector>

#include "tests/fault/rebuild_family.h"
#include "tests/fault/rebuild_points.h"
#include "tests/fault/schema_dump.h"

namespace pgalter::test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

// What ALTER … TYPE bigint makes of them; "G G" has its --alter.
constexpr const char* kWider = R"sql(
CREATE TABLE p (id bigint CONSTRAINT p_pkey PRIMARY KEY, kind int, v int NOT NULL DEFAULT 0,
  up bigint, last bigint);
CREATE TABLE IF NOT EXISTS c (id bigint NOT NULL, p bigint NOT NULL, v int NOT NULL DEFAULT 0);
CREATE INDEX ON public.c (p); CREATE INDEX ON p (last); CREATE INDEX ON p (up);
ALTER TABLE ONLY public.c ADD CONSTRAINT c_pkey PRIMARY KEY (id);
)sql";
constexpr const char* kWiderG = "\"G G\": ALTER p TYPE bigint, ALTER c TYPE bigint";
constexpr const char* kPlainly =
    "ALTER TABLE p ALTER id TYPE bigint, ALTER up TYPE bigint, ALTER last TYPE bigint;"
    "ALTER TABLE c ALTER id TYPE bigint, ALTER p TYPE bigint;"
    "ALTER TABLE \"G G\" ALTER p TYPE bigint, ALTER c TYPE bigint";

// The parent and a child of it that it refers to, each in partitions of its own kind.
constexpr const char* kParted = R"sql(
CREATE TABLE p (id bigint PRIMARY KEY, kind int, v int NOT NULL DEFAULT 0, up bigint, last bigint)
  PARTITION BY HASH (id);
CREATE TABLE p_even PARTITION OF p FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE "p.odd" PARTITION OF p FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE TABLE c (id bigint PRIMARY KEY, p bigint NOT NULL, v int NOT NULL DEFAULT 0)
  PARTITION BY RANGE (id);
CREATE TABLE c_low PARTITION OF c FOR VALUES FROM (MINVALUE) TO (2000);
CREATE TABLE c_rest PARTITION OF c DEFAULT PARTITION BY HASH (id);
CREATE TABLE c_rest_0 PARTITION OF c_rest FOR VALUES WITH (MODULUS 1, REMAINDER 0);
CREATE INDEX ON c (p); CREATE INDEX ON p (last); CREATE INDEX ON p (up);
)sql";
// The same by the server alone.
constexpr const char* kPartedPlainly = R"sql(
ALTER TABLE p ADD CONSTRAINT p_kind_fkey FOREIGN KEY (kind) REFERENCES kinds;
ALTER TABLE p ADD CONSTRAINT p_up_fkey FOREIGN KEY (up) REFERENCES p ON UPDATE CASCADE
  ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE c ADD CONSTRAINT c_p_fkey FOREIGN KEY (p) REFERENCES p ON UPDATE CASCADE
  ON DELETE CASCADE;
ALTER TABLE p ADD CONSTRAINT newest FOREIGN KEY (last) REFERENCES c
  ON UPDATE CASCADE ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED;
COMMENT ON CONSTRAINT newest ON p IS 'in a circle';
ALTER TABLE "G G" ALTER p TYPE bigint, ALTER c TYPE bigint;
ALTER TABLE "G G" ADD CONSTRAINT "G G_p_fkey" FOREIGN KEY (p) REFERENCES p ON UPDATE CASCADE
  ON DELETE CASCADE;
ALTER TABLE "G G" ADD CONSTRAINT to_c FOREIGN KEY (c) REFERENCES c ON UPDATE CASCADE
  ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE outside ADD CONSTRAINT outside_p_fkey FOREIGN KEY (p) REFERENCES p ON UPDATE CASCADE
  ON DELETE CASCADE;
CREATE VIEW values_of_both AS SELECT p.v AS of_p, c.v AS of_c FROM p, c;
GRANT SELECT ON values_of_both TO PUBLIC;
CREATE TRIGGER mirrored AFTER INSERT OR UPDATE OR DELETE ON p FOR EACH ROW
  EXECUTE FUNCTION mirror('p');
CREATE TRIGGER mirrored AFTER INSERT OR UPDATE OR DELETE ON c FOR EACH ROW
  EXECUTE FUNCTION mirror('c');
)sql";

class Definitions : public Family {
 protected:
  [[nodiscard]] static Words RebuildBy(const std::string& text, const Words& more = {}) {
    Words words{"rebuild",      "p",        "c",       "\"G G\"", "--yes",
                "--definition", File(text), "--alter", kWiderG};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  [[nodiscard]] std::string Kinds() const {
    return database_.Value(
        "SELECT string_agg(relkind::text, '' ORDER BY relname) FROM pg_class WHERE oid IN "
        "('p'::regclass, 'c'::regclass, '\"G G\"'::regclass)");
  }
  void ExpectNothingOfOurs() const {
    EXPECT_EQ(Number("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'pgalter\\_%'"), 0);
    EXPECT_EQ(Number("SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'pgalter%'"), 0);
  }
};

TEST_F(Definitions, OfTheFileAreThoseOfThePlainStatements) {
  const FreshDatabase plain;
  MakeFamily();
  plain.Sql(kFamily);
  const auto before = Dump(database_);
  plain.Sql(kPlainly);
  const Ran ran = Run(RebuildBy(kWider));
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("public.c: CREATE TABLE in line 4 of --definition, 1 index, 1 "
                                 "ALTER TABLE\n"));
  EXPECT_THAT(ran.err, HasSubstr("public.\"G G\": ALTER p TYPE bigint, ALTER c TYPE bigint\n"));
  ASSERT_EQ(Run({"revert", RunId(), "--yes"}).code, 0);
  EXPECT_THAT(Difference(before, Dump(database_)), IsEmpty());
  ASSERT_EQ(Run(RebuildBy(kWider)).code, 0);
  ExpectNothingLeft();
  EXPECT_THAT(Difference(Dump(plain), Dump(database_)), IsEmpty());
}

// From PostgreSQL 18 on, what a key to a partitioned table has for each partition is numbered in
// the order in which it was made.
std::vector<std::string> Unnumbered(std::vector<std::string> lines) {
  static const std::regex number("_[0-9]+ FOREIGN KEY");
  for (std::string& line : lines) line = std::regex_replace(line, number, " FOREIGN KEY");
  std::sort(lines.begin(), lines.end());
  return lines;
}

TEST_F(Definitions, MayPartTheTablesThatReferToEachOther) {
  const FreshDatabase plain;
  MakeFamily();
  const auto before = Dump(database_);
  plain.Sql(kFamily);
  plain.Sql("DROP TABLE p, c CASCADE; TRUNCATE outside, \"G G\"");
  plain.Sql(kParted);
  plain.Sql(kPartedPlainly);
  const Ran ran = Run(RebuildBy(kParted));
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(Kinds(), "rpp");
  ExpectRight("bigint");
  const Ran back = Run({"revert", RunId(), "--yes"});
  ASSERT_EQ(back.code, 0) << back.err;
  EXPECT_EQ(Kinds(), "rrr");
  ExpectRight("integer");
  EXPECT_THAT(Difference(before, Dump(database_)), IsEmpty());
  const Ran again = Run(RebuildBy(kParted));
  ASSERT_EQ(again.code, 0) << again.err;
  ExpectNothingLeft();
  EXPECT_THAT(Difference(Unnumbered(Dump(plain)), Unnumbered(Dump(database_))), IsEmpty());
}

TEST_F(Definitions, TakeThePartsTogetherAgain) {
  MakeFamily();
  ASSERT_EQ(Run(RebuildBy(kParted)).code, 0);
  ASSERT_EQ(Run({"finish", RunId(), "--yes"}).code, 0);
  const auto parted = Dump(database_);
  Rebuilders users(database_.conninfo(), 5, &FamilyChange, "23503");
  const Words words{"rebuild",      "c",   "p", "--definition", File(kWider), "--yes",
                    "--chunk-time", "10ms"};
  const Ran ran = Run(words);
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(Kinds(), "rrr");
  users.AwaitWrites(50);
  const Ran back = Run({"revert", RunId(), "--yes"});
  ASSERT_EQ(back.code, 0) << back.err;
  users.Stop();
  EXPECT_EQ(users.errors(), "");
  EXPECT_EQ(Kinds(), "rpp");
  ExpectRight("bigint");
  EXPECT_THAT(Difference(parted, Dump(database_)), IsEmpty());
}

class DefinitionsKilledAt : public Definitions,
                            public ::testing::WithParamInterface<const char*> {};

TEST_P(DefinitionsKilledAt, ResumeAndRevertEndWithEveryRowRight) {
  MakeFamily();
  Rebuilders users(database_.conninfo(), 1, &FamilyChange, "23503");
  const Ran killed = Run(RebuildBy(kParted, {"--workers", "2", "--chunk-time", "10ms"}),
                         {fmt::format("PGALTER_FAIL_POINT={}", GetParam())});
  ASSERT_EQ(killed.code, kKilled) << "the point was not reached\n" << killed.err;
  users.AwaitWrites(20);
  ResumeToTheEnd();
  EXPECT_EQ(Kinds(), "rpp");
  users.AwaitWrites(20);
  const Ran back = Run({"revert", RunId(), "--yes"});
  EXPECT_EQ(back.code, 0) << back.err;
  users.Stop();
  EXPECT_EQ(users.errors(), "");
  EXPECT_EQ(Kinds(), "rrr");
  ExpectRight("integer");
  ExpectNothingOfOurs();
}

std::vector<const char*> DefinitionPoints() {
  if (std::getenv("PGALTER_TORTURE_ROUNDS") == nullptr)
    return {"capture-made:2", "copy-committed:3", "index-built:7", "swapped", "key-adopted"};
  std::vector<const char*> all(kSeveralPoints.begin(), kSeveralPoints.end());
  all.push_back("key-adopted");
  all.push_back("key-adopted:3");
  return all;
}

INSTANTIATE_TEST_SUITE_P(Points, DefinitionsKilledAt, ::testing::ValuesIn(DefinitionPoints()),
                         [](const auto& point) {
                           std::string name = point.param;
                           for (char& c : name)
                             if (c == '-' || c == ':') c = '_';
                           return name;
                         });

// The keys of the partitions are not the table's yet.
TEST_F(Definitions, GoBackBeforeTheirKeysAreAdopted) {
  MakeFamily();
  const auto before = Dump(database_);
  for (const char* point : {"cut-over", "key-adopted:2"}) {
    SCOPED_TRACE(point);
    ASSERT_EQ(Run(RebuildBy(kParted), {fmt::format("PGALTER_FAIL_POINT={}", point)}).code, kKilled);
    AwaitNoRunner();
    database_.Sql("DELETE FROM p WHERE id = 30; UPDATE p SET id = nextval('ids') WHERE id = 31");
    const Ran back = Run({"revert", RunId(), "--yes"});
    ASSERT_EQ(back.code, 0) << back.err;
    ExpectRight("integer");
    database_.Sql("INSERT INTO p (id) VALUES (30), (31)");
  }
  ExpectNothingOfOurs();
  EXPECT_THAT(Difference(before, Dump(database_)), IsEmpty());
}

TEST_F(Definitions, HaveKeysOfSeveralColumnsAndOfOtherTypes) {
  database_.Sql(
      "CREATE SCHEMA \"S.x\"; CREATE TABLE \"S.x\".\"A.b\" (\"I d\" uuid DEFAULT "
      "gen_random_uuid(), "
      "n varchar(20), PRIMARY KEY (\"I d\", n));"
      "CREATE TABLE t (id int PRIMARY KEY, a uuid, n varchar(20), other int REFERENCES t,"
      " CONSTRAINT \"of A\" FOREIGN KEY (a, n) REFERENCES \"S.x\".\"A.b\" MATCH FULL ON UPDATE "
      "CASCADE);"
      "INSERT INTO \"S.x\".\"A.b\" (n) SELECT 'n' || g FROM generate_series(1, 500) g;"
      "INSERT INTO t SELECT row_number() OVER (), \"I d\", n, 1 FROM \"S.x\".\"A.b\"");
  const auto before = Dump(database_);
  const std::string file = File(
      "CREATE TABLE \"A.b\" (n text, \"I d\" uuid DEFAULT gen_random_uuid(), PRIMARY KEY (\"I d\", "
      "n))\n"
      "  PARTITION BY LIST (n);\n"
      "CREATE TABLE \"S.x\".\"A.b 1\" PARTITION OF \"A.b\" FOR VALUES IN ('n1', 'n2');\n"
      "CREATE TABLE \"rest\" PARTITION OF \"S.x\".\"A.b\" DEFAULT;\n"
      "CREATE TABLE t (id bigint PRIMARY KEY, a uuid, n text, other bigint);");
  const Ran ran = Run({"rebuild", "\"S.x\".\"A.b\"", "public.t", "--definition", file, "--map",
                       "public.t: other = other + 0", "--yes"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(database_.Value("SELECT string_agg(format('%s %s', conname, convalidated), ', ' ORDER "
                            "BY conname COLLATE \"C\") FROM pg_constraint WHERE contype = 'f' AND "
                            "conparentid = 0 AND conrelid = 't'::regclass"),
            "of A t, t_other_fkey t");
  // Not into another partition: before PostgreSQL 15 that is no update to those who refer to it.
  database_.Sql(
      "UPDATE \"S.x\".\"A.b\" SET \"I d\" = '00000000-0000-4000-8000-000000000000' WHERE n = 'n1'");
  EXPECT_EQ(Number("SELECT count(*) FROM t WHERE a = '00000000-0000-4000-8000-000000000000'"), 1);
  const Ran back = Run({"revert", RunId(), "--yes"});
  ASSERT_EQ(back.code, 0) << back.err;
  EXPECT_EQ(
      Number("SELECT count(*) FROM t JOIN \"S.x\".\"A.b\" b ON (b.\"I d\", b.n) = (t.a, t.n)"),
      500);
  EXPECT_THAT(Difference(before, Dump(database_)), IsEmpty());
}

// Of two tables with one name the file means the one that search_path leads to.
TEST_F(Definitions, AreFoundThroughTheSearchPath) {
  database_.Sql(
      "CREATE SCHEMA one; CREATE SCHEMA two; CREATE TABLE one.t (id int PRIMARY KEY);"
      "CREATE TABLE two.t (id int PRIMARY KEY REFERENCES one.t)");
  const std::string file = File("CREATE TABLE t (id int PRIMARY KEY, w int)");
  const Ran unclear = Run({"rebuild", "one.t", "two.t", "--definition", file, "--yes"});
  EXPECT_EQ(unclear.code, 2);
  EXPECT_THAT(unclear.err, HasSubstr("write its schema"));
  const Ran ran = Run({"rebuild", "one.t", "two.t", "--definition", file, "--yes"},
                      {"PGOPTIONS=-c search_path=two,one"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(database_.Value("SELECT string_agg(attrelid::regclass::text, ' ') FROM pg_attribute "
                            "WHERE attname = 'w'"),
            "two.t");
}

// Each in its own schema until the swap, in which it takes the name of the one that was, and leaves
// out as many numbers as a server takes connections: a sandbox takes a hundred.
TEST_F(Definitions, OfIdentitiesKeepTheNamesOfTheirSequences) {
  database_.Sql(
      "CREATE TABLE t (a_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY);"
      "CREATE TABLE t_a (id int GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY);"
      "INSERT INTO t SELECT FROM generate_series(1, 20); INSERT INTO t_a SELECT FROM "
      "generate_series(1, 30)");
  const Ran ran = Run({"rebuild", "t", "t_a", "--yes", "--definition",
                       File("CREATE TABLE t_a (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY "
                            "KEY) PARTITION BY HASH (id); CREATE TABLE t_a_0 PARTITION OF t_a FOR "
                            "VALUES WITH (MODULUS 1, REMAINDER 0)")});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(database_.Value("INSERT INTO t DEFAULT VALUES RETURNING a_id || ' ' || "
                            "pg_get_serial_sequence('t', 'a_id')"),
            "121 public.t_a_id_seq");
  EXPECT_EQ(database_.Value("INSERT INTO t_a DEFAULT VALUES RETURNING id || ' ' || "
                            "pg_get_serial_sequence('t_a', 'id')"),
            "131 public.t_a_id_seq1");
}

// The table is held by the run that keeps its way back, not by what that run has hung on it.
TEST_F(Definitions, OfATableThatAnotherRunKeepsAreRefusedByItsName) {
  database_.Sql("CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY)");
  const std::string file = File(
      "CREATE TABLE b (id int PRIMARY KEY) PARTITION BY HASH (id); CREATE TABLE b_0 PARTITION OF b "
      "FOR VALUES WITH (MODULUS 1, REMAINDER 0)");
  ASSERT_EQ(Run({"rebuild", "a", "b", "--definition", file, "--yes"}).code, 0);
  const Ran again = Run({"rebuild", "b", "a", "--definition", file, "--yes"});
  EXPECT_EQ(again.code, 4);
  EXPECT_THAT(again.err, HasSubstr(RunId()));
}

TEST_F(Definitions, ComeWithATableThatHasNoPartitionYet) {
  database_.Sql(
      "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE parts (id int PRIMARY KEY, n int) "
      "PARTITION BY RANGE (id); INSERT INTO a VALUES (1)");
  const std::string file = File("CREATE TABLE a (id bigint PRIMARY KEY)");
  const auto before = Dump(database_);
  const Ran ran = Run({"rebuild", "a", "parts", "--definition", file, "--alter",
                       "parts: ALTER n TYPE bigint", "--yes"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(
      database_.Value("SELECT string_agg(attrelid::regclass || ' ' || atttypid::regtype, ', ' "
                      "ORDER BY attrelid::regclass::text, attnum) FROM pg_attribute WHERE "
                      "attrelid IN ('a'::regclass, 'parts'::regclass) AND attnum > 0"),
      "a bigint, parts integer, parts bigint");
  ASSERT_EQ(Run({"revert", RunId(), "--yes"}).code, 0);
  EXPECT_THAT(Difference(before, Dump(database_)), IsEmpty());
}

struct RefusedFile {
  const char* name;
  const char* definition;
  std::vector<std::string> more;
  int code;
  const char* says;
};

class DefinitionsRefused : public Definitions, public ::testing::WithParamInterface<RefusedFile> {};

TEST_P(DefinitionsRefused, BeforeAnythingIsWritten) {
  database_.Sql(
      "CREATE TABLE a (id int PRIMARY KEY, code text UNIQUE NOT NULL);"
      "CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a, code text REFERENCES a (code));"
      "INSERT INTO a VALUES (1, '1'); INSERT INTO b VALUES (1, 1, '1')");
  Words words{"rebuild", "a", "b", "--yes", "--definition", File(GetParam().definition)};
  words.insert(words.end(), GetParam().more.begin(), GetParam().more.end());
  const Ran ran = Run(words);
  EXPECT_EQ(ran.code, GetParam().code) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr(GetParam().says));
  EXPECT_EQ(Number("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'pgalter%'"), 0);
}

constexpr const char* kA = "CREATE TABLE a (id int PRIMARY KEY, code text UNIQUE NOT NULL)";

INSTANTIATE_TEST_SUITE_P(
    Inputs, DefinitionsRefused,
    ::testing::Values(
        RefusedFile{
            "BothForOne", kA, {"--alter", "a: ADD x int"}, 2, "both are given for public.a"},
        RefusedFile{"Tablespace", kA, {"--tablespace", "x"}, 2, "--tablespace 'TABLE: …'"},
        RefusedFile{"NotNamed",
                    "CREATE TABLE c (id int)",
                    {},
                    2,
                    "name c behind `rebuild`, too, or take the statement out of the file"},
        RefusedFile{"Syntax", "\n\nCREATE TABLE a (id inte ger);", {}, 2, "in line 3 of"},
        RefusedFile{"TypesThatDoNotFit",
                    "CREATE TABLE b (id int PRIMARY KEY, a text, code text)",
                    {},
                    4,
                    "foreign key b_a_fkey of public.b could not be made again"},
        RefusedFile{"KeyThatGoes",
                    "CREATE TABLE a (id int PRIMARY KEY, code text NOT NULL)",
                    {"--allow-weaker-keys"},
                    4,
                    "refers to (code), over which the new definition has no unique key"},
        RefusedFile{
            "OneNameForTwo",
            "CREATE TABLE a (id int PRIMARY KEY, code text CONSTRAINT k UNIQUE NOT NULL);"
            "CREATE TABLE b (id int PRIMARY KEY, a int, code text); CREATE INDEX k ON b (a)",
            {},
            4,
            "cannot rebuild public.a and public.b together: k would be the name of"}),
    [](const auto& param) { return std::string(param.param.name); });

}  // namespace
}  // namespace pgalter::test
