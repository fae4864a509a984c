// What a partition, or the plain table made of all, is given of the settings of what was there
// before: storage parameters, place, persistence, settings of columns.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "tests/fault/partition_world.h"

namespace pgalter::test {
namespace {

using ::testing::HasSubstr;

// Of the table c.
constexpr const char* kParameters =
    "concat_ws(' ', array_to_string(ARRAY(SELECT unnest(c.reloptions) ORDER BY 1), ','), (SELECT "
    "'toast.' || "
    "array_to_string(t.reloptions, ',') FROM pg_class t WHERE t.oid = c.reltoastrelid))";
constexpr const char* kWith =
    "autovacuum_enabled=false,autovacuum_vacuum_scale_factor=0.02,fillfactor=66,parallel_workers=1 "
    "toast.autovacuum_vacuum_threshold=77";

class PartitionAlike : public Partitioned {
 protected:
  // Rows of the last two months.
  void MakeSet() {
    database_.Sql(
        "CREATE TABLE t (id int PRIMARY KEY, made date NOT NULL, note text) WITH (fillfactor=66,"
        " autovacuum_vacuum_scale_factor=0.02, autovacuum_enabled=false, parallel_workers=1,"
        " toast.autovacuum_vacuum_threshold=77);"
        "CREATE INDEX t_made ON t (made); CREATE INDEX t_noted ON t (lower(note)) INCLUDE (id) WITH"
        " (fillfactor=55) WHERE CASE WHEN note LIKE '% WHERE %' THEN false ELSE id > 5 END;"
        "INSERT INTO t SELECT g, current_date - g, 'n' FROM generate_series(1, 60) g");
  }

  [[nodiscard]] Ran Part(Words words) const {
    words.insert(words.begin(), "partition");
    words.emplace_back("--yes");
    return Run(words);
  }
  [[nodiscard]] Ran ConvertSet(const Words& more = {}) const {
    Words words{"convert", "t", "--by", "range(made)", "--every", "1 month"};
    words.insert(words.end(), more.begin(), more.end());
    return Part(std::move(words));
  }

  // The way back keeps others from the table.
  void Finish() const { ASSERT_EQ(Run({"finish", RunId(), "--yes"}).code, 0); }

