// Ranges between points that the user names: of text in its own collation, of other types that no
// width counts, and of unequal widths; and all that comes after on such tables, whoever made them.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <boost/json/parse.hpp>

#include "tests/fault/partition_world.h"

namespace pgalter::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class PartitionCuts : public Partitioned {
 protected:
  // In ICU's order: a apple B banana C cherry … Z zulu; in that of bytes the capitals come first.
  void MakeNames() const {
    database_.Sql(
        "CREATE TABLE n (id int PRIMARY KEY, name text COLLATE \"und-x-icu\" NOT NULL); INSERT "
        "INTO "
        "n SELECT g, (ARRAY['apple', 'Banana', 'cherry', 'Golf', 'golf', 'Zulu', 'zulu', 'Öl'])"
        "[1 + g % 8] || g FROM generate_series(1, 800) g");
  }

  Ran Partition(Words words) const {
    words.insert(words.begin(), "partition");
    words.emplace_back("--yes");
    return Run(words);
  }
  void Done(const Words& words) const {
    const Ran ran = Partition(words);
    ASSERT_EQ(ran.code, 0) << words.front() << ": " << ran.err;
  }
  void Says(const Words& words, int code, const char* text) const {
    const Ran ran = Partition(words);
    EXPECT_EQ(ran.code, code) << ran.err;
    EXPECT_THAT(ran.out + ran.err, HasSubstr(text));
  }
  void Finish() const { ASSERT_EQ(Run({"finish", RunId(), "--yes"}).code, 0); }

  // "n_pb B-g, …" in the order in which they were made.
  [[nodiscard]] std::string Bounds(const std::string& table) const {
    return database_.Value(fmt::format(
        "SET TimeZone = 'UTC'; SELECT string_agg(c.relname || ' ' || coalesce(replace(m[1], '''', "
        "'') || '-' || replace(m[2], '''', ''), 'DEFAULT'), ', ' ORDER BY c.oid) FROM pg_inherits "
        "i JOIN pg_class c ON c.oid = i.inhrelid CROSS JOIN LATERAL regexp_match(pg_get_expr("
        "c.relpartbound, c.oid), 'FROM \\((.*)\\) TO \\((.*)\\)') m WHERE i.inhparent = "
        "'{}'::regclass",
        table));
  }
  [[nodiscard]] std::string Relkind(const std::string& table) const {
    return database_.Value(
        fmt::format("SELECT relkind::text FROM pg_class WHERE oid = '{}'::regclass", table));
  }
  void ExpectNothingMade() const {
    EXPECT_EQ(Number("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'pgalter%'"), 0);
  }
};

// The notes of the users' rows change from one range into another while they are copied, and after.
TEST_F(PartitionCuts, UnderItsUsersAndBack) {
  MakeEvents(3000);
  database_.Sql(
      "ALTER TABLE events ALTER note TYPE text COLLATE \"und-x-icu\", ALTER note SET NOT NULL");
  Users users(database_.conninfo(), 71);
  Done({"convert", "events", "--by", "range(note)", "--values", "o,H", "--values", "d"});
  EXPECT_EQ(Bounds("events"),
            "events_until_d MINVALUE-d, events_pd d-H, events_ph H-o, events_po o-MAXVALUE");
  users.AwaitWrites(300);
  EXPECT_GT(Number("SELECT count(*) FROM ONLY events_until_d"), 0);  // changed
  EXPECT_GT(Number("SELECT count(*) FROM ONLY events_ph"), 0);       // new
  EXPECT_GT(Number("SELECT count(*) FROM ONLY events_po"), 0);       // old, on a bound
  const Ran reverted = Run({"revert", RunId(), "--yes"});
  ASSERT_EQ(reverted.code, 0) << reverted.err;
  users.AwaitWrites(50);
  users.Stop();
  EXPECT_EQ(users.errors(), "");
  EXPECT_EQ(Relkind("events"), "r");
  ExpectSame();
}

