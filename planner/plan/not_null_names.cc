#include "planner/plan/not_null_names.h"

#include <fmt/format.h>

namespace pgalter::plan {

std::string NameNotNulls(const sql::QualifiedName& table) {
  return fmt::format(
      "DO $pgalter$ DECLARE r record; BEGIN FOR r IN SELECT k.conname, k.conrelid, "
      "pg_catalog.concat(c.relname, '_', a.attname, '_not_null') AS wanted FROM "
      "pg_catalog.pg_constraint k JOIN pg_catalog.pg_class c ON c.oid = k.conrelid JOIN "
      "pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.conkey[1] WHERE k.conrelid "
      "= {}::pg_catalog.regclass AND k.contype = 'n' AND k.conname LIKE '%pgalter\\_new\\_%' LOOP "
      "IF "
      "pg_catalog.octet_length(r.wanted) < 64 AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint "
      "k WHERE k.conrelid = r.conrelid AND k.conname = r.wanted) THEN EXECUTE "
      "pg_catalog.format('ALTER TABLE %s RENAME CONSTRAINT %I TO %I', "
      "r.conrelid::pg_catalog.regclass, r.conname, r.wanted); END IF; END LOOP; END $pgalter$",
      sql::QuoteLiteral(sql::ToString(table)));
}

}  // namespace pgalter::plan
