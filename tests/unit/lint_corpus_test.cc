// The linter against tests/lint/corpus, whose truth lint_corpus_truth_test.cc measures: nothing
// risky goes by, and nobody is frightened without need.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "planner/lint/linter.h"
#include "tests/support/lint_corpus.h"

namespace pgalter::lint {
namespace {

using test::CorpusCase;

Sending SendingOf(const CorpusCase& given) {
  if (given.sending == "transaction") return Sending::kTransaction;
  return given.sending == "one-query" ? Sending::kOneQuery : Sending::kOneByOne;
}

File HistoryOf(std::string name, std::string text) {
  File file;
  file.name = std::move(name);
  file.text = std::move(text);
  file.judged = false;
  return file;
}

std::vector<Finding> FindingsOf(const CorpusCase& given) {
  std::vector<File> files;
  files.push_back(HistoryOf("base.sql", test::ReadCorpusBase(given.base).schema));
  if (!given.history.empty()) files.push_back(HistoryOf("history.sql", given.history));
  File file;
  file.name = "migration.sql";
  file.text = given.migration;
  file.parts = {{{0, given.migration.size()}, SendingOf(given)}};
  files.push_back(file);
  Options options;
  options.server_version = 15;
  std::vector<Finding> serious = Lint(files, options).findings;
  std::erase_if(serious, [](const Finding& f) { return f.severity == Severity::kNote; });
  return serious;
}

sql::Span JudgedSpan(const CorpusCase& given) {
  std::vector<sql::Span> spans;
  std::vector<std::string> statements;
  for (const sql::Piece& piece : sql::SplitScript(given.migration)) {
    if (piece.kind != sql::PieceKind::kStatement) continue;
    spans.push_back(piece.span);
    statements.push_back(piece.sql);
  }
  return spans.at(static_cast<std::size_t>(given.Judged(statements)));
}

std::string Describe(const std::vector<Finding>& findings) {
  std::string text;
  for (const Finding& finding : findings)
    text += fmt::format("{}: {}: {}\n", Name(finding.severity), finding.rule, finding.message);
  return text;
}

class LintCorpus : public ::testing::TestWithParam<CorpusCase> {};

TEST_P(LintCorpus, IsJudgedRightly) {
  const CorpusCase& given = GetParam();
  const auto findings = FindingsOf(given);
  if (!given.risky) {
    EXPECT_EQ(Describe(findings), "");
    return;
  }
  const sql::Span judged = JudgedSpan(given);
  EXPECT_TRUE(std::ranges::any_of(findings,
                                  [&](const Finding& finding) {
                                    return finding.span.begin >= judged.begin &&
                                           finding.span.begin < judged.end;
                                  }))
      << "elsewhere:\n"
      << Describe(findings);
}

INSTANTIATE_TEST_SUITE_P(Cases, LintCorpus, ::testing::ValuesIn(test::ReadCorpus()),
                         [](const auto& instance) {
                           return (instance.param.risky ? "risky_" : "safe_") + instance.param.name;
                         });

}  // namespace
}  // namespace pgalter::lint
