#include <gmock/gmock.h>

#include "planner/sql/statement.h"
#include "tests/unit/read_statement.h"

namespace pgalter::sql::ast {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

QualifiedName Name(std::string name) { return {std::nullopt, std::move(name)}; }
QualifiedName Name(std::string schema, std::string name) {
  return {std::move(schema), std::move(name)};
}

// Renaming, moving, dropping

struct Renaming {
  const char* sql;
  ObjectKind kind;
  QualifiedName name;
  const char* part;
};

TEST(Rename, KnowsWhatIsRenamed) {
  using enum ObjectKind;
  const Renaming renamings[] = {
      {"ALTER TABLE s.t RENAME TO n", kTable, Name("s", "t"), ""},
      {"ALTER INDEX i RENAME TO n", kIndex, Name("i"), ""},
      {"ALTER VIEW v RENAME TO n", kView, Name("v"), ""},
      {"ALTER MATERIALIZED VIEW v RENAME TO n", kMaterializedView, Name("v"), ""},
      {"ALTER SEQUENCE q RENAME TO n", kSequence, Name("q"), ""},
      {"ALTER FOREIGN TABLE f RENAME TO n", kForeignTable, Name("f"), ""},
      {"ALTER TABLE t RENAME COLUMN a TO n", kColumn, Name("t"), "a"},
      {"ALTER TABLE t RENAME a TO n", kColumn, Name("t"), "a"},
      {"ALTER VIEW v RENAME COLUMN a TO n", kColumn, Name("v"), "a"},
      {"ALTER TABLE t RENAME CONSTRAINT c TO n", kConstraint, Name("t"), "c"},
      {"ALTER DOMAIN d RENAME CONSTRAINT c TO n", kDomainConstraint, Name("d"), "c"},
      {"ALTER TYPE y RENAME ATTRIBUTE a TO n", kAttribute, Name("y"), "a"},
      {"ALTER TRIGGER g ON t RENAME TO n", kTrigger, Name("t"), "g"},
      {"ALTER RULE r ON t RENAME TO n", kRule, Name("t"), "r"},
      {"ALTER POLICY p ON t RENAME TO n", kPolicy, Name("t"), "p"},
      {"ALTER TYPE s.y RENAME TO n", kType, Name("s", "y"), ""},
      {"ALTER DOMAIN d RENAME TO n", kDomain, Name("d"), ""},
      {"ALTER FUNCTION s.f(int) RENAME TO n", kFunction, Name("s", "f"), ""},
      {"ALTER SCHEMA s RENAME TO n", kSchema, Name("s"), ""},
      {"ALTER ROLE r RENAME TO n", kRole, Name("r"), ""},
      {"ALTER DATABASE d RENAME TO n", kDatabase, Name("d"), ""},
      {"ALTER TABLESPACE d RENAME TO n", kTablespace, Name("d"), ""},
  };
  for (const auto& [sql, kind, name, part] : renamings) {
    const auto rename = ReadAs<Rename>(sql);
    EXPECT_EQ(rename.kind, kind) << sql;
    EXPECT_EQ(rename.name, name) << sql;
    EXPECT_EQ(rename.part, part) << sql;
    EXPECT_EQ(rename.new_name, "n") << sql;
  }
  EXPECT_TRUE(ReadAs<Rename>("ALTER TABLE IF EXISTS t RENAME TO n").if_exists);
  EXPECT_EQ(ReadAs<Rename>("ALTER VIEW v RENAME COLUMN a TO n").relation, RelationKind::kView);
  EXPECT_EQ(ReadAs<Rename>("ALTER INDEX i RENAME TO n").relation, RelationKind::kIndex);
}

TEST(SetSchema, KnowsWhatIsMoved) {
  const auto table = ReadAs<SetSchema>("ALTER TABLE IF EXISTS t SET SCHEMA n");
  EXPECT_EQ(table.kind, ObjectKind::kTable);
  EXPECT_EQ(table.name, Name("t"));
  EXPECT_EQ(table.new_schema, "n");
  EXPECT_TRUE(table.if_exists);
  EXPECT_EQ(ReadAs<SetSchema>("ALTER TYPE s.y SET SCHEMA n").name, Name("s", "y"));
  EXPECT_EQ(ReadAs<SetSchema>("ALTER FUNCTION s.f(int) SET SCHEMA n").kind, ObjectKind::kFunction);
  EXPECT_EQ(ReadAs<SetSchema>("ALTER EXTENSION e SET SCHEMA n").name, Name("e"));
}

TEST(Drop, KnowsWhatIsDropped) {
  using enum ObjectKind;
  const std::pair<const char*, ObjectKind> drops[] = {
      {"DROP TABLE s.x", kTable},
      {"DROP INDEX s.x", kIndex},
      {"DROP VIEW s.x", kView},
      {"DROP MATERIALIZED VIEW s.x", kMaterializedView},
      {"DROP SEQUENCE s.x", kSequence},
      {"DROP FOREIGN TABLE s.x", kForeignTable},
      {"DROP TYPE s.x", kType},
      {"DROP DOMAIN s.x", kDomain},
      {"DROP FUNCTION s.x", kFunction},
      {"DROP FUNCTION s.x(int, text)", kFunction},
      {"DROP PROCEDURE s.x(int)", kFunction},
      {"DROP AGGREGATE s.x(int)", kFunction},
      {"DROP ROUTINE s.x", kFunction},
      {"DROP STATISTICS s.x", kStatistics},
  };
  for (const auto& [sql, kind] : drops) {
    const auto drop = ReadAs<Drop>(sql);
    EXPECT_EQ(drop.kind, kind) << sql;
    EXPECT_THAT(drop.names, ElementsAre(Name("s", "x"))) << sql;
  }
  const std::pair<const char*, ObjectKind> unqualified[] = {
      {"DROP SCHEMA x", kSchema},
      {"DROP DATABASE x", kDatabase},
      {"DROP TABLESPACE x", kTablespace},
      {"DROP ROLE x", kRole},
      {"DROP USER x", kRole},
      {"DROP EXTENSION x", kExtension},
      {"DROP PUBLICATION x", kPublication},
      {"DROP SUBSCRIPTION x", kSubscription},
      {"DROP EVENT TRIGGER x", kEventTrigger},
  };
  for (const auto& [sql, kind] : unqualified) {
    const auto drop = ReadAs<Drop>(sql);
    EXPECT_EQ(drop.kind, kind) << sql;
    EXPECT_THAT(drop.names, ElementsAre(Name("x"))) << sql;
  }
}

TEST(Drop, KnowsTheTableOfWhatIsOnOne) {
  using enum ObjectKind;
  const std::pair<const char*, ObjectKind> drops[] = {{"DROP TRIGGER IF EXISTS x ON s.t", kTrigger},
                                                      {"DROP RULE IF EXISTS x ON s.t", kRule},
                                                      {"DROP POLICY IF EXISTS x ON s.t", kPolicy}};
  for (const auto& [sql, kind] : drops) {
    const auto drop = ReadAs<Drop>(sql);
    EXPECT_EQ(drop.kind, kind) << sql;
    EXPECT_THAT(drop.names, ElementsAre(Name("x"))) << sql;
    EXPECT_EQ(drop.on_table, Name("s", "t")) << sql;
    EXPECT_TRUE(drop.if_exists) << sql;
  }
}

TEST(Drop, HasItsWords) {
  const auto tables = ReadAs<Drop>("DROP TABLE IF EXISTS a, s.b CASCADE");
  EXPECT_THAT(tables.names, ElementsAre(Name("a"), Name("s", "b")));
  EXPECT_TRUE(tables.if_exists);
  EXPECT_TRUE(tables.cascade);
  EXPECT_FALSE(tables.concurrently);
  EXPECT_TRUE(ReadAs<Drop>("DROP INDEX CONCURRENTLY i").concurrently);
  EXPECT_FALSE(ReadAs<Drop>("DROP TABLE a RESTRICT").cascade);
}

// Objects beside tables

TEST(CreateView, KnowsWhatItReads) {
  const auto view = ReadAs<CreateView>(
      "CREATE OR REPLACE VIEW s.v AS WITH w AS (SELECT 1 FROM a) SELECT b.x, y FROM b, w WHERE z = "
      "'q' UNION SELECT 1, 2 FROM (SELECT * FROM s.c) n");
  EXPECT_EQ(view.name, Name("s", "v"));
  EXPECT_TRUE(view.replace);
  EXPECT_FALSE(view.temporary);
  EXPECT_THAT(view.reads, testing::UnorderedElementsAre(Name("a"), Name("b"), Name("s", "c")));
  EXPECT_THAT(view.literals, ElementsAre("q"));
  EXPECT_TRUE(ReadAs<CreateView>("CREATE TEMP VIEW v AS SELECT 1").temporary);
}

TEST(CreateTrigger, HasItsEvents) {
  const auto trigger = ReadAs<CreateTrigger>(
      "CREATE OR REPLACE TRIGGER g BEFORE INSERT OR UPDATE OF a, b ON s.t FOR EACH ROW WHEN (NEW.a "
      "<> OLD.c) EXECUTE FUNCTION s.f()");
  EXPECT_EQ(trigger.name, "g");
  EXPECT_EQ(trigger.table, Name("s", "t"));
  EXPECT_TRUE(trigger.replace);
  EXPECT_TRUE(trigger.row);
  EXPECT_TRUE(trigger.before);
  EXPECT_THAT(trigger.columns, ElementsAre("a", "b"));
  EXPECT_EQ(trigger.when_columns.size(), 2U);
  EXPECT_EQ(trigger.function, Name("s", "f"));
  const auto constraint = ReadAs<CreateTrigger>(
      "CREATE CONSTRAINT TRIGGER g AFTER INSERT ON t DEFERRABLE FOR EACH ROW EXECUTE FUNCTION f()");
  EXPECT_TRUE(constraint.constraint);
  EXPECT_FALSE(constraint.before);
  EXPECT_FALSE(
      ReadAs<CreateTrigger>("CREATE TRIGGER g AFTER TRUNCATE ON t EXECUTE FUNCTION f()").row);
}

TEST(CreateFunction, HasWhatCallsDependOn) {
  const auto function = ReadAs<CreateFunction>(
      "CREATE OR REPLACE FUNCTION s.f(a int, OUT b int, INOUT c int, VARIADIC d int[], e int "
      "DEFAULT 1) RETURNS record LANGUAGE 'SQL' STABLE SECURITY DEFINER SET search_path = s AS "
      "$$SELECT 1$$");
  EXPECT_EQ(function.name, Name("s", "f"));
  EXPECT_TRUE(function.replace);
  EXPECT_FALSE(function.procedure);
  EXPECT_EQ(function.arguments, 4);
  EXPECT_EQ(function.optional_arguments, 1);
  EXPECT_EQ(function.language, "sql");
  EXPECT_EQ(function.volatility, Volatility::kStable);
  EXPECT_TRUE(function.security_definer);
  EXPECT_TRUE(function.sets_search_path);
  EXPECT_EQ(function.body, "SELECT 1");
}

TEST(CreateFunction, LeavesUnsaidWhatIsNotSaid) {
  const auto function =
      ReadAs<CreateFunction>("CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS 'BEGIN END'");
  EXPECT_FALSE(function.volatility);
  EXPECT_FALSE(function.security_definer);
  EXPECT_FALSE(function.sets_search_path);
  EXPECT_TRUE(ReadAs<CreateFunction>("CREATE PROCEDURE p() LANGUAGE sql AS 'SELECT 1'").procedure);
}

TEST(CreateFunction, MayHaveItsBodyAsSql) {
  const auto atomic = ReadAs<CreateFunction>(
      "CREATE FUNCTION f(a int) RETURNS int IMMUTABLE BEGIN ATOMIC SELECT 1; SELECT 2; END");
  EXPECT_EQ(atomic.language, "sql");
  EXPECT_EQ(atomic.body, "BEGIN ATOMIC SELECT 1; SELECT 2; END");
  EXPECT_EQ(ReadAs<CreateFunction>("CREATE FUNCTION f(a int) RETURNS int RETURN a + 1").body,
            "RETURN a + 1");
}

TEST(Policy, KnowsWhatItReads) {
  const auto policy = ReadAs<Policy>(
      "CREATE POLICY p ON s.t USING (owner = current_user) WITH CHECK (kind = 'x' AND EXISTS "
      "(SELECT 1 FROM u))");
  EXPECT_EQ(policy.name, "p");
  EXPECT_TRUE(policy.create);
  EXPECT_EQ(policy.table, Name("s", "t"));
  EXPECT_THAT(policy.reads, ElementsAre(Name("u")));
  EXPECT_EQ(policy.columns.size(), 2U);
  EXPECT_THAT(policy.literals, ElementsAre("x"));
  EXPECT_FALSE(ReadAs<Policy>("ALTER POLICY p ON t USING (true)").create);
}

TEST(CreateRule, KnowsWhatItReads) {
  const auto rule = ReadAs<CreateRule>(
      "CREATE OR REPLACE RULE r AS ON INSERT TO s.t WHERE NEW.a > 0 DO INSTEAD INSERT INTO u "
      "SELECT "
      "b FROM w");
  EXPECT_EQ(rule.name, "r");
  EXPECT_EQ(rule.table, Name("s", "t"));
  EXPECT_TRUE(rule.replace);
  EXPECT_THAT(rule.reads, ElementsAre(Name("w")));
}

TEST(CreateType, HasItsShape) {
  const auto mood = ReadAs<CreateType>("CREATE TYPE s.mood AS ENUM ('sad', 'ok')");
  EXPECT_EQ(mood.name, Name("s", "mood"));
  EXPECT_EQ(mood.shape, CreateType::Shape::kEnum);
  EXPECT_THAT(mood.values, ElementsAre("sad", "ok"));
  const auto point = ReadAs<CreateType>("CREATE TYPE point AS (x int, y text COLLATE \"C\")");
  EXPECT_EQ(point.shape, CreateType::Shape::kComposite);
  ASSERT_EQ(point.attributes.size(), 2U);
  EXPECT_EQ(point.attributes[1].name, "y");
  EXPECT_EQ(point.attributes[1].collation, "C");
  EXPECT_EQ(ReadAs<CreateType>("CREATE TYPE r AS RANGE (subtype = int)").shape,
            CreateType::Shape::kRange);
  EXPECT_EQ(ReadAs<CreateType>("CREATE TYPE b").shape, CreateType::Shape::kShell);
  EXPECT_EQ(ReadAs<CreateType>("CREATE TYPE b (input = i, output = o)").shape,
            CreateType::Shape::kBase);
}

TEST(AlterType, AddsAndRenamesValues) {
  const auto added =
      ReadAs<AlterEnum>("ALTER TYPE s.mood ADD VALUE IF NOT EXISTS 'glad' AFTER 'ok'");
  EXPECT_EQ(added.name, Name("s", "mood"));
  EXPECT_EQ(added.new_value, "glad");
  EXPECT_EQ(added.old_value, "");
  EXPECT_EQ(added.neighbour, "ok");
  EXPECT_TRUE(added.after);
  EXPECT_TRUE(added.if_not_exists);
  EXPECT_FALSE(ReadAs<AlterEnum>("ALTER TYPE mood ADD VALUE 'glad' BEFORE 'ok'").after);
  EXPECT_EQ(ReadAs<AlterEnum>("ALTER TYPE mood ADD VALUE 'glad'").neighbour, "");
  const auto renamed = ReadAs<AlterEnum>("ALTER TYPE mood RENAME VALUE 'ok' TO 'fine'");
  EXPECT_EQ(renamed.old_value, "ok");
  EXPECT_EQ(renamed.new_value, "fine");
}

TEST(AlterType, ChangesAttributes) {
  const auto alter = ReadAs<AlterComposite>(
      "ALTER TYPE s.y ADD ATTRIBUTE a int, DROP ATTRIBUTE IF EXISTS b, ALTER ATTRIBUTE c TYPE text "
      "CASCADE");
  EXPECT_EQ(alter.name, Name("s", "y"));
  ASSERT_EQ(alter.commands.size(), 3U);
  EXPECT_EQ(alter.commands[0].change, TableChange::kAddColumn);
  EXPECT_EQ(alter.commands[1].change, TableChange::kDropColumn);
  EXPECT_TRUE(alter.commands[1].if_exists);
  EXPECT_EQ(alter.commands[2].change, TableChange::kSetType);
  EXPECT_TRUE(alter.cascade);
}

TEST(CreateDomain, HasItsConstraints) {
  const auto domain = ReadAs<CreateDomain>(
      "CREATE DOMAIN s.d AS text DEFAULT 'x' NOT NULL CONSTRAINT c CHECK (length(VALUE) > 1)");
  EXPECT_EQ(domain.name, Name("s", "d"));
  EXPECT_EQ(ToString(domain.type), "text");
  ASSERT_EQ(domain.constraints.size(), 3U);
  EXPECT_EQ(domain.constraints[0].kind, ConstraintKind::kDefault);
  EXPECT_EQ(domain.constraints[0].expression->text, "'x'");
  EXPECT_EQ(domain.constraints[1].kind, ConstraintKind::kNotNull);
  EXPECT_EQ(domain.constraints[2].name, "c");
  EXPECT_EQ(domain.constraints[2].expression->text, "length(VALUE) > 1");
}

TEST(AlterDomain, KnowsEveryChange) {
  using enum AlterDomain::Change;
  const auto added =
      ReadAs<AlterDomain>("ALTER DOMAIN s.d ADD CONSTRAINT c CHECK (VALUE > 0) NOT VALID");
  EXPECT_EQ(added.name, Name("s", "d"));
  EXPECT_EQ(added.change, kAddConstraint);
  EXPECT_EQ(added.constraint_name, "c");
  EXPECT_TRUE(added.constraint->not_valid);
  EXPECT_EQ(added.constraint->expression->text, "VALUE > 0");
  const auto set = ReadAs<AlterDomain>("ALTER DOMAIN d SET DEFAULT now()");
  EXPECT_EQ(set.change, kSetDefault);
  EXPECT_EQ(set.constraint->expression->text, "now()");
  EXPECT_EQ(ReadAs<AlterDomain>("ALTER DOMAIN d DROP DEFAULT").change, kDropDefault);
  EXPECT_EQ(ReadAs<AlterDomain>("ALTER DOMAIN d SET NOT NULL").change, kSetNotNull);
  EXPECT_EQ(ReadAs<AlterDomain>("ALTER DOMAIN d DROP NOT NULL").change, kDropNotNull);
  EXPECT_EQ(ReadAs<AlterDomain>("ALTER DOMAIN d VALIDATE CONSTRAINT c").constraint_name, "c");
  EXPECT_EQ(ReadAs<AlterDomain>("ALTER DOMAIN d DROP CONSTRAINT c").change, kDropConstraint);
}

TEST(Sequence, HasItsOwner) {
  const auto created = ReadAs<Sequence>("CREATE SEQUENCE IF NOT EXISTS s.q OWNED BY s.t.a");
  EXPECT_EQ(created.name, Name("s", "q"));
  EXPECT_TRUE(created.create);
  EXPECT_TRUE(created.if_not_exists);
  EXPECT_FALSE(created.rewrites);
  EXPECT_EQ(created.owner_table, Name("s", "t"));
  EXPECT_EQ(created.owner_column, "a");
  const auto owned = ReadAs<Sequence>("ALTER SEQUENCE q OWNED BY t.a");
  EXPECT_FALSE(owned.create);
  EXPECT_FALSE(owned.rewrites);
  EXPECT_EQ(owned.owner_table, Name("t"));
  EXPECT_FALSE(ReadAs<Sequence>("ALTER SEQUENCE q OWNED BY NONE").owner_table);
  EXPECT_TRUE(ReadAs<Sequence>("ALTER SEQUENCE q RESTART WITH 5").rewrites);
}

TEST(Grant, KnowsWhoGetsWhat) {
  const auto grant =
      ReadAs<Grant>("GRANT SELECT, UPDATE (a) ON s.t, u TO PUBLIC, r WITH GRANT OPTION");
  EXPECT_TRUE(grant.grant);
  EXPECT_EQ(grant.kind, ObjectKind::kTable);
  EXPECT_THAT(grant.objects, ElementsAre(Name("s", "t"), Name("u")));
  EXPECT_THAT(grant.grantees, ElementsAre("public", "r"));
  EXPECT_TRUE(grant.to_public);
  EXPECT_TRUE(grant.with_grant_option);
  EXPECT_FALSE(grant.all_privileges);
  const auto all = ReadAs<Grant>("REVOKE ALL ON ALL TABLES IN SCHEMA s FROM r");
  EXPECT_FALSE(all.grant);
  EXPECT_TRUE(all.all_in_schema);
  EXPECT_TRUE(all.all_privileges);
  EXPECT_THAT(all.objects, ElementsAre(Name("s")));
  EXPECT_EQ(ReadAs<Grant>("GRANT USAGE ON SCHEMA s TO r").kind, ObjectKind::kSchema);
  EXPECT_EQ(ReadAs<Grant>("GRANT EXECUTE ON FUNCTION s.f(int) TO r").objects[0], Name("s", "f"));
  const auto role = ReadAs<Grant>("GRANT a TO b WITH ADMIN OPTION");
  EXPECT_TRUE(role.role_membership);
  EXPECT_TRUE(role.with_grant_option);
  EXPECT_THAT(role.objects, ElementsAre(Name("a")));
  EXPECT_TRUE(ReadAs<Grant>("ALTER DEFAULT PRIVILEGES IN SCHEMA s GRANT SELECT ON TABLES TO PUBLIC")
                  .default_privileges);
}

TEST(Comment, KnowsItsRelation) {
  EXPECT_EQ(ReadAs<CommentOn>("COMMENT ON TABLE s.t IS 'x'").name, Name("s", "t"));
  EXPECT_EQ(ReadAs<CommentOn>("COMMENT ON COLUMN s.t.a IS 'x'").name, Name("s", "t"));
  EXPECT_EQ(ReadAs<CommentOn>("COMMENT ON CONSTRAINT c ON t IS 'x'").name, Name("t"));
  EXPECT_EQ(ReadAs<CommentOn>("COMMENT ON TRIGGER g ON t IS NULL").name, Name("t"));
  EXPECT_EQ(ReadAs<CommentOn>("COMMENT ON COLUMN t.a IS 'x'").kind, ObjectKind::kColumn);
}

TEST(Replication, KnowsItsTables) {
  const auto publication = ReadAs<Publication>("CREATE PUBLICATION p FOR TABLE a, s.b");
  EXPECT_EQ(publication.name, "p");
  EXPECT_TRUE(publication.create);
  EXPECT_THAT(publication.tables, ElementsAre(Name("a"), Name("s", "b")));
  EXPECT_TRUE(ReadAs<Publication>("CREATE PUBLICATION p FOR ALL TABLES").all_tables);
  EXPECT_FALSE(ReadAs<Publication>("ALTER PUBLICATION p ADD TABLE a").create);
  EXPECT_TRUE(
      ReadAs<Publication>("CREATE SUBSCRIPTION s CONNECTION '' PUBLICATION p").subscription);
  EXPECT_FALSE(ReadAs<Publication>("ALTER SUBSCRIPTION s DISABLE").create);
}

TEST(Other, SmallStatementsHaveTheirNames) {
  EXPECT_EQ(ReadAs<Extension>("CREATE EXTENSION IF NOT EXISTS e").name, "e");
  EXPECT_TRUE(ReadAs<Extension>("CREATE EXTENSION IF NOT EXISTS e").if_not_exists);
  EXPECT_FALSE(ReadAs<Extension>("ALTER EXTENSION e UPDATE").create);
  EXPECT_FALSE(ReadAs<Extension>("ALTER EXTENSION e ADD TABLE t").create);
  EXPECT_EQ(ReadAs<CreateSchema>("CREATE SCHEMA IF NOT EXISTS s").name, "s");
  EXPECT_EQ(ReadAs<CreateSchema>("CREATE SCHEMA AUTHORIZATION r").name, "r");
  const auto move =
      ReadAs<MoveTablespace>("ALTER INDEX ALL IN TABLESPACE a SET TABLESPACE b NOWAIT");
  EXPECT_EQ(move.kind, RelationKind::kIndex);
  EXPECT_EQ(move.from, "a");
  EXPECT_EQ(move.to, "b");
  EXPECT_TRUE(move.nowait);
  const auto statistics = ReadAs<CreateStatistics>("CREATE STATISTICS s.x ON a, b FROM t");
  EXPECT_EQ(statistics.name, "x");
  EXPECT_EQ(statistics.table, Name("t"));
}

// Commands

TEST(Transaction, KnowsEveryVerb) {
  using enum Transaction::Verb;
  const std::pair<const char*, Transaction::Verb> verbs[] = {
      {"BEGIN", kBegin},
      {"START TRANSACTION ISOLATION LEVEL SERIALIZABLE", kBegin},
      {"COMMIT AND CHAIN", kCommit},
      {"END", kCommit},
      {"ROLLBACK", kRollback},
      {"ABORT", kRollback},
      {"SAVEPOINT s", kSavepoint},
      {"RELEASE s", kRelease},
      {"ROLLBACK TO SAVEPOINT s", kRollbackTo},
      {"PREPARE TRANSACTION 'x'", kPrepare},
      {"COMMIT PREPARED 'x'", kOther},
  };
  for (const auto& [sql, verb] : verbs) EXPECT_EQ(ReadAs<Transaction>(sql).verb, verb) << sql;
  EXPECT_EQ(ReadAs<Transaction>("ROLLBACK TO s").name, "s");
}

TEST(Set, HasItsValueAsOneText) {
  const auto timeout = ReadAs<Set>("SET LOCAL Lock_Timeout = '5s'");
  EXPECT_EQ(timeout.name, "lock_timeout");
  EXPECT_EQ(timeout.value, "5s");
  EXPECT_TRUE(timeout.local);
  EXPECT_FALSE(timeout.reset);
  EXPECT_FALSE(ReadAs<Set>("SET SESSION lock_timeout TO 5000").local);
  EXPECT_EQ(ReadAs<Set>("SET lock_timeout TO 5000").value, "5000");
  EXPECT_EQ(ReadAs<Set>("SET search_path = a, \"B\", 'c'").value, "a, B, c");
  EXPECT_EQ(ReadAs<Set>("SET standard_conforming_strings = off").value, "off");
  EXPECT_EQ(ReadAs<Set>("SET TIME ZONE 'UTC'").name, "timezone");
  EXPECT_TRUE(ReadAs<Set>("SET lock_timeout TO DEFAULT").reset);
  EXPECT_TRUE(ReadAs<Set>("RESET lock_timeout").reset);
  EXPECT_EQ(ReadAs<Set>("RESET ALL").name, "all");
}

TEST(LockTable, HasItsMode) {
  const auto plain = ReadAs<LockTable>("LOCK a, s.b");
  EXPECT_THAT(plain.tables, ElementsAre(Name("a"), Name("s", "b")));
  EXPECT_EQ(plain.mode, locks::LockMode::kAccessExclusive);
  const auto share = ReadAs<LockTable>("LOCK TABLE t IN SHARE ROW EXCLUSIVE MODE NOWAIT");
  EXPECT_EQ(share.mode, locks::LockMode::kShareRowExclusive);
  EXPECT_TRUE(share.nowait);
}

TEST(Truncate, HasItsTables) {
  const auto truncate = ReadAs<Truncate>("TRUNCATE TABLE a, ONLY s.b RESTART IDENTITY CASCADE");
  EXPECT_THAT(truncate.tables, ElementsAre(Name("a"), Name("s", "b")));
  EXPECT_TRUE(truncate.cascade);
}

TEST(Modify, TellsItsTableFromThoseItReads) {
  const auto update = ReadAs<Modify>(
      "UPDATE s.t SET a = u.x, b = 'new', a = 2 FROM u WHERE t.id = u.id AND c IS NULL RETURNING "
      "a");
  EXPECT_EQ(update.verb, Modify::Verb::kUpdate);
  EXPECT_EQ(update.table, Name("s", "t"));
  EXPECT_THAT(update.reads, ElementsAre(Name("u")));
  EXPECT_THAT(update.set_columns, ElementsAre("a", "b", "a"));
  EXPECT_TRUE(update.duplicate_column);
  EXPECT_THAT(update.literals, ElementsAre("new"));
  ASSERT_TRUE(update.where);
  EXPECT_EQ(update.where->text, "t.id = u.id AND c IS NULL");
  EXPECT_THAT(update.where->null_columns, ElementsAre("c"));
  EXPECT_FALSE(update.where_has_subquery);
  EXPECT_FALSE(ReadAs<Modify>("UPDATE t SET p.x = 1, p.y = 2").duplicate_column);
  EXPECT_FALSE(ReadAs<Modify>("UPDATE t SET a = 1").where);
}

TEST(Modify, KnowsConditionsThatHoldForEveryRow) {
  for (const char* where : {"true", "1 = 1", "'a' = 'a'", "NOT false", "true OR a > 0",
                            "true AND 1 = 1", "'t'::bool", "(true)"})
    EXPECT_TRUE(ReadAs<Modify>(std::string("DELETE FROM t WHERE ") + where).where->is_true)
        << where;
  for (const char* where : {"false", "1 = 2", "a = a", "true AND a > 0", "NULL = NULL", "1 <> 1"})
    EXPECT_FALSE(ReadAs<Modify>(std::string("DELETE FROM t WHERE ") + where).where->is_true)
        << where;
}

TEST(Modify, GoesByPartsWithALimit) {
  const auto erase =
      ReadAs<Modify>("DELETE FROM t WHERE id IN (SELECT id FROM t WHERE a < 5 LIMIT 100)");
  EXPECT_EQ(erase.verb, Modify::Verb::kDelete);
  EXPECT_TRUE(erase.has_limit);
  EXPECT_TRUE(erase.where_has_subquery);
}

TEST(Modify, TellsRowsFromAQuery) {
  const auto values = ReadAs<Modify>("INSERT INTO s.t (a, b) VALUES (1, 'x'), (2, 'y')");
  EXPECT_EQ(values.verb, Modify::Verb::kInsert);
  EXPECT_EQ(values.table, Name("s", "t"));
  EXPECT_FALSE(values.from_query);
  EXPECT_THAT(values.set_columns, ElementsAre("a", "b"));
  EXPECT_THAT(values.literals, ElementsAre("x", "y"));
  const auto query = ReadAs<Modify>("INSERT INTO t SELECT * FROM u");
  EXPECT_TRUE(query.from_query);
  EXPECT_THAT(query.reads, ElementsAre(Name("u")));
  EXPECT_FALSE(ReadAs<Modify>("INSERT INTO t DEFAULT VALUES").from_query);
}

TEST(Modify, FindsWritesInsideWith) {
  const auto insert = ReadAs<Modify>(
      "WITH moved AS (DELETE FROM a WHERE true RETURNING *) INSERT INTO b SELECT * FROM moved");
  EXPECT_EQ(insert.table, Name("b"));
  EXPECT_THAT(insert.reads, IsEmpty());
  ASSERT_EQ(insert.within.size(), 1U);
  EXPECT_EQ(insert.within[0].verb, Modify::Verb::kDelete);
  EXPECT_EQ(insert.within[0].table, Name("a"));
  const auto select =
      ReadAs<Select>("WITH w AS (UPDATE t SET a = 1 RETURNING a) SELECT count(*) FROM w");
  ASSERT_EQ(select.within.size(), 1U);
  EXPECT_THAT(select.reads, IsEmpty());
}

TEST(Modify, KnowsMerge) {
  const auto merge = ReadAs<Modify>(
      "MERGE INTO t USING u ON t.id = u.id WHEN MATCHED THEN UPDATE SET a = 1 WHEN NOT MATCHED "
      "THEN "
      "INSERT VALUES (1)");
  EXPECT_EQ(merge.verb, Modify::Verb::kMerge);
  EXPECT_EQ(merge.table, Name("t"));
  EXPECT_THAT(merge.reads, ElementsAre(Name("u")));
}

TEST(Select, KnowsWhatItReadsAndLocks) {
  const auto select = ReadAs<Select>(
      "SELECT setval('s.q', 5), pg_sleep(1) FROM a JOIN b USING (id) LIMIT 1 FOR UPDATE OF a");
  EXPECT_THAT(select.reads, ElementsAre(Name("a"), Name("b")));
  EXPECT_TRUE(select.locks_rows);
  EXPECT_TRUE(select.has_limit);
  ASSERT_EQ(select.functions.size(), 2U);
  EXPECT_THAT(select.functions[0].name, ElementsAre("setval"));
  EXPECT_THAT(select.literals, ElementsAre("s.q"));
  EXPECT_THAT(ReadAs<Select>("TABLE s.t").reads, ElementsAre(Name("s", "t")));
  EXPECT_THAT(ReadAs<Select>("VALUES (1)").reads, IsEmpty());
}

TEST(Copy, HasItsDirection) {
  const auto from = ReadAs<Copy>("COPY s.t (a, b) FROM stdin");
  EXPECT_EQ(from.table, Name("s", "t"));
  EXPECT_TRUE(from.from);
  EXPECT_TRUE(from.stdin_or_stdout);
  const auto to = ReadAs<Copy>("COPY (SELECT 1) TO '/tmp/x'");
  EXPECT_FALSE(to.table);
  EXPECT_FALSE(to.from);
  EXPECT_FALSE(to.stdin_or_stdout);
}

TEST(Do, HasItsBody) {
  const auto block = ReadAs<DoBlock>("DO $x$BEGIN NULL; END$x$");
  EXPECT_EQ(block.language, "plpgsql");
  EXPECT_EQ(block.body, "BEGIN NULL; END");
  EXPECT_EQ(ReadAs<DoBlock>("DO LANGUAGE PLPerl 'x'").language, "plperl");
  EXPECT_EQ(ReadAs<Call>("CALL s.p(1)").procedure, Name("s", "p"));
}

// Tags

TEST(Tag, IsTheServers) {
  const std::pair<const char*, const char*> tags[] = {
      {"CREATE TABLE t (a int)", "CREATE TABLE"},
      {"ALTER TABLE t ADD a int", "ALTER TABLE"},
      {"ALTER INDEX i SET (fillfactor = 50)", "ALTER INDEX"},
      {"ALTER TABLE t RENAME a TO b", "ALTER TABLE"},
      {"ALTER TYPE y RENAME ATTRIBUTE a TO b", "ALTER TYPE"},
      {"CREATE UNIQUE INDEX i ON t (a)", "CREATE INDEX"},
      {"CREATE MATERIALIZED VIEW v AS SELECT 1", "CREATE MATERIALIZED VIEW"},
      {"REFRESH MATERIALIZED VIEW v", "REFRESH MATERIALIZED VIEW"},
      {"CREATE DATABASE d", "CREATE DATABASE"},
      {"DROP DATABASE d", "DROP DATABASE"},
      {"CREATE TABLESPACE s LOCATION '/x'", "CREATE TABLESPACE"},
      {"DROP TABLESPACE s", "DROP TABLESPACE"},
      {"ALTER SYSTEM SET work_mem = '1MB'", "ALTER SYSTEM"},
      {"ALTER DATABASE d SET work_mem = '1MB'", "ALTER DATABASE"},
      {"CREATE ROLE r", "CREATE ROLE"},
      {"ALTER ROLE r LOGIN", "ALTER ROLE"},
      {"DISCARD ALL", "DISCARD ALL"},
      {"LISTEN c", "LISTEN"},
      {"NOTIFY c", "NOTIFY"},
      {"CHECKPOINT", "CHECKPOINT"},
      {"EXPLAIN SELECT 1", "EXPLAIN"},
      {"SHOW work_mem", "SHOW"},
      {"PREPARE p AS SELECT 1", "PREPARE"},
      {"EXECUTE p", "EXECUTE"},
      {"DEALLOCATE p", "DEALLOCATE"},
      {"CREATE SUBSCRIPTION s CONNECTION '' PUBLICATION p", "CREATE SUBSCRIPTION"},
      {"CREATE AGGREGATE a(int) (sfunc = f, stype = int)", "CREATE AGGREGATE"},
      {"CREATE OPERATOR + (function = f)", "CREATE OPERATOR"},
      {"CREATE CAST (a AS b) WITHOUT FUNCTION", "CREATE CAST"},
      {"CREATE EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION f()", "CREATE EVENT TRIGGER"},
      {"CREATE SERVER s FOREIGN DATA WRAPPER w", "CREATE SERVER"},
      {"CREATE COLLATION c FROM \"C\"", "CREATE COLLATION"},
      {"CREATE TEXT SEARCH CONFIGURATION c (copy = simple)", "CREATE TEXT SEARCH CONFIGURATION"},
      {"SECURITY LABEL ON TABLE t IS 'x'", "SECURITY LABEL"},
      {"REASSIGN OWNED BY a TO b", "REASSIGN OWNED"},
      {"ALTER FUNCTION f() STABLE", "ALTER FUNCTION"},
      {"ALTER TABLE t OWNER TO r", "ALTER TABLE"},
      {"ALTER SCHEMA s OWNER TO r", "ALTER SCHEMA"},
      {"INSERT INTO t VALUES (1)", "INSERT"},
      {"BEGIN", "BEGIN"},
      {"COMMIT", "COMMIT"},
      {"SET a.b = 1", "SET"},
      {"RESET ALL", "RESET"},
      {"VACUUM t", "VACUUM"},
      {"ANALYZE t", "ANALYZE"},
      {"LOCK t", "LOCK TABLE"},
      {"TRUNCATE t", "TRUNCATE TABLE"},
      {"DO 'x'", "DO"},
      {"COMMENT ON TABLE t IS NULL", "COMMENT"},
      {"SELECT 1", "SELECT"},
  };
  for (const auto& [sql, tag] : tags) EXPECT_EQ(Read(sql).tag, tag) << sql;
}

TEST(Tag, OfStatementsThatAreNotModelledComesWithLiterals) {
  const auto other = ReadAs<Other>("EXPLAIN SELECT 'x'");
  EXPECT_EQ(other.tag, "EXPLAIN");
  EXPECT_THAT(other.literals, ElementsAre("x"));
}

// What is no statement

TEST(ReadStatement, TakesExactlyOne) {
  EXPECT_TRUE(ReadStatement("SELECT 1;"));
  EXPECT_TRUE(ReadStatement("-- before\nSELECT 1 /* after */ ;  -- end"));
  EXPECT_FALSE(ReadStatement(""));
  EXPECT_FALSE(ReadStatement(" -- nothing\n"));
  EXPECT_FALSE(ReadStatement(";"));
  EXPECT_FALSE(ReadStatement("SELECT 1; SELECT 2"));
}

TEST(ReadStatement, NamesThePlaceOfAMistake) {
  const auto refused = ReadStatement("ALTER TABLE é ADD COLUMM x int y");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().position, 28);
  EXPECT_FALSE(ReadStatement("SELECT '"));
  EXPECT_FALSE(ReadStatement(std::string_view("SELECT \0", 8)));
  EXPECT_FALSE(ReadStatement("SELECT '\xff'"));
}

