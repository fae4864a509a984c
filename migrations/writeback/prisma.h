#pragma once

// Prisma's book, private to this folder.

#include "migrations/writeback/book.h"

namespace pgalter::writeback {

[[nodiscard]] Entry PrismaEntry(const Book& book, const history::Migration& migration);
[[nodiscard]] std::vector<std::string> PrismaTable(const Book& book);

}  // namespace pgalter::writeback