  // What an expression over pg_class c says of the leaves, each answer once.
  [[nodiscard]] std::string OfLeaves(const std::string& expression,
                                     const std::string& which = "true") const {
    return database_.Value(
        fmt::format("SELECT string_agg(DISTINCT {}, '; ') FROM pg_partition_tree('t') p JOIN "
                    "pg_class c ON c.oid = p.relid AND p.isleaf WHERE {}",
                    expression, which));
  }
};

TEST_F(PartitionAlike, ACopyHasTheStorageParameters) {
  MakeSet();
  const Ran dry = Run({"partition", "convert", "t", "--by", "range(made)", "--every", "1 month",
                       "--strategy", "copy", "--dry-run"});
  EXPECT_THAT(dry.out, HasSubstr("toast.autovacuum_vacuum_threshold=77"));
  const Ran ran = ConvertSet({"--strategy", "copy"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(OfLeaves(kParameters), kWith);
  Finish();
  ASSERT_EQ(Part({"maintain", "t", "--premake", "7"}).code, 0);
  EXPECT_EQ(OfLeaves(kParameters), kWith);
  // And the other way, where they all agree.
  const Ran undone = Part({"undo", "t"});
  ASSERT_EQ(undone.code, 0) << undone.err;
  EXPECT_EQ(database_.Value(
                fmt::format("SELECT {} FROM pg_class c WHERE oid = 't'::regclass", kParameters)),
            kWith);
}

TEST_F(PartitionAlike, WhatPartitionsDoNotAgreeInIsSaid) {
  MakeSet();
  ASSERT_EQ(ConvertSet().code, 0);
  Finish();
  database_.Sql("ALTER TABLE t_default SET (fillfactor = 100)");
  const Ran ran = Part({"undo", "t"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("the partitions of public.t differ in fillfactor"));
  EXPECT_EQ(database_.Value(
                fmt::format("SELECT {} FROM pg_class c WHERE oid = 't'::regclass", kParameters)),
            "autovacuum_enabled=false,autovacuum_vacuum_scale_factor=0.02,parallel_workers=1 "
            "toast.autovacuum_vacuum_threshold=77");
}

TEST_F(PartitionAlike, ACopyIntoPartsOfPartsHasTheStorageParameters) {
  MakeSet();
  const Ran ran = ConvertSet({"--strategy", "copy", "--then", "hash(id)", "--modulus", "2"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(OfLeaves(kParameters), kWith);
  Finish();
  ASSERT_EQ(Part({"maintain", "t", "--premake", "7"}).code, 0);
  EXPECT_EQ(OfLeaves(kParameters), kWith);
}

// Where the table and its indexes lie, and whether they are logged.
class PartitionPlaced : public PartitionAlike {
 protected:
  // The key has to be widened; of the indexes, t_near alone lies in the default tablespace.
  void MakePlaced(const char* persistence = "UNLOGGED") {
    if (Number("SELECT count(*) FROM pg_tablespace WHERE spcname = 'part Space'") == 0) {
      Session session = database_.Connect();
      session.Exec("SET allow_in_place_tablespaces = on");
      session.Exec("CREATE TABLESPACE \"part Space\" LOCATION ''");
    }
    database_.Sql(fmt::format(
        "CREATE {} TABLE t (id int, made date NOT NULL, note text, CONSTRAINT t_pkey PRIMARY KEY "
        "(id) WITH (fillfactor=61) USING INDEX TABLESPACE \"part Space\", CONSTRAINT t_once UNIQUE "
        "(made, id) WITH (fillfactor=62) USING INDEX TABLESPACE \"part Space\" DEFERRABLE) "
        "TABLESPACE \"part Space\";"
        "CREATE INDEX t_near ON t (note, made);"
        "CREATE INDEX t_noted ON t (lower(note)) INCLUDE (id) WITH (fillfactor=55) TABLESPACE "
        "\"part Space\" WHERE CASE WHEN note LIKE '% WHERE %' THEN false ELSE id > 5 END;"
        "INSERT INTO t SELECT g, current_date - g, 'n' FROM generate_series(1, 60) g",
        persistence));
  }

  // Of the leaves, or of the plain table: each with the number of its indexes at each place.
  [[nodiscard]] std::string Places(
      const char* tables = "SELECT relid FROM pg_partition_tree('t') WHERE isleaf") const {
    return database_.Value(fmt::format(
        "SELECT string_agg(DISTINCT concat_ws(' ', c.relpersistence, coalesce(s.spcname, '-'), "
        "(SELECT string_agg(concat_ws(' ', coalesce(xs.spcname, '-'), array_to_string("
        "xc.reloptions, ',')), ', ' ORDER BY xc.reloptions) FROM pg_index x "
        "JOIN pg_class xc ON xc.oid = x.indexrelid LEFT JOIN pg_tablespace xs ON xs.oid = "
        "xc.reltablespace WHERE x.indrelid = c.oid)), '; ') FROM pg_class c LEFT JOIN "
        "pg_tablespace s ON s.oid = c.reltablespace WHERE c.oid IN ({})",
        tables));
  }
};

constexpr const char* kUnloggedPlaces =
    "u part Space part Space fillfactor=55, part Space fillfactor=61, part Space fillfactor=62, -";

TEST_F(PartitionPlaced, ACopyLiesWhereTheTableLay) {
  MakePlaced();
  const Ran ran = ConvertSet({"--strategy", "copy"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(Places(), kUnloggedPlaces);
  Finish();
  ASSERT_EQ(Part({"maintain", "t", "--premake", "7"}).code, 0);
  EXPECT_EQ(Places(), kUnloggedPlaces);
  const Ran undone = Part({"undo", "t"});
  ASSERT_EQ(undone.code, 0) << undone.err;
  EXPECT_EQ(Places("'t'::regclass"), kUnloggedPlaces);
}

TEST_F(PartitionPlaced, WhatIsAttachedHasSiblingsAtItsPlace) {
  MakePlaced();
  const std::string before = Places("'t'::regclass");
  ASSERT_EQ(ConvertSet().code, 0);
  EXPECT_EQ(Places(), kUnloggedPlaces);
  ASSERT_EQ(Run({"revert", RunId(), "--yes"}).code, 0);
  EXPECT_EQ(Places("'t'::regclass"), before);
  ASSERT_EQ(ConvertSet().code, 0);
  Finish();
  ASSERT_EQ(Part({"maintain", "t", "--premake", "7"}).code, 0);
  EXPECT_EQ(Places(), kUnloggedPlaces);
  const Ran undone = Part({"undo", "t"});
  ASSERT_EQ(undone.code, 0) << undone.err;
  EXPECT_EQ(Places("'t'::regclass"), before);
}

TEST_F(PartitionPlaced, WhatASplitMakesLiesWhereThePartitionLay) {
  MakePlaced("");
  const Ran ran = ConvertSet({"--strategy", "copy"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  Finish();
  const std::string whole = database_.Value(
      "SELECT relname FROM pg_class WHERE relname LIKE 't_p2%' AND relkind = 'r' ORDER BY 1 LIMIT "
      "1");
  const std::string index = database_.Value(fmt::format(
      "SELECT c.relname FROM pg_index x JOIN pg_class c ON c.oid = indexrelid WHERE indrelid = "
      "'{}'::regclass AND indpred IS NOT NULL",
      whole));
  database_.Sql(fmt::format("ALTER INDEX {} SET TABLESPACE pg_default", index));
  const Ran split = Part({"split", whole, "--every", "7 days"});
  ASSERT_EQ(split.code, 0) << split.err;
  EXPECT_EQ(
      Places("SELECT relid FROM pg_partition_tree('t') WHERE isleaf AND relid::regclass::text "
             "~ 't_p2.*_.*_'"),
      "p part Space - fillfactor=55, part Space fillfactor=61, part Space fillfactor=62, -");
}

// Statistics targets and n_distinct, storage and compression of columns.
class PartitionColumns : public PartitionAlike {
 protected:
  void MakeColumns() {
    MakeSet();
    database_.Sql(
        "ALTER TABLE t ALTER id SET (n_distinct = -1), ALTER note SET STATISTICS 200, ALTER note "
        "SET (n_distinct = 100, n_distinct_inherited = 500), ALTER note SET STORAGE EXTERNAL, "
        "ALTER note SET COMPRESSION pglz");
  }

  // Of the columns id and note.
  static constexpr const char* kColumns =
      "(SELECT string_agg(concat_ws(' ', to_jsonb(a)->>'attstattarget', attstorage, "
      "nullif(attcompression, ''), (SELECT string_agg(o, ' ') FROM unnest(attoptions) o WHERE o "
      "NOT "
      "LIKE 'pg_attver=%')), ', ' ORDER BY attnum) FROM "
      "pg_attribute a WHERE attrelid = c.oid AND attname IN ('id', 'note'))";
  // Version 17 has NULL for the default target.
  void ExpectColumns(const std::string& of) const {
    EXPECT_THAT(of, ::testing::AnyOf("-1 p n_distinct=-1, 200 e p n_distinct=100 "
                                     "n_distinct_inherited=500",
                                     "p n_distinct=-1, 200 e p n_distinct=100 "
                                     "n_distinct_inherited=500"));
  }
};

class PartitionColumnsConverted : public PartitionColumns,
                                  public ::testing::WithParamInterface<const char*> {};

TEST_P(PartitionColumnsConverted, AreAllAlikeAndSoIsWhatFollows) {
  MakeColumns();
  Words how{"--strategy", GetParam()};
  ASSERT_EQ(ConvertSet(how).code, 0);
  ExpectColumns(OfLeaves(kColumns));
  Finish();
  ASSERT_EQ(Part({"maintain", "t", "--premake", "7"}).code, 0);
  ExpectColumns(OfLeaves(kColumns));
  const Ran add = Part({"add", "t", "--from", "2090-01-01", "--to", "2091-01-01"});
  ASSERT_EQ(add.code, 0) << add.err;
  ExpectColumns(OfLeaves(kColumns));
  EXPECT_EQ(OfLeaves(kParameters), kWith);
  ASSERT_EQ(Run({"revert", RunId(), "--yes"}).code, 0);
  EXPECT_EQ(Number("SELECT count(*) FROM pg_class WHERE relname = 't_p2090'"), 0);
}

INSTANTIATE_TEST_SUITE_P(Ways, PartitionColumnsConverted, ::testing::Values("attach", "copy"),
                         [](const ::testing::TestParamInfo<const char*>& way) {
                           return std::string(way.param);
                         });

TEST_F(PartitionColumns, OfPartsOfParts) {
  MakeColumns();
  ASSERT_EQ(ConvertSet({"--then", "hash(id)", "--modulus", "2"}).code, 0);
  ExpectColumns(OfLeaves(kColumns));
  Finish();
  ASSERT_EQ(Part({"maintain", "t", "--premake", "7"}).code, 0);
  ExpectColumns(OfLeaves(kColumns));
  EXPECT_EQ(OfLeaves(kParameters), kWith);
}

TEST_F(PartitionColumns, OfOnePartitionAreThoseOfWhatTakesItsPlace) {
  MakeSet();
  ASSERT_EQ(ConvertSet().code, 0);
  Finish();
  const std::string first = database_.Value(
      "SELECT relname FROM pg_class WHERE relname LIKE 't_until%' AND relkind = 'r'");
  database_.Sql(fmt::format(
      "ALTER TABLE {} ALTER id SET (n_distinct = -1), ALTER note SET STATISTICS 200, ALTER note "
      "SET (n_distinct = 100, n_distinct_inherited = 500), ALTER note SET STORAGE EXTERNAL, "
      "ALTER note SET COMPRESSION pglz",
      first));
  const Ran split = Part({"split", first, "--every", "1 month"});
  ASSERT_EQ(split.code, 0) << split.err;
  const std::string pieces =
      "c.relname < 't_p' || to_char(current_date, 'YYYY_MM') OR c.relname LIKE 't\\_until%'";
  ExpectColumns(OfLeaves(kColumns, "(" + pieces + ") AND c.relname <> 't_default'"));
  const std::string until = database_.Value(
      "SELECT relname FROM pg_class WHERE relname LIKE 't\\_until%' AND relkind = 'r'");
  const std::string next = database_.Value(
      "SELECT min(relname) FROM pg_class WHERE relname LIKE 't\\_p2%' AND relkind = 'r'");
  const Ran merge = Part({"merge", until, next, "--name", "t_merged"});
  ASSERT_EQ(merge.code, 0) << merge.err;
  ExpectColumns(OfLeaves(kColumns, "c.relname = 't_merged'"));
}

}  // namespace
}  // namespace pgalter::test
