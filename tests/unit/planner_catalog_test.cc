// The virtual schema: what it knows after the statements it was shown.
#include <gmock/gmock.h>

#include <chrono>

#include "planner/catalog/schema.h"
#include "planner/sql/script.h"

namespace pgalter::catalog {
namespace {

using sql::QualifiedName;
using sql::ast::ConstraintKind;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

void Apply(Schema& schema, std::string_view script) {
  for (const sql::Piece& piece : sql::SplitScript(script)) {
    if (piece.kind != sql::PieceKind::kStatement) continue;
    const auto statement = sql::ast::ReadStatement(piece.sql);
    if (statement) {
      schema.Apply(*statement);
    } else {
      ADD_FAILURE() << piece.sql << ": " << statement.error().message;
    }
  }
}

Schema After(std::string_view script) {
  Schema schema;
  Apply(schema, script);
  return schema;
}

QualifiedName Name(const std::string& name) {
  const auto dot = name.find('.');
  if (dot == std::string::npos) return {std::nullopt, name};
  return {name.substr(0, dot), name.substr(dot + 1)};
}

const Table& TableIn(const Schema& schema, const std::string& name) {
  static const Table kNone;
  const Table* table = schema.FindTable(Name(name));
  if (table == nullptr) ADD_FAILURE() << "no table " << name;
  return table == nullptr ? kNone : *table;
}

std::vector<std::string> ColumnsOf(const Schema& schema, const std::string& table) {
  std::vector<std::string> names;
  for (const Column& column : TableIn(schema, table).columns) names.push_back(column.name);
  return names;
}

std::string TypeOf(const Schema& schema, const std::string& table, const std::string& column) {
  const Column* found = TableIn(schema, table).FindColumn(column);
  return found == nullptr ? "" : ToString(found->type);
}

std::vector<std::string> ConstraintsOf(const Schema& schema, const std::string& table) {
  std::vector<std::string> names;
  for (const Constraint& constraint : TableIn(schema, table).constraints)
    names.push_back(constraint.name);
  return names;
}

// "t_pkey", "t_a_idx(invalid)", "t_a_idx<parent_a_idx".
std::vector<std::string> IndexesOf(const Schema& schema, const std::string& table) {
  std::vector<std::string> names;
  for (const Index& index : TableIn(schema, table).indexes)
    names.push_back(index.name.name + (index.valid ? "" : "(invalid)") +
                    (index.parent ? "<" + index.parent->name : ""));
  return names;
}

template <class Tables>
std::vector<std::string> NamesOf(const Tables& tables) {
  std::vector<std::string> names;
  for (const Table* table : tables) names.push_back(table->name.name);
  return names;
}

bool Has(const Schema& schema, const std::string& table) {
  return schema.FindTable(Name(table)) != nullptr;
}

bool NotNull(const Schema& schema, const std::string& table, const std::string& column) {
  return schema.NotNullProven(Name(table), column) == Truth::kYes;
}

// --- tables and columns ---

TEST(CatalogTable, KnowsItsColumnsWithTypesDefaultsAndNullability) {
  const Schema schema = After(
      "CREATE TABLE t (a integer NOT NULL, b varchar(20) COLLATE \"C\" DEFAULT 'x', c serial,"
      " d numeric(10,2)[] DEFAULT NULL, e bigint GENERATED ALWAYS AS IDENTITY,"
      " f int GENERATED ALWAYS AS (a + 1) STORED)");
  EXPECT_THAT(ColumnsOf(schema, "t"), ElementsAre("a", "b", "c", "d", "e", "f"));
  EXPECT_EQ(TypeOf(schema, "t", "a"), "int4");
  EXPECT_EQ(TypeOf(schema, "t", "b"), "varchar(20)");
  EXPECT_EQ(TypeOf(schema, "t", "c"), "int4");
  EXPECT_EQ(TypeOf(schema, "t", "d"), "numeric(10,2)[]");
  const Table& t = TableIn(schema, "t");
  EXPECT_TRUE(t.complete);
  EXPECT_EQ(t.FindColumn("b")->collation, "C");
  EXPECT_TRUE(t.FindColumn("b")->has_default);
  EXPECT_TRUE(t.FindColumn("c")->has_default);
  EXPECT_FALSE(t.FindColumn("d")->has_default);
  EXPECT_TRUE(t.FindColumn("e")->identity);
  EXPECT_THAT(t.FindColumn("f")->generated_from, ElementsAre("a"));
  EXPECT_TRUE(NotNull(schema, "t", "a"));
  EXPECT_FALSE(NotNull(schema, "t", "b"));
  EXPECT_TRUE(NotNull(schema, "t", "c"));
  EXPECT_TRUE(NotNull(schema, "t", "e"));
  EXPECT_THAT(NamesOf(schema.OwnedSequences(Name("t"))),
              UnorderedElementsAre("t_c_seq", "t_e_seq"));
}

TEST(CatalogTable, IsChangedByEveryFormOfAlter) {
  Schema schema =
      After("CREATE TABLE t (a int, b int DEFAULT 1, g int GENERATED ALWAYS AS (a) STORED)");
  Apply(schema,
        "ALTER TABLE t ADD COLUMN c text NOT NULL, ADD COLUMN IF NOT EXISTS a bigint;"
        "ALTER TABLE t ALTER a TYPE bigint, ALTER a SET NOT NULL, ALTER b DROP DEFAULT;"
        "ALTER TABLE t ALTER c SET DEFAULT 'x', ALTER g DROP EXPRESSION, OWNER TO boss;"
        "ALTER TABLE t SET UNLOGGED, SET TABLESPACE fast, ENABLE ROW LEVEL SECURITY");
  const Table& t = TableIn(schema, "t");
  EXPECT_EQ(TypeOf(schema, "t", "a"), "int8");
  EXPECT_TRUE(t.FindColumn("a")->not_null);
  EXPECT_FALSE(t.FindColumn("b")->has_default);
  EXPECT_TRUE(t.FindColumn("c")->not_null);
  EXPECT_TRUE(t.FindColumn("c")->has_default);
  EXPECT_FALSE(t.FindColumn("g")->generated);
  EXPECT_EQ(t.owner, "boss");
  EXPECT_EQ(t.persistence, sql::ast::Persistence::kUnlogged);
  EXPECT_EQ(t.tablespace, "fast");
  EXPECT_TRUE(t.row_security);
  Apply(schema,
        "ALTER TABLE t ALTER a DROP NOT NULL, ALTER c SET DEFAULT NULL, SET LOGGED,"
        " DISABLE ROW LEVEL SECURITY, DROP COLUMN b; ALTER TABLE t DROP COLUMN IF EXISTS b");
  EXPECT_THAT(ColumnsOf(schema, "t"), ElementsAre("a", "g", "c"));
  EXPECT_FALSE(TableIn(schema, "t").FindColumn("a")->not_null);
  EXPECT_FALSE(TableIn(schema, "t").FindColumn("c")->has_default);
  EXPECT_FALSE(TableIn(schema, "t").row_security);
}

TEST(CatalogTable, TakesAwayBeforeItAddsAsTheServerDoes) {
  Schema schema = After("CREATE TABLE t (a int)");
  Apply(schema, "ALTER TABLE t ADD PRIMARY KEY (id), ADD COLUMN a text, ADD COLUMN id int, DROP a");
  EXPECT_EQ(TypeOf(schema, "t", "a"), "text");
  EXPECT_TRUE(NotNull(schema, "t", "id"));
}

TEST(CatalogTable, OfIdentityHasASequenceThatComesAndGoes) {
  Schema schema = After("CREATE TABLE t (a int NOT NULL, b int NOT NULL)");
  Apply(schema,
        "ALTER TABLE t ALTER a ADD GENERATED BY DEFAULT AS IDENTITY (SEQUENCE NAME s START 5);"
        "ALTER TABLE t ALTER b ADD GENERATED ALWAYS AS IDENTITY");
  EXPECT_THAT(NamesOf(schema.OwnedSequences(Name("t"))), UnorderedElementsAre("s", "t_b_seq"));
  Apply(schema, "ALTER TABLE t ALTER a DROP IDENTITY; ALTER TABLE t DROP COLUMN b");
  EXPECT_THAT(NamesOf(schema.OwnedSequences(Name("t"))), IsEmpty());
  EXPECT_FALSE(Has(schema, "s"));
  EXPECT_FALSE(TableIn(schema, "t").FindColumn("a")->identity);
}

TEST(CatalogTable, MadeLikeAnotherTakesOverWhatItIsTold) {
  Schema schema = After(
      "CREATE TABLE a (id int PRIMARY KEY, n int DEFAULT 1 CHECK (n > 0), g int GENERATED ALWAYS AS"
      " (n) STORED, UNIQUE (n)); CREATE INDEX ON a (g);"
      "CREATE TABLE b (LIKE a); CREATE TABLE c (LIKE a INCLUDING ALL, more text)");
  EXPECT_TRUE(NotNull(schema, "b", "id"));
  EXPECT_FALSE(TableIn(schema, "b").FindColumn("n")->has_default);
  EXPECT_FALSE(TableIn(schema, "b").FindColumn("g")->generated);
  EXPECT_THAT(ConstraintsOf(schema, "b"), IsEmpty());
  EXPECT_THAT(ColumnsOf(schema, "c"), ElementsAre("id", "n", "g", "more"));
  EXPECT_TRUE(TableIn(schema, "c").FindColumn("n")->has_default);
  EXPECT_THAT(ConstraintsOf(schema, "c"), UnorderedElementsAre("a_n_check", "c_pkey", "c_n_key"));
  EXPECT_THAT(IndexesOf(schema, "c"), UnorderedElementsAre("c_pkey", "c_n_key", "c_g_idx"));
}

TEST(CatalogTable, MadeFromAQueryHasColumnsThatNobodyKnows) {
  const Schema schema = After("CREATE TABLE a AS SELECT 1 AS x; SELECT 1 AS x INTO b");
  for (const char* table : {"a", "b"}) {
    EXPECT_FALSE(TableIn(schema, table).complete);
    EXPECT_EQ(schema.NotNullProven(Name(table), "x"), Truth::kUnknown);
  }
}

TEST(CatalogTable, OfACompositeTypeFollowsIt) {
  Schema schema =
      After("CREATE TYPE app.pair AS (a int, b text); CREATE TABLE t OF app.pair (a NOT NULL)");
  EXPECT_THAT(ColumnsOf(schema, "t"), ElementsAre("a", "b"));
  EXPECT_EQ(TypeOf(schema, "t", "a"), "int4");
  EXPECT_TRUE(NotNull(schema, "t", "a"));
  Apply(schema,
        "ALTER TYPE app.pair ADD ATTRIBUTE c int CASCADE, DROP ATTRIBUTE b CASCADE;"
        "ALTER TYPE app.pair RENAME ATTRIBUTE a TO first CASCADE");
  EXPECT_THAT(ColumnsOf(schema, "t"), ElementsAre("first", "c"));
  EXPECT_THAT(NamesOf(schema.TypedTables(Name("app.pair"))), ElementsAre("t"));
}

TEST(CatalogTable, IfNotExistsLeavesWhatThereIs) {
  Schema schema = After("CREATE TABLE t (a int); CREATE TABLE IF NOT EXISTS t (b int)");
  EXPECT_THAT(ColumnsOf(schema, "t"), ElementsAre("a"));
  // In another schema of the path it is no obstacle.
  Apply(schema, "SET search_path = app, public; CREATE TABLE IF NOT EXISTS t (b int)");
  EXPECT_THAT(ColumnsOf(schema, "app.t"), ElementsAre("b"));
}

// --- unknown ---

TEST(CatalogUnknown, StaysUnknown) {
  Schema schema = After("ALTER TABLE seen ADD COLUMN a int, ALTER b SET NOT NULL");
  EXPECT_EQ(schema.NotNullProven(Name("never"), "a"), Truth::kUnknown);
  EXPECT_EQ(schema.NotNullProven(Name("seen"), "a"), Truth::kNo);
  EXPECT_EQ(schema.NotNullProven(Name("seen"), "b"), Truth::kYes);
  EXPECT_EQ(schema.NotNullProven(Name("seen"), "c"), Truth::kUnknown);
  EXPECT_FALSE(TableIn(schema, "seen").complete);
  EXPECT_EQ(schema.HasSchema("app"), Truth::kUnknown);
  schema.SetComplete();
  EXPECT_EQ(schema.HasSchema("app"), Truth::kNo);
  EXPECT_EQ(schema.HasSchema("public"), Truth::kYes);
}

TEST(CatalogUnknown, GoesOnFromParentsToChildren) {
  const Schema schema = After("CREATE TABLE c (x int) INHERITS (nobody_showed_it)");
  EXPECT_FALSE(TableIn(schema, "c").complete);
  EXPECT_EQ(schema.NotNullProven(Name("c"), "y"), Truth::kUnknown);
}

// --- constraints ---

TEST(CatalogConstraint, HasTheNameThatTheServerMakes) {
  const Schema schema = After(
      "CREATE TABLE o (id int PRIMARY KEY);"
      "CREATE TABLE t (id int PRIMARY KEY, a int UNIQUE, b int CHECK (b > 0), c int REFERENCES o,"
      " CHECK (a > b), CHECK (a > 1), CHECK (a > 2), UNIQUE (a, b), FOREIGN KEY (a) REFERENCES o,"
      " EXCLUDE USING gist (b WITH =))");
  EXPECT_THAT(ConstraintsOf(schema, "t"),
              UnorderedElementsAre("t_pkey", "t_a_key", "t_b_check", "t_c_fkey", "t_check",
                                   "t_a_check", "t_a_check1", "t_a_b_key", "t_a_fkey", "t_b_excl"));
}

TEST(CatalogConstraint, IsValidOnceItIsValidated) {
  Schema schema = After(
      "CREATE TABLE o (id int PRIMARY KEY); CREATE TABLE t (a int, b int);"
      "ALTER TABLE t ADD CONSTRAINT c CHECK (a IS NOT NULL) NOT VALID,"
      " ADD CONSTRAINT f FOREIGN KEY (b) REFERENCES o NOT VALID");
  EXPECT_FALSE(TableIn(schema, "t").FindConstraint("c")->valid);
  EXPECT_FALSE(TableIn(schema, "t").FindConstraint("f")->valid);
  EXPECT_EQ(schema.NotNullProven(Name("t"), "a"), Truth::kNo);
  Apply(schema, "ALTER TABLE t VALIDATE CONSTRAINT c, VALIDATE CONSTRAINT f");
  EXPECT_TRUE(TableIn(schema, "t").FindConstraint("f")->valid);
  EXPECT_EQ(schema.NotNullProven(Name("t"), "a"), Truth::kYes);
  ASSERT_EQ(schema.References(Name("o")).size(), 1U);
  EXPECT_THAT(TableIn(schema, "t").FindConstraint("f")->definition.foreign_key->target_columns,
              ElementsAre("id"));
  Apply(schema, "ALTER TABLE t DROP CONSTRAINT c");
  EXPECT_EQ(schema.NotNullProven(Name("t"), "a"), Truth::kNo);
}

TEST(CatalogConstraint, TakesAnIndexWithItsName) {
  Schema schema = After(
      "CREATE TABLE t (a int, b int); CREATE UNIQUE INDEX i ON t (a); CREATE UNIQUE INDEX j ON t "
      "(b);"
      "ALTER TABLE t ADD CONSTRAINT k PRIMARY KEY USING INDEX i, ADD UNIQUE USING INDEX j");
  EXPECT_THAT(IndexesOf(schema, "t"), UnorderedElementsAre("k", "j"));
  EXPECT_TRUE(NotNull(schema, "t", "a"));
  EXPECT_THAT(TableIn(schema, "t").PrimaryKey()->definition.columns, ElementsAre("a"));
  EXPECT_NE(schema.FindIndex(Name("k")), nullptr);
  EXPECT_EQ(schema.FindIndex(Name("i")), nullptr);
  Apply(schema, "ALTER TABLE t RENAME CONSTRAINT k TO l");
  EXPECT_NE(schema.FindIndex(Name("l")), nullptr);
  Apply(schema, "ALTER INDEX l RENAME TO m");
  EXPECT_NE(TableIn(schema, "t").FindConstraint("m"), nullptr);
  Apply(schema, "ALTER TABLE t DROP CONSTRAINT m");
  EXPECT_THAT(IndexesOf(schema, "t"), ElementsAre("j"));
}

TEST(CatalogConstraint, LeaningOnAKeyGoesWithItWhereCascadeSaysSo) {
  Schema schema = After(
      "CREATE TABLE o (id int PRIMARY KEY, u int UNIQUE);"
      "CREATE TABLE t (a int REFERENCES o, b int REFERENCES o (u));"
      "ALTER TABLE o DROP CONSTRAINT o_u_key CASCADE");
  EXPECT_THAT(ConstraintsOf(schema, "t"), ElementsAre("t_a_fkey"));
  Apply(schema, "ALTER TABLE o DROP COLUMN id CASCADE");
  EXPECT_THAT(ConstraintsOf(schema, "t"), IsEmpty());
  Apply(schema,
        "ALTER TABLE o ADD id int PRIMARY KEY; ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES o;"
        "DROP TABLE o CASCADE");
  EXPECT_THAT(ConstraintsOf(schema, "t"), IsEmpty());
}

// --- indexes ---

TEST(CatalogIndex, KnowsShapeUniquenessAndCondition) {
  const Schema schema = After(
      "CREATE TABLE t (a int, b text, d date);"
      "CREATE UNIQUE INDEX CONCURRENTLY i ON t USING btree (a DESC, lower(b)) INCLUDE (d) WHERE d "
      "IS NOT NULL;"
      "CREATE INDEX ON t USING gin (to_tsvector('simple', b)); CREATE INDEX ON t (lower(b), a);"
      "CREATE INDEX ON t (a); CREATE INDEX ON t (a); CREATE INDEX IF NOT EXISTS i ON t (b)");
  EXPECT_THAT(IndexesOf(schema, "t"), UnorderedElementsAre("i", "t_to_tsvector_idx",
                                                           "t_lower_a_idx", "t_a_idx", "t_a_idx1"));
  const Index& index = *schema.FindIndex(Name("i"));
  EXPECT_TRUE(index.unique);
  EXPECT_TRUE(index.valid);
  EXPECT_TRUE(index.columns[0].descending);
  EXPECT_TRUE(index.columns[0].nulls_first);
  EXPECT_THAT(index.included, ElementsAre("d"));
  for (const char* column : {"a", "b", "d"}) EXPECT_TRUE(index.Mentions(column)) << column;
  EXPECT_FALSE(index.Mentions("c"));
  EXPECT_EQ(schema.FindIndex(Name("t_to_tsvector_idx"))->method, "gin");
}

TEST(CatalogIndex, GoesWithItsColumnAndByItself) {
  Schema schema = After(
      "CREATE TABLE t (a int, b int, c int); CREATE INDEX i ON t (a) WHERE b > 0;"
      "CREATE INDEX j ON t (c); CREATE INDEX k ON t ((a + c)); ALTER TABLE t DROP COLUMN b");
  EXPECT_THAT(IndexesOf(schema, "t"), UnorderedElementsAre("j", "k"));
  Apply(schema, "DROP INDEX CONCURRENTLY IF EXISTS j, nothing");
  EXPECT_THAT(IndexesOf(schema, "t"), ElementsAre("k"));
  EXPECT_EQ(schema.TableOfIndex(Name("j")), nullptr);
}

// --- partitions and inheritance ---

constexpr const char* kPartitioned =
    "CREATE TABLE p (id int NOT NULL, at date NOT NULL, n int CHECK (n > 0), PRIMARY KEY (id, at))"
    " PARTITION BY RANGE (at);"
    "CREATE INDEX ON p (n);"
    "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');"
    "CREATE TABLE pd PARTITION OF p DEFAULT;";

TEST(CatalogPartition, HasWhatItsParentHas) {
  Schema schema = After(kPartitioned);
  EXPECT_EQ(TableIn(schema, "p").kind, TableKind::kPartitioned);
  EXPECT_EQ(TableIn(schema, "p").partition_by->strategy, "range");
  EXPECT_THAT(NamesOf(schema.Partitions(Name("p"))), UnorderedElementsAre("p1", "pd"));
  EXPECT_EQ(schema.DefaultPartition(Name("p")), schema.FindTable(Name("pd")));
  EXPECT_THAT(ColumnsOf(schema, "p1"), ElementsAre("id", "at", "n"));
  EXPECT_TRUE(NotNull(schema, "p1", "id"));
  EXPECT_THAT(ConstraintsOf(schema, "p1"), UnorderedElementsAre("p_n_check", "p1_pkey"));
  EXPECT_THAT(IndexesOf(schema, "p1"), UnorderedElementsAre("p1_pkey<p_pkey", "p1_n_idx<p_n_idx"));
  EXPECT_EQ(TableIn(schema, "p1").bound->from.front(), "'2024-01-01'");
  Apply(schema,
        "ALTER TABLE p ADD COLUMN more text UNIQUE DEFAULT 'x', DROP CONSTRAINT p_n_check;"
        "DROP INDEX p_n_idx; ALTER TABLE p RENAME COLUMN id TO key");
  EXPECT_THAT(ColumnsOf(schema, "pd"), ElementsAre("key", "at", "n", "more"));
  EXPECT_THAT(IndexesOf(schema, "pd"),
              UnorderedElementsAre("pd_pkey<p_pkey", "pd_more_key<p_more_key"));
  EXPECT_THAT(ConstraintsOf(schema, "pd"), UnorderedElementsAre("pd_pkey", "pd_more_key"));
  EXPECT_THAT(TableIn(schema, "pd").PrimaryKey()->definition.columns, ElementsAre("key", "at"));
  Apply(schema, "DROP TABLE p");
  EXPECT_FALSE(Has(schema, "p1"));
  EXPECT_EQ(schema.DefaultPartition(Name("p")), nullptr);
}

TEST(CatalogPartition, AttachedMakesOfItsOwnIndexAPartAndDetachedKeepsIt) {
  Schema schema = After(kPartitioned);
  Apply(schema,
        "CREATE TABLE p2 (id int NOT NULL, at date NOT NULL, n int CONSTRAINT p_n_check CHECK (n > "
        "0));"
        "CREATE INDEX mine ON p2 (n);"
        "ALTER TABLE p ATTACH PARTITION p2 FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')");
  EXPECT_THAT(IndexesOf(schema, "p2"), UnorderedElementsAre("mine<p_n_idx", "p2_pkey<p_pkey"));
  Apply(schema, "ALTER TABLE p DETACH PARTITION p2 CONCURRENTLY; ALTER TABLE p DROP COLUMN n");
  EXPECT_THAT(NamesOf(schema.Partitions(Name("p"))), UnorderedElementsAre("p1", "pd"));
  EXPECT_THAT(ColumnsOf(schema, "p2"), ElementsAre("id", "at", "n"));
  EXPECT_THAT(IndexesOf(schema, "p2"), UnorderedElementsAre("mine", "p2_pkey"));
  EXPECT_FALSE(TableIn(schema, "p2").bound.has_value());
}

TEST(CatalogPartition, IndexOnOnlyTheParentIsValidWithItsLastPart) {
  Schema schema = After(kPartitioned);
  Apply(schema,
        "CREATE INDEX whole ON ONLY p (at); CREATE INDEX a ON p1 (at); CREATE INDEX b ON pd (at);"
        "ALTER INDEX whole ATTACH PARTITION a");
  EXPECT_FALSE(schema.FindIndex(Name("whole"))->valid);
  Apply(schema, "ALTER INDEX whole ATTACH PARTITION b");
  EXPECT_TRUE(schema.FindIndex(Name("whole"))->valid);
  EXPECT_EQ(schema.FindIndex(Name("a"))->parent, Name("public.whole"));
}

TEST(CatalogPartition, ReachesPartitionsOfPartitions) {
  Schema schema = After(
      "CREATE TABLE p (a int, b int) PARTITION BY LIST (a);"
      "CREATE TABLE q PARTITION OF p FOR VALUES IN (1) PARTITION BY LIST (b);"
      "CREATE TABLE r PARTITION OF q FOR VALUES IN (2);"
      "CREATE UNIQUE INDEX i ON p (a, b); CREATE TABLE o (id int PRIMARY KEY);"
      "ALTER TABLE p ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES o");
  EXPECT_THAT(IndexesOf(schema, "r"), ElementsAre("r_a_b_idx<q_a_b_idx"));
  EXPECT_THAT(ConstraintsOf(schema, "r"), ElementsAre("f"));
  EXPECT_EQ(schema.References(Name("o")).size(), 3U);
  Apply(schema, "ALTER TABLE p DROP CONSTRAINT f; DROP INDEX i; ALTER TABLE p DROP COLUMN b");
  EXPECT_THAT(ConstraintsOf(schema, "r"), IsEmpty());
  EXPECT_THAT(IndexesOf(schema, "r"), IsEmpty());
}

TEST(CatalogInheritance, SharesColumnsAndConditionsAndNothingElse) {
  Schema schema = After(
      "CREATE TABLE a (id int PRIMARY KEY, n int CONSTRAINT positive CHECK (n > 0));"
      "CREATE TABLE b (own text, n int) INHERITS (a)");
  EXPECT_THAT(ColumnsOf(schema, "b"), ElementsAre("id", "n", "own"));
  EXPECT_THAT(ConstraintsOf(schema, "b"), ElementsAre("positive"));
  EXPECT_THAT(IndexesOf(schema, "b"), IsEmpty());
  EXPECT_THAT(NamesOf(schema.Children(Name("a"))), ElementsAre("b"));
  EXPECT_THAT(NamesOf(schema.Partitions(Name("a"))), IsEmpty());
  Apply(schema, "ALTER TABLE a DROP COLUMN id, DROP COLUMN n");
  EXPECT_THAT(ColumnsOf(schema, "b"), ElementsAre("n", "own"));  // n is its own, too
}

TEST(CatalogInheritance, OnlyTheParentLeavesTheChildItsColumn) {
  Schema schema = After(
      "CREATE TABLE a (x int, y int); CREATE TABLE b () INHERITS (a); CREATE TABLE c () INHERITS "
      "(a);"
      "ALTER TABLE ONLY a DROP COLUMN x; ALTER TABLE c NO INHERIT a; ALTER TABLE a DROP COLUMN y");
  EXPECT_THAT(ColumnsOf(schema, "b"), ElementsAre("x"));
  EXPECT_THAT(ColumnsOf(schema, "c"), ElementsAre("x", "y"));
}

// --- views ---

TEST(CatalogView, KnowsWhatItReads) {
  Schema schema = After(
      "CREATE TABLE t (a int, b int); CREATE TABLE u (c int, d int);"
      "CREATE VIEW v AS SELECT t.a, x.c FROM t JOIN u AS x ON x.c = b;"
      "CREATE MATERIALIZED VIEW m AS SELECT * FROM v; CREATE VIEW w AS SELECT * FROM u");
  EXPECT_THAT(NamesOf(schema.Views(Name("t"))), ElementsAre("v"));
  EXPECT_THAT(NamesOf(schema.Views(Name("v"))), ElementsAre("m"));
  EXPECT_EQ(TableIn(schema, "m").kind, TableKind::kMaterializedView);
  const auto& uses = TableIn(schema, "v").view_columns;
  const auto reads = [&](const char* table, const char* column) {
    return std::ranges::find(uses, sql::ColumnUse{"public", table, column, false}) != uses.end();
  };
  EXPECT_TRUE(reads("t", "a"));
  EXPECT_TRUE(reads("t", "b"));
  EXPECT_TRUE(reads("u", "c"));
  EXPECT_FALSE(reads("u", "d"));
  EXPECT_EQ(TableIn(schema, "w").view_columns.size(), 2U);
  Apply(schema, "ALTER TABLE t RENAME COLUMN b TO z; ALTER TABLE t RENAME TO tt");
  EXPECT_TRUE(reads("tt", "z"));
  EXPECT_THAT(NamesOf(schema.Views(Name("tt"))), ElementsAre("v"));
  Apply(schema, "ALTER TABLE u DROP COLUMN c CASCADE");
  for (const char* view : {"v", "m", "w"}) EXPECT_FALSE(Has(schema, view)) << view;
}

TEST(CatalogView, GoesWithItsTableOnCascade) {
  Schema schema = After(
      "CREATE TABLE t (a int); CREATE VIEW v AS SELECT a FROM t;"
      "CREATE VIEW w AS SELECT a FROM v; DROP TABLE t CASCADE");
  EXPECT_FALSE(Has(schema, "v"));
  EXPECT_FALSE(Has(schema, "w"));
}

// --- types ---

TEST(CatalogType, EnumsDomainsAndComposites) {
  Schema schema = After(
      "CREATE TYPE mood AS ENUM ('sad', 'ok'); ALTER TYPE mood ADD VALUE 'fine' BEFORE 'ok';"
      "ALTER TYPE mood RENAME VALUE 'sad' TO 'low'; ALTER TYPE mood ADD VALUE IF NOT EXISTS 'ok';"
      "CREATE DOMAIN d AS int NOT NULL DEFAULT 1 CHECK (VALUE > 0) CONSTRAINT small CHECK (VALUE < "
      "9);"
      "CREATE DOMAIN plain AS text; CREATE TABLE t (m mood, d d, e plain)");
  EXPECT_THAT(schema.FindType({"", "mood", {}, 0})->values, ElementsAre("low", "fine", "ok"));
  const Domain& domain = *schema.FindDomain({"", "d", {}, 0});
  EXPECT_TRUE(domain.Constrained());
  EXPECT_TRUE(domain.has_default);
  EXPECT_EQ(domain.constraints.front().name, "d_check");
  EXPECT_FALSE(schema.FindDomain({"", "plain", {}, 0})->Constrained());
  EXPECT_EQ(schema.ColumnsOfType(Name("mood")).size(), 1U);
  Apply(schema,
        "ALTER DOMAIN d DROP CONSTRAINT small; ALTER DOMAIN d DROP NOT NULL;"
        "ALTER DOMAIN d DROP CONSTRAINT d_check; ALTER DOMAIN plain ADD CHECK (VALUE <> '') NOT "
        "VALID");
  EXPECT_FALSE(schema.FindDomain({"", "d", {}, 0})->Constrained());
  EXPECT_TRUE(schema.FindDomain({"", "plain", {}, 0})->constraints.front().not_valid);
  Apply(schema,
        "ALTER DOMAIN plain VALIDATE CONSTRAINT plain_check; ALTER TYPE mood RENAME TO temper;"
        "ALTER TYPE temper SET SCHEMA app");
  EXPECT_FALSE(schema.FindDomain({"", "plain", {}, 0})->constraints.front().not_valid);
  EXPECT_EQ(TypeOf(schema, "t", "m"), "app.temper");
  Apply(schema, "DROP TYPE app.temper CASCADE");
  EXPECT_THAT(ColumnsOf(schema, "t"), ElementsAre("d", "e"));
}

// --- functions, triggers, policies, rules ---

TEST(CatalogRoutine, KnowsVolatilityByNameAndArguments) {
  Schema schema = After(
      "CREATE FUNCTION f(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1';"
      "CREATE FUNCTION f(a int, b int DEFAULT 2, OUT c int) LANGUAGE sql STABLE AS 'SELECT 1';"
      "CREATE FUNCTION app.g() RETURNS int LANGUAGE sql AS 'SELECT 1'");
  using sql::ast::Volatility;
  EXPECT_EQ(schema.FindFunction({"f"}, 2)->volatility, Volatility::kStable);
  EXPECT_EQ(schema.FindFunction({"app", "g"}, 0)->volatility, Volatility::kVolatile);
  EXPECT_EQ(schema.FindFunction({"g"}, 0), nullptr);
  EXPECT_EQ(schema.FindFunction({"f"}, 3), nullptr);
  Apply(schema,
        "ALTER FUNCTION app.g() RENAME TO h; ALTER FUNCTION app.h() SET SCHEMA public; DROP "
        "FUNCTION f(int)");
  EXPECT_NE(schema.FindFunction({"h"}, 0), nullptr);
  EXPECT_EQ(schema.FindFunction({"app", "g"}, 0), nullptr);
}

TEST(CatalogRoutine, AStatementMeansTheOverloadThatItNames) {
  using sql::ast::Volatility;
  Schema schema = After(
      "CREATE FUNCTION f(int) RETURNS int LANGUAGE sql AS 'SELECT 1';"
      "CREATE FUNCTION f(text) RETURNS int LANGUAGE sql AS 'SELECT 1';"
      "ALTER FUNCTION f(text) IMMUTABLE; DROP FUNCTION f(integer)");
  ASSERT_NE(schema.FindFunction({"f"}, 1), nullptr);
  EXPECT_EQ(schema.FindFunction({"f"}, 1)->volatility, Volatility::kImmutable);
  Apply(schema, "ALTER FUNCTION f(text) RENAME TO g; ALTER FUNCTION g STABLE");
  EXPECT_EQ(schema.FindFunction({"f"}, 1), nullptr);
  EXPECT_EQ(schema.FindFunction({"g"}, 1)->volatility, Volatility::kStable);
}

TEST(CatalogSchema, WhatIsMadeTogetherWithASchemaIsInIt) {
  const Schema schema = After(
      "CREATE SCHEMA s CREATE TABLE t (a int) CREATE INDEX i ON t (a) CREATE VIEW v AS SELECT a "
      "FROM "
      "s.t CREATE SEQUENCE q");
  EXPECT_NE(schema.FindTable({"s", "t"}), nullptr);
  EXPECT_NE(schema.FindIndex({"s", "i"}), nullptr);
  EXPECT_NE(schema.FindTable({"s", "v"}), nullptr);
  EXPECT_NE(schema.FindTable({"s", "q"}), nullptr);
}

TEST(CatalogRoutine, TriggersPoliciesAndRulesBelongToTheirTable) {
  Schema schema = After(
      "CREATE TABLE t (a int, b int);"
      "CREATE TRIGGER tr BEFORE UPDATE OF a ON t FOR EACH ROW WHEN (OLD.b > 0) EXECUTE FUNCTION "
      "app.f();"
      "CREATE POLICY po ON t USING (b = 1); CREATE RULE ru AS ON DELETE TO t DO INSTEAD NOTHING");
  const Table& t = TableIn(schema, "t");
  ASSERT_EQ(t.triggers.size(), 1U);
  EXPECT_THAT(t.triggers.front().columns, ElementsAre("a"));
  EXPECT_THAT(t.triggers.front().columns_read, ElementsAre("b"));
  EXPECT_THAT(t.policies, ElementsAre("po"));
  EXPECT_THAT(t.policy_columns, ElementsAre("b"));
  EXPECT_THAT(t.rules, ElementsAre("ru"));
  Apply(schema,
        "ALTER TRIGGER tr ON t RENAME TO tr2; ALTER POLICY po ON t RENAME TO po2;"
        "ALTER TABLE t RENAME COLUMN b TO bb");
  EXPECT_EQ(t.triggers.front().name, "tr2");
  EXPECT_THAT(t.triggers.front().columns_read, ElementsAre("bb"));
  EXPECT_THAT(t.policy_columns, ElementsAre("bb"));
  Apply(schema, "DROP POLICY po2 ON t; DROP RULE ru ON t; DROP FUNCTION app.f() CASCADE");
  EXPECT_THAT(t.policies, IsEmpty());
  EXPECT_THAT(t.rules, IsEmpty());
  EXPECT_THAT(t.triggers, IsEmpty());
}

// --- names ---

TEST(CatalogName, FollowsTheSearchPath) {
  Schema schema = After(
      "CREATE SCHEMA app; CREATE TABLE t (a int); SET search_path TO app, public;"
      "CREATE TABLE u (a int); ALTER TABLE t ADD b int;"
      "BEGIN; SET LOCAL search_path = other; CREATE TABLE w (); COMMIT; CREATE TABLE x ()");
  EXPECT_EQ(schema.HasSchema("app"), Truth::kYes);
  EXPECT_THAT(ColumnsOf(schema, "public.t"), ElementsAre("a", "b"));
  for (const char* table : {"app.u", "other.w", "app.x"}) EXPECT_TRUE(Has(schema, table)) << table;
  Apply(schema, "SELECT pg_catalog.set_config('search_path', '', false); CREATE TABLE app.y ()");
  EXPECT_FALSE(Has(schema, "y"));
  schema.BeginSession();
  EXPECT_TRUE(Has(schema, "t"));
  EXPECT_FALSE(Has(schema, "u"));
}

TEST(CatalogName, OfATemporaryTableHidesTheOtherUntilTheSessionEnds) {
  Schema schema = After("CREATE TABLE t (a int); CREATE TEMP TABLE t (b int)");
  EXPECT_THAT(ColumnsOf(schema, "t"), ElementsAre("b"));
  schema.BeginSession();
  EXPECT_THAT(ColumnsOf(schema, "t"), ElementsAre("a"));
}

TEST(CatalogName, IsChangedWhereverItIsUsed) {
  Schema schema = After(
      "CREATE SCHEMA app; CREATE TABLE o (id int PRIMARY KEY);"
      "CREATE TABLE t (id serial, a int REFERENCES o, CHECK (a > 0));"
      "CREATE INDEX i ON t (a); ALTER TABLE o RENAME TO oo; ALTER TABLE oo RENAME COLUMN id TO k;"
      "ALTER TABLE t SET SCHEMA app; ALTER TABLE app.t RENAME COLUMN a TO b");
  ASSERT_EQ(schema.References(Name("oo")).size(), 1U);
  const auto [table, key] = schema.References(Name("oo")).front();
  EXPECT_EQ(table->name, Name("app.t"));
  EXPECT_THAT(key->definition.foreign_key->target_columns, ElementsAre("k"));
  EXPECT_THAT(key->definition.columns, ElementsAre("b"));
  EXPECT_TRUE(schema.FindIndex(Name("app.i"))->Mentions("b"));
  EXPECT_THAT(NamesOf(schema.OwnedSequences(Name("app.t"))), ElementsAre("t_id_seq"));
  EXPECT_TRUE(Has(schema, "app.t_id_seq"));
  Apply(schema, "CREATE DOMAIN app.d AS int; ALTER SCHEMA app RENAME TO lib");
  EXPECT_TRUE(Has(schema, "lib.t"));
  EXPECT_NE(schema.FindIndex(Name("lib.i")), nullptr);
  EXPECT_NE(schema.FindDomain({"lib", "d", {}, 0}), nullptr);
  EXPECT_EQ(schema.HasSchema("lib"), Truth::kYes);
  EXPECT_EQ(schema.HasSchema("app"), Truth::kUnknown);
  Apply(schema, "DROP SCHEMA lib CASCADE");
  EXPECT_FALSE(Has(schema, "lib.t"));
  EXPECT_EQ(schema.FindDomain({"lib", "d", {}, 0}), nullptr);
}

// --- transactions ---

TEST(CatalogTransaction, RolledBackWasNeverThere) {
  Schema schema = After(
      "CREATE TABLE o (a int); CREATE TABLE t (a int REFERENCES o); CREATE TYPE e AS ENUM ('x');"
      "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'");
  Apply(schema,
        "BEGIN; ALTER TABLE t ADD b int, DROP a; ALTER TABLE t RENAME TO u; CREATE TABLE n (a int);"
        "CREATE SCHEMA app; ALTER TYPE e ADD VALUE 'y'; DROP FUNCTION f();"
        "SET search_path = app; CREATE DOMAIN d AS int; DROP TABLE public.u; ROLLBACK");
  EXPECT_THAT(ColumnsOf(schema, "t"), ElementsAre("a"));
  EXPECT_FALSE(Has(schema, "n"));
  EXPECT_FALSE(Has(schema, "u"));
  EXPECT_EQ(schema.References(Name("o")).size(), 1U);
  EXPECT_THAT(schema.FindType({"", "e", {}, 0})->values, ElementsAre("x"));
  EXPECT_NE(schema.FindFunction({"f"}, 0), nullptr);
  EXPECT_EQ(schema.FindDomain({"app", "d", {}, 0}), nullptr);
  EXPECT_EQ(schema.HasSchema("app"), Truth::kUnknown);
  Apply(schema, "BEGIN; DROP TABLE t; COMMIT; ROLLBACK");
  EXPECT_FALSE(Has(schema, "t"));
}

TEST(CatalogTransaction, GoesBackToASavepoint) {
  Schema schema = After(
      "BEGIN; CREATE TABLE a (); SAVEPOINT s; CREATE TABLE b (); SAVEPOINT t; CREATE TABLE c ();"
      "RELEASE t; ROLLBACK TO s; CREATE TABLE d (); ROLLBACK TO s; CREATE TABLE e (); COMMIT");
  EXPECT_TRUE(Has(schema, "a"));
  for (const char* table : {"b", "c", "d"}) EXPECT_FALSE(Has(schema, table)) << table;
  EXPECT_TRUE(Has(schema, "e"));
}

TEST(CatalogRun, TellsNewFromThereBefore) {
  Schema schema = After("CREATE TABLE old (a int)");
  schema.BeginRun();
  Apply(schema, "CREATE TABLE fresh (a int); ALTER TABLE old ADD b int; CREATE INDEX i ON old (a)");
  EXPECT_TRUE(schema.IsNew(Name("fresh")));
  EXPECT_FALSE(schema.IsNew(Name("old")));
  EXPECT_EQ(TableIn(schema, "old").FindColumn("b")->origin, Origin::kInRun);
  EXPECT_EQ(schema.FindIndex(Name("i"))->origin, Origin::kInRun);
  schema.BeginRun();
  EXPECT_FALSE(schema.IsNew(Name("fresh")));
  EXPECT_EQ(TableIn(schema, "old").FindColumn("b")->origin, Origin::kBefore);
}

TEST(CatalogSize, IsKeptForTablesKnownOrNot) {
  Schema schema = After("CREATE TABLE t (a int)");
  schema.SetSize(Name("t"), 5, 8192);
  schema.SetSize(Name("app.u"), 7, std::nullopt);
  EXPECT_EQ(TableIn(schema, "t").rows, 5);
  EXPECT_EQ(TableIn(schema, "t").bytes, 8192);
  EXPECT_EQ(TableIn(schema, "app.u").rows, 7);
  // The history of these tables is shown later.
  schema.SetSize(Name("now"), 9, std::nullopt);
  Apply(schema,
        "CREATE TABLE app.u (a int); CREATE TABLE before (a int);"
        "ALTER TABLE before RENAME TO now");
  EXPECT_EQ(TableIn(schema, "app.u").rows, 7);
  EXPECT_EQ(TableIn(schema, "now").rows, 9);
  EXPECT_TRUE(TableIn(schema, "now").complete);
}

// --- whatever it is given ---

TEST(CatalogHostile, StatementsThatNoServerWouldTakeEndAllTheSame) {
  for (
      const char* script :
      {"CREATE TABLE a () INHERITS (a); ALTER TABLE a ADD x int; DROP TABLE a CASCADE",
       "CREATE TABLE a () INHERITS (b); CREATE TABLE b () INHERITS (a); ALTER TABLE a ADD x int;"
       "ALTER TABLE b RENAME COLUMN x TO y; DROP TABLE a CASCADE",
       "CREATE VIEW v AS SELECT * FROM v; ALTER TABLE v DROP COLUMN x CASCADE; DROP VIEW v CASCADE",
       "CREATE TABLE t (x int); CREATE VIEW v AS SELECT x FROM t; ALTER TABLE t INHERIT v;"
       "ALTER TABLE t DROP COLUMN x CASCADE",
       "CREATE SEQUENCE s OWNED BY s.c; ALTER TABLE s DROP COLUMN c; ALTER SEQUENCE s SET SCHEMA b",
       "ALTER SEQUENCE s OWNED BY r.c; CREATE SEQUENCE r OWNED BY s.c; ALTER TABLE s SET SCHEMA b;"
       "ALTER TABLE b.s DROP COLUMN c, ALTER c DROP IDENTITY; DROP SEQUENCE r",
       "CREATE TABLE t (a int GENERATED ALWAYS AS (b) STORED, b int GENERATED ALWAYS AS (a) "
       "STORED);"
       "ALTER TABLE t DROP COLUMN a CASCADE",
       "CREATE DOMAIN d AS d; CREATE VIEW v AS SELECT 1; ALTER VIEW v ALTER c SET DEFAULT 1;"
       "ALTER TABLE v ALTER c TYPE d; DROP DOMAIN d CASCADE; ALTER DOMAIN d ADD CHECK (VALUE > 0)",
       "CREATE TABLE t (a int PRIMARY KEY REFERENCES t); ALTER TABLE t DROP CONSTRAINT t_pkey "
       "CASCADE;"
       "ALTER TABLE t RENAME TO t; ALTER TABLE t RENAME COLUMN a TO a",
       "CREATE TABLE t (a int); CREATE INDEX t ON t (a); ALTER INDEX t RENAME TO u; DROP TABLE t",
       "CREATE TABLE p () PARTITION BY LIST (a); ALTER TABLE p ATTACH PARTITION p DEFAULT;"
       "CREATE INDEX i ON p (a); ALTER INDEX i ATTACH PARTITION i; DROP INDEX i; DROP TABLE p",
       "CREATE TABLE u (); ALTER TABLE u RENAME TO t; CREATE TABLE t (); ALTER TABLE t RENAME TO u",
       "SAVEPOINT a; ROLLBACK TO a; RELEASE a; BEGIN; RELEASE a; ROLLBACK TO a; BEGIN; ROLLBACK",
       "BEGIN; SAVEPOINT a; CREATE TABLE t (); DROP TABLE t; ROLLBACK TO a; DROP TABLE t; ROLLBACK",
       "CREATE TABLE t (LIKE t INCLUDING ALL); CREATE TABLE t OF t; ALTER TABLE t OF t",
       "ALTER TABLE a.t ATTACH PARTITION a.t DEFAULT; ALTER SCHEMA a RENAME TO a; DROP SCHEMA a"}) {
    SCOPED_TRACE(script);
    After(script);
  }
}

TEST(CatalogHostile, ALatticeOfParentsIsWalkedOnce) {
  std::string script = "CREATE TABLE a0 (x int); CREATE TABLE b0 (x int);";
  for (int i = 1; i < 60; ++i) {
    const std::string parents =
        " () INHERITS (a" + std::to_string(i - 1) + ", b" + std::to_string(i - 1) + ");";
    for (const char* side : {"a", "b"})
      script += "CREATE TABLE " + (side + std::to_string(i)) + parents;
  }
  Schema schema = After(script);
  const auto start = std::chrono::steady_clock::now();
  Apply(schema,
        "ALTER TABLE a0 ADD y int; ALTER TABLE a0 ADD CHECK (y > 0);"
        "ALTER TABLE a0 RENAME COLUMN y TO z; ALTER TABLE a0 DROP COLUMN z");
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
}

TEST(CatalogSpeed, IsLinearInTheNumberOfStatements) {
  std::vector<sql::ast::Statement> statements;
  for (int i = 0; i < 10'000; ++i) {
    const std::string name = "t" + std::to_string(i);
    for (const std::string& text :
         {"CREATE TABLE " + name + " (id bigserial PRIMARY KEY, a int, at timestamptz)",
          "CREATE INDEX ON " + name + " (a)",
          "ALTER TABLE " + name + " ADD FOREIGN KEY (a) REFERENCES t0 NOT VALID",
          "ALTER TABLE " + name + " ADD COLUMN b text NOT NULL"}) {
      auto statement = sql::ast::ReadStatement(text);
      ASSERT_TRUE(statement);
      statements.push_back(std::move(*statement));
    }
  }
  // Ten times slower than seen, but far from what a copy of the schema a statement would take.
  const auto start = std::clock();
  Schema schema;
  for (const sql::ast::Statement& statement : statements) {
    schema.BeginRun();
    schema.Apply(statement);
  }
  const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  EXPECT_LT(seconds, 3.0);
  RecordProperty("milliseconds", static_cast<int>(seconds * 1000));
  EXPECT_EQ(schema.tables().size(), 20'000U);
}

}  // namespace
}  // namespace pgalter::catalog
