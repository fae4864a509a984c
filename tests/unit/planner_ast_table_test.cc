#include <gmock/gmock.h>

#include "tests/unit/read_statement.h"

namespace pgalter::sql::ast {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

QualifiedName Name(std::string name) { return {std::nullopt, std::move(name)}; }
QualifiedName Name(std::string schema, std::string name) {
  return {std::move(schema), std::move(name)};
}

// Types

TypeName TypeOf(const std::string& type) {
  const auto table = ReadAs<CreateTable>("CREATE TABLE t (a " + type + ")");
  return table.columns.empty() ? TypeName{} : table.columns[0].type;
}

TEST(TypeName, IsTheCatalogsName) {
  EXPECT_EQ(ToString(TypeOf("integer")), "int4");
  EXPECT_EQ(ToString(TypeOf("BIGINT")), "int8");
  EXPECT_EQ(ToString(TypeOf("character varying(20)")), "varchar(20)");
  EXPECT_EQ(ToString(TypeOf("char")), "bpchar(1)");
  EXPECT_EQ(ToString(TypeOf("numeric(10, 2)")), "numeric(10,2)");
  EXPECT_EQ(ToString(TypeOf("timestamp with time zone")), "timestamptz");
  EXPECT_EQ(ToString(TypeOf("timestamp(3)")), "timestamp(3)");
  EXPECT_EQ(ToString(TypeOf("double precision")), "float8");
  EXPECT_EQ(ToString(TypeOf("text[][]")), "text[][]");
  EXPECT_EQ(ToString(TypeOf("int ARRAY")), "int4[]");
  EXPECT_EQ(ToString(TypeOf("app.\"Mood\"")), "app.Mood");
  EXPECT_EQ(ToString(TypeOf("pg_catalog.int4")), "int4");
}

TEST(TypeName, KnowsEverySpellingOfSerial) {
  for (const char* type : {"serial", "bigserial", "smallserial", "serial2", "serial4", "serial8"})
    EXPECT_TRUE(IsSerial(TypeOf(type))) << type;
  for (const char* type : {"int", "app.serial", "\"Serial\"", "serial[]"})
    EXPECT_FALSE(IsSerial(TypeOf(type))) << type;
}

// Expressions

Expression DefaultOf(const std::string& text) {
  const auto command = ReadCommand("ALTER COLUMN a SET DEFAULT " + text);
  EXPECT_TRUE(command.expression) << text;
  return command.expression.value_or(Expression{});
}

Expression CheckOf(const std::string& text) {
  const auto command = ReadCommand("ADD CHECK (" + text + ")");
  return command.constraint ? command.constraint->expression.value_or(Expression{}) : Expression{};
}

TEST(Expression, IsCutAsWritten) {
  EXPECT_EQ(DefaultOf("( now()  +  '1 day'::interval )").text, "now()  +  '1 day'::interval");
  EXPECT_EQ(DefaultOf("'a;b' /* why */").text, "'a;b'");
  EXPECT_EQ(DefaultOf("CASE WHEN true THEN 1 ELSE 2 END").text, "CASE WHEN true THEN 1 ELSE 2 END");
  EXPECT_EQ(DefaultOf("'né'").text, "'né'");
  EXPECT_EQ(CheckOf("a > 0 AND (b < 1)").text, "a > 0 AND (b < 1)");
  EXPECT_EQ(CheckOf("(a > 0) OR (b < 1)").text, "(a > 0) OR (b < 1)");
}

TEST(Expression, OfEachColumnIsItsOwn) {
  const auto table = ReadAs<CreateTable>(
      "CREATE TABLE t (a int DEFAULT f(1, 2) NOT NULL CHECK (a > 0), b text DEFAULT 'x' COLLATE "
      "\"C\", c bool DEFAULT (1 IS NOT NULL) CONSTRAINT n UNIQUE, d int GENERATED ALWAYS AS (a * "
      "2) "
      "STORED, CHECK (b <> c))");
  ASSERT_EQ(table.columns.size(), 4U);
  EXPECT_EQ(table.columns[0].Find(ConstraintKind::kDefault)->expression->text, "f(1, 2)");
  EXPECT_EQ(table.columns[0].Find(ConstraintKind::kCheck)->expression->text, "a > 0");
  EXPECT_EQ(table.columns[1].Find(ConstraintKind::kDefault)->expression->text, "'x'");
  EXPECT_EQ(table.columns[2].Find(ConstraintKind::kDefault)->expression->text, "1 IS NOT NULL");
  EXPECT_EQ(table.columns[2].Find(ConstraintKind::kUnique)->name, "n");
  EXPECT_EQ(table.columns[3].Find(ConstraintKind::kGeneratedStored)->expression->text, "a * 2");
  EXPECT_EQ(table.constraints[0].expression->text, "b <> c");
}

TEST(Expression, OfEachCommandIsItsOwn) {
  const auto table = ReadAs<AlterTable>(
      "ALTER TABLE t ALTER a SET DEFAULT f(1, 2), ALTER b TYPE bigint USING (b::bigint), "
      "DROP COLUMN c, ALTER d SET DEFAULT 3, ALTER e TYPE text COLLATE \"C\"");
  ASSERT_EQ(table.commands.size(), 5U);
  EXPECT_EQ(table.commands[0].expression->text, "f(1, 2)");
  EXPECT_EQ(table.commands[1].expression->text, "b::bigint");
  EXPECT_EQ(table.commands[3].expression->text, "3");
  EXPECT_FALSE(table.commands[4].expression);
  EXPECT_EQ(table.commands[4].collation, "C");
}

TEST(Expression, TellsLiterals) {
  EXPECT_TRUE(DefaultOf("5").is_literal);
  EXPECT_TRUE(DefaultOf("-1").is_literal);
  EXPECT_TRUE(DefaultOf("'{}'::jsonb").is_literal);
  EXPECT_TRUE(DefaultOf("NULL::int").is_null);
  EXPECT_TRUE(DefaultOf("true").is_literal);
  EXPECT_FALSE(DefaultOf("now()").is_literal);
  EXPECT_FALSE(DefaultOf("1 + 1").is_literal);
  EXPECT_FALSE(DefaultOf("'now'::text || ''").is_literal);
}

TEST(Expression, FindsCallsAndCastsAtAnyDepth) {
  const Expression expression =
      DefaultOf("COALESCE(ARRAY[upper(random()::text)], CURRENT_DATE::text::varchar(5)[])");
  ASSERT_EQ(expression.facts.functions.size(), 3U);
  EXPECT_THAT(expression.facts.functions[0].name, ElementsAre("upper"));
  EXPECT_THAT(expression.facts.functions[1].name, ElementsAre("random"));
  EXPECT_THAT(expression.facts.functions[2].name, ElementsAre("current_date"));
  EXPECT_EQ(expression.casts.size(), 2U);
}

TEST(Expression, TellsWhatANotNullTestProves) {
  EXPECT_THAT(CheckOf("a IS NOT NULL").not_null_columns, ElementsAre("a"));
  EXPECT_THAT(CheckOf("a IS NOT NULL AND b IS NOT NULL AND a > 0").not_null_columns,
              ElementsAre("a", "b"));
  EXPECT_THAT(CheckOf("NOT (a IS NULL)").not_null_columns, ElementsAre("a"));
  EXPECT_THAT(CheckOf("a IS NOT NULL OR b > 0").not_null_columns, IsEmpty());
  EXPECT_THAT(CheckOf("a > 0").not_null_columns, IsEmpty());
  EXPECT_THAT(CheckOf("a IS NULL").null_columns, ElementsAre("a"));
}

TEST(Expression, TurnsComparisonsToTheirColumn) {
  const Comparison at_least{"a", ">=", "10"};
  const Comparison below{"a", "<", "20"};
  EXPECT_THAT(CheckOf("a >= 10 AND a < 20").comparisons, ElementsAre(at_least, below));
  EXPECT_THAT(CheckOf("10 <= a AND 20 > a").comparisons, ElementsAre(at_least, below));
  EXPECT_THAT(CheckOf("d >= '2024-01-01'::date").comparisons,
              ElementsAre(Comparison{"d", ">=", "'2024-01-01'"}));
  EXPECT_THAT(CheckOf("a BETWEEN 1 AND 2").comparisons,
              ElementsAre(Comparison{"a", ">=", "1"}, Comparison{"a", "<=", "2"}));
  EXPECT_THAT(CheckOf("a > b").comparisons, IsEmpty());
}

// CREATE TABLE

TEST(CreateTable, HasItsNameAndKind) {
  const auto plain = ReadAs<CreateTable>("CREATE TABLE IF NOT EXISTS App.\"T\" (a int);");
  EXPECT_EQ(plain.name, Name("app", "T"));
  EXPECT_TRUE(plain.if_not_exists);
  EXPECT_EQ(plain.persistence, Persistence::kPermanent);
  EXPECT_EQ(ReadAs<CreateTable>("CREATE TEMP TABLE t (a int)").persistence,
            Persistence::kTemporary);
  EXPECT_EQ(ReadAs<CreateTable>("CREATE UNLOGGED TABLE t (a int)").persistence,
            Persistence::kUnlogged);
  EXPECT_TRUE(ReadAs<CreateTable>("CREATE FOREIGN TABLE t (a int) SERVER s").foreign);
  EXPECT_EQ(ReadAs<CreateTable>("CREATE TABLE t OF app.thing").of_type, "app.thing");
  EXPECT_THAT(ReadAs<CreateTable>("CREATE TABLE t (a int) WITH (FillFactor = 70)").options,
              ElementsAre(Pair("fillfactor", "70")));
}

TEST(CreateTable, HasTheConstraintsOfItsColumns) {
  const auto table = ReadAs<CreateTable>(
      "CREATE TABLE t (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, a int NULL, b int NOT "
      "NULL, c text CONSTRAINT u UNIQUE DEFERRABLE INITIALLY DEFERRED, d bigint CONSTRAINT f "
      "REFERENCES app.p (id) ON DELETE CASCADE ON UPDATE SET NULL)");
  const auto& columns = table.columns;
  ASSERT_EQ(columns.size(), 5U);
  EXPECT_TRUE(columns[0].Find(ConstraintKind::kIdentity)->identity_always);
  EXPECT_NE(columns[0].Find(ConstraintKind::kPrimaryKey), nullptr);
  EXPECT_NE(columns[1].Find(ConstraintKind::kNull), nullptr);
  EXPECT_NE(columns[2].Find(ConstraintKind::kNotNull), nullptr);
  const Constraint* unique = columns[3].Find(ConstraintKind::kUnique);
  ASSERT_NE(unique, nullptr);
  EXPECT_EQ(unique->name, "u");
  EXPECT_TRUE(unique->deferrable);
  EXPECT_TRUE(unique->initially_deferred);
  const Constraint* key = columns[4].Find(ConstraintKind::kForeignKey);
  ASSERT_NE(key, nullptr);
  EXPECT_EQ(key->foreign_key->target, Name("app", "p"));
  EXPECT_THAT(key->foreign_key->target_columns, ElementsAre("id"));
  EXPECT_EQ(key->foreign_key->on_delete, ReferentialAction::kCascade);
  EXPECT_EQ(key->foreign_key->on_update, ReferentialAction::kSetNull);
}

TEST(CreateTable, HasItsConstraints) {
  const auto table = ReadAs<CreateTable>(
      "CREATE TABLE t (a int, b int, CONSTRAINT k PRIMARY KEY (a, b) INCLUDE (c), UNIQUE NULLS NOT "
      "DISTINCT (b), FOREIGN KEY (a, b) REFERENCES p, EXCLUDE USING gist (c WITH &&) WHERE (a > "
      "0), "
      "CHECK (a > 0) NO INHERIT)");
  const auto& constraints = table.constraints;
  ASSERT_EQ(constraints.size(), 5U);
  EXPECT_EQ(constraints[0].kind, ConstraintKind::kPrimaryKey);
  EXPECT_EQ(constraints[0].name, "k");
  EXPECT_THAT(constraints[0].columns, ElementsAre("a", "b"));
  EXPECT_THAT(constraints[0].included, ElementsAre("c"));
  EXPECT_TRUE(constraints[1].nulls_not_distinct);
  EXPECT_THAT(constraints[2].columns, ElementsAre("a", "b"));
  EXPECT_THAT(constraints[2].foreign_key->target_columns, IsEmpty());
  EXPECT_EQ(constraints[3].kind, ConstraintKind::kExclude);
  EXPECT_THAT(constraints[3].columns, ElementsAre("c"));
  EXPECT_EQ(constraints[3].expression->text, "a > 0");
  EXPECT_TRUE(constraints[4].no_inherit);
}

TEST(CreateTable, HasItsParents) {
  EXPECT_THAT(ReadAs<CreateTable>("CREATE TABLE t () INHERITS (a, s.b)").inherits,
              ElementsAre(Name("a"), Name("s", "b")));
  const auto like = ReadAs<CreateTable>("CREATE TABLE t (LIKE s INCLUDING ALL EXCLUDING INDEXES)");
  EXPECT_THAT(like.like, ElementsAre(Name("s")));
  EXPECT_TRUE(like.like_constraints);
  EXPECT_TRUE(like.like_defaults);
  EXPECT_TRUE(like.like_generated);
  EXPECT_TRUE(like.like_identity);
  EXPECT_FALSE(like.like_indexes);
}

TEST(CreateTable, HasItsPartitioning) {
  const auto range = ReadAs<CreateTable>("CREATE TABLE t (a int) PARTITION BY RANGE (a, lower(b))");
  ASSERT_TRUE(range.partition_by);
  EXPECT_EQ(range.partition_by->strategy, "range");
  EXPECT_THAT(range.partition_by->columns, ElementsAre("a", ""));
  ASSERT_EQ(range.partition_by->expressions.size(), 1U);
  EXPECT_EQ(range.partition_by->expressions[0].text, "lower(b)");
  EXPECT_EQ(
      ReadAs<CreateTable>("CREATE TABLE t (a int) PARTITION BY LIST (a)").partition_by->strategy,
      "list");
  EXPECT_EQ(
      ReadAs<CreateTable>("CREATE TABLE t (a int) PARTITION BY HASH (a)").partition_by->strategy,
      "hash");
}

TEST(CreateTable, HasItsBound) {
  const auto range = ReadAs<CreateTable>(
      "CREATE TABLE p PARTITION OF t FOR VALUES FROM ('2024-01-01'::date, MINVALUE) TO (now(), "
      "MAXVALUE)");
  EXPECT_EQ(range.partition_of, Name("t"));
  EXPECT_THAT(range.inherits, IsEmpty());
  ASSERT_TRUE(range.bound);
  EXPECT_THAT(range.bound->from, ElementsAre("'2024-01-01'", "MINVALUE"));
  EXPECT_THAT(range.bound->to, ElementsAre("now()", "MAXVALUE"));
  EXPECT_THAT(ReadAs<CreateTable>("CREATE TABLE p PARTITION OF t FOR VALUES IN (1, 'a', NULL)")
                  .bound->values,
              ElementsAre("1", "'a'", "NULL"));
  EXPECT_TRUE(ReadAs<CreateTable>("CREATE TABLE p PARTITION OF t DEFAULT").bound->is_default);
  const auto hash =
      ReadAs<CreateTable>("CREATE TABLE p PARTITION OF t FOR VALUES WITH (MODULUS 4, REMAINDER 3)");
  EXPECT_EQ(hash.bound->modulus, 4);
  EXPECT_EQ(hash.bound->remainder, 3);
}

TEST(CreateTableAs, TellsATableFromAView) {
  const auto table = ReadAs<CreateTableAs>(
      "CREATE TABLE IF NOT EXISTS n AS SELECT * FROM a JOIN s.b USING (id) WITH NO DATA");
  EXPECT_EQ(table.name, Name("n"));
  EXPECT_FALSE(table.materialized_view);
  EXPECT_TRUE(table.if_not_exists);
  EXPECT_FALSE(table.with_data);
  EXPECT_THAT(table.reads, ElementsAre(Name("a"), Name("s", "b")));
  const auto view =
      ReadAs<CreateTableAs>("CREATE MATERIALIZED VIEW v AS SELECT 1 FROM a WHERE b = 'x'");
  EXPECT_TRUE(view.materialized_view);
  EXPECT_TRUE(view.with_data);
  EXPECT_THAT(view.literals, ElementsAre("x"));
  EXPECT_EQ(ReadAs<CreateTableAs>("SELECT 1 INTO n FROM a").name, Name("n"));
  EXPECT_EQ(ReadAs<CreateTableAs>("SELECT 1 INTO TEMP n FROM a UNION SELECT 2").persistence,
            Persistence::kTemporary);
}

// ALTER TABLE

TEST(AlterTable, HasItsTarget) {
  const auto table = ReadAs<AlterTable>("ALTER TABLE IF EXISTS ONLY s.t ADD a int, DROP b");
  EXPECT_EQ(table.name, Name("s", "t"));
  EXPECT_TRUE(table.if_exists);
  EXPECT_TRUE(table.only);
  EXPECT_EQ(table.commands.size(), 2U);
  EXPECT_EQ(ReadAs<AlterTable>("ALTER INDEX i SET (fillfactor = 70)").kind, RelationKind::kIndex);
  EXPECT_EQ(ReadAs<AlterTable>("ALTER VIEW v ALTER a SET DEFAULT 1").kind, RelationKind::kView);
  EXPECT_EQ(ReadAs<AlterTable>("ALTER MATERIALIZED VIEW v CLUSTER ON i").kind,
            RelationKind::kMaterializedView);
  EXPECT_EQ(ReadAs<AlterTable>("ALTER SEQUENCE s OWNER TO o").kind, RelationKind::kSequence);
  EXPECT_EQ(ReadAs<AlterTable>("ALTER FOREIGN TABLE f ADD a int").kind,
            RelationKind::kForeignTable);
}

struct Change {
  const char* command;
  TableChange change;
  const char* name;
};

TEST(AlterTable, KnowsEveryCommand) {
  using enum TableChange;
  const Change changes[] = {
      {"ADD COLUMN a int", kAddColumn, "a"},
      {"DROP COLUMN a", kDropColumn, "a"},
      {"ALTER a TYPE text", kSetType, "a"},
      {"ALTER a SET DEFAULT 1", kSetDefault, "a"},
      {"ALTER a DROP DEFAULT", kDropDefault, "a"},
      {"ALTER a SET NOT NULL", kSetNotNull, "a"},
      {"ALTER a DROP NOT NULL", kDropNotNull, "a"},
      {"ALTER a ADD GENERATED ALWAYS AS IDENTITY", kAddIdentity, "a"},
      {"ALTER a SET GENERATED BY DEFAULT", kSetIdentity, "a"},
      {"ALTER a DROP IDENTITY IF EXISTS", kDropIdentity, "a"},
      {"ALTER a DROP EXPRESSION", kDropExpression, "a"},
      {"ALTER a SET STATISTICS 100", kSetStatistics, "a"},
      {"ALTER a SET STORAGE EXTERNAL", kSetStorage, "a"},
      {"ALTER a SET COMPRESSION lz4", kSetCompression, "a"},
      {"ALTER a SET (n_distinct = 5)", kSetColumnOptions, "a"},
      {"ALTER a RESET (n_distinct)", kResetColumnOptions, "a"},
      {"ADD CONSTRAINT c CHECK (a > 0)", kAddConstraint, "c"},
      {"ALTER CONSTRAINT c DEFERRABLE", kAlterConstraint, "c"},
      {"VALIDATE CONSTRAINT c", kValidateConstraint, "c"},
      {"DROP CONSTRAINT c", kDropConstraint, "c"},
      {"OWNER TO o", kOwner, "o"},
      {"OWNER TO CURRENT_USER", kOwner, "current_user"},
      {"SET (fillfactor = 70)", kSetOptions, ""},
      {"RESET (fillfactor)", kResetOptions, ""},
      {"SET LOGGED", kSetLogged, ""},
      {"SET UNLOGGED", kSetUnlogged, ""},
      {"SET TABLESPACE s", kSetTablespace, "s"},
      {"SET ACCESS METHOD heap", kSetAccessMethod, "heap"},
      {"REPLICA IDENTITY FULL", kReplicaIdentity, ""},
      {"CLUSTER ON i", kClusterOn, "i"},
      {"SET WITHOUT CLUSTER", kSetWithoutCluster, ""},
      {"INHERIT p", kInherit, ""},
      {"NO INHERIT p", kNoInherit, ""},
      {"OF thing", kOfType, ""},
      {"NOT OF", kNotOf, ""},
      {"ENABLE ROW LEVEL SECURITY", kEnableRowSecurity, ""},
      {"DISABLE ROW LEVEL SECURITY", kDisableRowSecurity, ""},
      {"FORCE ROW LEVEL SECURITY", kForceRowSecurity, ""},
      {"NO FORCE ROW LEVEL SECURITY", kNoForceRowSecurity, ""},
      {"ENABLE TRIGGER g", kEnableTrigger, "g"},
      {"ENABLE ALWAYS TRIGGER g", kEnableTrigger, "g"},
      {"ENABLE REPLICA TRIGGER g", kEnableTrigger, "g"},
      {"DISABLE TRIGGER g", kDisableTrigger, "g"},
      {"DISABLE TRIGGER ALL", kDisableTrigger, ""},
      {"ENABLE RULE r", kEnableRule, "r"},
      {"DISABLE RULE r", kDisableRule, "r"},
      {"ATTACH PARTITION p DEFAULT", kAttachPartition, ""},
      {"DETACH PARTITION p", kDetachPartition, ""},
      {"DETACH PARTITION p CONCURRENTLY", kDetachPartitionConcurrently, ""},
      {"DETACH PARTITION p FINALIZE", kDetachPartitionFinalize, ""},
      {"SET WITHOUT OIDS", kOther, ""},
  };
  for (const auto& [text, change, name] : changes) {
    const TableCommand command = ReadCommand(text);
    EXPECT_EQ(command.change, change) << text;
    EXPECT_EQ(command.name, name) << text;
  }
}

TEST(AlterTable, HasWhatACommandSays) {
  EXPECT_TRUE(ReadCommand("ADD COLUMN IF NOT EXISTS a int").if_exists);
  EXPECT_TRUE(ReadCommand("DROP COLUMN IF EXISTS a CASCADE").if_exists);
  EXPECT_TRUE(ReadCommand("DROP COLUMN IF EXISTS a CASCADE").cascade);
  EXPECT_TRUE(ReadCommand("DROP CONSTRAINT IF EXISTS c").if_exists);
  EXPECT_TRUE(ReadCommand("DISABLE TRIGGER USER").user_triggers);
  EXPECT_FALSE(ReadCommand("DISABLE TRIGGER ALL").user_triggers);
  EXPECT_EQ(ReadCommand("ALTER a SET STATISTICS 100").value, "100");
  EXPECT_EQ(ReadCommand("ALTER a SET STORAGE External").value, "external");
  EXPECT_EQ(ReadCommand("ALTER a SET COMPRESSION lz4").value, "lz4");
  EXPECT_EQ(ReadCommand("REPLICA IDENTITY NOTHING").value, "nothing");
  EXPECT_EQ(ReadCommand("REPLICA IDENTITY DEFAULT").value, "default");
  EXPECT_EQ(ReadCommand("REPLICA IDENTITY USING INDEX i").value, "index");
  EXPECT_EQ(ReadCommand("REPLICA IDENTITY USING INDEX i").name, "i");
  EXPECT_EQ(ReadCommand("INHERIT s.p").other, Name("s", "p"));
  EXPECT_EQ(ReadCommand("DETACH PARTITION s.p").other, Name("s", "p"));
  EXPECT_THAT(ReadCommand("ALTER a SET GENERATED ALWAYS").options,
              ElementsAre(Pair("generated", "always")));
  EXPECT_THAT(ReadCommand("ALTER a SET GENERATED BY DEFAULT").options,
              ElementsAre(Pair("generated", "by default")));
  EXPECT_THAT(ReadCommand("SET (toast.autovacuum_enabled = off)").options,
              ElementsAre(Pair("toast.autovacuum_enabled", "off")));
  EXPECT_EQ(ReadAs<AlterTable>("ALTER INDEX i ALTER COLUMN 2 SET STATISTICS 5").commands[0].name,
            "2");
}

TEST(AlterTable, HasTheNewType) {
  const auto command = ReadCommand("ALTER a SET DATA TYPE varchar(5) COLLATE \"C\" USING a::text");
  ASSERT_TRUE(command.type);
  EXPECT_EQ(ToString(*command.type), "varchar(5)");
  EXPECT_EQ(command.collation, "C");
  EXPECT_EQ(command.expression->text, "a::text");
}

TEST(AlterTable, HasTheNewConstraint) {
  const auto key =
      ReadCommand("ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES p (id) DEFERRABLE NOT VALID");
  ASSERT_TRUE(key.constraint);
  EXPECT_EQ(key.constraint->kind, ConstraintKind::kForeignKey);
  EXPECT_TRUE(key.constraint->not_valid);
  EXPECT_TRUE(key.constraint->deferrable);
  EXPECT_FALSE(key.constraint->initially_deferred);
  const auto unique = ReadCommand("ADD CONSTRAINT u UNIQUE USING INDEX i");
  EXPECT_EQ(unique.constraint->using_index, "i");
  EXPECT_THAT(unique.constraint->columns, IsEmpty());
  EXPECT_EQ(ReadCommand("ADD PRIMARY KEY (a)").constraint->name, "");
}

TEST(AlterTable, HasTheNewPartitionsBound) {
  const auto command = ReadCommand("ATTACH PARTITION p FOR VALUES FROM (1) TO (10)");
  EXPECT_EQ(command.other, Name("p"));
  ASSERT_TRUE(command.bound);
  EXPECT_THAT(command.bound->from, ElementsAre("1"));
  EXPECT_THAT(command.bound->to, ElementsAre("10"));
}

// Indexes

TEST(CreateIndex, HasItsShape) {
  const auto index = ReadAs<CreateIndex>(
      "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON s.t USING gist (a COLLATE \"C\" "
      "text_ops DESC, lower(b) NULLS FIRST, (c || 'x') DESC NULLS LAST) INCLUDE (d, e) NULLS NOT "
      "DISTINCT TABLESPACE fast WHERE a IS NOT NULL AND b > 'q'");
  EXPECT_EQ(index.name, "i");
  EXPECT_EQ(index.table, Name("s", "t"));
  EXPECT_TRUE(index.concurrently);
  EXPECT_TRUE(index.if_not_exists);
  EXPECT_TRUE(index.unique);
  EXPECT_TRUE(index.nulls_not_distinct);
  EXPECT_FALSE(index.only);
  EXPECT_EQ(index.method, "gist");
  EXPECT_EQ(index.tablespace, "fast");
  EXPECT_THAT(index.included, ElementsAre("d", "e"));
  ASSERT_EQ(index.columns.size(), 3U);
  EXPECT_EQ(index.columns[0].column, "a");
  EXPECT_EQ(index.columns[0].collation.name, "C");
  EXPECT_EQ(index.columns[0].operator_class.name, "text_ops");
  EXPECT_TRUE(index.columns[0].descending);
  EXPECT_TRUE(index.columns[0].nulls_first);
  EXPECT_EQ(index.columns[1].expression->text, "lower(b)");
  EXPECT_TRUE(index.columns[1].nulls_first);
  EXPECT_EQ(index.columns[2].expression->text, "c || 'x'");
  EXPECT_FALSE(index.columns[2].nulls_first);
  ASSERT_TRUE(index.where);
  EXPECT_EQ(index.where->text, "a IS NOT NULL AND b > 'q'");
}

TEST(CreateIndex, IsPlainByItself) {
  const auto index = ReadAs<CreateIndex>("CREATE INDEX ON ONLY t (a)");
  EXPECT_EQ(index.name, "");
  EXPECT_EQ(index.method, "btree");
  EXPECT_TRUE(index.only);
  EXPECT_FALSE(index.concurrently);
  EXPECT_FALSE(index.where);
}

TEST(Reindex, KnowsItsTarget) {
  EXPECT_EQ(ReadAs<Reindex>("REINDEX INDEX s.i").kind, ReindexKind::kIndex);
  EXPECT_EQ(ReadAs<Reindex>("REINDEX INDEX s.i").name, Name("s", "i"));
  EXPECT_EQ(ReadAs<Reindex>("REINDEX TABLE t").kind, ReindexKind::kTable);
  EXPECT_EQ(ReadAs<Reindex>("REINDEX SCHEMA s").kind, ReindexKind::kSchema);
  EXPECT_EQ(ReadAs<Reindex>("REINDEX SCHEMA s").name, Name("s"));
  EXPECT_EQ(ReadAs<Reindex>("REINDEX DATABASE d").kind, ReindexKind::kDatabase);
  EXPECT_EQ(ReadAs<Reindex>("REINDEX SYSTEM d").kind, ReindexKind::kSystem);
  EXPECT_FALSE(ReadAs<Reindex>("REINDEX TABLE t").concurrently);
  EXPECT_TRUE(ReadAs<Reindex>("REINDEX TABLE CONCURRENTLY t").concurrently);
  EXPECT_TRUE(ReadAs<Reindex>("REINDEX (CONCURRENTLY) TABLE t").concurrently);
  EXPECT_FALSE(ReadAs<Reindex>("REINDEX (CONCURRENTLY off) TABLE t").concurrently);
  EXPECT_TRUE(ReadAs<Reindex>("REINDEX (TABLESPACE x) TABLE t").moves_tablespace);
}

TEST(Maintenance, KnowsWhatRewrites) {
  EXPECT_EQ(ReadAs<Cluster>("CLUSTER t USING i").table, Name("t"));
  EXPECT_EQ(ReadAs<Cluster>("CLUSTER t USING i").index, "i");
  EXPECT_FALSE(ReadAs<Cluster>("CLUSTER").table);
  EXPECT_TRUE(ReadAs<Vacuum>("VACUUM FULL t").full);
  EXPECT_TRUE(ReadAs<Vacuum>("VACUUM (FULL, ANALYZE) t").full);
  EXPECT_FALSE(ReadAs<Vacuum>("VACUUM (FULL false) t").full);
  EXPECT_FALSE(ReadAs<Vacuum>("VACUUM (ANALYZE) a, s.b").only_analyze);
  EXPECT_THAT(ReadAs<Vacuum>("VACUUM (ANALYZE) a, s.b").tables,
              ElementsAre(Name("a"), Name("s", "b")));
  EXPECT_TRUE(ReadAs<Vacuum>("ANALYZE t (a)").only_analyze);
  EXPECT_TRUE(
      ReadAs<RefreshMaterializedView>("REFRESH MATERIALIZED VIEW CONCURRENTLY v").concurrently);
  EXPECT_FALSE(
      ReadAs<RefreshMaterializedView>("REFRESH MATERIALIZED VIEW v WITH NO DATA").with_data);
}

}  // namespace
}  // namespace pgalter::sql::ast
