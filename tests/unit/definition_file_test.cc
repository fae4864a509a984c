// One file with the definitions of several tables: which statement is whose, and what is refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "batcher/rebuild/definition_file.h"
#include "engine/run/failure.h"

namespace pgalter::rebuild {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::vector<DefinedTable> kTwo{{"public.orders", 1}, {"shop.\"Order.Lines\"", std::nullopt}};

std::string Squeezed(const std::string& text) {
  std::string squeezed;
  for (const char c : text)
    if (c != ' ' || (!squeezed.empty() && squeezed.back() != ' ')) squeezed += c;
  while (!squeezed.empty() && squeezed.back() == ' ') squeezed.pop_back();
  return squeezed;
}

std::vector<std::string> Divided(std::string_view text, const std::vector<DefinedTable>& tables) {
  std::vector<std::string> divided = DivideDefinitionFile(text, tables);
  for (std::string& one : divided) one = Squeezed(one);
  return divided;
}

std::string Refusal(std::string_view text, const std::vector<DefinedTable>& tables) {
  try {
    DivideDefinitionFile(text, tables);
  } catch (const run::Failure& failure) {
    return failure.what();
  }
  return "";
}

TEST(DefinitionFile, GivesEachStatementToItsTable) {
  EXPECT_THAT(
      Divided("CREATE TABLE orders (id bigint) PARTITION BY HASH (id); -- one; two\n"
              "CREATE TABLE \"Order.Lines\" (a int);\n"
              "CREATE TABLE o_1 PARTITION OF public.orders DEFAULT PARTITION BY HASH (id);"
              "CREATE INDEX ON shop.\"Order.Lines\" (a)\n;\n"
              "CREATE TABLE o_1_1 PARTITION OF o_1 FOR VALUES WITH (MODULUS 1, REMAINDER 0);\n"
              "ALTER TABLE orders ADD PRIMARY KEY (id);CREATE INDEX i ON o_1_1 (id)",
              kTwo),
      ElementsAre("CREATE TABLE orders (id bigint) PARTITION BY HASH (id); ; \n"
                  " ;\n"
                  "CREATE TABLE o_1 PARTITION OF public.orders DEFAULT PARTITION BY HASH (id); \n"
                  ";\n"
                  "CREATE TABLE o_1_1 PARTITION OF o_1 FOR VALUES WITH (MODULUS 1, REMAINDER 0);\n"
                  "ALTER TABLE orders ADD PRIMARY KEY (id);CREATE INDEX i ON o_1_1 (id)",
                  "; ; \nCREATE TABLE \"Order.Lines\" (a int);\n"
                  " ;CREATE INDEX ON shop.\"Order.Lines\" (a)\n;\n ;\n ;"));
}

TEST(DefinitionFile, SaysNothingOfTheOthers) {
  const auto divided = Divided("CREATE TABLE IF NOT EXISTS orders (id bigint)", kTwo);
  EXPECT_THAT(divided, ElementsAre("CREATE TABLE IF NOT EXISTS orders (id bigint)", ""));
}

TEST(DefinitionFile, LeavesLinesTheirNumbers) {
  const auto divided = DivideDefinitionFile(
      "CREATE TABLE orders (id bigint);\r\n\n-- ä\nCREATE TABLE shop.\"Order.Lines\" (\n a int);",
      kTwo);
  EXPECT_EQ(DescribeDefinition(divided[1], kTwo[1].name), "CREATE TABLE in line 4 of --definition");
  const auto statements = ReadDefinitionFile(divided[1], kTwo[1].name, "new");
  ASSERT_EQ(statements.size(), 1U);
  EXPECT_EQ(statements[0].moved, "CREATE TABLE new.\"Order.Lines\" (\n a int)");
  EXPECT_THAT(statements[0].shown, HasSubstr("in line 4 of"));
}

TEST(DefinitionFile, OfOneNameTheSearchPathChooses) {
  constexpr const char* kText = "CREATE TABLE t (a int); CREATE INDEX ON t (a)";
  EXPECT_THAT(Divided(kText, {{"a.t", 2}, {"b.t", 1}, {"c.t", std::nullopt}}),
              ElementsAre("", kText, ""));
  EXPECT_THAT(Refusal(kText, {{"a.t", std::nullopt}, {"b.t", std::nullopt}}),
              HasSubstr("write its schema"));
  EXPECT_THAT(Divided("CREATE TABLE b.t (a int); CREATE TABLE a.t (b int); CREATE INDEX ON a.t (b)",
                      {{"a.t", 2}, {"b.t", 1}}),
              ElementsAre("; CREATE TABLE a.t (b int); CREATE INDEX ON a.t (b)",
                          "CREATE TABLE b.t (a int); ;"));
}

TEST(DefinitionFile, CountsWhatItMakes) {
  EXPECT_EQ(DescribeDefinition("\nCREATE TABLE t (a int) PARTITION BY LIST (a);"
                               "CREATE TABLE p PARTITION OF t DEFAULT; CREATE INDEX ON t (a);"
                               "CREATE INDEX ON p (a); ALTER TABLE t ADD CHECK (a > 0)",
                               "public.t"),
            "CREATE TABLE in line 2 of --definition, 1 partition, 2 indexes, 1 ALTER TABLE");
}

struct Refused {
  const char* name;
  const char* text;
  const char* says;
};

class DefinitionFileRefused : public ::testing::TestWithParam<Refused> {};

TEST_P(DefinitionFileRefused, WithWhatToDo) {
  EXPECT_THAT(Refusal(GetParam().text, kTwo), HasSubstr(GetParam().says));
}

INSTANTIATE_TEST_SUITE_P(
    Inputs, DefinitionFileRefused,
    ::testing::Values(
        Refused{"Nothing", "-- nothing", "no CREATE TABLE public.orders, shop.\"Order.Lines\""},
        Refused{"Syntax",
                "CREATE TABLE orders (a int);\n\nCREATE TABLE shop.\"Order.Lines\" (\n  a int,\n  "
                "b inte ger);",
                "in line 5 of --definition"},
        Refused{"ATableThatIsNotNamed", "CREATE TABLE orders (a int);\nCREATE TABLE notes (a int)",
                "in line 2 of --definition: only public.orders, shop.\"Order.Lines\" and their "
                "partitions are made: name notes behind `rebuild`, too, or take the statement out"},
        Refused{"AnotherSchema", "CREATE TABLE other.orders (a int)", "name other.orders behind"},
        Refused{"APartitionElsewhere",
                "CREATE TABLE orders (a int) PARTITION BY LIST (a); CREATE TABLE shop.p PARTITION "
                "OF orders DEFAULT",
                "in the schema of the table, public"},
        Refused{"Twice", "CREATE TABLE orders (a int); CREATE TABLE public.orders (a int)",
                "taken by a statement before"},
        Refused{"AnIndexBefore", "CREATE INDEX ON orders (a); CREATE TABLE orders (a int)",
                "does not make the table before"},
        Refused{"AForeignKey", "CREATE TABLE orders (a int REFERENCES x)", "NOT VALID"},
        Refused{"AForeignKeyAddedLater",
                "CREATE TABLE orders (a int); ALTER TABLE orders ADD FOREIGN KEY (a) REFERENCES x",
                "NOT VALID"},
        Refused{"ONLY",
                "CREATE TABLE orders (a int) PARTITION BY LIST (a); ALTER TABLE ONLY orders ADD "
                "PRIMARY KEY (a)",
                "without ONLY"},
        Refused{"Attach",
                "CREATE TABLE orders (a int) PARTITION BY LIST (a); ALTER TABLE orders ATTACH "
                "PARTITION p DEFAULT",
                "PARTITION OF"},
        Refused{"AnOwner", "CREATE TABLE orders (a int); ALTER TABLE orders OWNER TO x",
                "come over from the table"},
        Refused{"ASetting", "SET search_path = ''; CREATE TABLE orders (a int)",
                "only CREATE TABLE"},
        Refused{"OfPsql", "CREATE TABLE orders (a int);\n\\d orders\n", "is no SQL statement"}),
    [](const auto& param) { return std::string(param.param.name); });

}  // namespace
}  // namespace pgalter::rebuild