TEST(ReadStatement, KeepsNamesThatTheServerCuts) {
  const std::string name(70, 'n');
  const auto statement = Read("CREATE TABLE " + name + " (a int, \"" + name + "\" int)");
  ASSERT_EQ(statement.long_names.size(), 2U);
  EXPECT_EQ(statement.long_names[0], name);
  EXPECT_EQ(statement.As<CreateTable>()->name.name, std::string(63, 'n'));
  EXPECT_THAT(Read("CREATE TABLE " + std::string(63, 'n') + " (a int)").long_names, IsEmpty());
  EXPECT_THAT(Read("COMMENT ON TABLE t IS '" + name + "'").long_names, IsEmpty());
}

// Statements as texts

TEST(FingerprintStatement, IgnoresLiteralsAndBlanks) {
  const auto fingerprint = [](std::string_view sql) {
    const auto made = FingerprintStatement(sql);
    return made ? *made : made.error().message;
  };
  const std::string first = fingerprint("SELECT a FROM t WHERE b = 1");
  EXPECT_EQ(first.size(), 16U);
  EXPECT_EQ(fingerprint("select  A from T /* x */ where b = 'y'"), first);
  EXPECT_NE(fingerprint("SELECT a FROM t WHERE c = 1"), first);
  EXPECT_FALSE(FingerprintStatement("SELECT FROM WHERE"));
  EXPECT_FALSE(FingerprintStatement("SELECT '\xff'"));
}

TEST(DeparseStatement, WritesInOneWay) {
  EXPECT_EQ(*DeparseStatement("alter table T add  column A int /* x */ default 1;"),
            "ALTER TABLE t ADD COLUMN a int DEFAULT 1");
  EXPECT_FALSE(DeparseStatement("SELECT 1; SELECT 2"));
  EXPECT_FALSE(DeparseStatement(""));
}

// (NOT a) IS NULL comes back without its brackets.
TEST(DeparseStatement, RefusesWhatItWouldChange) {
  const auto written = DeparseStatement("SELECT (NOT a) IS NULL");
  EXPECT_TRUE(!written || *written == "SELECT (NOT a) IS NULL") << *written;
}

}  // namespace
}  // namespace pgalter::sql::ast
