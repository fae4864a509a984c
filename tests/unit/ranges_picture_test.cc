// The picture of a partitioned table's ranges, and how wide it may be.
#include "cli/inspect/ranges_picture.h"

#include <gmock/gmock.h>

#include <sstream>
#include <string>
#include <vector>

#include "cli/columns.h"

namespace pgalter::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<std::string> Lines(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

Picture TwoRanges() {
  Picture picture;
  picture.bars = {{"a", 0.0, 50.0, true}, {"b", 50.0, 100.0, false}};
  picture.first = "0";
  picture.last = "100";
  picture.now = 25.0;
  return picture;
}

std::size_t Widest(const Picture& picture, std::size_t columns) {
  std::size_t widest = 0;
  for (const std::string& line : Lines(Draw(picture, columns)))
    widest = std::max(widest, line.size());
  return widest;
}

TEST(RangesPicture, IsAsWideAsItMayBe) {
  EXPECT_EQ(Widest(TwoRanges(), 80), 80U);
  EXPECT_EQ(Widest(TwoRanges(), 120), 120U);
  EXPECT_EQ(Lines(Draw(TwoRanges(), 44)),
            (std::vector<std::string>{"a |####################                    |",
                                      "b |                    --------------------|",
                                      "             ^ now",
                                      "   0                                    100"}));
}

TEST(RangesPicture, IsNeverTooNarrowToTellNorTooWideToFollow) {
  for (const std::size_t columns : {0U, 1U, 39U, 40U}) EXPECT_EQ(Widest(TwoRanges(), columns), 40U);
  for (const std::size_t columns : {200U, 201U, 100'000U})
    EXPECT_EQ(Widest(TwoRanges(), columns), 200U);
}

TEST(RangesPicture, CutsNamesToAThirdAndFitsWithTheLongestEnds) {
  Picture picture = TwoRanges();
  picture.bars[0].name = std::string(63, 'x');
  picture.first = "2026-01-01 00:00:00+00";
  picture.last = "2026-12-31";
  for (const std::size_t columns : {40U, 60U, 80U, 132U, 200U})
    EXPECT_EQ(Widest(picture, columns), columns);
  EXPECT_THAT(Draw(picture, 40), HasSubstr(std::string(14, 'x') + " |"));
  EXPECT_THAT(Draw(picture, 80), HasSubstr(std::string(28, 'x') + " |"));
  EXPECT_THAT(Draw(picture, 200), HasSubstr(std::string(63, 'x') + " |"));
}

TEST(RangesPicture, MarksNowWithinIt) {
  Picture picture = TwoRanges();
  for (const double now : {0.0, 1.0, 50.0, 97.0, 99.0, 100.0})
    for (const std::size_t columns : {40U, 81U, 200U}) {
      picture.now = now;
      EXPECT_EQ(Widest(picture, columns), columns) << now;
      EXPECT_THAT(Draw(picture, columns), HasSubstr("now"));
    }
}

TEST(RangesPicture, NeedsTwoEnds) {
  Picture picture = TwoRanges();
  picture.bars = {{"a", 0.0, std::nullopt, true}};
  EXPECT_THAT(Draw(picture, 80), IsEmpty());
}

TEST(Columns, AreTheUsersThenTheTerminalsThenEighty) {
  EXPECT_EQ(ColumnsFrom("120", 100), 120U);
  EXPECT_EQ(ColumnsFrom("", 100), 100U);
  EXPECT_EQ(ColumnsFrom("", std::nullopt), 80U);
  for (const char* nothing : {"0", "-5", "wide", "12x", "99999999999999999999999"})
    EXPECT_EQ(ColumnsFrom(nothing, 100), 100U) << nothing;
}

}  // namespace
}  // namespace pgalter::cli
