// Values of options, as SQL quotes them.
#include <gmock/gmock.h>

#include "batcher/partition/given.h"
#include "engine/run/failure.h"

namespace pgalter::partition {
namespace {

using ::testing::HasSubstr;

// "g 'a, b' NULL!": with quotes what is a value for sure, NULL! what is none.
std::string Shown(const Givens& values) {
  std::string text;
  for (const Given& value : values) {
    text += text.empty() ? "" : " ";
    text += value.quoted ? "'" + value.text + "'" : value.text;
    text += value.IsNull() ? "!" : "";
  }
  return text;
}

TEST(Given, IsReadAsSqlQuotesIt) {
  const auto reads = [](const char* text, const char* shown) {
    EXPECT_EQ(Shown(ReadGivens(text, "--values")), shown) << text;
  };
  reads("de,fr", "de fr");
  reads("o'clock", "o'clock");
  reads(" de , f r ", "de f r");
  reads("'a, b','o''clock'", "'a, b' 'o'clock'");
  reads("'' , ''''", "'' '''");
  reads("NULL,'NULL'", "NULL! 'NULL'");
  reads("' de '", "' de '");
  reads("x=y", "x=y");
  reads("annulled,nullable", "annulled nullable");
  reads("a\\b,'a\\b'", "a\\b 'a\\b'");
}

TEST(Given, WhatMayBeMeantOtherwiseIsRefused) {
  const auto refuses = [](const char* text, const char* why) {
    try {
      (void)ReadGivens(text, "--values");
      ADD_FAILURE() << text;
    } catch (const run::Failure& failure) {
      EXPECT_EQ(failure.code(), run::ExitCode::kUsage);
      EXPECT_THAT(failure.what(), HasSubstr(why));
    }
  };
  refuses("", "an empty value");
  refuses("de,", "an empty value");
  refuses("de,,fr", "an empty value");
  refuses("'de", "a quote does not end");
  refuses("'o'clock'", "behind 'o' there is no comma");
  refuses("\"de\"", "a double quote, which is for names");
  refuses("null", "is null no value, or a text? NULL is no value, 'null' is a text");
  refuses("de,Null", "is Null no value");
}

TEST(Given, OneIsOne) {
  EXPECT_EQ(ReadGiven("'Jan 1, 2026'", "--from").text, "Jan 1, 2026");
  try {
    (void)ReadGiven("Jan 1, 2026", "--from");
    ADD_FAILURE();
  } catch (const run::Failure& failure) {
    EXPECT_THAT(failure.what(), HasSubstr("has 2 values"));
    EXPECT_THAT(failure.what(), HasSubstr("as 'Jan 1, 2026'"));
  }
}

TEST(Given, IsWrittenSoThatItIsReadAgain) {
  for (const char* text : {"de", "a, b", "o'clock", "'quoted'", "NULL", "null", "", " de ", "x=y",
                           "MinValue", "\"de\"", "a\\b", "äöü", "-5"}) {
    const Givens values{Given{text}, Given{"NULL", false}, Given{"MAXVALUE", false}};
    const Givens again = ReadGivens(ToText(values), "--at");
    ASSERT_EQ(again.size(), 3U) << text;
    EXPECT_EQ(again[0].text, text);
    EXPECT_FALSE(again[0].IsNull()) << text;
    EXPECT_EQ(Shown({again[1], again[2]}), "NULL! MAXVALUE");
  }
  EXPECT_EQ(ToText({Given{"eu"}, Given{"2026-01-01 00:00:00+00"}}), "eu,2026-01-01 00:00:00+00");
  EXPECT_EQ(ToText({Given{"minvalue"}}), "'minvalue'");
}

TEST(Given, NamesStandBeforeTheValues) {
  EXPECT_EQ(NameBefore("eu=de,fr"), "eu");
  EXPECT_EQ(NameBefore("eu='a=b'"), "eu");
  EXPECT_EQ(NameBefore("'a=b'"), "");
  EXPECT_EQ(NameBefore("de,a=b"), "");
  EXPECT_EQ(NameBefore("de"), "");
}

TEST(Given, LiteralsOfTheServerAreRead) {
  EXPECT_EQ(Shown(ReadLiterals("'a, b', 'o''clock', NULL, 5, MINVALUE, true")),
            "'a, b' 'o'clock' NULL! 5 MINVALUE true");
  EXPECT_EQ(Shown(ReadLiterals("E'a\\\\b', 'c'")), "'a\\b' 'c'");
  EXPECT_EQ(Shown(ReadLiterals("''')', ''")), "'')' ''");
  EXPECT_EQ(Shown(ReadLiterals("")), "");
}

}  // namespace
}  // namespace pgalter::partition