TEST_F(PartitionCuts, OfTextAreWorkedOnByEveryVerb) {
  MakeNames();
  // 'B' and 'b' are two points, and the second is behind the first only in ICU's order.
  Done({"convert", "n", "--by", "range(name)", "--values", "n,B,b,g", "--from", "a", "--to", "z"});
  EXPECT_EQ(Bounds("n"), "n_pa a-b, n_pb b-B, n_pb_2 B-g, n_pg g-n, n_pn n-z, n_default DEFAULT");
  EXPECT_EQ(database_.Value("SELECT string_agg(DISTINCT (tableoid::regclass || ' ' || "
                            "regexp_replace(name, '\\d+', '')) COLLATE \"C\", ', ') FROM n"),
            "n_default Zulu, n_default zulu, n_pa apple, n_pb_2 Banana, n_pb_2 cherry, n_pg Golf, "
            "n_pg golf, n_pn Öl");
  Finish();
  Says({"split", "n_pb_2", "--at", "c", "--at", "G"}, 4, "n_pg is FOR VALUES FROM ('g')");
  Says({"split", "n_pb_2", "--at", "E", "--at", "c"}, 2,
       "--at c of public.n_pb_2: a range from 'E' to 'c' holds nothing");
  Says({"split", "n_default", "--from", "zz", "--to", "z"}, 2,
       "--from zz --to z of public.n_default: a range from 'zz' to 'z' holds nothing");
  Done({"split", "n_pb_2", "--at", "C", "--at", "d"});
  Done({"split", "n_default", "--from", "z", "--to", "MAXVALUE"});
  EXPECT_EQ(Number("SELECT count(*) FROM n_default"), 0);
  Done({"merge", "n_pb", "n_pb_2"});
  const std::string merge = RunId();
  Says({"merge", "n_pa", "n_pc"}, 2, "only neighbours");
  ASSERT_EQ(Run({"revert", merge, "--yes"}).code, 0);
  Done({"add", "n", "--from", "MINVALUE", "--to", "a"});
  Says({"add", "n", "--from", "A", "--to", "B"}, 4, "which has some of");
  Done({"detach", "n_pg"});
  const Ran listed = Run({"partition", "list", "n"});
  EXPECT_THAT(listed.out, HasSubstr("note: between g and n there is no partition\n"));
  EXPECT_THAT(listed.out, Not(HasSubstr("between b")));
  Done({"attach", "n_pg", "--as", "n", "--from", "g", "--to", "n"});
  EXPECT_EQ(Number("SELECT count(*) FROM n"), 800);
  EXPECT_EQ(Number("SELECT count(*) FROM n_pg"), 200);
  EXPECT_EQ(Number("SELECT count(*) FROM pg_constraint WHERE conname LIKE '%pgalter%'"), 0);
  Done({"undo", "n"});
  EXPECT_EQ(Relkind("n"), "r");
  EXPECT_EQ(Number("SELECT count(DISTINCT id) FROM n"), 800);
}

TEST_F(PartitionCuts, HaveNothingToBeMadeAheadAndNoAge) {
  MakeNames();
  Done({"convert", "n", "--by", "range(name)", "--values", "n,B"});
  Says({"maintain", "n"}, 0, "public.n_pn, has no end: it holds whatever comes: nothing to do");
  database_.Sql("ALTER TABLE n DETACH PARTITION n_pn");
  Says({"maintain", "n"}, 0, "by name, of type text: no width counts on from its last range");
  Says({"maintain", "n", "--every", "1 month"}, 2, "is of type text");
  Says({"maintain", "n", "--epoch", "seconds"}, 2, "is of type text");
  const Ran json = Run({"partition", "maintain", "n", "--output", "json"});
  EXPECT_EQ(json.code, 0) << json.err;
  EXPECT_EQ(boost::json::parse(json.out).at("made").as_int64(), 0);
  for (const char* keep : {"2", "12 months"})
    Says({"retain", "n", "--keep", keep}, 4, "ranges of text have no age");
  EXPECT_EQ(Number("SELECT count(*) FROM pg_inherits WHERE inhparent = 'n'::regclass"), 2);
}

