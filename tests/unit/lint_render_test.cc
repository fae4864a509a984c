// The formats of lint, on findings made by hand. Whether real readers take them is
// lint_formats_test's affair.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

#include "planner/lint/render/format.h"
#include "planner/lint/render/unicode.h"
#include "planner/lint/render/uri.h"
#include "planner/lint/render/xml.h"
#include "tests/support/lint_report.h"

namespace pgalter::lint {
namespace {

namespace json = boost::json;
using test::At;
using test::FindingAt;
using test::MakeReport;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::string_view kScript =
    "BEGIN;\n"
    "CREATE INDEX i ON orders (c);\n"
    "COMMIT;\n";

json::object First(const json::value& document) {
  return document.at("findings").at(0).as_object();
}

json::object FirstResult(const std::string& sarif) {
  return json::parse(sarif).at("runs").at(0).at("results").at(0).as_object();
}

// ---- the table
// -----------------------------------------------------------------------------------

TEST(LintFormats, EveryFormatHasAnEmptyReport) {
  const Report report = MakeReport("m/1.sql", "SELECT 1;\n");
  for (const Format& format : AllFormats()) {
    SCOPED_TRACE(format.name);
    EXPECT_EQ(FindFormat(format.name), &format);
    const std::string text = format.render(report);
    ASSERT_FALSE(text.empty());
    EXPECT_EQ(text.back(), '\n');
  }
  EXPECT_EQ(FindFormat("xml"), nullptr);
}

TEST(LintFormats, NoFormatLetsBytesThroughThatAreNoUtf8) {
  Report report = MakeReport("m/\xFF.sql", "CREATE INDEX \xFE ON t (c);\n");
  Finding finding = FindingAt(report, "CREATE INDEX");
  finding.message = "bad \xC3( bytes";
  finding.remedy = "\x80";
  finding.lock->relation = "\xED\xA0\x80";  // a surrogate
  finding.fix = {{finding.span, "\xF5"}};
  report.result.findings = {finding};
  for (const Format& format : AllFormats()) {
    SCOPED_TRACE(format.name);
    const std::string text = format.render(report);
    EXPECT_EQ(ValidUtf8(text), text);
  }
}

// ---- what counts
// ---------------------------------------------------------------------------------

TEST(LintReport, WhatIsIgnoredOrInTheBaselineDoesNotCount) {
  Report report = MakeReport("m/1.sql", kScript);
  Finding ignored = FindingAt(report, "CREATE INDEX");
  ignored.suppressed = "small table";
  Finding known = ignored;
  known.suppressed.clear();
  known.fingerprint = "known";
  report.result.findings = {ignored, known};
  report.baseline = {"known"};
  const Tally tally = TallyOf(report);
  EXPECT_EQ(tally.errors, 0);
  EXPECT_FALSE(tally.fails);
  EXPECT_EQ(SummaryLine(tally), "no findings in 1 file; 1 ignored by comments, 1 in the baseline");
}

TEST(LintReport, FailsFromTheGivenSeverityOn) {
  Report report = MakeReport("m/1.sql", kScript);
  report.result.findings = {FindingAt(report, "CREATE INDEX")};
  report.result.findings[0].severity = Severity::kWarning;
  EXPECT_FALSE(TallyOf(report).fails);
  report.fail_on = Severity::kWarning;
  EXPECT_TRUE(TallyOf(report).fails);
  report.fail_on = Severity::kNote;
  EXPECT_TRUE(TallyOf(report).fails);
  report.fail_on = std::nullopt;
  EXPECT_FALSE(TallyOf(report).fails);
}

TEST(LintReport, HistoryIsNotCountedAmongTheFiles) {
  Report report = MakeReport("m/1.sql", kScript);
  report.files.push_back({"m/0.sql", "m/0.sql", "", false});
  EXPECT_EQ(TallyOf(report).files, 1);
}

// ---- text
// ----------------------------------------------------------------------------------------

TEST(LintText, ShowsTheLineWhoWaitsAndTheWayOut) {
  Report report = MakeReport("m/1.sql", kScript);
  report.result.findings = {FindingAt(report, "CREATE INDEX i ON orders (c)")};
  EXPECT_EQ(RenderText(report),
            "m/1.sql:2:1: error: writes wait for the build [create-index-non-concurrent]\n"
            "  2 | CREATE INDEX i ON orders (c);\n"
            "    | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^\n"
            "  lock     SHARE on orders: writes wait\n"
            "  work     the table is read whole\n"
            "  instead  CREATE INDEX CONCURRENTLY.\n"
            "\n"
            "1 finding in 1 of 1 file: 1 error\n");
}

TEST(LintText, ColoursOnlyWhenAsked) {
  Report report = MakeReport("m/1.sql", kScript);
  report.result.findings = {FindingAt(report, "CREATE INDEX")};
  EXPECT_THAT(RenderText(report), Not(HasSubstr("\x1B")));
  report.paint = Paint::kColor;
  EXPECT_THAT(RenderText(report), HasSubstr("\x1B[1;31merror\x1B[0m"));
}

TEST(LintText, TheCaretStandsUnderWideCharactersAndTabs) {
  Report report = MakeReport("m/1.sql", "\tSELECT '\u6F22\u5B57', bad;\n");
  report.result.findings = {FindingAt(report, "bad")};
  EXPECT_THAT(RenderText(report), HasSubstr("  1 |  SELECT '\u6F22\u5B57', bad;\n"
                                            "    |                 ^^^\n"));
}

TEST(LintText, AFileCannotDrawOnTheTerminal) {
  Report report = MakeReport("m/\x1B[2J.sql", "SELECT '\x1B]0;x\x07\u202E', bad;\n");
  report.result.findings = {FindingAt(report, "bad")};
  report.result.findings[0].message = "about \x1B[31m";
  const std::string text = RenderText(report);
  EXPECT_THAT(text, Not(HasSubstr("\x1B")));
  EXPECT_THAT(text, Not(HasSubstr("\u202E")));
  EXPECT_THAT(text, HasSubstr("\\x1B]0;x\\x07\\u202E"));
}

TEST(LintText, AStatementOfSeveralLinesIsMarkedToItsEnd) {
  Report report = MakeReport("m/1.sql", "ALTER TABLE t\n  ADD c int;\n");
  report.result.findings = {FindingAt(report, "ALTER TABLE t\n  ADD c int")};
  EXPECT_THAT(RenderText(report), HasSubstr("    | ^^^^^^^^^^^^^ to line 2\n"));
}

TEST(LintText, ALongLineIsCutAroundThePlace) {
  const std::string script = std::string(100'000, 'x') + "bad" + std::string(100'000, 'y');
  Report report = MakeReport("m/1.sql", script);
  report.result.findings = {FindingAt(report, "bad")};
  const std::string text = RenderText(report);
  EXPECT_LT(text.size(), 1000U);
  EXPECT_THAT(text, HasSubstr("…xxxx"));
  EXPECT_THAT(text, HasSubstr("yyyy…\n"));
  EXPECT_THAT(text, HasSubstr("^^^\n"));
}

TEST(LintText, APlaceAtTheEndOfTheFileHasOneCaret) {
  Report report = MakeReport("m/1.sql", "SELECT 1;\n");
  Finding finding = FindingAt(report, "SELECT");
  finding.span = {10, 10};
  report.result.findings = {finding};
  EXPECT_THAT(RenderText(report), HasSubstr("  2 | \n    | ^\n"));
}

// ---- json
// ----------------------------------------------------------------------------------------

TEST(LintJson, HasThePromisedFields) {
  Report report = MakeReport("m/1.sql", kScript);
  Finding finding = FindingAt(report, "CREATE INDEX i ON orders (c)");
  finding.fix = {{{19, 19}, " CONCURRENTLY"}};
  report.result.findings = {finding};
  report.result.statements = 3;
  const json::value document = json::parse(RenderJson(report));
  EXPECT_EQ(document.at("version"), 1);
  const json::object first = First(document);
  EXPECT_EQ(first.at("rule"), "create-index-non-concurrent");
  EXPECT_EQ(first.at("severity"), "error");
  EXPECT_EQ(first.at("category"), "scan");
  EXPECT_EQ(first.at("file"), "m/1.sql");
  EXPECT_EQ(first.at("line"), 2);
  EXPECT_EQ(first.at("column"), 1);
  EXPECT_EQ(first.at("end_line"), 2);
  EXPECT_EQ(first.at("end_column"), 29);
  EXPECT_EQ(first.at("lock"),
            json::parse(R"({"mode":"SHARE","relation":"orders","blocks":["writes"]})"));
  EXPECT_EQ(first.at("table_rewrite"), false);
  EXPECT_EQ(first.at("table_scan"), true);
  EXPECT_TRUE(first.at("suppressed").is_null());
  EXPECT_EQ(first.at("fix").at(0).at("column"), 13);
  EXPECT_EQ(document.at("summary").at("statements"), 3);
  EXPECT_EQ(document.at("summary").at("failed"), true);
}

TEST(LintJson, ColumnsAreCharacters) {
  Report report = MakeReport("m/1.sql", "SELECT '\U0001F600\u00E9', bad;");
  report.result.findings = {FindingAt(report, "bad")};
  EXPECT_EQ(First(json::parse(RenderJson(report))).at("column"), 14);
  EXPECT_EQ(
      At(FirstResult(RenderSarif(report)), "/locations/0/physicalLocation/region/startColumn"), 15);
}

TEST(LintJson, WhatIsSuppressedIsListedAndSaysWhy) {
  Report report = MakeReport("m/1.sql", kScript);
  report.result.findings = {FindingAt(report, "CREATE INDEX")};
  report.result.findings[0].suppressed = "small table";
  EXPECT_EQ(First(json::parse(RenderJson(report))).at("suppressed"),
            json::parse(R"({"by":"comment","reason":"small table"})"));
  report.result.findings[0].suppressed.clear();
  report.baseline = {report.result.findings[0].fingerprint};
  EXPECT_EQ(First(json::parse(RenderJson(report))).at("suppressed"),
            json::parse(R"({"by":"baseline","reason":null})"));
}

// ---- sarif
// ---------------------------------------------------------------------------------------

TEST(LintSarif, NamesTheRuleThePlaceAndTheFix) {
  Report report = MakeReport("m/1.sql", kScript);
  Finding finding = FindingAt(report, "CREATE INDEX i ON orders (c)");
  finding.fix = {{{19, 19}, " CONCURRENTLY"}};
  report.result.findings = {finding};
  const std::string sarif = RenderSarif(report);
  const json::object result = FirstResult(sarif);
  EXPECT_EQ(result.at("ruleId"), "create-index-non-concurrent");
  const json::value run = json::parse(sarif).at("runs").at(0);
  EXPECT_EQ(run.at("columnKind"), "utf16CodeUnits");
  const auto index = result.at("ruleIndex").to_number<std::size_t>();
  EXPECT_EQ(run.at("tool").at("driver").at("rules").at(index).at("id"), result.at("ruleId"));
  EXPECT_EQ(At(result, "/locations/0/physicalLocation"), json::parse(R"({
      "artifactLocation": {"uri": "m/1.sql", "uriBaseId": "%SRCROOT%"},
      "region": {"startLine": 2, "startColumn": 1, "endLine": 2, "endColumn": 29}})"));
  EXPECT_EQ(At(result, "/fixes/0/artifactChanges/0/replacements/0"), json::parse(R"({
      "deletedRegion": {"startLine": 2, "startColumn": 13, "endLine": 2, "endColumn": 13},
      "insertedContent": {"text": " CONCURRENTLY"}})"));
  EXPECT_EQ(At(result, "/partialFingerprints/primaryLocationLineHash"),
            json::value(finding.fingerprint + ":1"));
}

TEST(LintSarif, SuppressionsSayByWhatAndWhy) {
  Report report = MakeReport("m/1.sql", kScript);
  report.result.findings = {FindingAt(report, "CREATE INDEX")};
  EXPECT_EQ(FirstResult(RenderSarif(report)).at("suppressions"), json::array());
  report.result.findings[0].suppressed = "small table";
  EXPECT_EQ(FirstResult(RenderSarif(report)).at("suppressions"),
            json::parse(R"([{"kind":"inSource","justification":"small table"}])"));
}

TEST(LintSarif, WhatIsNotReadIsANotificationToo) {
  Report report = MakeReport("m/1.sql", "SELEC 1;\n");
  report.result.findings = {FindingAt(report, "SELEC 1")};
  report.result.findings[0].rule = "parse-error";
  const json::value run = json::parse(RenderSarif(report)).at("runs").at(0);
  EXPECT_EQ(run.at("results").as_array().size(), 1U);
  const json::value& notification =
      run.at("invocations").at(0).at("toolExecutionNotifications").at(0);
  EXPECT_EQ(At(notification, "/locations/0/physicalLocation/region/startLine"), 1);
}

TEST(LintUri, IsPercentEncodedAndRelative) {
  EXPECT_EQ(FileUri("./m/a b#1%.sql"), "m/a%20b%231%25.sql");
  EXPECT_EQ(FileUri("/srv/m/1.sql"), "file:///srv/m/1.sql");
  EXPECT_EQ(FileUri("c:1.sql"), "c%3A1.sql");
  EXPECT_EQ(FileUri("\xFF.sql"), "%FF.sql");
  EXPECT_EQ(HostPath(".//m/1.sql"), "m/1.sql");
}

// ---- the code hosts
// ------------------------------------------------------------------------------

TEST(LintGithub, EscapesWhatItsCommandsAreMadeOf) {
  Report report = MakeReport("m/a,b:c%.sql", kScript);
  Finding finding = FindingAt(report, "CREATE INDEX i ON orders (c)");
  finding.message = "100% of\r\nall: a,b";
  finding.remedy.clear();
  finding.lock.reset();
  report.result.findings = {finding};
  EXPECT_EQ(RenderGithub(report),
            "::error file=m/a%2Cb%3Ac%25.sql,line=2,endLine=2,col=1,endColumn=29,"
            "title=create-index-non-concurrent::100%25 of%0D%0Aall: a,b\n"
            "1 finding in 1 of 1 file: 1 error\n");
}

TEST(LintGithub, ColumnsAreLeftOutOverSeveralLines) {
  Report report = MakeReport("m/1.sql", "ALTER TABLE t\n  ADD c int;\n");
  report.result.findings = {FindingAt(report, "ALTER TABLE t\n  ADD c int")};
  report.result.findings[0].severity = Severity::kNote;
  EXPECT_THAT(RenderGithub(report), HasSubstr("::notice file=m/1.sql,line=1,endLine=2,title="));
}

TEST(LintGitlab, HasAFingerprintOfItsOwnForEachIssue) {
  Report report = MakeReport("./m/1.sql", kScript);
  const Finding finding = FindingAt(report, "CREATE INDEX i ON orders (c)");
  report.result.findings = {finding, finding};
  const json::array issues = json::parse(RenderGitlab(report)).as_array();
  ASSERT_EQ(issues.size(), 2U);
  EXPECT_EQ(issues[0].at("fingerprint"), json::value(finding.fingerprint));
  EXPECT_NE(issues[0].at("fingerprint"), issues[1].at("fingerprint"));
  EXPECT_EQ(issues[0].at("severity"), "critical");
  EXPECT_EQ(issues[0].at("location"),
            json::parse(R"({"path":"m/1.sql","lines":{"begin":2,"end":2}})"));
}

TEST(LintGitlab, LeavesOutWhatDoesNotCount) {
  Report report = MakeReport("m/1.sql", kScript);
  report.result.findings = {FindingAt(report, "CREATE INDEX")};
  report.result.findings[0].suppressed = "small table";
  EXPECT_EQ(RenderGitlab(report), "[]\n");
}

// ---- xml
// -----------------------------------------------------------------------------------------

TEST(LintXml, HoldsOnlyWhatXmlCan) {
  EXPECT_EQ(XmlEscape("a<b>&\"c\""), "a&lt;b&gt;&amp;&quot;c&quot;");
  EXPECT_EQ(XmlEscape("\x01\n\t\xEF\xBF\xBF"), "\\x01&#10;&#9;\\uFFFF");
  EXPECT_EQ(XmlEscape("\xFF"), "\uFFFD");
  EXPECT_EQ(XmlEscape("\U0001F600"), "\U0001F600");
}

TEST(LintCheckstyle, GroupsByFile) {
  Report report = MakeReport("m/1.sql", kScript);
  report.result.findings = {FindingAt(report, "CREATE INDEX")};
  report.result.findings[0].severity = Severity::kNote;
  EXPECT_EQ(RenderCheckstyle(report),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<checkstyle version=\"8.0\">\n"
            "  <file name=\"m/1.sql\">\n"
            "    <error line=\"2\" column=\"1\" severity=\"info\" message=\"writes wait for the "
            "build. Instead: CREATE INDEX CONCURRENTLY.\" "
            "source=\"pgalter.create-index-non-concurrent\"/>\n"
            "  </file>\n"
            "</checkstyle>\n");
}

TEST(LintJunit, OnlyWhatFailsTheRunIsAFailure) {
  Report report = MakeReport("m/1.sql", kScript);
  Finding note = FindingAt(report, "COMMIT");
  note.severity = Severity::kNote;
  Finding ignored = FindingAt(report, "BEGIN");
  ignored.suppressed = "because";
  report.result.findings = {ignored, FindingAt(report, "CREATE INDEX"), note};
  const std::string xml = RenderJunit(report);
  EXPECT_THAT(xml, HasSubstr("<testsuites name=\"pgalter lint\" tests=\"3\" failures=\"1\">"));
  EXPECT_THAT(xml, HasSubstr("name=\"create-index-non-concurrent:2\">\n      <failure "));
  EXPECT_THAT(xml, HasSubstr("name=\"create-index-non-concurrent:3\">\n      <system-out>"));
  EXPECT_THAT(xml, HasSubstr("<skipped message=\"because\"/>"));
}

TEST(LintJunit, AFileWithoutFindingsPasses) {
  const std::string xml = RenderJunit(MakeReport("m/1.sql", kScript));
  EXPECT_THAT(xml, HasSubstr("tests=\"1\" failures=\"0\""));
  EXPECT_THAT(xml, HasSubstr("<testcase classname=\"m/1.sql\" name=\"no findings\"/>"));
}

}  // namespace
}  // namespace pgalter::lint
