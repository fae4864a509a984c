#include "migrations/convert/liquibase.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "migrations/convert/liquibase_tree.h"
#include "migrations/formats/folder.h"
#include "migrations/formats/text.h"

namespace pgalter::convert {

namespace fs = std::filesystem;

namespace {

using history::Migration;

bool IsFormatted(const std::string& text) {
  return formats::HasMark(text, "liquibase formatted sql");
}

bool IsChangelog(const formats::Folder& folder, const std::string& file) {
  const auto text = folder.Text(file);
  if (!text) return false;
  if (IsChangelogName(file)) return text->find("databaseChangeLog") != std::string::npos;
  return file.ends_with(".sql") && IsFormatted(*text);
}

std::string Parent(const std::string& file) {
  const std::size_t slash = file.rfind('/');
  return slash == std::string::npos ? "" : file.substr(0, slash + 1);
}

class Collecting {
 public:
  explicit Collecting(const fs::path& directory) : folder_(directory, formats::Depth::kDeep) {
    collection_.directory = directory;
  }

  history::Collection Collect(const std::string& changelog);

 private:
  std::vector<std::string> Roots();
  void Walk(const std::string& file);
  void Include(const Inclusion& inclusion, const std::string& file);
  void Add(const Changeset& changeset);
  // Paths are from the directory, from above it, or from the file that names them.
  [[nodiscard]] std::string Resolved(std::string path, bool relative,
                                     const std::string& file) const;
  [[nodiscard]] bool IsThere(const std::string& path) const;
  void Problem(std::string what) { collection_.problems.push_back(std::move(what)); }

