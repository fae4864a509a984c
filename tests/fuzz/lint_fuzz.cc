// Any bytes as a migration file, with a history before it, through every rule there is.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "planner/lint/linter.h"
#include "planner/lint/rules.h"

namespace {

namespace lint = pgalter::lint;

constexpr const char* kHistory = R"(
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE TABLE p (id bigint PRIMARY KEY, a text NOT NULL);
CREATE TABLE t (id bigint PRIMARY KEY, a int, b text DEFAULT 'x', c mood, d positive,
                p bigint REFERENCES p (id), CHECK (a > 0));
CREATE INDEX i ON t (a) WHERE b IS NOT NULL;
CREATE VIEW v AS SELECT id, a FROM t;
CREATE TABLE m (at date NOT NULL, a int) PARTITION BY RANGE (at);
CREATE TABLE m1 PARTITION OF m FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE m0 PARTITION OF m DEFAULT;
)";

lint::Options EveryRule(int server_version) {
  lint::Options options;
  options.server_version = server_version;
  for (const lint::Rule* rule : lint::AllRules()) options.on.insert(std::string(rule->id));
  return options;
}

}  // namespace

// The first byte chooses how the file is sent and the server's version.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  lint::File history;
  history.name = "history.sql";
  history.text = kHistory;
  history.judged = false;
  lint::File file;
  file.name = "file.sql";
  file.text.assign(reinterpret_cast<const char*>(data) + 1, size - 1);
  file.parts = {{{0, file.text.size()}, static_cast<lint::Sending>(data[0] % 3)}};
  const auto result = lint::Lint({history, file}, EveryRule(14 + data[0] / 3 % 5));
  for (const lint::Finding& finding : result.findings) {
    if (finding.span.begin <= finding.span.end && finding.span.end <= file.text.size()) continue;
    std::fprintf(stderr, "%s: a finding outside of its file\n", finding.rule.c_str());
    std::abort();
  }
  return 0;
}
