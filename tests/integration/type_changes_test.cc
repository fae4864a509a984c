// JudgeTypeChange against the server at hand: every pair of its types in use, with and without
// modifiers.
#include <gtest/gtest.h>

#include <string>

#include "planner/locks/effects.h"
#include "tests/support/postgres.h"

namespace pgalter::test {
namespace {

using locks::TypeChange;

// Whatever it does to the empty table is undone by an error of its own.
constexpr const char* kProbe = R"sql(
CREATE FUNCTION change(from_type text, to_type text, using_it text, indexed bool) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
  heap oid;
  index oid;
  verdict text;
BEGIN
  EXECUTE format('CREATE TABLE m (c %s)', from_type);
  IF indexed THEN EXECUTE 'CREATE INDEX mi ON m (c)'; END IF;
  heap := pg_relation_filenode('m');
  index := pg_relation_filenode(to_regclass('mi'));
  EXECUTE format('ALTER TABLE m ALTER c TYPE %s %s', to_type, using_it);
  IF heap <> pg_relation_filenode('m') THEN verdict := 'rewrite';
  ELSIF index <> pg_relation_filenode(to_regclass('mi')) THEN verdict := 'index';
  ELSE verdict := 'nothing'; END IF;
  RAISE EXCEPTION USING errcode = 'P0001', message = verdict;
EXCEPTION
  WHEN raise_exception THEN RETURN SQLERRM;
  WHEN datatype_mismatch THEN RETURN 'mismatch';
  WHEN cannot_coerce THEN RETURN 'impossible';
  WHEN undefined_object THEN RETURN 'unindexed';
END $$;

CREATE FUNCTION probe(types text[]) RETURNS TABLE (from_type text, to_type text, verdict text)
LANGUAGE plpgsql AS $$
BEGIN
  FOREACH from_type IN ARRAY types LOOP
    FOREACH to_type IN ARRAY types LOOP
      verdict := change(from_type, to_type, '', false);
      IF verdict = 'nothing' THEN
        verdict := change(from_type, to_type, '', true);
        IF verdict = 'unindexed' THEN verdict := 'nothing'; END IF;
      ELSIF verdict = 'mismatch' THEN
        verdict := change(from_type, to_type, 'USING c::' || to_type, false);
        IF verdict <> 'impossible' THEN verdict := 'using'; END IF;
      END IF;
      RETURN NEXT;
    END LOOP;
  END LOOP;
END $$;
)sql";

// "char" is left out: what it is cast to and from differs between versions.
constexpr const char* kTypes =
    "ARRAY['smallint', 'integer', 'bigint', 'real', 'double precision', 'numeric',"
    " 'numeric(8,2)', 'numeric(10,2)', 'numeric(12,2)', 'numeric(12,4)', 'money', 'text',"
    " 'varchar', 'varchar(50)', 'varchar(100)', 'char(10)', 'char(20)', 'bpchar', 'name', 'bytea',"
    " 'boolean', 'date', 'time', 'time(3)', 'timetz', 'timetz(3)', 'timestamp', 'timestamp(3)',"
    " 'timestamp(6)', 'timestamptz', 'timestamptz(3)', 'interval', 'interval(3)',"
    " 'interval day to second', 'uuid', 'inet', 'cidr', 'macaddr', 'bit(8)', 'bit(16)', 'varbit',"
    " 'varbit(8)', 'varbit(16)', 'json', 'jsonb', 'xml', 'tsvector', 'oid', 'regclass', "
    "'int4range',"
    " 'point', 'integer[]', 'bigint[]', 'text[]', 'varchar[]', 'varchar(50)[]', 'varchar(100)[]']";

sql::ast::TypeName ReadType(const std::string& text) {
  const auto statement = sql::ast::ReadStatement("ALTER TABLE m ALTER c TYPE " + text).value();
  return *statement.As<sql::ast::AlterTable>()->commands.at(0).type;
}

std::string Word(TypeChange change) {
  switch (change) {
    case TypeChange::kNothing:
      return "nothing";
    case TypeChange::kIndexRebuild:
      return "index";
    case TypeChange::kRewrite:
      return "rewrite";
    case TypeChange::kNeedsUsing:
      return "using";
    case TypeChange::kImpossible:
      return "impossible";
    case TypeChange::kUnknown:
      return "unknown";
  }
  return {};
}

TEST(TypeChanges, AreAsTheServerHasThem) {
  const FreshDatabase database;
  Session session = database.Connect();
  session.Exec(kProbe);
  // Elsewhere than in UTC, where timestamp and timestamptz are stored alike.
  session.Exec("SET timezone = 'Europe/Oslo'");
  const int version = std::stoi(session.Value("SHOW server_version_num")) / 10000;
  const Rows rows = session.Exec(std::string("SELECT * FROM probe(") + kTypes + ")");
  EXPECT_GT(rows.size(), 3000U);
  for (const auto& row : rows)
    EXPECT_EQ(Word(locks::JudgeTypeChange(ReadType(row[0]), ReadType(row[1]), version)), row[2])
        << row[0] << " to " << row[1];
}

}  // namespace
}  // namespace pgalter::test
