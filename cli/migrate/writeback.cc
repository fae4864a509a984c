#include "cli/migrate/writeback.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "cli/rejected.h"
#include "cli/report.h"
#include "engine/guard/transaction.h"

namespace pgalter::cli {

namespace {

using history::Applied;
using history::Migration;
using writeback::Book;
using writeback::Reconciliation;

// A table that is gone would mean that nothing was ever applied.
void RefuseLost(const Book& book, const std::set<std::string>& told) {
  if (book.there || told.empty()) return;
  throw Rejected(
      ExitCode::kHistoryDivergence,
      fmt::format("{} of {} is not there any more, and {} migrations were in it. Nothing "
                  "was changed",
                  book.table, book.called, told.size()),
      fmt::format("if it has another name: history.table in [migrations]; else bring it "
                  "back from a backup, or let {} make it anew",
                  book.called));
}

Task<> Apply(guard::Session& session, const Book& book, const Reconciliation& found) {
  auto apply = [&]() -> Task<> {
    for (const std::string& version : found.taken_back)
      co_await history::Remove(session, version, "migration.down",
                               fmt::format("taken back by {}", book.called));
    for (const Migration* migration : found.applied)
      co_await history::InsertImported(session, *migration, book.table);
    for (const Migration* migration : found.untold) {
      const writeback::Entry entry = writeback::EntryOf(book, *migration);
      for (const std::string& statement : entry.in) co_await session.db().Execute(statement);
    }
  };
  co_await guard::RunInTransaction(session, apply);
}

void Tell(const Context& context, const Book& book, const Reconciliation& found) {
  for (const std::string& version : found.taken_back)
    Say(context, fmt::format("{} has taken {} back", book.called, version));
  for (const Migration* migration : found.applied)
    Say(context, fmt::format("{} has applied {}", book.called, migration->version));
  for (const Migration* migration : found.untold)
    Say(context, fmt::format("{} is told that {} is applied", book.called, migration->version));
}

Task<> BringTogether(const Context& context, guard::Session& session, const Book& book,
                     const history::Collection& collection) {
  const auto ours = co_await history::ReadApplied(session);
  const Reconciliation found = co_await LookAtBook(session, book, collection, ours);
  RefuseDivergence(found.divergences);
  if (found.empty()) co_return;
  co_await Apply(session, book, found);
  Tell(context, book, found);
}

}  // namespace

Task<std::optional<Book>> FindSharedBook(guard::Session& session, const MigrationSettings& settings,
                                         const history::Collection& collection) {
  if (!settings.writeback) co_return std::nullopt;
  if (collection.migrations.empty()) co_return std::nullopt;
  Book book = co_await writeback::FindBook(session, collection, settings.table);
  co_return std::optional<Book>(std::move(book));
}

Task<Reconciliation> LookAtBook(guard::Session& session, const Book& book,
                                const history::Collection& collection,
                                const std::vector<Applied>& ours) {
  const auto told = co_await history::ReadTold(session);
  RefuseLost(book, told);
  const history::ForeignHistory theirs = co_await writeback::ReadBook(session, book);
  co_return writeback::Reconcile(collection, ours, told, theirs, book.called);
}

Task<> ShareBook(const Context& context, guard::Session& session, history::HistoryLock& lock,
                 async::Milliseconds wait, Book& book, const history::Collection& collection) {
  if (book.lock) co_await lock.TakeAlso(*book.lock, book.called, wait);
  if (!book.there) {
    const auto told = co_await history::ReadTold(session);
    RefuseLost(book, told);
    co_await writeback::MakeBook(session, book);
  }
  co_await BringTogether(context, session, book, collection);
}

Task<bool> AppliedMeanwhile(const Context& context, guard::Session& session, const Book& book,
                            const history::Collection& collection, const Migration& migration) {
  const auto ours = co_await history::ReadApplied(session);
  const Reconciliation found = co_await LookAtBook(session, book, collection, ours);
  if (std::ranges::find(found.applied, &migration) == found.applied.end()) co_return false;
  co_await BringTogether(context, session, book, collection);
  co_return true;
}

}  // namespace pgalter::cli