TEST_F(PartitionCuts, AreShownInTheirOrderWithTheirGaps) {
  database_.Sql(
      "CREATE TABLE n (name text COLLATE \"und-x-icu\") PARTITION BY RANGE (name); CREATE TABLE "
      "n_z "
      "PARTITION OF n FOR VALUES FROM ('Z') TO (MAXVALUE); CREATE TABLE n_b PARTITION OF n FOR "
      "VALUES FROM ('B') TO ('g'); CREATE TABLE n_a PARTITION OF n FOR VALUES FROM ('a') TO ('B'); "
      "CREATE TABLE n_to PARTITION OF n FOR VALUES FROM ('it''s) TO (''') TO ('k)')");
  const Ran seen = Run({"inspect", "partitions", "n"});
  ASSERT_EQ(seen.code, 0) << seen.err;
  const auto line = [&](const char* text) { return seen.out.find(text); };
  EXPECT_LT(line("public.n_a "), line("public.n_b "));
  EXPECT_LT(line("public.n_b "), line("public.n_to "));
  EXPECT_LT(line("public.n_to "), line("public.n_z "));
  EXPECT_THAT(seen.out, HasSubstr("public.n_to  it's) TO (' to k) "));
  EXPECT_THAT(seen.out, HasSubstr("note: between g and it's) TO (' there is no partition\n"));
  EXPECT_THAT(seen.out, HasSubstr("note: between k) and Z there is no partition\n"));
  EXPECT_THAT(seen.out, HasSubstr("\nn_a   |-----------"));
  EXPECT_THAT(seen.out, HasSubstr("\n(gap) |                      "));
  EXPECT_THAT(seen.out, HasSubstr("what comes next: the last partition of public.n, public.n_z, "
                                  "has no end"));
  const Ran json = Run({"inspect", "partitions", "n", "--output", "json"});
  const boost::json::value parsed = boost::json::parse(json.out);
  EXPECT_EQ(parsed.at("partitions").as_array().at(0).at("from"), "a");
  EXPECT_EQ(parsed.at("gaps").as_array().size(), 2U);
  // None where what follows begins where the one before ends.
  database_.Sql("DROP TABLE n_to, n_z");
  EXPECT_THAT(Run({"partition", "list", "n"}).out, Not(HasSubstr("between")));
}

struct CutCase {
  const char* name;
  const char* column;
  const char* rows;  // of g
  Words values;
  const char* bounds;
};

class PartitionCutTypes : public PartitionCuts, public ::testing::WithParamInterface<CutCase> {};

TEST_P(PartitionCutTypes, AreSortedAsTheServerCompares) {
  const CutCase& given = GetParam();
  database_.Sql(fmt::format(
      "CREATE COLLATION blind (provider = icu, locale = 'und-u-ks-level2', deterministic = false); "
      "CREATE TYPE mood AS ENUM ('low', 'mid', 'high'); CREATE TABLE t (id int PRIMARY KEY, k {} "
      "NOT NULL); INSERT INTO t SELECT g, {} FROM generate_series(0, 99) g",
      given.column, given.rows));
  Words words{"convert", "t", "--by", "range(k)"};
  words.insert(words.end(), given.values.begin(), given.values.end());
  Done(words);
  EXPECT_EQ(Bounds("t"), given.bounds);
  EXPECT_EQ(Number("SELECT count(*) FROM t"), 100);
  EXPECT_GE(Number("SELECT count(DISTINCT tableoid) FROM t"), 2);
}

