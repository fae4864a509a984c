#pragma once

// One changelog file: what it includes, and its changesets. Private to migrations/convert.

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "migrations/convert/node.h"

namespace pgalter::convert {

struct Changeset {
  std::string file;  // as Liquibase writes it down
  std::string id;
  std::string author;
  std::string title;
  std::string up;
  std::string down;  // empty: none
  bool transaction = true;
  bool ours = true;                     // not for other databases only
  std::vector<std::string> conditions;  // that are not taken over: "context", …
  std::vector<std::string> unread;      // changes that are no SQL
};

struct Inclusion {
  std::string path;
  bool relative = false;  // to the file that includes it
  bool all = false;       // of a directory
};

// In their order in the file; exactly one of the two.
struct Entry {
  std::optional<Changeset> changeset;
  std::optional<Inclusion> inclusion;
};

// Gives the text of a file that a change names; nothing: it is not there.
using TextOf = std::function<std::optional<std::string>(const std::string& path, bool relative)>;
using Properties = std::map<std::string, std::string>;

[[nodiscard]] bool IsChangelogName(std::string_view file);  // .xml, .yaml, .yml, .json

// By the file's name. Throws Unreadable. `properties` are added to, and put in for ${name}.
[[nodiscard]] std::vector<Entry> ReadChangelog(const std::string& file, const std::string& text,
                                               const TextOf& text_of, Properties& properties);

// "postgresql, h2", "!oracle", "all", or empty: whether PostgreSQL is meant.
[[nodiscard]] bool IsForPostgres(std::string_view dbms);

}  // namespace pgalter::convert