  formats::Folder folder_;
  history::Collection collection_;
  Properties properties_;
  std::vector<std::string> walking_;
  std::set<std::string> walked_;
  std::set<std::string> versions_;
};

bool Collecting::IsThere(const std::string& path) const {
  if (folder_.Has(path)) return true;
  const std::string below = path.ends_with('/') ? path : path + "/";
  return std::ranges::any_of(folder_.files(),
                             [&](const std::string& file) { return file.starts_with(below); });
}

std::string Collecting::Resolved(std::string path, bool relative, const std::string& file) const {
  if (path.starts_with("classpath:")) path.erase(0, 10);
  if (relative) path = (fs::path(Parent(file)) / path).lexically_normal().generic_string();
  while (path.starts_with('/') || path.starts_with("./"))
    path.erase(0, path.starts_with('/') ? 1 : 2);
  // db/changelog/a.sql of a project, where the directory that was given is its db/changelog.
  for (std::string rest = path; !relative;) {
    if (IsThere(rest)) return rest;
    const std::size_t slash = rest.find('/');
    if (slash == std::string::npos) break;
    rest.erase(0, slash + 1);
  }
  return path;
}

void Collecting::Include(const Inclusion& inclusion, const std::string& file) {
  const std::string path = Resolved(inclusion.path, inclusion.relative, file);
  if (!inclusion.all) return Walk(path);
  const std::string below = path.empty() || path.ends_with('/') ? path : path + "/";
  std::vector<std::string> all;
  for (const std::string& one : folder_.files())
    if (one.starts_with(below) && (IsChangelogName(one) || one.ends_with(".sql")))
      all.push_back(one);
  std::ranges::sort(all);  // by letters, as Liquibase does
  if (all.empty()) Problem(fmt::format("{}: includeAll {} finds nothing", file, inclusion.path));
  for (const std::string& one : all)
    if (one != file) Walk(one);
}

void Collecting::Walk(const std::string& file) {
  const auto text = folder_.Text(file);
  if (!folder_.Has(file) || !text)
    return Problem(
        fmt::format("{} is included, and is not below {}: name the directory above all "
                    "changelogs with --dir",
                    file, collection_.directory.string()));
  if (std::ranges::find(walking_, file) != walking_.end())
    return Problem(fmt::format("{} includes itself", file));
  if (!walked_.insert(file).second) return;  // its changesets are known
  walking_.push_back(file);
  const TextOf text_of = [&](const std::string& path, bool relative) {
    return folder_.Text(Resolved(path, relative, file));
  };
  try {
    for (const Entry& entry : ReadChangelog(file, *text, text_of, properties_)) {
      if (entry.changeset) Add(*entry.changeset);
      if (entry.inclusion) Include(*entry.inclusion, file);
    }
  } catch (const Unreadable& error) {
    Problem(fmt::format("{}: {}", file, error.what()));
  }
  walking_.pop_back();
}

void Collecting::Add(const Changeset& changeset) {
  const std::string called =
      fmt::format("{}: changeset {}:{}", changeset.file, changeset.author, changeset.id);
  if (changeset.id.empty() || changeset.author.empty())
    return Problem(fmt::format("{} has no id, or no author", called));
  if (!changeset.ours) {
    collection_.notes.push_back(called + " is for other databases, and left out");
    return;
  }
  for (const std::string& condition : changeset.conditions)
    collection_.notes.push_back(fmt::format("{}: its {} is not taken over", called, condition));
  if (!changeset.unread.empty())
    return Problem(
        fmt::format("{} has {}: only Liquibase knows its SQL. Write what `liquibase "
                    "update-sql` prints of it into a changeset of SQL",
                    called, fmt::join(changeset.unread, ", ")));
  Migration migration;
  migration.format = "liquibase";
  migration.file = changeset.file;
  migration.version = fmt::format("{}::{}::{}", changeset.file, changeset.id, changeset.author);
  if (!versions_.insert(migration.version).second)
    return Problem(fmt::format("{} is there twice", called));
  migration.title = changeset.title.empty() ? changeset.id : changeset.title;
  migration.up.text = changeset.up;
  migration.up.together = changeset.transaction;
  migration.up.may_be_alone = !changeset.transaction;
  if (!formats::Trim(changeset.down).empty()) {
    migration.down = migration.up;
    migration.down->text = changeset.down;
  }
  migration.sums = history::ChecksumsOf(changeset.up, changeset.up, {});
  collection_.migrations.push_back(std::move(migration));
}

// Those that no other includes: found by walking all that there are.
std::vector<std::string> Collecting::Roots() {
  std::vector<std::string> trees;
  std::vector<std::string> formatted;
  for (const std::string& file : folder_.files()) {
    if (!IsChangelog(folder_, file)) continue;
    (IsChangelogName(file) ? trees : formatted).push_back(file);
  }
  if (trees.empty()) return formatted;
  std::set<std::string> included;
  for (const std::string& file : trees) {
    Properties ignored;
    const TextOf nothing = [](const std::string&, bool) { return std::string(); };
    try {
      for (const Entry& entry :
           ReadChangelog(file, folder_.Text(file).value_or(""), nothing, ignored)) {
        if (!entry.inclusion) continue;
        const std::string path = Resolved(entry.inclusion->path, entry.inclusion->relative, file);
        for (const std::string& one : folder_.files())
          if (one != file && (one == path || (entry.inclusion->all && one.starts_with(path))))
            included.insert(one);
      }
    } catch (const Unreadable& error) {
      Problem(fmt::format("{}: {}", file, error.what()));
    }
  }
  std::erase_if(trees, [&](const std::string& file) { return included.contains(file); });
  return trees;
}

history::Collection Collecting::Collect(const std::string& changelog) {
  if (!folder_.problem().empty()) Problem(folder_.problem());
  if (!changelog.empty()) {
    Walk(changelog);
    return std::move(collection_);
  }
  const std::vector<std::string> roots = Roots();
  if (roots.size() > 1 && IsChangelogName(roots.front()))
    Problem(
        fmt::format("there is more than one changelog that no other includes: {}. Name the one "
                    "to begin with: --changelog",
                    fmt::join(roots, ", ")));
  if (collection_.problems.empty())
    for (const std::string& root : roots) Walk(root);
  return std::move(collection_);
}

}  // namespace

bool HasChangelog(const fs::path& directory) {
  const formats::Folder folder(directory, formats::Depth::kDeep);
  return std::ranges::any_of(folder.files(),
                             [&](const std::string& file) { return IsChangelog(folder, file); });
}

history::Collection ReadLiquibase(const fs::path& directory, const std::string& changelog) {
  return Collecting(directory).Collect(changelog);
}

}  // namespace pgalter::convert