INSTANTIATE_TEST_SUITE_P(
    Types, PartitionCutTypes,
    ::testing::Values(
        CutCase{"Bytes",
                "text COLLATE \"C\"",
                "chr(65 + g % 26 + 32 * (g % 2))",
                {"--values", "a,B"},
                "t_until_b MINVALUE-B, t_pb B-a, t_pa a-MAXVALUE"},
        CutCase{"Varchar",
                "varchar(3) COLLATE \"und-x-icu\"",
                "chr(65 + g % 26 + 32 * (g % 2))",
                {"--values", "q,B"},
                "t_until_b MINVALUE-B, t_pb B-q, t_pq q-MAXVALUE"},
        CutCase{"WithoutCase",
                "text COLLATE blind",
                "chr(65 + g % 26 + 32 * (g % 2))",
                {"--values", "q,B"},
                "t_until_b MINVALUE-B, t_pb B-q, t_pq q-MAXVALUE"},
        CutCase{"Letters",
                "text",
                "CASE WHEN g < 50 THEN 'a' ELSE 'ö' END",
                {"--values", "Ärger,ä/1"},
                "t_until_Ärger MINVALUE-Ärger, t_pÄrger Ärger-ä/1, t_pä_1 "
                "ä/1-MAXVALUE"},
        CutCase{"Numeric",
                "numeric(8,2)",
                "(g - 50) / 3.0",
                {"--values", "10,9.5,-3"},
                "t_until_m3_00 MINVALUE--3.00, t_pm3_00 -3.00-9.50, t_p9_50 9.50-10.00, t_p10_00 "
                "10.00-MAXVALUE"},
        CutCase{"UuidsOfAnyVersion",
                "uuid",
                "md5(g::text)::uuid",
                {"--values",
                 "80000000-0000-0000-0000-000000000000,41000000-1000-0000-0000-000000000000"},
                "t_until_41000000_1000 MINVALUE-41000000-1000-0000-0000-000000000000, "
                "t_p41000000_1000 41000000-1000-0000-0000-000000000000-80000000-0000-0000-0000-"
                "000000000000, t_p80000000 80000000-0000-0000-0000-000000000000-MAXVALUE"},
        CutCase{"DatesOfUnequalWidth",
                "date",
                "date '2026-01-01' + g",
                {"--values", "2026-03-01,2026-01-05", "--from", "2026-01-01"},
                "t_p2026_01_01 2026-01-01-2026-01-05, t_p2026_01_05 2026-01-05-2026-03-01, "
                "t_p2026_03_01 2026-03-01-MAXVALUE, t_default DEFAULT"},
        CutCase{"TimesOfAZone",
                "timestamptz",
                "timestamptz '2026-01-01 UTC' + g * interval '1 h'",
                {"--values", "2026-01-03,2026-01-02 12:00", "--time-zone", "Europe/Berlin"},
                "t_until_2026_01_02_11_00_00 MINVALUE-2026-01-02 11:00:00+00, "
                "t_p2026_01_02_11_00_00 2026-01-02 11:00:00+00-2026-01-02 23:00:00+00, "
                "t_p2026_01_02_23_00_00 2026-01-02 23:00:00+00-MAXVALUE"},
        CutCase{"Enum",
                "mood",
                "(ARRAY['low', 'mid', 'high']::mood[])[1 + g % 3]",
                {"--values", "high,mid"},
                "t_until_mid MINVALUE-mid, t_pmid mid-high, t_phigh high-MAXVALUE"},
        CutCase{"Numbers",
                "bigint",
                "g - 20",
                {"--values", "50,5,-3"},
                "t_until_m3 MINVALUE--3, t_pm3 -3-5, t_p5 5-50, t_p50 50-MAXVALUE"},
        CutCase{"PartedAgain",
                "int",
                "g",
                {"--values", "50", "--then", "hash(id)", "--modulus", "1"},
                "t_until_50 MINVALUE-50, t_p50 50-MAXVALUE"}),
    [](const auto& param) { return std::string(param.param.name); });

// Its operators are in no search_path of ours: by those of text, 'G' would be another key.
TEST_F(PartitionCuts, OfATypeWithOperatorsOfItsOwn) {
  if (Number("SELECT count(*) FROM pg_available_extensions WHERE name = 'citext'") == 0)
    GTEST_SKIP() << "this server has no citext";
  database_.Sql(
      "CREATE EXTENSION citext; CREATE TABLE t (id int PRIMARY KEY, k citext NOT NULL); INSERT "
      "INTO "
      "t SELECT g, chr(65 + g % 26 + 32 * (g % 2)) FROM generate_series(0, 99) g");
  Says({"convert", "t", "--by", "range(k)", "--values", "g,G"}, 2, "are the same in column k");
  Done({"convert", "t", "--by", "range(k)", "--values", "t,G"});
  EXPECT_EQ(Bounds("t"), "t_until_g MINVALUE-G, t_pg G-t, t_pt t-MAXVALUE");
  Finish();
  Done({"split", "t_pg", "--at", "m"});
  EXPECT_EQ(Number("SELECT count(*) FROM t_pm WHERE k IN ('M', 'n', 'O', 'p', 'Q', 'r', 'S')"),
            Number("SELECT count(*) FROM t WHERE lower(k::text) BETWEEN 'm' AND 's'"));
  Done({"merge", "t_pg", "t_pm"});
  Done({"detach", "t_pt"});
  Says({"add", "t", "--from", "S", "--to", "u"}, 4, "t_pg is FOR VALUES FROM ('G') TO ('t')");
  Done({"attach", "t_pt", "--as", "t", "--from", "T", "--to", "MAXVALUE"});
  EXPECT_EQ(Number("SELECT count(*) FROM t"), 100);
}

