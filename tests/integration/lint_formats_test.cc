// The formats of lint before the readers that they are for: the official SARIF schema, our own
// schema, an XML parser.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "planner/lint/render/format.h"
#include "tests/support/lint_report.h"

namespace pgalter::lint {
namespace {

namespace fs = std::filesystem;
using test::FindingAt;
using test::MakeReport;

constexpr int kSkipped = 77;

// Names, bytes and places that are hard on a format.
Report HardReport() {
  Report report =
      MakeReport("./m/a b\x01<&\">\xFF.sql", "\xEF\xBB\xBFSELECT '\U0001F600';\r\nbad\r\n");
  report.files.push_back({"/srv/m/2.sql", "/srv/m/2.sql", "SELEC 1;", true});
  report.files.push_back({"m/3.sql", "m/3.sql", "", true});
  report.files.push_back({"m/0.sql", "m/0.sql", "", false});
  Finding hard = FindingAt(report, "bad");
  hard.message = "]]> -- \x01\x1B \xED\xA0\x80 \"<&>'\n\tEnd";
  hard.fix = {{{hard.span.begin, hard.span.begin}, "/* \xFE */ "}, {hard.span, ""}};
  Finding ignored = FindingAt(report, "SELECT");
  ignored.suppressed = "a reason with \"quotes\" and <tags>";
  ignored.severity = Severity::kNote;
  ignored.lock.reset();
  Finding known = ignored;
  known.suppressed.clear();
  known.fingerprint = "known";
  Finding unread = ignored;
  unread.suppressed.clear();
  unread.rule = "parse-error";
  unread.severity = Severity::kWarning;
  unread.file = 1;
  unread.span = {0, 7};
  unread.remedy.clear();
  report.result.findings = {ignored, known, hard, unread};
  report.baseline = {"known"};
  return report;
}

class LintFormats : public ::testing::Test {
 protected:
  LintFormats() {
    std::string folder = fs::temp_directory_path() / "pgalter-formats-XXXXXX";
    folder_ = ::mkdtemp(folder.data());
  }
  void TearDown() override { fs::remove_all(folder_); }

  fs::path Write(const std::string& text) {
    fs::path file = folder_ / "report";
    std::ofstream(file, std::ios::binary) << text;
    return file;
  }
  // The judge's exit code.
  static int Judge(const std::string& command) {
    const int status = std::system(command.c_str());
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  int Validate(const std::string& schema, const std::string& text) {
    return Judge(fmt::format("'{}/tests/schemas/validate' '{}' '{}'", PGALTER_SOURCE_DIR, schema,
                             Write(text).string()));
  }
  static bool HasXmllint() { return Judge("xmllint --version >/dev/null 2>&1") == 0; }
  std::string XPath(const std::string& xml, const std::string& path) {
    const fs::path out = folder_ / "out";
    EXPECT_EQ(Judge(fmt::format("xmllint --nonet --xpath '{}' '{}' >'{}'", path,
                                Write(xml).string(), out.string())),
              0);
    std::ifstream file(out);
    return {std::istreambuf_iterator<char>(file), {}};
  }

 private:
  fs::path folder_;
};

TEST_F(LintFormats, SarifIsWhatItsSchemaSays) {
  for (const Report& report : {HardReport(), MakeReport("m/1.sql", "SELECT 1;\n")}) {
    const int code = Validate("sarif", RenderSarif(report));
    if (code == kSkipped) GTEST_SKIP() << "npm, which has the schema, cannot be reached";
    EXPECT_EQ(code, 0);
  }
}

TEST_F(LintFormats, TheSarifSchemaCanFail) {
  const int code = Validate("sarif", R"({"version": "2.1.0", "runs": [{"tool": {}}]})");
  if (code == kSkipped) GTEST_SKIP() << "npm, which has the schema, cannot be reached";
  EXPECT_EQ(code, 1);
}

TEST_F(LintFormats, JsonIsWhatOurSchemaSays) {
  const std::string schema = std::string(PGALTER_SOURCE_DIR) + "/docs/schemas/lint.json";
  for (const Report& report : {HardReport(), MakeReport("m/1.sql", "SELECT 1;\n")}) {
    const int code = Validate(schema, RenderJson(report));
    if (code == kSkipped) GTEST_SKIP() << "npm, which has the judge, cannot be reached";
    EXPECT_EQ(code, 0);
  }
  EXPECT_EQ(Validate(schema, R"({"version": 1, "findings": []})"), 1);
}

TEST_F(LintFormats, AnXmlParserReadsJunit) {
  if (!HasXmllint()) GTEST_SKIP() << "xmllint is missing: Debian's libxml2-utils";
  const std::string xml = RenderJunit(HardReport());
  EXPECT_EQ(XPath(xml, "count(//testcase)"), "5\n");
  EXPECT_EQ(XPath(xml, "count(//failure)"), "1\n");
  EXPECT_EQ(XPath(xml, "string(//failure/@message)"),
            "]]> -- \\x01\\x1B \uFFFD\uFFFD\uFFFD \"<&>'\n\tEnd\n");
}

TEST_F(LintFormats, AnXmlParserReadsCheckstyle) {
  if (!HasXmllint()) GTEST_SKIP() << "xmllint is missing: Debian's libxml2-utils";
  const std::string xml = RenderCheckstyle(HardReport());
  EXPECT_EQ(XPath(xml, "count(//error)"), "2\n");
  EXPECT_EQ(XPath(xml, "string(//file/@name)"), "./m/a b\\x01<&\">\uFFFD.sql\n");
  EXPECT_EQ(XPath(xml, "string(//error/@line)"), "2\n");
}

}  // namespace
}  // namespace pgalter::lint
