#pragma once

// A directory of migrations, of whatever tool, as versions that can be applied and taken back.
// Reads files; never writes one.

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "migrations/formats/own_file.h"

namespace pgalter::history {

struct Checksums {
  std::string bytes;       // of the file
  std::string text;        // with one kind of line ends, and without a byte order mark
  std::string statements;  // of the way up without comments

  bool operator==(const Checksums&) const = default;
};

// Statements, at the lines where they stand in the file.
struct Script {
  std::string text;
  // The tool sends them as one transaction.
  bool together = false;
  // As they are, whatever there would be to say about them: "transaction: single".
  bool as_written = false;
  // The file, or what its tool does with it, says that a statement may be outside of a transaction.
  bool may_be_alone = false;
  // Materialized views may be made anew over a copy that takes their table's place.
  bool rebuild_matviews = false;
  // Procedures that end transactions, as a CALL may name them; see ending.h.
  std::vector<std::string> committing;
};

struct Migration {
  std::string version;
  std::string title;
  std::string file;  // path from the directory
  std::string format;
  Checksums sums;
  std::vector<formats::HeaderKey> header;
  std::vector<std::string> depends_on;
  std::vector<std::string> conflicts_with;  // exclusion.h
  std::string irreversible;                 // why there is no way down
  Script up;
  std::vector<formats::Section> sections;  // of the way up, in our own format
  std::optional<Script> down;
  std::string verify;  // statements that ask; empty: none
  std::string down_verify;
};

// What is wrong in a file.
struct Fault {
  std::string file;
  formats::OwnProblem problem;
};

struct Collection {
  std::filesystem::path directory;
  std::vector<Migration> migrations;  // in the order in which they are applied
  std::vector<Fault> faults;
  std::vector<std::string> notes;     // files that were left out, and why
  std::vector<std::string> problems;  // what could not be read, and why
  std::vector<std::string> foreign;   // what only its tool can run, and what to do
};

// `format` empty: found out.
[[nodiscard]] Collection ReadCollection(const std::filesystem::path& directory,
                                        const std::string& format);

// By the format's own rule, from a path below the directory. Pure.
[[nodiscard]] std::string VersionOf(std::string_view format, std::string_view path);
// The same for two spellings of one version: 001 and 1, and Flyway's 1.0, 1_0 and 1. Pure.
[[nodiscard]] std::string VersionKey(std::string_view format, std::string_view version);
[[nodiscard]] std::string TitleOf(std::string_view format, std::string_view path);
[[nodiscard]] Checksums ChecksumsOf(std::string_view bytes, std::string_view way_up,
                                    const std::vector<formats::Section>& sections);

}  // namespace pgalter::history