// The collation of the partitions is another than that of the column.
TEST_F(PartitionCuts, OfTablesMadeByHandAreOfTheirCollation) {
  database_.Sql(
      "CREATE TABLE t (id int PRIMARY KEY, k text COLLATE \"C\" NOT NULL); CREATE TABLE h (id int "
      "NOT "
      "NULL, k text COLLATE \"C\" NOT NULL) PARTITION BY RANGE (k COLLATE \"und-x-icu\"); CREATE "
      "TABLE h_b PARTITION OF h FOR VALUES FROM ('b') TO ('n'); CREATE TABLE h_y PARTITION OF h "
      "FOR "
      "VALUES FROM ('Y') TO (MAXVALUE); INSERT INTO h VALUES (1, 'Cx'), (2, 'c'), (3, 'zebra'), "
      "(4, "
      "'Zoo')");
  const Ran listed = Run({"partition", "list", "h"});
  EXPECT_EQ(listed.code, 0) << listed.err;
  EXPECT_LT(listed.out.find("h_b"), listed.out.find("h_y"));
  EXPECT_THAT(listed.out, HasSubstr("between n and Y there is no partition"));
  Says({"add", "h", "--from", "M", "--to", "P"}, 4, "h_b is FOR VALUES FROM ('b') TO ('n')");
  Done({"add", "h", "--from", "n", "--to", "Y"});
  database_.Sql("INSERT INTO h VALUES (5, 'Nn'); CREATE TABLE h_rest PARTITION OF h DEFAULT");
  EXPECT_EQ(database_.Value("SELECT tableoid::regclass::text FROM h WHERE id = 5"), "h_pn");
  // The CHECKs by which rows are read without a lock would compare in the column's.
  Says({"add", "h", "--from", "A", "--to", "b"}, 4, "COLLATE pg_catalog.\"und-x-icu\"");
  Says({"attach", "t", "--as", "h", "--from", "A", "--to", "b"}, 4, "COLLATE");
}

// Round uuids look like times of the first years.
TEST_F(PartitionCuts, UuidsOfOtherVersionsDoNotGrowOld) {
  database_.Sql(
      "CREATE TABLE t (k uuid PRIMARY KEY) PARTITION BY RANGE (k); CREATE TABLE t_a PARTITION OF t "
      "FOR VALUES FROM (MINVALUE) TO ('01000000-0000-0000-0000-000000000000'); CREATE TABLE t_b "
      "PARTITION OF t FOR VALUES FROM ('01000000-0000-0000-0000-000000000000') TO (MAXVALUE); "
      "INSERT INTO t SELECT md5(g::text)::uuid FROM generate_series(1, 1000) g");
  for (const char* keep : {"12 months", "1"})
    Says({"retain", "t", "--keep", keep}, 4, "its uuids are of another version than 7");
  Says({"maintain", "t"}, 0, "nothing to do");
  EXPECT_EQ(Number("SELECT count(*) FROM pg_inherits WHERE inhparent = 't'::regclass"), 2);
}

TEST_F(PartitionCuts, NullsAreInTheDefaultPartitionWhereTheKeyAllowsThem) {
  database_.Sql(
      "CREATE TABLE t (id int NOT NULL UNIQUE, k text); INSERT INTO t VALUES (1, 'a'), (2, 'z'), "
      "(3, NULL); CREATE TABLE p (id int PRIMARY KEY, k text); INSERT INTO p VALUES (1, 'a')");
  const Words convert{"convert", "t", "--by", "range(k)", "--values", "g", "--allow-weaker-keys"};
  Words without = convert;
  without.insert(without.end(), {"--default", "no"});
  Says(without, 4, "it has rows whose k is NULL, which no range holds");
  ExpectNothingMade();
  Done(convert);
  EXPECT_EQ(Bounds("t"), "t_until_g MINVALUE-g, t_pg g-MAXVALUE, t_default DEFAULT");
  EXPECT_EQ(database_.Value("SELECT tableoid::regclass::text FROM t WHERE k IS NULL"), "t_default");
  const Ran dry =
      Run({"partition", "convert", "p", "--by", "range(k)", "--values", "g", "--dry-run"});
  EXPECT_THAT(dry.out, HasSubstr("note: column k becomes NOT NULL, as a part of the primary key"));
  EXPECT_THAT(dry.out, Not(HasSubstr("p_default")));
  database_.Sql("INSERT INTO p VALUES (2, NULL)");
  for (const Words& by :
       {Words{"--by", "range(k)", "--values", "g"}, Words{"--by", "list(k)", "--values", "a=a"},
        Words{"--by", "hash(k)", "--modulus", "2"}}) {
    Words words{"convert", "p"};
    words.insert(words.end(), by.begin(), by.end());
    Says(words, 4, "it has rows whose k is NULL, which a part of the primary key");
  }
  EXPECT_EQ(Relkind("p"), "r");
}

