// Scripts as people write them, split: what is a statement, where it is, and what the grammar is
// given of it.

#include "planner/sql/script.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "planner/sql/ast/statement.h"
#include "planner/sql/line_index.h"

namespace pgalter::sql {
namespace {

using std::string_literals::operator""s;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::string Repeat(std::string_view piece, int times) {
  std::string text;
  for (int i = 0; i < times; ++i) text += piece;
  return text;
}

std::string_view Cut(std::string_view text, Span span) {
  return text.substr(span.begin, span.end - span.begin);
}

std::string_view Letter(PieceKind kind) {
  switch (kind) {
    case PieceKind::kStatement:
      return "";
    case PieceKind::kMeta:
      return "meta: ";
    case PieceKind::kCopyData:
      return "data: ";
    case PieceKind::kUnclosed:
      return "unclosed: ";
    case PieceKind::kWide:
      return "wide: ";
    case PieceKind::kComments:
      return "comments: ";
  }
  return "?";
}

// What holds for the pieces of any text.
void ExpectSound(std::string_view text, const std::vector<Piece>& pieces) {
  std::size_t at = 0;
  for (const Piece& piece : pieces) {
    ASSERT_LE(at, piece.span.begin);
    ASSERT_LE(piece.span.begin, piece.span.end);
    ASSERT_LE(piece.span.end, text.size());
    ASSERT_EQ(piece.sql.size(), piece.span.end - piece.span.begin);
    at = piece.span.end;
    for (const Comment& comment : piece.comments) {
      ASSERT_LE(comment.span.end, text.size());
      ASSERT_EQ(comment.text, Cut(text, comment.span));
    }
  }
}

// Each piece with its kind, as it stands in the text.
std::vector<std::string> Pieces(std::string_view text) {
  const auto pieces = SplitScript(text);
  ExpectSound(text, pieces);
  std::vector<std::string> found;
  for (const Piece& piece : pieces)
    found.push_back(std::string(Letter(piece.kind)) + std::string(Cut(text, piece.span)));
  return found;
}

// What the grammar is given of the only piece.
std::string Sql(std::string_view text) {
  const auto pieces = SplitScript(text);
  EXPECT_EQ(pieces.size(), 1U) << text;
  return pieces.empty() ? "" : pieces[0].sql;
}

// The statements that the grammar reads.
std::vector<std::string> Readable(std::string_view text) {
  std::vector<std::string> found;
  for (const Piece& piece : SplitScript(text))
    if (piece.kind == PieceKind::kStatement && ast::ReadStatement(piece.sql))
      found.emplace_back(Cut(text, piece.span));
  return found;
}

TEST(Script, NothingComesOfNothing) {
  for (const std::string_view text :
       {"", " ", "\n", "\r\n", ";", " ; ;\n;", "\xEF\xBB\xBF", "\t\f"})
    EXPECT_THAT(Pieces(text), IsEmpty()) << text;
}

TEST(Script, SemicolonsEndStatements) {
  EXPECT_THAT(Pieces("SELECT 1; SELECT 2;\n\nSELECT 3"),
              ElementsAre("SELECT 1", "SELECT 2", "SELECT 3"));
  EXPECT_THAT(Pieces("SELECT 1 ;;; ;SELECT 2 ; "), ElementsAre("SELECT 1", "SELECT 2"));
}

TEST(Script, CommentsBeforeAStatementAreNotInItsSpan) {
  constexpr std::string_view kText =
      "-- head\n/* more\n /* nested */ */ SELECT /* in */ 1 -- tail\n; -- after\n";
  EXPECT_THAT(Pieces(kText), ElementsAre("SELECT /* in */ 1", "comments: "));
  const auto pieces = SplitScript(kText);
  std::vector<std::string_view> comments;
  for (const Comment& comment : pieces[0].comments) comments.push_back(comment.text);
  EXPECT_THAT(comments, ElementsAre("-- head", "/* more\n /* nested */ */", "/* in */", "-- tail"));
  ASSERT_EQ(pieces[1].comments.size(), 1U);
  EXPECT_EQ(pieces[1].comments[0].text, "-- after");
}

TEST(Script, CommentsAloneArePieceOfTheirOwn) {
  EXPECT_THAT(Pieces("-- nothing yet\n"), ElementsAre("comments: "));
  EXPECT_EQ(SplitScript("/* a */ -- b")[0].comments.size(), 2U);
}

TEST(Script, QuotesHideSemicolons) {
  for (const std::string_view statement : {"SELECT 'a;b'",
                                           "SELECT 'it''s; so'",
                                           "SELECT E'a\\';b'",
                                           "SELECT e'\\\\', ';'",
                                           "SELECT \"a;\"\"b\"",
                                           "SELECT $$a;b$$",
                                           "SELECT $x$ $$; $y$ ; $x$",
                                           "SELECT $é$;$é$",
                                           "SELECT U&'d\\0061;t'",
                                           "SELECT U&\"d;\"",
                                           "SELECT B'0;', X'1;', N'n;'",
                                           "SELECT 'a'\n  'b;c'",
                                           "SELECT /* ; */ 1",
                                           "SELECT /* /* ; */ ; */ 1",
                                           "SELECT -- ;\n 1",
                                           "SELECT 'a\\'",
                                           "SELECT /* ' */ 1",
                                           "SELECT '/*', 1",
                                           "SELECT '--', 1",
                                           "SELECT /* -- */ 1"}) {
    EXPECT_THAT(Pieces(std::string(statement) + "; SELECT 2"), ElementsAre(statement, "SELECT 2"));
  }
}

TEST(Script, DollarsThatBeginNoQuote) {
  EXPECT_THAT(Pieces("SELECT $1; SELECT a$b$c; SELECT a$$; SELECT $1$; SELECT 2"),
              ElementsAre("SELECT $1", "SELECT a$b$c", "SELECT a$$", "SELECT $1$", "SELECT 2"));
}

TEST(Script, EscapesFollowTheSetting) {
  EXPECT_THAT(Pieces("SET standard_conforming_strings = off; SELECT 'a\\'; b'; SELECT 2"),
              ElementsAre("SET standard_conforming_strings = off", "SELECT 'a\\'; b'", "SELECT 2"));
  EXPECT_THAT(Pieces("SET SESSION standard_conforming_strings TO 'off'; SELECT '\\';'"),
              ElementsAre("SET SESSION standard_conforming_strings TO 'off'", "SELECT '\\';'"));
  EXPECT_THAT(Pieces("SET standard_conforming_strings = off; RESET standard_conforming_strings;"
                     "SELECT '\\'; SELECT 2")
                  .size(),
              4U);
  EXPECT_THAT(Pieces("SET standard_conforming_strings = on; SELECT '\\'; SELECT 2").size(), 3U);
}

TEST(Script, BodiesKeepTheirSemicolons) {
  constexpr std::string_view kFunction =
      "CREATE OR REPLACE FUNCTION f(a int) RETURNS int LANGUAGE sql\nBEGIN ATOMIC\n"
      "  SELECT CASE WHEN a > 1 THEN 1 ELSE 2 END;\n  SELECT t.end, 1 AS case FROM t;\nEND";
  constexpr std::string_view kProcedure =
      "create procedure p() begin atomic insert into t values (1); update t set a = 2; end";
  constexpr std::string_view kRule =
      "CREATE RULE r AS ON INSERT TO t DO ALSO (INSERT INTO a VALUES (1); DELETE FROM b)";
  for (const std::string_view statement : {kFunction, kProcedure, kRule}) {
    EXPECT_THAT(Pieces(std::string(statement) + "; SELECT 2;"), ElementsAre(statement, "SELECT 2"));
    EXPECT_THAT(Readable(statement), ElementsAre(statement));
  }
  EXPECT_THAT(Pieces("BEGIN; SELECT 1; END; SELECT 2"),
              ElementsAre("BEGIN", "SELECT 1", "END", "SELECT 2"));
}

TEST(Script, AnOpenBracketHidesNothing) {
  EXPECT_THAT(Pieces("CREATE TABLE t (a int; DROP TABLE u; SELECT 1);"),
              ElementsAre("CREATE TABLE t (a int", "DROP TABLE u", "SELECT 1)"));
}

TEST(Script, PsqlCommandsArePieces) {
  constexpr std::string_view kText =
      "\\set ON_ERROR_STOP on\n"
      "\\i other.sql\n\\ir 'a b; c.sql'\n\\connect db user\n\\c - -\n"
      "\\if :{?flag}\nSELECT 1;\n\\elif :x \\echo it's\n\\else\nSELECT 2;\n\\endif\n"
      "\\echo 'x' \\\\ SELECT 3;\n\\! ls; rm\n\\timing";
  EXPECT_THAT(Pieces(kText),
              ElementsAre("meta: \\set ON_ERROR_STOP on", "meta: \\i other.sql",
                          "meta: \\ir 'a b; c.sql'", "meta: \\connect db user", "meta: \\c - -",
                          "meta: \\if :{?flag}", "SELECT 1", "meta: \\elif :x", "meta: \\echo it's",
                          "meta: \\else", "SELECT 2", "meta: \\endif", "meta: \\echo 'x' \\\\",
                          "SELECT 3", "meta: \\! ls; rm", "meta: \\timing"));
}

TEST(Script, CommandsThatSendEndTheStatement) {
  EXPECT_THAT(
      Pieces("SELECT 1 \\g out.txt\nSELECT 2 \\gexec\nSELECT 3 AS a \\gset p_\n"
             "SELECT 4 \\gx\nSELECT 5 \\watch 2\nSELECT 6 \\crosstabview\n"
             "SELECT 7 \\gdesc\nSELECT 8"),
      ElementsAre("SELECT 1", "meta: \\g out.txt", "SELECT 2", "meta: \\gexec", "SELECT 3 AS a",
                  "meta: \\gset p_", "SELECT 4", "meta: \\gx", "SELECT 5", "meta: \\watch 2",
                  "SELECT 6", "meta: \\crosstabview", "SELECT 7", "meta: \\gdesc", "SELECT 8"));
}

TEST(Script, ACommandInsideAStatementIsBlank) {
  EXPECT_EQ(Sql("SELECT\n\\echo half\n1;"), "SELECT\n          \n1");
  EXPECT_THAT(Pieces("SELECT 1\\; SELECT 2;"), ElementsAre("SELECT 1", "SELECT 2"));
}

TEST(Script, CopyDataIsNotRead) {
  EXPECT_THAT(
      Pieces("COPY t (a, b) FROM stdin;\n1\tit's\nDROP TABLE x;\n\\N\t$$\n\\.\n\nSELECT 1;"),
      ElementsAre("COPY t (a, b) FROM stdin", "data: 1\tit's\nDROP TABLE x;\n\\N\t$$\n\\.",
                  "SELECT 1"));
  EXPECT_THAT(Pieces("COPY t FROM STDIN WITH (FORMAT csv); -- why\r\n1;'\r\n\\.\r\nSELECT 1"),
              ElementsAre("COPY t FROM STDIN WITH (FORMAT csv)", "data: 1;'\r\n\\.", "SELECT 1"));
  EXPECT_THAT(Pieces("\\copy t from stdin csv\n1;2\n\\.\nSELECT 1;"),
              ElementsAre("meta: \\copy t from stdin csv", "data: 1;2\n\\.", "SELECT 1"));
  EXPECT_THAT(Pieces("copy t from stdin \\g\n1\n\\.\nSELECT 1;"),
              ElementsAre("copy t from stdin", "meta: \\g", "data: 1\n\\.", "SELECT 1"));
  EXPECT_THAT(Pieces("COPY t FROM stdin;\n\\.\nSELECT 1;"),
              ElementsAre("COPY t FROM stdin", "data: \\.", "SELECT 1"));
}

TEST(Script, CopyThatBringsNoData) {
  EXPECT_THAT(Pieces("COPY t TO stdout;\nSELECT 1;"), ElementsAre("COPY t TO stdout", "SELECT 1"));
  EXPECT_THAT(Pieces("\\copy t from 'a.csv' csv\nSELECT 1;"),
              ElementsAre("meta: \\copy t from 'a.csv' csv", "SELECT 1"));
  EXPECT_THAT(Pieces("\\copy (select 1 from stdin) to 'x'\nSELECT 1;"),
              ElementsAre("meta: \\copy (select 1 from stdin) to 'x'", "SELECT 1"));
  EXPECT_THAT(Pieces("COPY t FROM stdin;"), ElementsAre("COPY t FROM stdin"));
}

TEST(Script, DataWithoutItsEndStopsAtTheNextStatement) {
  EXPECT_THAT(Pieces("COPY t FROM stdin;\n1\t2\n3\t4\nALTER TABLE t ADD c int;\nSELECT 1;"),
              ElementsAre("COPY t FROM stdin", "data: 1\t2\n3\t4\n", "ALTER TABLE t ADD c int",
                          "SELECT 1"));
}

TEST(Script, VariablesAndPlaceholdersBecomeWords) {
  EXPECT_EQ(Sql("SELECT :a, :'b c'"), "SELECT _a, :'b c'");
  EXPECT_EQ(Sql("SELECT :name"), "SELECT _name");
  EXPECT_EQ(Sql("SELECT :'name'"), "SELECT '_name'");
  EXPECT_EQ(Sql("SELECT * FROM :\"name\""), "SELECT * FROM \"_name\"");
  EXPECT_EQ(Sql("SELECT :{?name}"), "SELECT TRUE    ");
  EXPECT_EQ(Sql("SELECT ${schema}.f(${a-b})"), "SELECT __schema_.f(__a_b_)");
  EXPECT_EQ(Sql("SELECT $(name), {{ name }}"), "SELECT __name_, ___name___");
  EXPECT_EQ(Sql("SELECT a FROM t_${env}_x"), "SELECT a FROM t___env__x");
  for (const std::string_view text :
       {"SELECT :name", "SELECT :'name'", "SELECT * FROM ${schema}.t",
        "DO $$BEGIN DELETE FROM ${schema}.t; END$$", "SELECT * FROM :\"n\""}) {
    const auto pieces = SplitScript(text);
    ASSERT_EQ(pieces.size(), 1U);
    EXPECT_TRUE(pieces[0].has_placeholder) << text;
    EXPECT_TRUE(ast::ReadStatement(pieces[0].sql)) << pieces[0].sql;
  }
}

TEST(Script, ColonsThatAreNoVariables) {
  for (const std::string_view text :
       {"SELECT a::int", "SELECT a[1:2]", "SELECT a[:n], a[n:]", "SELECT a[b:c]",
        "SELECT f(a := 1)", "SELECT ':name'", "SELECT '12:30'", "SELECT \"a:b\"",
        "SELECT ARRAY['a']::text[]"}) {
    EXPECT_EQ(Sql(text), text);
    EXPECT_FALSE(SplitScript(text)[0].has_placeholder) << text;
  }
}

TEST(Script, LineEndsOfEverySystem) {
  EXPECT_THAT(Pieces("-- a\r\nSELECT 1;\r\n\\echo x\r\nSELECT\r\n2;\r\n"),
              ElementsAre("SELECT 1", "meta: \\echo x", "SELECT\r\n2"));
  EXPECT_THAT(Pieces("-- a\rSELECT 1;\rSELECT 2"), ElementsAre("SELECT 1", "SELECT 2"));
}

TEST(Script, ByteOrderMarkIsNoName) {
  EXPECT_THAT(Pieces("\xEF\xBB\xBFSELECT 1;"), ElementsAre("SELECT 1"));
  EXPECT_EQ(SplitScript("\xEF\xBB\xBFSELECT 1;")[0].span.begin, 3U);
  EXPECT_THAT(Pieces("\xEF\xBB\xBF-- only a comment"), ElementsAre("comments: "));
}

TEST(Script, WideTextIsSaid) {
  for (const std::string& text : {"\xFF\xFES\0E\0L\0;\0"s, "\xFE\xFF\0S\0E\0L"s, "S\0E\0L\0;\0"s,
                                  "\0S\0E\0L\0;"s, "\xFF\xFE"s}) {
    const auto pieces = SplitScript(text);
    ASSERT_EQ(pieces.size(), 1U);
    EXPECT_EQ(pieces[0].kind, PieceKind::kWide);
    EXPECT_EQ(pieces[0].span.end, text.size());
  }
}

TEST(Script, ForeignBytesAreReplacedAndSaid) {
  const auto pieces =
      SplitScript("SELECT 'Gr\xFC\xDF' AS stra\xDF; SELECT 'ok'; SELECT 1 -- \xFF\n");
  ASSERT_EQ(pieces.size(), 3U);
  EXPECT_EQ(pieces[0].sql, "SELECT 'Gr\?\?' AS stra_");
  EXPECT_TRUE(pieces[0].has_invalid_utf8);
  EXPECT_FALSE(pieces[1].has_invalid_utf8);
  EXPECT_EQ(pieces[2].sql, "SELECT 1");
  EXPECT_FALSE(SplitScript("SELECT 'Grüß'")[0].has_invalid_utf8);
}

TEST(Script, ZeroBytesHideNothing) {
  const auto text = "SELECT 1;\0SELECT 'a\0b';\0\0 DROP\0TABLE t;"s;
  const auto pieces = SplitScript(text);
  ASSERT_EQ(pieces.size(), 3U);
  EXPECT_EQ(pieces[0].sql, "SELECT 1");
  EXPECT_EQ(pieces[1].sql, "SELECT 'a?b'");
  EXPECT_EQ(pieces[2].sql, "DROP TABLE t");
  EXPECT_TRUE(pieces[2].has_invalid_utf8);
}

// Whatever has no end, the statement after it is found.
TEST(Script, WhatHasNoEndHidesNothingAfterIt) {
  for (const std::string_view open :
       {"SELECT 'a", "SELECT \"a", "SELECT $$a", "SELECT $body$ begin", "/* a", "SELECT /* /* */ 1",
        "SELECT E'a\\'", "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1",
        "CREATE RULE r AS ON INSERT TO t DO ALSO (SELECT 1", "COPY t FROM stdin",
        "CREATE TABLE t (", "SELECT U&'a", "DO $x$ BEGIN", "SELECT ${a", "SELECT {{ a",
        "SELECT :'a"}) {
    const std::string text = "CREATE TABLE before ();\n" + std::string(open) +
                             ";\n\nALTER TABLE t ADD COLUMN c int;\n\nDROP TABLE after;\n";
    const auto readable = Readable(text);
    SCOPED_TRACE(open);
    EXPECT_THAT(readable, ::testing::Contains("CREATE TABLE before ()"));
    EXPECT_THAT(readable, ::testing::Contains("ALTER TABLE t ADD COLUMN c int"));
    EXPECT_THAT(readable, ::testing::Contains("DROP TABLE after"));
    (void)Pieces(text);
  }
}

TEST(Script, AQuoteMissingFurtherUpIsBlamedWhereItIs) {
  constexpr std::string_view kText =
      "INSERT INTO t VALUES ('a);\nALTER TABLE t ADD c int;\nINSERT INTO t VALUES ('b');\n"
      "DROP TABLE u;\n";
  EXPECT_THAT(Pieces(kText),
              ElementsAre("unclosed: INSERT INTO t VALUES ('a);", "ALTER TABLE t ADD c int",
                          "INSERT INTO t VALUES ('b')", "DROP TABLE u"));
}

TEST(Script, ABadStatementHidesNoOther) {
  EXPECT_THAT(
      Readable("SELEC 1;\nDROP TABLE a;\nfoo bar ] } ) \\ ;\nDROP TABLE b;\n@#%;DROP TABLE c"),
      ElementsAre("DROP TABLE a", "DROP TABLE b", "DROP TABLE c"));
}

// What is cut off anywhere is still answered.
TEST(Script, EveryPrefixIsAnswered) {
  const std::string text =
      "\xEF\xBB\xBF\\set a 'b'\nCOPY t FROM stdin;\n1\n\\.\nCREATE FUNCTION f() RETURNS int BEGIN "
      "ATOMIC SELECT CASE WHEN a THEN 1 END; END;\nSELECT E'\\'', $a$ ${x} $a$, :'v', :{?v}, "
      "a[1:2] /* /* */ */ -- x\n\\gexec\nCREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT "
      "2);\r\nSET standard_conforming_strings = off; SELECT '\\'\xFF', \"q\"\"\", {% if %} 1.5e3;";
  for (std::size_t size = 0; size <= text.size(); ++size) (void)Pieces(text.substr(0, size));
  for (std::size_t begin = 0; begin <= text.size(); ++begin) (void)Pieces(text.substr(begin));
}

TEST(Script, RandomTokensAreAnswered) {
  constexpr std::array<std::string_view, 40> kTokens{
      "'",      "\"",   "$$",   "$a$",    "/*",   "*/",       "--",   "\n",    ";",    "(",
      ")",      "[",    "]",    "\\",     "\\.",  "\\copy",   "from", "stdin", "copy", "begin",
      "atomic", "end",  "case", "create", "rule", "function", ":",    "${",    "}",    "{{",
      "\0",     "\xFF", "é",    "E'",     "\\g",  "set",      "x",    "1",     " ",    "\r\n"};
  std::mt19937 random(7);
  for (int round = 0; round < 20'000; ++round) {
    std::string text;
    const auto size = random() % 40;
    for (unsigned i = 0; i < size; ++i) text += kTokens[random() % kTokens.size()];
    (void)Pieces(text);
    if (HasFatalFailure()) FAIL() << text;
  }
}

using Clock = std::chrono::steady_clock;

std::chrono::duration<double> TimeOf(const std::string& text) {
  const auto start = Clock::now();
  (void)SplitScript(text);
  return Clock::now() - start;
}

TEST(Script, TenMegabytesAreRead) {
  constexpr std::string_view kPiece = "INSERT INTO t (a, b) VALUES (1, 'text'), (2, $$x$$);\n";
  EXPECT_LT(TimeOf(Repeat(kPiece, static_cast<int>(10'000'000 / kPiece.size()))).count(), 5.0);
}

// A megabyte of each takes hundredths of a second; read again and again it took minutes.
TEST(Script, TimeIsLinearInHostileText) {
  constexpr std::size_t kSize = 1'000'000;
  for (const std::string_view piece : {"INSERT INTO t (a, b) VALUES (1, 'text'), (2, $$x$$);\n",
                                       "'",
                                       "\"",
                                       "$$",
                                       "$a$ $b$ ",
                                       "/*",
                                       "/* */",
                                       "(",
                                       "(;",
                                       ";",
                                       "\\",
                                       "\\.\n",
                                       "\\echo x\n",
                                       "COPY t FROM stdin;\n",
                                       "${",
                                       "${a}",
                                       "{{",
                                       ":",
                                       ":a ",
                                       "E'\\'",
                                       "--\n",
                                       "a",
                                       "\n",
                                       "'\n;SELECT\n",
                                       "create rule r (;",
                                       "create function f() begin atomic ",
                                       "case ",
                                       "\xFF",
                                       "é",
                                       "SELECT '\n;\nSELECT \"\n;\n",
                                       "\\copy t from stdin\n",
                                       "\\copy t from stdin (",
                                       "COPY t FROM stdin;",
                                       "copy t from stdin \\g ",
                                       "\\echo x",
                                       "\\echo ' \\",
                                       "x \\\\ ",
                                       "x\\echo '",
                                       "$$;\nSELECT $a$;\n",
                                       "SET standard_conforming_strings=off;SELECT '\\';\n",
                                       "/*;\nSELECT 1;\n"}) {
    const std::string text = Repeat(piece, static_cast<int>(kSize / piece.size()));
    EXPECT_LT(TimeOf(text).count(), 5.0) << piece;
  }
}

std::array<int, 3> PlaceOf(const LineIndex& index, std::size_t offset) {
  const LineIndex::Place place = index.At(offset);
  return {place.line, place.column, place.utf16_column};
}

TEST(LineIndex, CountsLinesOfEverySystem) {
  const LineIndex index("a\nb\r\nc\rd");
  EXPECT_THAT(PlaceOf(index, 0), ElementsAre(1, 1, 1));
  EXPECT_THAT(PlaceOf(index, 2), ElementsAre(2, 1, 1));
  EXPECT_THAT(PlaceOf(index, 5), ElementsAre(3, 1, 1));
  EXPECT_THAT(PlaceOf(index, 7), ElementsAre(4, 1, 1));
  EXPECT_EQ(index.Line(2), "b");
  EXPECT_EQ(index.Line(4), "d");
  EXPECT_EQ(index.Line(0), "");
  EXPECT_EQ(index.Line(5), "");
}

TEST(LineIndex, CountsCharactersAndUtf16Units) {
  const LineIndex index("\xEF\xBB\xBFé\xF0\x9F\x98\x80x");
  EXPECT_THAT(PlaceOf(index, 0), ElementsAre(1, 1, 1));
  EXPECT_THAT(PlaceOf(index, 3), ElementsAre(1, 1, 1));
  EXPECT_THAT(PlaceOf(index, 5), ElementsAre(1, 2, 2));
  EXPECT_THAT(PlaceOf(index, 9), ElementsAre(1, 3, 4));
  EXPECT_THAT(PlaceOf(index, 999), ElementsAre(1, 4, 5));
}

TEST(LineIndex, CountsOnAnyStride) {
  const std::string text = Repeat("é\n", 5'000) + Repeat("é", 5'000);
  const LineIndex index(text);
  for (int line = 1; line <= 5'000; ++line)
    ASSERT_THAT(PlaceOf(index, static_cast<std::size_t>(line - 1) * 3), ElementsAre(line, 1, 1));
  for (int column = 1; column <= 5'000; ++column)
    ASSERT_THAT(PlaceOf(index, 15'000 + static_cast<std::size_t>(column - 1) * 2),
                ElementsAre(5'001, column, column));
  EXPECT_THAT(PlaceOf(LineIndex(""), 0), ElementsAre(1, 1, 1));
}

}  // namespace
}  // namespace pgalter::sql
