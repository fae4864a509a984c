#include "batcher/partition/shape.h"

namespace pgalter::partition {

Task<std::string> ShapeOf(Session& session, pg::Oid table) {
  const pg::Result row = co_await session.db().Query(
      "SELECT md5(string_agg(part, E'\\n' ORDER BY part)) FROM ("
      " SELECT format('%s %s %s %s %s %s %s %s', attnum, attname, format_type(atttypid, atttypmod),"
      "   attcollation, attidentity, attgenerated, to_jsonb(a) ->> 'attstattarget',"
      "   col_description(attrelid, attnum)) || coalesce(pg_get_expr(d.adbin, d.adrelid), '')"
      " FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = attrelid AND d.adnum = attnum"
      " WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped"
      " UNION ALL SELECT pg_get_indexdef(indexrelid) FROM pg_index x"
      " JOIN pg_class c ON c.oid = x.indexrelid"
      " WHERE indrelid = $1 AND c.relname NOT LIKE 'pgalter\\_%'"
      " UNION ALL SELECT pg_get_userbyid(relowner)::text FROM pg_class WHERE oid = $1"
      " UNION ALL SELECT to_jsonb(q)::text FROM pg_sequence q JOIN pg_depend d"
      " ON d.classid = 'pg_class'::regclass AND d.objid = q.seqrelid AND d.refobjid = $1"
      " UNION ALL SELECT conname || pg_get_constraintdef(oid) FROM pg_constraint"
      " WHERE conrelid = $1 AND conname NOT LIKE 'pgalter\\_%' AND contype <> 'n') parts (part)",
      table);
  co_return row.Get<std::optional<std::string>>(0, 0).value_or("");
}

}  // namespace pgalter::partition
