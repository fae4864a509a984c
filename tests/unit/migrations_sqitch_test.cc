// sqitch's plan and ids. The ids are those that sqitch 1.3.1 gave to this plan.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "migrations/formats/sqitch_plan.h"
#include "migrations/history/sha1.h"
#include "migrations/history/sqitch_ids.h"

namespace pgalter::history {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

TEST(Sha1, OfKnownTexts) {
  EXPECT_EQ(Sha1(""), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
  EXPECT_EQ(Sha1("abc"), "a9993e364706816aba3e25717850c26c9cd0d89d");
  EXPECT_EQ(Sha1(std::string(1000000, 'a')), "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
}

constexpr const char* kPlan =
    "%syntax-version=1.0.0\n%project=proj\n%uri=https://example.org/x~\n\n"
    "one 2026-11-22T08:53:46Z Ann B <ann@x.org> # first \"note\"\n"
    "@v1 2026-11-22T08:53:51Z Ann B <ann@x.org> # tag note\n"
    "one [one@v1] 2026-11-22T08:53:59Z Ann B <ann@x.org> # again\n";

TEST(SqitchIds, AreThoseOfSqitch) {
  const auto ids = IdsOf(formats::ReadSqitchPlan(kPlan));
  ASSERT_THAT(ids, SizeIs(2));
  EXPECT_EQ(ids[0].change, "b423d8bbcc172ce3a6d74a0f89b036d5c9053b11");
  EXPECT_THAT(ids[0].tags, ElementsAre("c247a62297963b23ab7c69c33f66431de0440232"));
  EXPECT_EQ(ids[1].change, "c270ff50f4a6b86d9df3d1692dd66b9268928fa3");
}

TEST(SqitchIds, AUriHasOneForm) {
  EXPECT_EQ(CanonicalUri("https://Example.org:443/x%7e"), "https://example.org/x~");
  EXPECT_EQ(CanonicalUri("HTTP://a@B.org"), "http://a@b.org/");
  EXPECT_EQ(CanonicalUri("https://b.org:8443/a%2fb?q#f"), "https://b.org:8443/a%2Fb?q#f");
  EXPECT_EQ(CanonicalUri("urn:uuid:X"), "urn:uuid:X");
}

TEST(SqitchPlan, IsReadAsFarAsItGoes) {
  const auto plan = formats::ReadSqitchPlan(
      "%project = shop\n# nothing\n+ a [b@v0 !shop:c other:d] 2026-01-01T00:00:00Z A <a@b> # "
      "x\\ny\n"
      "b\n@t\n@u\nb [!c]\n");
  ASSERT_THAT(plan.changes, SizeIs(3));
  EXPECT_EQ(plan.project, "shop");
  const auto& first = plan.changes[0];
  ASSERT_THAT(first.dependencies, SizeIs(3));
  EXPECT_EQ(first.dependencies[0].tag, "v0");
  EXPECT_EQ(first.dependencies[1].text, "other:d");
  EXPECT_EQ(first.dependencies[2].text, "c");
  EXPECT_TRUE(first.dependencies[2].conflict);
  EXPECT_EQ(first.planned.note, "x\ny");
  EXPECT_EQ(plan.changes[1].script, "b@t");
  EXPECT_EQ(plan.changes[2].script, "b");
  EXPECT_EQ(plan.changes[2].planned.at, "");
}

}  // namespace
}  // namespace pgalter::history
