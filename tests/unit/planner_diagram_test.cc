// A schema as a drawing for Mermaid.
#include <gmock/gmock.h>

#include "planner/catalog/diagram.h"
#include "planner/sql/script.h"

namespace pgalter::catalog {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

std::string Drawn(std::string_view script, const std::set<std::string>& left_out = {}) {
  Schema schema;
  for (const sql::Piece& piece : sql::SplitScript(script)) {
    if (piece.kind != sql::PieceKind::kStatement) continue;
    const auto statement = sql::ast::ReadStatement(piece.sql);
    if (statement) schema.Apply(*statement);
    if (!statement) ADD_FAILURE() << piece.sql << ": " << statement.error().message;
  }
  return Diagram(schema, left_out);
}

TEST(Diagram, HasTablesWithColumnsAndKeys) {
  EXPECT_EQ(Drawn("CREATE TABLE a (id bigint PRIMARY KEY, mail text NOT NULL UNIQUE, note text);"
                  "CREATE TABLE app.b (x int, y int REFERENCES a, PRIMARY KEY (x, y));"
                  "CREATE VIEW v AS SELECT id FROM a; CREATE SEQUENCE s;"),
            "erDiagram\n"
            "  \"app.b\" {\n"
            "    int4 x PK\n"
            "    int4 y PK, FK\n"
            "  }\n"
            "  \"a\" {\n"
            "    int8 id PK\n"
            "    text mail UK \"not null\"\n"
            "    text note\n"
            "  }\n"
            "  \"a\" ||--o{ \"app.b\" : \"b_y_fkey\"\n");
}

struct Case {
  const char* child;
  const char* relation;
};

TEST(Diagram, RelationsHaveTheCardinalityOfTheirColumnsAndKeys) {
  for (const Case& one : {
           Case{"p int REFERENCES p", "|o..o{"},
           Case{"p int NOT NULL REFERENCES p", "||..o{"},
           Case{"p int NOT NULL UNIQUE REFERENCES p", "||..o|"},
           Case{"p int UNIQUE REFERENCES p", "|o..o|"},
           Case{"p int PRIMARY KEY REFERENCES p", "||--o|"},
           Case{"p int REFERENCES p, n int, PRIMARY KEY (p, n)", "||--o{"},
           Case{"p int NOT NULL REFERENCES p, n int, UNIQUE (p, n)", "||..o{"},
           Case{"p int NOT NULL, n int UNIQUE, FOREIGN KEY (p, n) REFERENCES p (id, n)", "|o..o|"},
       })
    EXPECT_THAT(Drawn("CREATE TABLE p (id int PRIMARY KEY, n int, UNIQUE (id, n));"
                      "CREATE TABLE c (" +
                      std::string(one.child) + ");"),
                HasSubstr("\"p\" " + std::string(one.relation) + " \"c\""))
        << one.child;
}

TEST(Diagram, AnIndexOfSomeRowsOrOfAnExpressionIsNoKey) {
  const std::string tables =
      "CREATE TABLE p (id int PRIMARY KEY);"
      "CREATE TABLE c (p int NOT NULL REFERENCES p, gone bool, n text);";
  for (const char* index : {"(p) WHERE NOT gone", "((p + 1))", "(p, lower(n))"})
    EXPECT_THAT(Drawn(tables + "CREATE UNIQUE INDEX i ON c " + index + ";"),
                AllOf(HasSubstr("||..o{"), Not(HasSubstr("UK"))))
        << index;
  EXPECT_THAT(Drawn(tables + "CREATE UNIQUE INDEX i ON c (p);"),
              AllOf(HasSubstr("||..o|"), HasSubstr("int4 p FK, UK")));
}

TEST(Diagram, PartitionsAreTheirWhole) {
  const std::string drawn = Drawn(
      "CREATE TABLE p (id int PRIMARY KEY) PARTITION BY RANGE (id);"
      "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (9) PARTITION BY RANGE (id);"
      "CREATE TABLE p11 PARTITION OF p1 FOR VALUES FROM (0) TO (5);"
      "CREATE TABLE c (whole int REFERENCES p, leaf int REFERENCES p11);");
  EXPECT_THAT(drawn,
              AllOf(HasSubstr("\"p\" |o..o{ \"c\" : \"c_whole_fkey\""),
                    HasSubstr("\"p\" |o..o{ \"c\" : \"c_leaf_fkey\""), Not(HasSubstr("\"p1"))));
}

TEST(Diagram, WhatIsLeftOutIsNotReferredTo) {
  EXPECT_EQ(Drawn("CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (a int REFERENCES a);",
                  {"public.a"}),
            "erDiagram\n  \"b\" {\n    int4 a FK\n  }\n");
}

TEST(Diagram, NamesThatMermaidWouldReadOtherwiseAreWritten) {
  const std::string drawn = Drawn(
      "CREATE TABLE \"order items\" (\"pk\" int, \"a b\" numeric(10,2), \"FK-x\" text[],"
      "\"1st\" text, \"größe\" text, \"t~x~\" app.mood, pkg int, \"%%\" text);"
      "CREATE TABLE \"a\"\"b %% {direction TB}\" (); CREATE TABLE \"direction TB\" ();");
  for (const char* line :
       {"\"order items\" {", "int4 _pk \"pk\"", "numeric(10_2) a_b \"a b, numeric(10,2)\"",
        "text[] _FK-x \"FK-x\"", "text _1st \"1st\"", "text größe\n",
        "app_mood t_x_ \"t#126;x#126;, app.mood\"", "int4 pkg\n", "text __ \"#37;#37;\"",
        "\"a#34;b#32;#37;#37;#32;#123;direction#32;TB#125;\" {", "\"direction#32;TB\" {"})
    EXPECT_THAT(drawn, HasSubstr(line));
}

}  // namespace
}  // namespace pgalter::catalog