TEST_F(PartitionCuts, RefusesWhatSaysNothing) {
  database_.Sql(
      "CREATE TABLE t (id int PRIMARY KEY, k text COLLATE \"und-x-icu\" NOT NULL, v varchar(3) NOT "
      "NULL, x xml NOT NULL, i int NOT NULL); INSERT INTO t VALUES (1, 'a', 'a', '<a/>', 1), (2, "
      "'z', 'z', '<a/>', 70)");
  const auto says = [&](const char* column, const Words& more, int code, const char* text) {
    Words words{"convert", "t", "--by", fmt::format("range({})", column)};
    words.insert(words.end(), more.begin(), more.end());
    Says(words, code, text);
  };
  says("k", {}, 2, "--values g,n,t");
  says("k", {"--every", "1 month"}, 2, "of others say where each begins");
  says("k", {"--values", "g", "--every", "5"}, 2, "--every and --values both say");
  says("k", {"--values", "g", "--premake", "2"}, 2, "--premake makes ranges of a width");
  says("k", {"--values", "g", "--epoch", "seconds"}, 2, "--epoch says what --every counts");
  says("k", {"--values", "g", "--default", "yes"}, 2, "nothing would be left for a default");
  says("k", {"--values", "g", "--strategy", "attach"}, 2, "only be attached as one range");
  says("k", {"--values", "x=g", "--then", "list(i)"}, 2, "and --every is missing");
  says("k", {"--values", "west=g"}, 2, "gives a name, as lists have it");
  says("k", {"--values", "g,,n"}, 2, "it has an empty value");
  says("k", {"--values", "g,n", "--values", "g"}, 2, "\"g\" and \"g\" are the same in column k");
  says("k", {"--values", "g,maxvalue"}, 2, "the last ends with MAXVALUE");
  says("k", {"--values", "B,n", "--from", "c"}, 2, "--from \"c\" lies behind \"B\"");
  says("k", {"--values", "B,n", "--to", "n"}, 2, "--to \"n\" lies before \"n\" of --values, or is");
  says("k", {"--values", "g", "--to", "t", "--default", "no"}, 4, "other --from and --to");
  says("v", {"--values", "long"}, 2, "\"long\" is longer than column v");
  says("x", {"--values", "<a/>"}, 2, "whose values cannot be put in an order");
  says("i", {"--values", "5,x"}, 2, "\"x\" is no value of column i");
  says("nothing", {"--values", "5"}, 2, "has no column nothing. It has: ");
  ExpectNothingMade();
  EXPECT_EQ(Number("SELECT count(*) FROM pg_class WHERE relname LIKE 't\\_%' AND relkind = 'r'"),
            0);
}

// Found by one question before there is a run; else the copy would find it at its end.
TEST_F(PartitionCuts, RowsWithoutAPlaceAreFoundBeforeTheCopy) {
  database_.Sql(
      "CREATE TABLE t (id int PRIMARY KEY, c text NOT NULL, n text); INSERT INTO t SELECT g, 'de', "
      "'de' FROM generate_series(1, 200000) g; UPDATE t SET c = 'xx' WHERE id = 100000");
  const Words list{"convert",  "t",        "--by",  "list(c)",   "--values",
                   "eu=de,fr", "--values", "us=us", "--default", "no"};
  const Ran refused = Partition(list);
  EXPECT_EQ(refused.code, 4) << refused.err;
  EXPECT_THAT(refused.err,
              HasSubstr("SELECT * FROM public.t WHERE (c IS NOT NULL AND c IN ('de', 'fr', 'us')) "
                        "IS NOT TRUE. Nothing was changed"));
  EXPECT_THAT(refused.err, HasSubstr("more --values, or --default yes"));
  ExpectNothingMade();
  EXPECT_EQ(Relkind("t"), "r");
  Says({"convert", "t", "--by", "range(id)", "--values", "5", "--from", "2", "--default", "no"}, 4,
       "SELECT * FROM public.t WHERE (id IS NOT NULL AND id >= 2) IS NOT TRUE");
  ExpectNothingMade();
  // Of a table that takes too long to read, the copy tells.
  Words dry{"partition"};
  dry.insert(dry.end(), list.begin(), list.end());
  dry.emplace_back("--dry-run");
  const Ran slow = Run(dry, {"PGALTER_LIMITS=homeless=1"});
  EXPECT_EQ(slow.code, 0) << slow.err;
  EXPECT_THAT(slow.out, HasSubstr("note: whether rows have no place was not to be found out in"));
  database_.Sql("DELETE FROM t WHERE c = 'xx' OR id > 1000");
  Done(list);
  EXPECT_EQ(Number("SELECT count(*) FROM t_eu"), 1000);
}

}  // namespace
}  // namespace pgalter::test
